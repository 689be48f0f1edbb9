//! Share keys: a file beside the person's certificate, and what it opens.

use super::call::Caller;
use super::failure::{Failure, Outcome};
use super::possession::{Place, Proof};
use super::{hex, private, tell};
use crate::custody::sharing::{Envelope, ShareSecret, is_share};
use certs::{KeyKind, PrivateKey};
use kmip_protocol::{HeldShare, KeyHolder, OpenedShare, PersonGetRequest, PersonRole, ShareKeyPutRequest};
use kmip_ttlv::Secret;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where the share key of whoever has this certificate is: `olga-share-key.pem` beside `olga.pem`.
pub(super) fn place(certificate: &Path) -> PathBuf {
    let stem = certificate.file_stem().unwrap_or_default().to_string_lossy();
    certificate.with_file_name(format!("{stem}-share-key.pem"))
}

/// Where the one before it is, which opens what was shared before.
fn former(place: &Path) -> PathBuf {
    place.with_extension("former.pem")
}

/// Makes the caller's share key, unless it is there, and has it enrolled.
pub(super) fn enroll(caller: &mut Caller<'_>, another: bool) -> Outcome<()> {
    let path = place(&caller.profile.cert);
    if another && path.exists() {
        let before = former(&path);
        std::fs::rename(&path, &before).map_err(|why| format!("{}: {why}", before.display()))?;
    }
    let person = caller.session.ask(PersonGetRequest { person_name: None })?.person;
    let at = Place::of(caller, None)?;
    let request = request(&caller.profile.cert, &at, person.person_role, &person.person_name)?;
    caller.change(request, "the share key is enrolled")
}

/// What enrolls the share key of whoever has this certificate; it is made, unless it is there.
pub(super) fn request(certificate: &Path, at: &Place, role: PersonRole, name: &str) -> Outcome<ShareKeyPutRequest> {
    let path = place(certificate);
    if !path.exists() {
        let key = PrivateKey::generate(KeyKind::P256).map_err(|why| why.to_string())?;
        private::write(&path, key.to_pem().as_bytes())?;
    }
    let key = read(&path)?;
    let proof = Proof::make(at, KeyHolder::Shares(role, name), &key)?;
    Ok(ShareKeyPutRequest {
        person_name: name.to_owned(),
        public_key_info: key.public_key_info(),
        possession_proof: proof.signature,
    })
}

/// A share key from its file.
pub(super) fn read(path: &Path) -> Outcome<PrivateKey> {
    let problem = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|why| problem(&why))?;
    PrivateKey::from_pem(&Zeroizing::new(text)).map_err(|why| problem(&why))
}

/// Opens shares with the key in a file, and the one before it. What neither opens is passed over, which is told; what is not what it is
/// said to be is a failure.
pub(super) fn open(path: &Path, held: &[HeldShare]) -> Outcome<Vec<OpenedShare>> {
    let mut secrets = Vec::new();
    for path in [path, &former(path)]
        .into_iter()
        .filter(|path| !held.is_empty() && path.exists())
    {
        let secret = ShareSecret::read(&read(path)?.to_der());
        secrets.push(secret.map_err(|_| Failure::usage(format!("{}: no share key", path.display())))?);
    }
    let mut opened = Vec::with_capacity(held.len());
    for share in held {
        let mut secrets = secrets.iter();
        match secrets.find(|secret| secret.key().fingerprint()[..] == share.key_fingerprint) {
            Some(secret) => opened.push(open_one(secret, share)?),
            None => tell(&format!(
                "your share of the credential of {} is encrypted to the share key {}, which is not in {}: it is not handed in",
                name(share),
                hex(&share.key_fingerprint),
                path.display()
            )),
        }
    }
    Ok(opened)
}

fn name(share: &HeldShare) -> &str {
    share.hsm_profile_name.as_deref().unwrap_or("an HSM-Profile")
}

fn open_one(secret: &ShareSecret, held: &HeldShare) -> Outcome<OpenedShare> {
    let envelope = Envelope {
        encapsulated: held.encapsulated_key.clone(),
        sealed: held.sealed_share.clone(),
    };
    let damaged = || {
        Failure::from(format!(
            "your share of the credential of {} is damaged: nothing was sent",
            name(held)
        ))
    };
    let share: Secret = secret.open(&held.share_context, &envelope).map_err(|_| damaged())?;
    if !is_share(&held.share_context, &held.share_commitment, share.expose()) {
        return Err(damaged());
    }
    Ok(OpenedShare {
        share_context: held.share_context.clone(),
        share,
    })
}
