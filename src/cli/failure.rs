//! How a command ends: its exit code, and what is said when it did not do what it was asked.

use kmip_client::Error;
use kmip_protocol::{ProposalState, ResultReason};

/// What a server says to somebody without a session, and of what a role may not do.
const LOGIN_FIRST: &str = "log in first";
const NOT_HIS: &str = "permission denied";

/// Exit codes, the same for every command that speaks with a server. 0 is success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// Anything that has no code of its own.
    Error,
    /// The arguments make no sense.
    Usage,
    /// The server does not know who asks, or not well enough.
    Authentication,
    /// It knows, and refuses.
    Denied,
    /// What was named is not there.
    NotFound,
    /// It is there already, or in the way.
    Conflict,
    /// Others must agree first.
    Pending,
    /// They did not: rejected, expired, void or withdrawn.
    Ended,
    /// `claviger doctor` found something that somebody should look at.
    Degraded,
    /// `claviger doctor` found something that does not work, or will not for long.
    Critical,
}

impl Exit {
    /// The number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Error | Self::Degraded => 1,
            Self::Usage | Self::Critical => 2,
            Self::Authentication => 3,
            Self::Denied => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Pending => 7,
            Self::Ended => 8,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the process ends with.
    pub(super) exit: Exit,
    /// What its user is told; nothing, if it was told already.
    pub(super) text: String,
    /// Whether the server itself said that it did not do it. Else nobody knows: the answer may have been lost on its way.
    pub(super) refused: bool,
}

/// The result of a step of a command.
pub(super) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self {
            exit,
            text: text.into(),
            refused: false,
        }
    }

    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// A proposal that ended without being carried out.
    pub(super) fn ended(state: ProposalState, reason: Option<ResultReason>) -> Self {
        let why = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let exit = if state == ProposalState::Failed {
            reason.map_or(Exit::Error, exit_of)
        } else {
            Exit::Ended
        };
        Self::new(exit, format!("the proposal is {state}{why}"))
    }

    /// What a server reports of one item.
    pub(super) fn reported(reason: Option<ResultReason>, message: Option<String>) -> Self {
        let said = message.unwrap_or_default();
        let name = reason.map_or_else(|| "the operation failed".to_owned(), |reason| reason.to_string());
        let text = if said.is_empty() {
            name
        } else {
            format!("{name}: {said}")
        };
        // What can be done about it, where that is always the same.
        let text = match reason {
            Some(ResultReason::InvalidTicket) => format!("{text}; begin another session: claviger login"),
            Some(ResultReason::AuthenticationNotSuccessful) if said == LOGIN_FIRST => {
                format!("{text}: claviger login")
            }
            Some(ResultReason::PermissionDenied) if said == NOT_HIS => {
                format!("{text}; who may ask for what: claviger permission list")
            }
            _ => text,
        };
        Self {
            refused: true,
            ..Self::new(reason.map_or(Exit::Error, exit_of), text)
        }
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::new(Exit::Error, text)
    }
}

impl From<kmip_ttlv::Error> for Failure {
    fn from(error: kmip_ttlv::Error) -> Self {
        Self::new(Exit::Error, format!("what was read is not understood: {error}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Failed { reason, message } => Self::reported(reason, message),
            // A server tells a client whose certificate it does not accept by an alert.
            Error::Tls(rustls::Error::AlertReceived(alert)) => Self::new(
                Exit::Authentication,
                format!(
                    "the server does not accept this certificate: unknown to it, revoked, or of somebody suspended ({alert:?})"
                ),
            ),
            Error::File { .. } | Error::Pem { .. } => Self::new(Exit::Usage, error.to_string()),
            other => Self::new(Exit::Error, other.to_string()),
        }
    }
}

/// What each reason means to a script.
fn exit_of(reason: ResultReason) -> Exit {
    match reason {
        ResultReason::AuthenticationNotSuccessful | ResultReason::InvalidTicket | ResultReason::BadPassword => {
            Exit::Authentication
        }
        ResultReason::PermissionDenied
        | ResultReason::NotAuthorised
        | ResultReason::Sensitive
        | ResultReason::NotExtractable
        | ResultReason::UsageLimitExceeded
        | ResultReason::OperationNotSupported => Exit::Denied,
        ResultReason::ItemNotFound
        | ResultReason::ObjectNotFound
        | ResultReason::ObjectDestroyed
        | ResultReason::InvalidAsynchronousCorrelationValue => Exit::NotFound,
        ResultReason::ObjectAlreadyExists
        | ResultReason::NonUniqueNameAttribute
        | ResultReason::ConstraintViolation
        | ResultReason::WrongKeyLifecycleState
        | ResultReason::DuplicateProcessRequest => Exit::Conflict,
        ResultReason::OperationCanceledByRequester => Exit::Ended,
        _ => Exit::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_documented_codes() {
        let code = |reason| Failure::reported(Some(reason), None).exit.code();
        assert_eq!(code(ResultReason::InvalidTicket), 3);
        assert_eq!(code(ResultReason::PermissionDenied), 4);
        assert_eq!(code(ResultReason::ObjectNotFound), 5);
        assert_eq!(code(ResultReason::ObjectAlreadyExists), 6);
        assert_eq!(code(ResultReason::OperationCanceledByRequester), 8);
        assert_eq!(code(ResultReason::GeneralFailure), 1);
        assert_eq!(Failure::ended(ProposalState::Rejected, None).exit, Exit::Ended);
        let failed = Failure::ended(ProposalState::Failed, Some(ResultReason::ObjectAlreadyExists));
        assert_eq!(failed.exit, Exit::Conflict);
    }
}
