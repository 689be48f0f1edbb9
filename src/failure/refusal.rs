//! An operation that failed, as it goes from where it failed to where it is answered.

use super::{Fault, Told};
use kmip_protocol::ResponsePayload;
use std::fmt;

/// An operation that failed: what the client is told, and what only the log may know.
pub struct Failure {
    fault: Fault,
    detail: Option<Box<str>>,
    told: Option<Told>,
    payload: Option<Box<ResponsePayload>>,
    empties: bool,
}

impl Failure {
    /// A fault with nothing more to say.
    #[must_use]
    pub const fn new(fault: Fault) -> Self {
        Self {
            fault,
            detail: None,
            told: None,
            payload: None,
            empties: false,
        }
    }

    /// A fault with a detail for the log. The detail holds no secret and no value from the request.
    #[must_use]
    pub fn detailed(fault: Fault, detail: impl fmt::Display) -> Self {
        Self {
            fault,
            detail: Some(detail.to_string().into_boxed_str()),
            told: None,
            payload: None,
            empties: false,
        }
    }

    /// A fault whose message says more than its fixed text.
    #[must_use]
    pub const fn telling(fault: Fault, told: Told) -> Self {
        Self {
            fault,
            detail: None,
            told: Some(told),
            payload: None,
            empties: false,
        }
    }

    /// A use that Check denies: what was refused is repeated where the reason does not say it, and the ID Placeholder is emptied
    /// (KMIP 2.1 §6.1.7).
    #[must_use]
    pub fn denying(fault: Fault, repeated: Option<ResponsePayload>) -> Self {
        Self {
            payload: repeated.map(Box::new),
            empties: true,
            ..Self::new(fault)
        }
    }

    /// Whether the ID Placeholder is empty after it.
    #[must_use]
    pub const fn empties(&self) -> bool {
        self.empties
    }

    /// The payload that goes with it, if one does.
    #[must_use]
    pub fn payload(&self) -> Option<&ResponsePayload> {
        self.payload.as_deref()
    }

    /// The text that the client is told.
    #[must_use]
    pub fn message(&self) -> String {
        let told = self.told.as_ref().map_or("", |told| &told.0);
        format!("{}{told}", self.fault.message())
    }

    /// What the client is told.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// What the log may know.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.fault)?;
        self.detail.as_deref().map_or(Ok(()), |d| write!(f, " ({d})"))
    }
}
