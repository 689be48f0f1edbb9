//! A PKCS#11 module, as thin as it can be: raw calls over `cryptoki-sys`, two for each encryption or decryption, with
//! buffers of our own. Used in worker processes only.
#![allow(unsafe_code)] // loading a vendor's library and calling it

use std::path::Path;
use std::ptr;

use cryptoki_sys::*;

use super::probe::PinState;

/// What a function of the module returned instead of CKR_OK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rv(pub CK_RV);

/// What an error says about what is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// The bytes given are wrong.
    Data,
    /// Session, login or handle are gone: make new ones.
    Session,
    /// The credential is wrong, locked or expired: do not try again.
    Credential,
    /// No session or memory left.
    Capacity,
    /// The device, or nobody knows.
    Device,
}

impl Rv {
    /// No such function, or no such module.
    pub(super) const UNSUPPORTED: Self = Self(CKR_FUNCTION_NOT_SUPPORTED);
    /// A PIN that is not sent, since it is locked or the next wrong one would lock it.
    pub(super) const NO_LOGIN: Self = Self(CKR_PIN_LOCKED);
    /// Bytes that do not open.
    pub(super) const NOT_AUTHENTIC: Self = Self(CKR_ENCRYPTED_DATA_INVALID);
    /// An answer that cannot be right.
    pub(super) const WRONG: Self = Self(CKR_FUNCTION_FAILED);
    /// Whether a PIN that is to be set is none that the token could have.
    pub(super) fn is_unfit_pin(self) -> bool {
        matches!(self.0, CKR_PIN_INVALID | CKR_PIN_LEN_RANGE)
    }

    /// A length that PKCS#11 cannot carry.
    pub(super) const TOO_LONG: Self = Self(CKR_DATA_LEN_RANGE);

    /// Whether this says that the token makes no random numbers, rather than that it is out of order.
    pub(super) fn has_no_randomness(self) -> bool {
        matches!(self.0, CKR_RANDOM_NO_RNG | CKR_FUNCTION_NOT_SUPPORTED)
    }

    pub(super) fn class(self) -> Class {
        match self.0 {
            CKR_ENCRYPTED_DATA_INVALID | CKR_ENCRYPTED_DATA_LEN_RANGE | CKR_DATA_INVALID | CKR_DATA_LEN_RANGE => {
                Class::Data
            }
            CKR_SESSION_CLOSED
            | CKR_SESSION_HANDLE_INVALID
            | CKR_USER_NOT_LOGGED_IN
            | CKR_OBJECT_HANDLE_INVALID
            | CKR_KEY_HANDLE_INVALID => Class::Session,
            CKR_PIN_INCORRECT
            | CKR_PIN_INVALID
            | CKR_PIN_LEN_RANGE
            | CKR_PIN_EXPIRED
            | CKR_PIN_LOCKED
            | CKR_USER_TYPE_INVALID
            | CKR_USER_PIN_NOT_INITIALIZED => Class::Credential,
            CKR_SESSION_COUNT | CKR_HOST_MEMORY => Class::Capacity,
            _ => Class::Device,
        }
    }
}

pub(super) type Outcome<T> = Result<T, Rv>;

/// What the token says of itself.
pub(super) struct TokenFacts {
    pub label: String,
    pub serial: String,
    pub manufacturer: String,
    pub model: String,
    pub firmware: (u8, u8),
    pub hardware: (u8, u8),
    pub initialized: bool,
    pub pin: PinState,
    /// `None` for "no limit", or none that is told.
    pub most_sessions: Option<u64>,
}

/// The worst that the token's flags say of the user's PIN.
fn pin_state(flags: CK_FLAGS) -> PinState {
    let states = [
        (CKF_USER_PIN_LOCKED, PinState::Locked),
        (CKF_USER_PIN_FINAL_TRY, PinState::LastTry),
        (CKF_USER_PIN_TO_BE_CHANGED, PinState::ToBeChanged),
        (CKF_USER_PIN_COUNT_LOW, PinState::Low),
    ];
    let mut told = states.into_iter().filter(|(flag, _)| flags & flag != 0);
    told.next().map_or(PinState::Good, |(_, state)| state)
}

/// A loaded module. Its functions may be called from many threads: it is initialised with operating-system locking.
pub(super) struct Module {
    functions: *mut CK_FUNCTION_LIST,
    // Unloads the library when dropped, so it comes last.
    _library: Pkcs11,
}

// SAFETY: the function list is constant data of the library, which lives as long as the value; the functions are
// thread-safe because of CKF_OS_LOCKING_OK.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

/// Calls a function of the list, if the module has it, and turns its return value into a `Result`.
macro_rules! call {
    ($module:expr, $function:ident $(, $argument:expr)*) => {{
        // SAFETY: `functions` points to the list of the loaded library. The arguments are pointers to live values of
        // the types that PKCS#11 names, with their true lengths; the module keeps none of them after its return.
        unsafe {
            match (*$module.functions).$function {
                None => Err(Rv::UNSUPPORTED),
                Some(function) => match function($($argument),*) {
                    CKR_OK => Ok(()),
                    other => Err(Rv(other)),
                },
            }
        }
    }};
}

mod operations;
mod pair;

pub(super) use self::operations::{Mechanism, Property};

fn length(of: usize) -> Outcome<CK_ULONG> {
    CK_ULONG::try_from(of).map_err(|_| Rv::TOO_LONG)
}

fn size_of<T>() -> CK_ULONG {
    CK_ULONG::try_from(std::mem::size_of::<T>()).unwrap_or(CK_ULONG::MAX)
}

fn text(padded: &[u8]) -> String {
    String::from_utf8_lossy(padded).trim_end_matches([' ', '\0']).to_owned()
}

fn attribute<T: ?Sized>(kind: CK_ATTRIBUTE_TYPE, value: &T) -> Outcome<CK_ATTRIBUTE> {
    let value_length = length(size_of_val(value))?;
    Ok(CK_ATTRIBUTE {
        type_: kind,
        pValue: ptr::from_ref(value).cast_mut().cast(),
        ulValueLen: value_length,
    })
}

impl Module {
    /// Loads the library. It runs its own code in this process from here on.
    pub(super) fn load(path: &Path) -> Outcome<Self> {
        // SAFETY: loading runs the library's constructors; that is what a worker process is for. The path was
        // configured by an administrator.
        let library = unsafe { Pkcs11::new(path) }.map_err(|_| Rv::UNSUPPORTED)?;
        let get = library.C_GetFunctionList.as_ref().map_err(|_| Rv::UNSUPPORTED)?;
        let mut functions = ptr::null_mut();
        // SAFETY: the function was found under its name, and writes one pointer.
        match unsafe { get(&raw mut functions) } {
            CKR_OK if !functions.is_null() => Ok(Self {
                functions,
                _library: library,
            }),
            CKR_OK => Err(Rv::UNSUPPORTED),
            other => Err(Rv(other)),
        }
    }

    pub(super) fn initialize(&self) -> Outcome<()> {
        let mut arguments = CK_C_INITIALIZE_ARGS {
            CreateMutex: None,
            DestroyMutex: None,
            LockMutex: None,
            UnlockMutex: None,
            flags: CKF_OS_LOCKING_OK,
            pReserved: ptr::null_mut(),
        };
        match call!(self, C_Initialize, (&raw mut arguments).cast()) {
            Err(Rv(CKR_CRYPTOKI_ALREADY_INITIALIZED)) => Ok(()),
            outcome => outcome,
        }
    }

    /// Ends all sessions of all tokens of the module.
    pub(super) fn finalize(&self) -> Outcome<()> {
        call!(self, C_Finalize, ptr::null_mut())
    }

    pub(super) fn slots(&self) -> Outcome<Vec<CK_SLOT_ID>> {
        let mut count = 0;
        call!(self, C_GetSlotList, CK_TRUE, ptr::null_mut(), &raw mut count)?;
        let mut slots = vec![0; usize::try_from(count).map_err(|_| Rv::TOO_LONG)?];
        call!(self, C_GetSlotList, CK_TRUE, slots.as_mut_ptr(), &raw mut count)?;
        slots.truncate(usize::try_from(count).map_err(|_| Rv::TOO_LONG)?);
        Ok(slots)
    }

    pub(super) fn token(&self, slot: CK_SLOT_ID) -> Outcome<TokenFacts> {
        // SAFETY: a structure of integers and byte arrays, for which all zero is a value.
        let mut facts: CK_TOKEN_INFO = unsafe { std::mem::zeroed() };
        call!(self, C_GetTokenInfo, slot, &raw mut facts)?;
        Ok(TokenFacts {
            label: text(&facts.label),
            serial: text(&facts.serialNumber),
            manufacturer: text(&facts.manufacturerID),
            model: text(&facts.model),
            firmware: (facts.firmwareVersion.major, facts.firmwareVersion.minor),
            hardware: (facts.hardwareVersion.major, facts.hardwareVersion.minor),
            pin: pin_state(facts.flags),
            initialized: facts.flags & CKF_TOKEN_INITIALIZED != 0,
            most_sessions: match facts.ulMaxSessionCount {
                CK_EFFECTIVELY_INFINITE | CK_UNAVAILABLE_INFORMATION => None,
                count => Some(count),
            },
        })
    }

    pub(super) fn open_session(&self, slot: CK_SLOT_ID, writing: bool) -> Outcome<CK_SESSION_HANDLE> {
        let flags = CKF_SERIAL_SESSION | if writing { CKF_RW_SESSION } else { 0 };
        let mut session = 0;
        call!(
            self,
            C_OpenSession,
            slot,
            flags,
            ptr::null_mut(),
            None,
            &raw mut session
        )?;
        Ok(session)
    }

    pub(super) fn close_session(&self, session: CK_SESSION_HANDLE) {
        // A session that cannot be closed is gone already, or goes with the next C_Finalize.
        let _ = call!(self, C_CloseSession, session);
    }

    /// Logs in as normal user or as Security Officer; whoever is logged in already stays so.
    pub(super) fn login(&self, session: CK_SESSION_HANDLE, officer: bool, pin: &[u8]) -> Outcome<()> {
        let user = if officer { CKU_SO } else { CKU_USER };
        match call!(
            self,
            C_Login,
            session,
            user,
            pin.as_ptr().cast_mut(),
            length(pin.len())?
        ) {
            Err(Rv(CKR_USER_ALREADY_LOGGED_IN)) => Ok(()),
            outcome => outcome,
        }
    }

    pub(super) fn logout(&self, session: CK_SESSION_HANDLE) -> Outcome<()> {
        call!(self, C_Logout, session)
    }

    /// The AES keys of the token under a CKA_ID, two at most.
    pub(super) fn find(&self, session: CK_SESSION_HANDLE, id: &[u8]) -> Outcome<Vec<CK_OBJECT_HANDLE>> {
        self.find_of(session, CKO_SECRET_KEY, CKK_AES, id)
    }

    /// The keys of a class and type under a CKA_ID, two at most.
    fn find_of(
        &self,
        session: CK_SESSION_HANDLE,
        class: CK_OBJECT_CLASS,
        key_type: CK_KEY_TYPE,
        id: &[u8],
    ) -> Outcome<Vec<CK_OBJECT_HANDLE>> {
        let mut template = [
            attribute(CKA_CLASS, &class)?,
            attribute(CKA_KEY_TYPE, &key_type)?,
            attribute(CKA_TOKEN, &CK_TRUE)?,
            attribute(CKA_ID, id)?,
        ];
        call!(
            self,
            C_FindObjectsInit,
            session,
            template.as_mut_ptr(),
            length(template.len())?
        )?;
        let mut found = vec![0; 2];
        let mut count = 0;
        let outcome = call!(self, C_FindObjects, session, found.as_mut_ptr(), 2, &raw mut count);
        let ended = call!(self, C_FindObjectsFinal, session);
        outcome.and(ended)?;
        found.truncate(usize::try_from(count).map_err(|_| Rv::TOO_LONG)?);
        Ok(found)
    }

    /// The keys of a KEK for HMAC under a CKA_ID, two at most.
    pub(super) fn find_mac(&self, session: CK_SESSION_HANDLE, id: &[u8]) -> Outcome<Vec<CK_OBJECT_HANDLE>> {
        self.find_of(session, CKO_SECRET_KEY, CKK_GENERIC_SECRET, id)
    }

    /// Makes a KEK in the token: AES-256, never extractable, not modifiable.
    pub(super) fn generate(&self, session: CK_SESSION_HANDLE, id: &[u8], label: &str) -> Outcome<CK_OBJECT_HANDLE> {
        let uses = [CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP];
        self.generate_kept(session, (CKM_AES_KEY_GEN, CKK_AES), id, label, &uses)
    }

    /// Makes the key for HMAC that a KEK has beside it where the token has no AES-GCM.
    pub(super) fn generate_mac(&self, session: CK_SESSION_HANDLE, id: &[u8], label: &str) -> Outcome<CK_OBJECT_HANDLE> {
        let kind = (CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET);
        self.generate_kept(session, kind, id, label, &[CKA_SIGN, CKA_VERIFY])
    }

    fn generate_kept(
        &self,
        session: CK_SESSION_HANDLE,
        (mechanism, kind): (CK_MECHANISM_TYPE, CK_KEY_TYPE),
        id: &[u8],
        label: &str,
        uses: &[CK_ATTRIBUTE_TYPE],
    ) -> Outcome<CK_OBJECT_HANDLE> {
        let mut properties = vec![
            Property::Number(CKA_CLASS, CKO_SECRET_KEY),
            Property::Number(CKA_KEY_TYPE, kind),
            Property::Number(CKA_VALUE_LEN, 32),
            Property::Is(CKA_TOKEN, true),
            Property::Is(CKA_PRIVATE, true),
            Property::Is(CKA_SENSITIVE, true),
            Property::Is(CKA_EXTRACTABLE, false),
            Property::Is(CKA_MODIFIABLE, false),
            Property::Bytes(CKA_LABEL, label.as_bytes()),
            Property::Bytes(CKA_ID, id),
        ];
        properties.extend(uses.iter().map(|r#use| Property::Is(*r#use, true)));
        self.make_key(session, mechanism, &properties)
    }

    pub(super) fn destroy(&self, session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE) -> Outcome<()> {
        call!(self, C_DestroyObject, session, object)
    }

    /// Initialises a token: everything in it is lost.
    pub(super) fn init_token(&self, slot: CK_SLOT_ID, officer_pin: &[u8], label: &str) -> Outcome<()> {
        let mut padded = [b' '; 32];
        let room = padded.get_mut(..label.len()).ok_or(Rv::TOO_LONG)?;
        room.copy_from_slice(label.as_bytes());
        let pin = officer_pin.as_ptr().cast_mut();
        call!(
            self,
            C_InitToken,
            slot,
            pin,
            length(officer_pin.len())?,
            padded.as_mut_ptr()
        )
    }

    /// Changes the PIN of whoever is logged in.
    pub(super) fn set_pin(&self, session: CK_SESSION_HANDLE, old: &[u8], new: &[u8]) -> Outcome<()> {
        let pointer = |pin: &[u8]| pin.as_ptr().cast_mut();
        call!(
            self,
            C_SetPIN,
            session,
            pointer(old),
            length(old.len())?,
            pointer(new),
            length(new.len())?
        )
    }

    /// Sets the normal user's PIN; the session is the Security Officer's.
    pub(super) fn init_pin(&self, session: CK_SESSION_HANDLE, pin: &[u8]) -> Outcome<()> {
        call!(self, C_InitPIN, session, pin.as_ptr().cast_mut(), length(pin.len())?)
    }
}
