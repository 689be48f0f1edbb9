//! The file of a legacy token: text of one `name: value` a line, in one order and one spelling.
//!
//! ```text
//! claviger legacy token 1
//! tenant: acme
//! name: safe a
//! token: 16 bytes, the token's identifier
//! threshold: 2
//! shares: 3
//! kdf: HKDF-SHA-256
//! cipher: AES-256-GCM
//! share 1: 32 bytes, SHA-256 over "claviger legacy share 1", the identifier, the index (one byte) and the share's value (32 bytes)
//! share 2: …
//! share 3: …
//! credentials: format (1), cipher (1), nonce (12), 640 sealed bytes, tag (16)
//! ```
//!
//! Bytes are lower-case hexadecimal digits. The credentials are sealed under HKDF-SHA-256 of the secret, with every line above theirs, line
//! ends included, as associated data: a file that was edited does not open. The secret is shared by Shamir's scheme over GF(2⁸).

use super::credentials::{Credentials, LENGTH};
use super::share::Share;
use crate::crypto::Randomness;
use crate::custody::error::CustodyError;
use crate::custody::sealing::{self, OVERHEAD};
use crate::custody::sharing::shamir;
use crate::custody::slab::{Locked, Slab};
use kmip_ttlv::Hex;

/// Bytes of the secret, and of each share's value.
pub(super) const SECRET: usize = 32;
/// Shares that a token may have: more custodians than a ceremony ever had.
const MOST_SHARES: u8 = 32;
/// Bytes of a token's text at most: one with every share has less than half of it.
pub const LONGEST_TOKEN: usize = 8 * 1024;
/// Bytes of a name.
const NAME: usize = 64;

const FIRST: &str = "claviger legacy token 1";
const KDF: &str = "HKDF-SHA-256";
const CIPHER: &str = "AES-256-GCM";

/// Why the text of a token is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// It is longer than any token.
    #[error("the file is too long for a legacy token")]
    TooLong,
    /// This line, counted from 1, is not what belongs there.
    #[error("line {0} of the legacy token is not what belongs there")]
    Line(usize),
    /// The numbers of shares and threshold do not fit.
    #[error("a legacy token has 2 to 32 shares, and as many or fewer of them, at least 2, open it")]
    Threshold,
}

/// A legacy token without what it keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegacyToken {
    /// The tenant whose it is, by name.
    pub tenant: String,
    /// Its own name.
    pub name: String,
    /// Its identifier: 16 random bytes.
    pub id: [u8; 16],
    /// How many shares open it.
    pub threshold: u8,
    /// What each share is committed to, in order.
    commitments: Vec<[u8; 32]>,
}

impl LegacyToken {
    /// Makes a token with its shares: for tests and rehearsals, as real ones come from elsewhere.
    ///
    /// # Errors
    /// [`CustodyError::Record`] if name or numbers are not those of a token; [`CustodyError`]
    pub fn make(
        slab: &Slab,
        randomness: &dyn Randomness,
        (tenant, name): (&str, &str),
        (threshold, shares): (u8, u8),
        credentials: &Credentials,
    ) -> Result<(Self, Vec<u8>, Vec<Share>), CustodyError> {
        if threshold_fits(threshold, usize::from(shares)).is_none() || !is_name(tenant) || !is_name(name) {
            return Err(CustodyError::Record);
        }
        let mut id = [0; 16];
        randomness.fill(&mut id).map_err(|_| CustodyError::Randomness)?;
        let mut secret = slab.allocate(SECRET)?;
        randomness
            .fill(secret.expose_mut())
            .map_err(|_| CustodyError::Randomness)?;
        let values = shamir::split(slab, randomness, &secret, threshold, shares)?;
        let share = |(index, value)| Share {
            token: id,
            index,
            value,
        };
        let made: Vec<Share> = (1..=shares).zip(values).map(share).collect();
        let token = Self {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            id,
            threshold,
            commitments: made.iter().map(Share::commitment).collect(),
        };
        let plain = credentials.encode(slab)?;
        let key = token.key(slab, &secret)?;
        let sealed = sealing::seal(randomness, &key, token.header().as_bytes(), plain.expose())?;
        Ok((token, sealed, made))
    }

    /// Reads the text of a token: itself, and what it keeps, sealed.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn read(text: &str) -> Result<(Self, Vec<u8>), TokenError> {
        let mut lines = Lines::of(text)?;
        let token = Self::read_lines(&mut lines)?;
        let sealed = lines.bytes("credentials: ", LENGTH.saturating_add(OVERHEAD))?;
        lines.end()?;
        Ok((token, sealed))
    }

    /// Reads what [`LegacyToken::header`] wrote.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn read_header(text: &str) -> Result<Self, TokenError> {
        let mut lines = Lines::of(text)?;
        let token = Self::read_lines(&mut lines)?;
        lines.end()?;
        Ok(token)
    }

    fn read_lines(lines: &mut Lines<'_>) -> Result<Self, TokenError> {
        lines.exactly(FIRST)?;
        let tenant = lines.name("tenant: ")?;
        let name = lines.name("name: ")?;
        let id = lines.array("token: ")?;
        let threshold = lines.number("threshold: ")?;
        let shares = lines.number("shares: ")?;
        threshold_fits(threshold, usize::from(shares)).ok_or(TokenError::Threshold)?;
        lines.exactly(&format!("kdf: {KDF}"))?;
        lines.exactly(&format!("cipher: {CIPHER}"))?;
        let mut commitments = Vec::with_capacity(usize::from(shares));
        for index in 1..=shares {
            commitments.push(lines.array(&format!("share {index}: "))?);
        }
        Ok(Self {
            tenant,
            name,
            id,
            threshold,
            commitments,
        })
    }

    /// The text of the token, with what it keeps.
    #[must_use]
    pub fn write(&self, sealed: &[u8]) -> String {
        format!("{}credentials: {}\n", self.header(), Hex(sealed))
    }

    /// Its text without what it keeps: what the seal is bound to.
    #[must_use]
    pub fn header(&self) -> String {
        let (tenant, name, id, threshold) = (&self.tenant, &self.name, Hex(&self.id), self.threshold);
        let shares = self.shares();
        let mut text = format!(
            "{FIRST}\ntenant: {tenant}\nname: {name}\ntoken: {id}\nthreshold: {threshold}\nshares: {shares}\nkdf: {KDF}\ncipher: {CIPHER}\n"
        );
        for (index, commitment) in (1_usize..).zip(&self.commitments) {
            text.push_str(&format!("share {index}: {}\n", Hex(commitment)));
        }
        text
    }

    /// How many shares there are.
    #[must_use]
    pub fn shares(&self) -> usize {
        self.commitments.len()
    }

    /// Whether a share is the one that was handed out by this number.
    #[must_use]
    pub fn has(&self, share: &Share) -> bool {
        let place = usize::from(share.index).checked_sub(1);
        let commitment = place.and_then(|place| self.commitments.get(place));
        share.token == self.id && commitment.is_some_and(|own| sealing::equal(own, &share.commitment()))
    }

    /// Opens what the token keeps.
    ///
    /// # Errors
    /// [`CustodyError::Refused`] if there are too few shares, one is not the token's, or the text was edited.
    pub fn open(&self, slab: &Slab, sealed: &[u8], shares: &[&Share]) -> Result<Credentials, CustodyError> {
        let enough = shares.get(..usize::from(self.threshold)).ok_or(CustodyError::Refused)?;
        if !shares.iter().all(|share| self.has(share)) {
            return Err(CustodyError::Refused);
        }
        let points: Vec<_> = enough.iter().map(|share| (share.index, &share.value)).collect();
        let secret = shamir::combine(slab, &points).map_err(|_| CustodyError::Refused)?;
        let key = self.key(slab, &secret)?;
        let plain = sealing::open_locked(slab, &key, self.header().as_bytes(), sealed)?;
        Credentials::decode(slab, plain.expose())
    }

    fn key(&self, slab: &Slab, secret: &Locked) -> Result<Locked, CustodyError> {
        sealing::derive(slab, secret, &[b"legacy token", &self.id])
    }
}

fn threshold_fits(threshold: u8, shares: usize) -> Option<()> {
    let fits = threshold >= 2 && usize::from(threshold) <= shares && shares <= usize::from(MOST_SHARES);
    fits.then_some(())
}

fn is_name(text: &str) -> bool {
    let shown = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    !text.is_empty() && text.len() <= NAME && shown && text.trim() == text && !text.contains("  ")
}

/// The lines of a token, one after the other.
struct Lines<'t> {
    lines: core::str::Lines<'t>,
    number: usize,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Result<Self, TokenError> {
        if text.len() > LONGEST_TOKEN {
            return Err(TokenError::TooLong);
        }
        Ok(Self {
            lines: text.trim_end().lines(),
            number: 0,
        })
    }

    /// The value of the next line, which has this name.
    fn value(&mut self, name: &str) -> Result<&'t str, TokenError> {
        self.number = self.number.saturating_add(1);
        let line = self.lines.next().and_then(|line| line.strip_prefix(name));
        line.ok_or(TokenError::Line(self.number))
    }

    fn exactly(&mut self, line: &str) -> Result<(), TokenError> {
        match self.value(line)? {
            "" => Ok(()),
            _ => Err(TokenError::Line(self.number)),
        }
    }

    fn name(&mut self, name: &str) -> Result<String, TokenError> {
        let value = self.value(name)?;
        is_name(value)
            .then(|| value.to_owned())
            .ok_or(TokenError::Line(self.number))
    }

    fn number(&mut self, name: &str) -> Result<u8, TokenError> {
        let value = self.value(name)?;
        let number = value.parse::<u8>().ok().filter(|number| number.to_string() == value);
        number.ok_or(TokenError::Line(self.number))
    }

    fn bytes(&mut self, name: &str, length: usize) -> Result<Vec<u8>, TokenError> {
        let value = self.value(name)?;
        let bytes = unhex(value).filter(|bytes| bytes.len() == length);
        bytes.ok_or(TokenError::Line(self.number))
    }

    fn array<const LENGTH: usize>(&mut self, name: &str) -> Result<[u8; LENGTH], TokenError> {
        let bytes = self.bytes(name, LENGTH)?;
        <[u8; LENGTH]>::try_from(bytes).map_err(|_| TokenError::Line(self.number))
    }

    fn end(mut self) -> Result<(), TokenError> {
        match self.lines.next() {
            None => Ok(()),
            Some(_) => Err(TokenError::Line(self.number.saturating_add(1))),
        }
    }
}

/// Lower-case hexadecimal digits only: a token has one spelling.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some((nibble(*high)? << 4) | nibble(*low)?);
    rest.is_empty()
        .then(|| pairs.iter().map(byte).collect::<Option<Vec<u8>>>())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::OsRandomness;
    use proptest::prelude::*;

    fn credentials(slab: &Slab) -> Credentials {
        Credentials {
            module: "softhsm".to_owned(),
            label: "old safe".to_owned(),
            serial: None,
            usage: slab.copy_from(b"1234").unwrap(),
            management: None,
        }
    }

    fn made(slab: &Slab, threshold: u8, shares: u8) -> (LegacyToken, Vec<u8>, Vec<Share>) {
        let numbers = (threshold, shares);
        LegacyToken::make(
            slab,
            &OsRandomness::new(),
            ("acme", "safe a"),
            numbers,
            &credentials(slab),
        )
        .unwrap()
    }

    #[test]
    fn as_many_shares_as_the_threshold_open_it_whichever() {
        let slab = Slab::new().unwrap();
        let (token, sealed, mut shares) = made(&slab, 3, 5);
        for turn in 0..5 {
            shares.rotate_left(1);
            for count in 0..=5 {
                let opened = token.open(&slab, &sealed, &refs(&shares)[..count]);
                assert_eq!(opened.is_ok(), count >= 3, "{turn} {count}");
                if let Ok(opened) = opened {
                    assert_eq!(opened.usage.expose(), b"1234");
                }
            }
        }
        // One twice is no second one.
        let twice = [
            copy(&slab, &shares[0]),
            copy(&slab, &shares[0]),
            copy(&slab, &shares[1]),
        ];
        assert!(token.open(&slab, &sealed, &refs(&twice)).is_err());
    }

    fn refs(shares: &[Share]) -> Vec<&Share> {
        shares.iter().collect()
    }

    fn copy(slab: &Slab, share: &Share) -> Share {
        Share::read(slab, &share.write()).unwrap()
    }

    #[test]
    fn a_share_is_known_by_itself() {
        let slab = Slab::new().unwrap();
        let (token, sealed, mut shares) = made(&slab, 2, 3);
        let (other, _, others) = made(&slab, 2, 3);
        assert!(shares.iter().all(|share| token.has(share) && !other.has(share)));
        assert!(others.iter().all(|share| other.has(share) && !token.has(share)));
        // Forged: the value, the number, or both the token and the rest.
        shares[0].value.expose_mut()[31] ^= 1;
        shares[1].index = 3;
        let mut third = copy(&slab, &others[0]);
        third.token = token.id;
        assert!(!token.has(&shares[0]) && !token.has(&shares[1]) && !token.has(&third));
        shares[2].index = 0;
        assert!(!token.has(&shares[2]));
        shares[2].index = 200;
        assert!(!token.has(&shares[2]));
        assert!(token.open(&slab, &sealed, &refs(&shares)).is_err());
    }

    #[test]
    fn the_text_is_read_as_it_was_written_and_every_edit_of_it_is_refused() {
        let slab = Slab::new().unwrap();
        let (token, sealed, shares) = made(&slab, 2, 2);
        let text = token.write(&sealed);
        assert_eq!(LegacyToken::read(&text).unwrap(), (token.clone(), sealed.clone()));
        assert_eq!(LegacyToken::read(&text.replace('\n', "\r\n")).unwrap().0, token);
        assert_eq!(LegacyToken::read_header(&token.header()).unwrap(), token);
        assert!(LegacyToken::read(&token.header()).is_err());
        assert!(LegacyToken::read_header(&text).is_err());
        for (place, was) in text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()) {
            let mut edited = text.clone();
            edited.replace_range(place..=place, if was == '2' { "3" } else { "2" });
            // Whatever is still a token does not open by these shares.
            let opened = LegacyToken::read(&edited).map(|(token, sealed)| token.open(&slab, &sealed, &refs(&shares)));
            assert!(!matches!(opened, Ok(Ok(_))), "{edited}");
        }
        let upper = text.replace("credentials: ", "credentials: A");
        for wrong in [
            upper,
            format!("{text}more\n"),
            text.replace("tenant: acme", "tenant:  acme"),
        ] {
            assert!(LegacyToken::read(&wrong).is_err(), "{wrong}");
        }
    }

    /// The names stand under the seal: whoever renames a token, or gives it to another tenant, has one that does not open.
    #[test]
    fn a_token_that_was_renamed_or_given_to_another_tenant_does_not_open() {
        let slab = Slab::new().unwrap();
        let (token, sealed, shares) = made(&slab, 2, 3);
        assert!(token.open(&slab, &sealed, &refs(&shares)).is_ok());
        let text = token.write(&sealed);
        for (from, to) in [
            ("tenant: acme", "tenant: !acme"),
            ("tenant: acme", "tenant: globex"),
            ("name: safe a", "name: safe b"),
        ] {
            let (read, read_sealed) = LegacyToken::read(&text.replace(from, to)).unwrap();
            assert!(read.shares() == 3 && shares.iter().all(|share| read.has(share)));
            let refused = read.open(&slab, &read_sealed, &refs(&shares));
            assert_eq!(refused.err(), Some(CustodyError::Refused), "{to}");
        }
    }

    #[test]
    fn numbers_that_control_nothing_are_refused() {
        let slab = Slab::new().unwrap();
        for (threshold, shares) in [(0, 0), (1, 1), (1, 3), (4, 3), (2, 33), (255, 255)] {
            let numbers = (threshold, shares);
            let made = LegacyToken::make(&slab, &OsRandomness::new(), ("a", "b"), numbers, &credentials(&slab));
            assert_eq!(made.err(), Some(CustodyError::Record), "{numbers:?}");
        }
        let (token, sealed, _) = made(&slab, 2, 32);
        let text = token.write(&sealed);
        assert!(text.len() < LONGEST_TOKEN / 2);
        for wrong in [
            "threshold: 1",
            "threshold: 33",
            "threshold: 02",
            "threshold: +2",
            "threshold: 256",
        ] {
            assert!(
                LegacyToken::read(&text.replace("threshold: 2", wrong)).is_err(),
                "{wrong}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Anybody can put anything into a file: what is no token is refused, and nothing panics.
        #[test]
        fn whatever_is_given_is_read_or_refused(
            lines in proptest::collection::vec("[a-z]{0,9} ?[0-9]{0,3}:? ?[0-9a-f\\x00-\\x{2fff}]{0,70}", 0..20),
            cut in 0_usize..4096,
            insert in ".{0,8}",
        ) {
            let slab = Slab::new().unwrap();
            let (token, sealed, shares) = made(&slab, 2, 3);
            let mut text = token.write(&sealed);
            let _ = LegacyToken::read(&lines.join("\n"));
            let _ = Share::read(&slab, &lines.join(" "));
            let mut share = shares[0].write().to_string();
            for whole in [&mut text, &mut share] {
                let place = cut % whole.len();
                whole.insert_str(place, &insert);
            }
            if let Ok((read, read_sealed)) = LegacyToken::read(&text) {
                // What was put in counted for nothing, blanks at the end, or made another name: in its one spelling.
                let written = read.write(&read_sealed);
                let spelled = text.replace("\r\n", "\n");
                prop_assert_eq!(written.trim_end(), spelled.trim_end());
                // A token of another name, or of another tenant, is one that its shares do not open.
                let opens = read.open(&slab, &read_sealed, &refs(&shares)).is_ok();
                prop_assert_eq!(opens, read == token && read_sealed == sealed);
            }
            if let Ok(read) = Share::read(&slab, &share) {
                prop_assert!(*read.write() == *shares[0].write());
            }
        }
    }
}
