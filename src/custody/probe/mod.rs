//! What a token can do, found by trying: vendors' lists of mechanisms promise more than their tokens keep. Each trial has a session of
//! its own and throw-away keys that end with it; one that fails, or hangs, is one entry of what was found.

mod feature;
mod pair;

pub use self::feature::{Feature, Finding};
pub use self::pair::PairScheme;
use super::error::CustodyError;
use super::record::{Fields, put};

/// The format of encoded capabilities.
const FORMAT: u8 = 1;
/// A label, a serial number or a maker's name: PKCS#11 has 32 characters at most, in up to four bytes each.
const LONGEST_TEXT: usize = 128;

/// How the user's PIN stands, as the token says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum PinState {
    /// Nothing was told against it.
    #[default]
    Good,
    /// A wrong one was sent since the last right one.
    Low,
    /// The next wrong one locks it: nothing is sent, whatever it is.
    LastTry,
    /// It is locked.
    Locked,
    /// It must be changed before it serves.
    ToBeChanged,
}

const PIN_STATES: [PinState; 5] = [
    PinState::Good,
    PinState::Low,
    PinState::LastTry,
    PinState::Locked,
    PinState::ToBeChanged,
];

impl PinState {
    /// Whether a PIN may be sent: not where a wrong one would lock it, nor where none helps.
    #[must_use]
    pub fn allows_login(self) -> bool {
        !matches!(self, Self::LastTry | Self::Locked)
    }
}

/// Whether the two roles are kept apart by the token itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Separation {
    /// The key-usage login can neither make nor destroy.
    ByToken,
    /// It can: whoever has that login has both roles, and the quorum is the server's word alone.
    None,
    /// It could not be found out.
    Unknown,
}

/// How a KEK in the token wraps.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Scheme {
    /// AES-256-GCM, the nonce made by the server.
    #[default]
    GcmHostNonce,
    /// AES-256-GCM, the nonce made by the token.
    GcmTokenNonce,
    /// AES-256-CBC, then HMAC-SHA-256 over authenticated data, initialisation vector and ciphertext.
    CbcHmac,
}

const SCHEMES: [Scheme; 3] = [Scheme::GcmHostNonce, Scheme::GcmTokenNonce, Scheme::CbcHmac];

impl Scheme {
    /// Its number in records and requests.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::GcmHostNonce => 1,
            Self::GcmTokenNonce => 2,
            Self::CbcHmac => 3,
        }
    }

    /// The scheme of that number.
    ///
    /// # Errors
    /// [`CustodyError::Record`]
    pub fn from_number(number: u8) -> Result<Self, CustodyError> {
        let mut schemes = SCHEMES.into_iter();
        schemes
            .find(|scheme| scheme.number() == number)
            .ok_or(CustodyError::Record)
    }

    /// What has to work for it.
    #[must_use]
    pub fn feature(self) -> Feature {
        match self {
            Self::GcmHostNonce => Feature::GcmHostNonce,
            Self::GcmTokenNonce => Feature::GcmTokenNonce,
            Self::CbcHmac => Feature::CbcHmac,
        }
    }
}

/// What the token says of itself, without a login.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TokenIdentity {
    /// Its serial number.
    pub serial: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// The version of its firmware.
    pub firmware: (u8, u8),
    /// The version of its hardware.
    pub hardware: (u8, u8),
    /// How the user's PIN stands.
    pub pin: PinState,
    /// The sessions that it says it grants at once; `None` for no limit, or none that it tells.
    pub most_sessions: Option<u64>,
}

/// What a token can do.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Capabilities {
    /// What it says of itself.
    pub token: TokenIdentity,
    /// Sessions that were open at once beside the one that holds the login; no more were tried than the profile is to use.
    pub sessions: u16,
    /// How the trials went; what is not in it was not tried.
    found: Vec<(Feature, Finding)>,
}

impl Capabilities {
    /// Those of a token of which nothing was tried yet.
    pub(super) fn of(token: TokenIdentity) -> Self {
        Self {
            token,
            ..Self::default()
        }
    }

    /// How a trial went.
    #[must_use]
    pub fn finding(&self, feature: Feature) -> Finding {
        let mut found = self.found.iter();
        found
            .find(|(tried, _)| *tried == feature)
            .map_or(Finding::Untried, |(_, finding)| *finding)
    }

    /// Whether a trial gave what it should.
    #[must_use]
    pub fn works(&self, feature: Feature) -> bool {
        self.finding(feature) == Finding::Works
    }

    /// All findings, in the order of [`Feature::all`].
    pub fn findings(&self) -> impl Iterator<Item = (Feature, Finding)> + '_ {
        Feature::all().map(|feature| (feature, self.finding(feature)))
    }

    /// Notes how a trial went, in place of an earlier one.
    pub fn note(&mut self, feature: Feature, finding: Finding) {
        self.found.retain(|(noted, _)| *noted != feature);
        self.found.push((feature, finding));
        self.found.sort_by_key(|(feature, _)| feature.number());
    }

    /// How new resident KEKs are to wrap; `None` if the token can keep none.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        SCHEMES.into_iter().find(|scheme| self.works(scheme.feature()))
    }

    /// What key pairs for protected KEKs are to be; `None` if the token can keep none.
    #[must_use]
    pub fn pair_scheme(&self) -> Option<PairScheme> {
        let mut schemes = PairScheme::all();
        schemes.find(|scheme| self.works(scheme.feature()))
    }

    /// Whether the token keeps the roles apart: only if it refuses to the one login what it does for the other.
    #[must_use]
    pub fn separation(&self) -> Separation {
        let usage = [Feature::UsageCreates, Feature::UsageDestroys].map(|feature| self.finding(feature));
        if usage.contains(&Finding::Works) {
            return Separation::None;
        }
        let refused = |finding: &Finding| matches!(finding, Finding::Fails(code) if refusal(*code));
        if usage.iter().all(refused) && self.works(Feature::ManagementManages) {
            Separation::ByToken
        } else {
            Separation::Unknown
        }
    }

    /// The bytes to be kept.
    ///
    /// # Errors
    /// [`CustodyError::Limit`] if a text is longer than a token's can be.
    pub fn encode(&self) -> Result<Vec<u8>, CustodyError> {
        let Self { token, sessions, found } = self;
        let mut bytes = vec![FORMAT];
        bytes.extend(token.encode()?);
        bytes.extend(sessions.to_be_bytes());
        bytes.push(u8::try_from(found.len()).map_err(|_| CustodyError::Limit)?);
        for (feature, finding) in found {
            bytes.push(feature.number());
            bytes.extend(finding.encode());
        }
        Ok(bytes)
    }

    /// Reads the bytes of [`Capabilities::encode`].
    ///
    /// # Errors
    /// [`CustodyError::Record`]
    pub fn decode(bytes: &[u8]) -> Result<Self, CustodyError> {
        let mut fields = Fields(bytes);
        if fields.byte()? != FORMAT {
            return Err(CustodyError::Record);
        }
        let mut capabilities = Self {
            token: TokenIdentity::read(&mut fields)?,
            sessions: u16::from_be_bytes(fields.array()?),
            found: Vec::new(),
        };
        let mut last = 0;
        for _ in 0..fields.byte()? {
            let number = fields.byte()?;
            // Each once and in order, so that one value has one encoding.
            if number <= last {
                return Err(CustodyError::Record);
            }
            last = number;
            let (feature, finding) = (Feature::from_number(number)?, Finding::decode(fields.array()?)?);
            capabilities.found.push((feature, finding));
        }
        fields.end()?;
        Ok(capabilities)
    }
}

/// Whether this answer says that the login may not, rather than that something is out of order.
fn refusal(code: u64) -> bool {
    use cryptoki_sys::*;
    const REFUSALS: [CK_RV; 8] = [
        CKR_ACTION_PROHIBITED,
        CKR_FUNCTION_REJECTED,
        CKR_USER_NOT_LOGGED_IN,
        CKR_SESSION_READ_ONLY,
        CKR_TOKEN_WRITE_PROTECTED,
        CKR_KEY_FUNCTION_NOT_PERMITTED,
        CKR_OPERATION_NOT_VALIDATED,
        CKR_ATTRIBUTE_READ_ONLY,
    ];
    REFUSALS.contains(&code)
}

impl TokenIdentity {
    pub(super) fn encode(&self) -> Result<Vec<u8>, CustodyError> {
        let Self {
            serial,
            manufacturer,
            model,
            firmware,
            hardware,
            pin,
            most_sessions,
        } = self;
        let mut bytes = Vec::new();
        for text in [serial, manufacturer, model] {
            if text.len() > LONGEST_TEXT {
                return Err(CustodyError::Limit);
            }
            put(&mut bytes, text.as_bytes())?;
        }
        let place = PIN_STATES.iter().position(|state| state == pin);
        let pin = place
            .and_then(|place| u8::try_from(place).ok())
            .ok_or(CustodyError::Limit)?;
        bytes.extend([firmware.0, firmware.1, hardware.0, hardware.1, pin]);
        // No token grants none.
        bytes.extend(most_sessions.unwrap_or(0).to_be_bytes());
        Ok(bytes)
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, CustodyError> {
        let mut text = || match std::str::from_utf8(fields.bytes()?) {
            Ok(text) if text.len() <= LONGEST_TEXT => Ok(text.to_owned()),
            _ => Err(CustodyError::Record),
        };
        let (serial, manufacturer, model) = (text()?, text()?, text()?);
        let [a, b, c, d, pin] = fields.array()?;
        Ok(Self {
            serial,
            manufacturer,
            model,
            firmware: (a, b),
            hardware: (c, d),
            pin: *PIN_STATES.get(usize::from(pin)).ok_or(CustodyError::Record)?,
            most_sessions: Some(u64::from_be_bytes(fields.array()?)).filter(|count| *count > 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities() -> Capabilities {
        let mut capabilities = Capabilities {
            token: TokenIdentity {
                serial: "0123".to_owned(),
                manufacturer: "maker".to_owned(),
                model: "v1".to_owned(),
                firmware: (1, 2),
                hardware: (3, 4),
                pin: PinState::Low,
                most_sessions: Some(64),
            },
            sessions: 8,
            found: Vec::new(),
        };
        capabilities.note(Feature::CbcHmac, Finding::Works);
        capabilities.note(Feature::GcmHostNonce, Finding::Fails(0x70));
        capabilities.note(Feature::GcmTokenNonce, Finding::Silent);
        capabilities.note(Feature::OaepSha1, Finding::Wrong);
        capabilities
    }

    #[test]
    fn capabilities_come_back_and_only_whole() {
        let capabilities = capabilities();
        let bytes = capabilities.encode().unwrap();
        assert_eq!(Capabilities::decode(&bytes), Ok(capabilities));
        for end in 0..bytes.len() {
            assert_eq!(Capabilities::decode(&bytes[..end]), Err(CustodyError::Record));
        }
        assert_eq!(
            Capabilities::decode(&[&bytes[..], &[0]].concat()),
            Err(CustodyError::Record)
        );
        // Whatever byte is changed: read as what it says, or refused, and never twice the same.
        for position in 0..bytes.len() {
            let mut edited = bytes.clone();
            edited[position] ^= 0x55;
            if let Ok(read) = Capabilities::decode(&edited) {
                assert_eq!(read.encode().unwrap(), edited);
            }
        }
        let unknown = Capabilities::decode(&Capabilities::default().encode().unwrap()).unwrap();
        assert_eq!(unknown.finding(Feature::Random), Finding::Untried);
    }

    #[test]
    fn the_scheme_is_the_first_that_works() {
        let mut capabilities = capabilities();
        assert_eq!(capabilities.scheme(), Some(Scheme::CbcHmac));
        capabilities.note(Feature::GcmTokenNonce, Finding::Works);
        assert_eq!(capabilities.scheme(), Some(Scheme::GcmTokenNonce));
        capabilities.note(Feature::GcmHostNonce, Finding::Works);
        assert_eq!(capabilities.scheme(), Some(Scheme::GcmHostNonce));
        assert_eq!(Capabilities::default().scheme(), None);
        for scheme in SCHEMES {
            assert_eq!(Scheme::from_number(scheme.number()), Ok(scheme));
        }
    }

    #[test]
    fn pairs_are_of_the_first_kind_that_works() {
        let mut capabilities = capabilities();
        assert_eq!(capabilities.pair_scheme(), None);
        for scheme in [PairScheme::OaepSha1, PairScheme::OaepSha256, PairScheme::P384] {
            capabilities.note(scheme.feature(), Finding::Works);
            assert_eq!(capabilities.pair_scheme(), Some(scheme));
            assert_eq!(PairScheme::from_number(scheme.number()), Ok(scheme));
        }
        assert_eq!(PairScheme::from_number(0), Err(CustodyError::Record));
    }

    #[test]
    fn separation_is_claimed_for_a_refusal_alone() {
        let prohibited = Finding::Fails(cryptoki_sys::CKR_ACTION_PROHIBITED);
        let mut capabilities = Capabilities::default();
        assert_eq!(capabilities.separation(), Separation::Unknown);
        capabilities.note(Feature::UsageDestroys, prohibited);
        capabilities.note(Feature::ManagementManages, Finding::Works);
        for (finding, separation) in [
            (Finding::Works, Separation::None),
            (Finding::Wrong, Separation::Unknown),
            (Finding::Silent, Separation::Unknown),
            (Finding::Fails(cryptoki_sys::CKR_DEVICE_ERROR), Separation::Unknown),
            (prohibited, Separation::ByToken),
        ] {
            capabilities.note(Feature::UsageCreates, finding);
            assert_eq!(capabilities.separation(), separation, "{finding}");
        }
        capabilities.note(Feature::ManagementManages, Finding::Silent);
        assert_eq!(capabilities.separation(), Separation::Unknown);
        capabilities.note(Feature::UsageDestroys, Finding::Works);
        assert_eq!(capabilities.separation(), Separation::None);
    }
}
