//! Those whom a case names: each with a key, a certificate, a connection and a session of its own, and with votes, which only who
//! has the key can sign.
//!
//! A request says whose it is by the attribute `identity` of its `RequestMessage`; see `conformance/cases/README.md`.

use crate::binding::Bindings;
use crate::element::Element;
use crate::play::Peer;
use crate::tree::Content;
use certs::{CertificateFacts, CertificateRequest, KeyKind, Leaf, PrivateKey, Subject, Usage, Validity, pem};
use kmip_client::{Connection, Identity, Settings};
use kmip_protocol::{
    Authentication, Credential, DateTime, Item as _, LoginRequest, ProposalDetail, RequestHeader, RequestItem,
    RequestMessage, ResponseMessage, ResponsePayload, SecretText, UsernameAndPassword, Version, VoteDecision,
    VoteStatement, tag,
};
use kmip_ttlv::Writer;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// Seconds for which a signed vote is good: it is cast at once.
const VOTE_LASTS: i64 = 600;
/// Days that a certificate made here is valid.
const DAYS: u32 = 30;
/// What everybody made here is given as an initial password, and changes it to. Servers refuse passwords that are like names.
const GIVEN: &str = "first of all, change this one";
const CHOSEN: &str = "a long way from here to there";
/// Variables whose name ends with an identity's: what they stand for is known before anything was answered.
const CERTIFICATE: &str = "CERTIFICATE_";
const CERTIFICATE_REQUEST: &str = "CERTIFICATE_REQUEST_";
const KEY_FINGERPRINT: &str = "KEY_FINGERPRINT_";
const PASSWORD: &str = "PASSWORD_";
const INITIAL_PASSWORD: &str = "INITIAL_PASSWORD_";
/// The text of a file in the folder of the identities, by its name.
const FILE: &str = "FILE_";
/// The statement of a vote on the proposal that the identity was shown last, and its signature.
const VOTE_STATEMENT: &str = "VOTE_STATEMENT";
const VOTE_SIGNATURE: &str = "VOTE_SIGNATURE";

/// Everybody whom cases may name.
#[derive(Default)]
pub struct People {
    address: String,
    ca: PathBuf,
    folder: Option<PathBuf>,
    known: HashMap<String, Person>,
}

struct Person {
    files: Identity,
    certificate: Vec<u8>,
    key: PrivateKey,
    /// What a session begins with.
    password: Zeroizing<String>,
    /// Whether it has been changed to that already.
    arrived: bool,
    initial: Zeroizing<String>,
    ticket: Option<Vec<u8>>,
    peer: Option<Box<dyn Peer>>,
    /// The proposal that it was shown last.
    shown: Option<ProposalDetail>,
}

impl People {
    /// Nobody yet; those who are named connect to this server.
    #[must_use]
    pub fn at(address: &str, ca: &Path) -> Self {
        Self {
            address: address.to_owned(),
            ca: ca.to_owned(),
            ..Self::default()
        }
    }

    /// Whoever has a file `NAME.pem` in this folder, with `NAME-key.pem`, and in `NAME.password` the initial password. Who is named and
    /// has none gets key and certificate there.
    pub fn live_in(&mut self, folder: &Path) {
        self.folder = Some(folder.to_owned());
    }

    /// Somebody whose files lie elsewhere: `NAME=CERT,KEY[,PASSWORDFILE]`, the password being the present one.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn introduce(&mut self, text: &str) -> Result<(), String> {
        let (name, files) = text.split_once('=').ok_or("expected NAME=CERT,KEY[,PASSWORDFILE]")?;
        let mut files = files.split(',').map(PathBuf::from);
        let (Some(cert), Some(key)) = (files.next(), files.next()) else {
            return Err("expected NAME=CERT,KEY[,PASSWORDFILE]".to_owned());
        };
        let mut person = self.read(&cert, &key)?;
        if let Some(file) = files.next() {
            person.password = secret(&file)?;
            person.arrived = true;
        }
        self.known.insert(name.to_owned(), person);
        Ok(())
    }

    /// Whether cases that name identities can be played.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folder.is_none() && self.known.is_empty()
    }

    fn read(&self, certificate: &Path, key: &Path) -> Result<Person, String> {
        let problem = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(certificate).map_err(|e| problem(certificate, &e))?;
        let chain = pem::certificates(&text).map_err(|e| problem(certificate, &e))?;
        let first = chain
            .into_iter()
            .next()
            .ok_or_else(|| problem(certificate, &"is empty"))?;
        let text = Zeroizing::new(std::fs::read_to_string(key).map_err(|e| problem(key, &e))?);
        let private = PrivateKey::from_pem(&text).map_err(|e| problem(key, &e))?;
        Ok(Person {
            files: Identity {
                ca: self.ca.clone(),
                certificate: Some(certificate.to_owned()),
                key: Some(key.to_owned()),
            },
            certificate: first,
            key: private,
            password: Zeroizing::default(),
            arrived: false,
            initial: Zeroizing::default(),
            ticket: None,
            peer: None,
            shown: None,
        })
    }

    fn person(&mut self, name: &str) -> Result<&mut Person, String> {
        if !self.known.contains_key(name) {
            let person = self.meet(name)?;
            self.known.insert(name.to_owned(), person);
        }
        self.known
            .get_mut(name)
            .ok_or_else(|| format!("nobody is called {name}"))
    }

    /// Somebody from the folder, made if nobody of this name is there.
    fn meet(&self, name: &str) -> Result<Person, String> {
        let folder = self
            .folder
            .as_ref()
            .ok_or_else(|| format!("no identity is called {name}"))?;
        let at = |end: &str| folder.join(format!("{name}{end}"));
        if !at("-key.pem").exists() {
            let leaf = Leaf {
                subject: Subject::named(name),
                alternative_names: Vec::new(),
                usage: Usage::Client,
                validity: Validity::days(now(), DAYS),
            };
            let (certificate, key) = leaf.self_signed(KeyKind::P256).map_err(|e| e.to_string())?;
            write(&at(".pem"), pem::write_certificate(&certificate).as_bytes())?;
            write(&at("-key.pem"), key.to_pem().as_bytes())?;
        }
        let mut person = self.read(&at(".pem"), &at("-key.pem"))?;
        person.password = Zeroizing::new(CHOSEN.to_owned());
        person.initial = if at(".password").exists() {
            secret(&at(".password"))?
        } else {
            Zeroizing::new(GIVEN.to_owned())
        };
        Ok(person)
    }

    /// Binds the variables of a request that stand for what identities have.
    ///
    /// # Errors
    /// A name that nobody has; a vote without a proposal to vote on.
    pub fn prepare(&mut self, request: &Element, bindings: &mut Bindings) -> Result<(), String> {
        let mut variables = Vec::new();
        variables_of(request, &mut variables);
        let voted = variables.iter().any(|v| v == VOTE_STATEMENT || v == VOTE_SIGNATURE);
        for variable in &variables {
            let known = if bindings.is_bound(variable) {
                None
            } else {
                self.known_value(variable)?
            };
            if let Some(content) = known {
                bindings.bind(variable, content);
            }
        }
        if voted {
            let name = request.attribute("identity").ok_or("a vote needs an identity")?;
            let decision = decision(request).ok_or("a vote needs a decision")?;
            let (statement, signature) = self.person(name)?.vote(decision)?;
            bindings.bind(VOTE_STATEMENT, Content::Bytes(statement));
            bindings.bind(VOTE_SIGNATURE, Content::Bytes(signature));
        }
        Ok(())
    }

    fn known_value(&mut self, variable: &str) -> Result<Option<Content>, String> {
        let text = |secret: &Zeroizing<String>| Content::Text(secret.to_string());
        Ok(Some(if let Some(name) = variable.strip_prefix(CERTIFICATE_REQUEST) {
            let person = self.person(name)?;
            let request = CertificateRequest::create(&Subject::named(name), &[], &person.key);
            Content::Bytes(request.map_err(|e| e.to_string())?)
        } else if let Some(name) = variable.strip_prefix(CERTIFICATE) {
            Content::Bytes(self.person(name)?.certificate.clone())
        } else if let Some(name) = variable.strip_prefix(KEY_FINGERPRINT) {
            Content::Bytes(self.person(name)?.fingerprint()?)
        } else if let Some(name) = variable.strip_prefix(INITIAL_PASSWORD) {
            text(&self.person(name)?.initial)
        } else if let Some(name) = variable.strip_prefix(PASSWORD) {
            let person = self.person(name)?;
            person.arrived = true;
            text(&person.password)
        } else if let Some(name) = variable.strip_prefix(FILE) {
            Content::Text(self.file(name)?)
        } else {
            return Ok(None);
        }))
    }

    /// What somebody has put beside the identities for a case.
    fn file(&self, name: &str) -> Result<String, String> {
        let folder = self.folder.as_ref().ok_or("no folder of identities")?;
        let path = folder.join(Path::new(name).file_name().unwrap_or_default());
        std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Sends a request of this identity, with the ticket of its session unless the case has it log in itself.
    ///
    /// # Errors
    /// No connection, no answer, no session.
    pub fn send(&mut self, name: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let settings = Settings::new(&self.address);
        let person = self.person(name)?;
        let answer = person.peer(&settings)?.exchange(bytes);
        if answer.is_err() {
            person.peer = None;
        }
        let answer = answer?;
        person.look(&answer);
        Ok(answer)
    }

    /// The request with the ticket of the identity's session in its header, if the case has no credentials of its own there and the
    /// identity has a password.
    ///
    /// # Errors
    /// A session that the server refuses.
    pub fn with_session(&mut self, name: &str, request: &Element) -> Result<Element, String> {
        let settings = Settings::new(&self.address);
        let person = self.person(name)?;
        let mut request = request.clone();
        let alone = request.attribute("session") == Some("none");
        request.attributes.clear();
        let has_own = request
            .child("RequestHeader")
            .is_some_and(|h| h.child("Authentication").is_some());
        if alone || has_own || !person.arrived {
            return Ok(request);
        }
        let ticket = match person.ticket.clone() {
            Some(ticket) => ticket,
            None => person.login(name, &settings)?,
        };
        if let Some(header) = request.children.iter_mut().find(|child| child.name == "RequestHeader") {
            let after = [
                "BatchErrorContinuationOption",
                "BatchOrderOption",
                "TimeStamp",
                "BatchCount",
            ];
            let place = header.children.iter().position(|c| after.contains(&c.name.as_str()));
            let place = place.unwrap_or(header.children.len());
            header.children.insert(place, authentication(&ticket));
        }
        Ok(request)
    }

    /// Takes a certificate that was issued to an identity: it connects with that one from now on.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn take_issued(&mut self, bindings: &Bindings) -> Result<(), String> {
        for (name, person) in &mut self.known {
            let Some(Content::Bytes(issued)) = bindings.get(&format!("ISSUED_{name}")) else {
                continue;
            };
            if issued != person.certificate {
                let path = person.files.certificate.clone().unwrap_or_default();
                write(&path, pem::write_certificate(&issued).as_bytes())?;
                person.certificate = issued;
                person.peer = None;
            }
        }
        Ok(())
    }
}

impl Person {
    fn peer(&mut self, settings: &Settings) -> Result<&mut Box<dyn Peer>, String> {
        if self.peer.is_none() {
            let connection = Connection::open(settings, &self.files).map_err(|e| e.to_string())?;
            self.peer = Some(Box::new(connection));
        }
        self.peer.as_mut().ok_or_else(|| "no connection".to_owned())
    }

    fn fingerprint(&self) -> Result<Vec<u8>, String> {
        let facts = CertificateFacts::read(&self.certificate).map_err(|e| e.to_string())?;
        Ok(facts.key_fingerprint.to_vec())
    }

    /// Begins a session with name and password.
    fn login(&mut self, name: &str, settings: &Settings) -> Result<Vec<u8>, String> {
        let mut header = RequestHeader::new(Version::NEWEST, 1);
        let credential = UsernameAndPassword {
            username: name.to_owned(),
            password: Some(SecretText::new(&self.password)),
        };
        header.authentication = Some(Authentication {
            credentials: vec![Credential::UsernameAndPassword(credential)],
        });
        let message = RequestMessage {
            header,
            items: vec![RequestItem::new(LoginRequest::default())],
        };
        let mut writer = Writer::new();
        message.write(&mut writer);
        let answer = self.peer(settings)?.exchange(writer.as_bytes())?;
        let item = first_item(&answer)?;
        let Some(ResponsePayload::Login(response)) = item.payload else {
            let why = item.result_message.unwrap_or_default();
            return Err(format!("{name} cannot log in: {why}"));
        };
        let ticket = response.ticket.ticket_value.expose().to_vec();
        self.ticket = Some(ticket.clone());
        Ok(ticket)
    }

    /// Keeps the proposal that an answer shows: what a vote is about is what was shown to who votes.
    fn look(&mut self, answer: &[u8]) {
        if let Ok(item) = first_item(answer)
            && let Some(ResponsePayload::ProposalGet(response)) = item.payload
        {
            self.shown = Some(response.proposal);
        }
    }

    /// The statement of a vote on the proposal that was shown last, and its signature; none if its digest is not that of the request
    /// shown.
    fn vote(&self, decision: VoteDecision) -> Result<(Vec<u8>, Vec<u8>), String> {
        let proposal = self.shown.as_ref().ok_or("no proposal was shown to who votes")?;
        let number = proposal.summary.operation.0.to_be_bytes();
        let digest = certs::fingerprint(&[&number, proposal.frozen_request.as_slice()].concat());
        if proposal.request_digest != digest {
            return Err("the digest of the proposal is not that of the request shown".to_owned());
        }
        let issued = now();
        let statement = VoteStatement {
            context: VoteStatement::CONTEXT.to_owned(),
            instance_identifier: proposal.instance_identifier.clone(),
            epoch: proposal.epoch,
            tenant_name: proposal.summary.tenant_name.clone(),
            proposal_identifier: proposal.summary.proposal_identifier.clone(),
            request_digest: proposal.request_digest.clone(),
            target_digest: proposal.target_digest.clone(),
            policy_digest: proposal.policy_digest.clone(),
            decision,
            voter_fingerprint: self.fingerprint()?,
            issued: DateTime(issued),
            expires: DateTime(issued.saturating_add(VOTE_LASTS)),
            shares_digest: None,
        };
        let mut writer = Writer::new();
        statement.write_item(&mut writer, tag::VOTE_STATEMENT, Version::NEWEST);
        let signature = self.key.sign(writer.as_bytes()).map_err(|e| e.to_string())?;
        Ok((writer.into_bytes(), signature))
    }
}

fn first_item(answer: &[u8]) -> Result<kmip_protocol::ResponseItem, String> {
    let message = ResponseMessage::read(answer).map_err(|e| e.to_string())?;
    message
        .items
        .into_iter()
        .next()
        .ok_or_else(|| "an answer without items".to_owned())
}

/// The ticket as a header carries it.
fn authentication(ticket: &[u8]) -> Element {
    let structure = |name: &str, children: Vec<Element>| Element {
        name: name.to_owned(),
        attributes: Vec::new(),
        children,
    };
    let value = |name: &str, kind: &str, value: &str| Element {
        name: name.to_owned(),
        attributes: vec![
            ("type".to_owned(), kind.to_owned()),
            ("value".to_owned(), value.to_owned()),
        ],
        children: Vec::new(),
    };
    let ticket = Content::Bytes(ticket.to_vec()).to_xml_value();
    let ticket = structure(
        "Ticket",
        vec![
            value("TicketType", "Enumeration", "Login"),
            value("TicketValue", "ByteString", &ticket),
        ],
    );
    let credential = structure(
        "Credential",
        vec![
            value("CredentialType", "Enumeration", "Ticket"),
            structure("CredentialValue", vec![ticket]),
        ],
    );
    structure("Authentication", vec![credential])
}

/// The variables of a request, without `$`.
fn variables_of(element: &Element, found: &mut Vec<String>) {
    found.extend(element.value().and_then(|v| v.strip_prefix('$')).map(str::to_owned));
    element.children.iter().for_each(|child| variables_of(child, found));
}

/// What a vote decides, as its request says it.
fn decision(element: &Element) -> Option<VoteDecision> {
    let own = element.name == "VoteDecision" || element.attribute("name") == Some("VoteDecision");
    if own {
        let digits = element.value()?.strip_prefix("0x")?;
        return u32::from_str_radix(digits, 16).ok().map(VoteDecision);
    }
    element.children.iter().find_map(decision)
}

fn secret(path: &Path) -> Result<Zeroizing<String>, String> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Zeroizing::new(text.trim_end().to_owned()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}
