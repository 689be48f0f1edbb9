//! Alarms: events that somebody should hear of at once. One table says how grave each is and what carries it; the log and a counter
//! carry every one, the change trail and the system's log those whose row says so.
//!
//! A handler runs again when its commit meets another's, so nothing sounds there: it leaves [`Alarm::draft`] in its change and has
//! [`Alarm::sound`] called once that is committed. What fails and is committed by itself may [`raise`] both at once.

use super::draft::{Actor, ActorKind, AuditDraft};
use kmip_protocol::Severity;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The system's log, if alarms go there.
static SYSTEM_LOG: OnceLock<UnixDatagram> = OnceLock::new();

/// Bytes of an alarm's words that are kept: they may hold names that somebody else chose.
const LONGEST_NOTE: usize = 256;

/// The facility of the system's log: security and authorization, private (RFC 5424 §6.2.1).
const FACILITY: u32 = 10;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $number:literal $severity:ident $trail:literal $text:literal;)+) => {
        /// What is alarmed. Numbers are those of records in the trail: append-only.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Event { $($(#[$doc])* $name,)+ }

        impl Event {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its number in the trail.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$name => $number,)+ }
            }

            /// How grave it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }

            /// Whether the change trail carries it.
            #[must_use]
            pub const fn in_trail(self) -> bool {
                match self { $(Self::$name => $trail,)+ }
            }

            /// What it is called in logs and counters.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What it says.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            fn counter(self) -> &'static AtomicU64 {
                match self { $(Self::$name => {
                    static COUNTER: AtomicU64 = AtomicU64::new(0);
                    &COUNTER
                })+ }
            }
        }
    };
}

events! {
    /// Too many failed logins.
    LoginLockout = 0x8001_FF01 Warning true "a person is locked out after failed logins";
    /// An initial password was shown although it had been used: somebody else knows it.
    InitialPasswordReused = 0x8001_FF02 Critical true "an initial password was used a second time";
    /// Somebody was given a new initial password.
    PasswordReset = 0x8001_FF03 Warning true "a password was reset";
    /// An alternative that its rule marks was used.
    BreakGlass = 0x8001_FF04 Critical true "an alternative for emergencies was used";
    /// An approver ended a proposal.
    ProposalVetoed = 0x8001_FF05 Notice true "a proposal was vetoed";
    /// What had been approved could not be carried out.
    ProposalFailed = 0x8001_FF06 Warning true "an approved proposal failed";
    /// The rules of a domain changed.
    PolicyChanged = 0x8001_FF07 Warning true "a policy was replaced";
    /// A tenant is served no more.
    TenantSuspended = 0x8001_FF09 Warning true "a tenant was suspended";
    /// A tenant is gone.
    TenantDeleted = 0x8001_FF0A Warning true "a tenant was deleted";
    /// Administrators gave a tenant a new operator.
    TenantRecovered = 0x8001_FF0B Critical true "an operator was invited to a tenant from outside";
    /// A person may act no more.
    PersonSuspended = 0x8001_FF0C Warning true "a person was suspended";
    /// A person has one certificate less.
    CredentialRevoked = 0x8001_FF0D Warning true "a certificate of a person was revoked";
    /// KEKs cannot be reached.
    CustodyOutage = 0x8001_FF0F Critical false "key custody cannot be reached";
    /// A trail cannot be written: what it should hold is refused.
    TrailUnavailable = 0x8001_FF10 Critical false "a trail cannot be written";
    /// The clock of the machine was set, or was found behind what was committed.
    ClockJumped = 0x8001_FF11 Critical true "the clock of the machine was set";
    /// Too many wrong passwords beside a client's certificate.
    ClientLockout = 0x8001_FF12 Warning true "a client is locked out after wrong passwords";
    /// Nobody who took no part has looked at the use of an alternative for emergencies in time.
    FollowUpOverdue = 0x8001_FF13 Critical true "nobody has followed up the use of an alternative for emergencies";
    /// Others may know a KEK.
    KekCompromised = 0x8001_FF20 Critical true "a KEK was marked compromised";
    /// A KEK is no more.
    KekDestroyed = 0x8001_FF21 Warning true "a KEK was destroyed";
    /// The KEKs of a deleted tenant are no more.
    TenantPurged = 0x8001_FF22 Warning true "the KEKs of a deleted tenant were destroyed";
    /// Too few are left who can open a share of a key-management credential.
    CredentialLost = 0x8001_FF24 Critical true "too few can open a share of a key-management credential";
    /// An HSM is gone for good, and what lay there alone with it.
    HsmAbandoned = 0x8001_FF25 Critical true "an HSM-Profile was given up, with what lay there alone";
    /// A key that the server was to replace by itself was not: its owner may not, others must agree, or it cannot be done.
    RotationRefused = 0x8001_FF40 Warning true "a key that is to be replaced by itself was not";
    /// A record's MAC is not right: somebody wrote it behind the server's back.
    RecordDamaged = 0x8001_FF50 Critical true "a record is not as the server wrote it";
    /// A record is not as the trail has it: it was put back, removed or brought from elsewhere.
    RecordStale = 0x8001_FF51 Critical true "a record is not as the audit trail has it";
    /// The change trail itself is not as it was written.
    TrailDamaged = 0x8001_FF52 Critical true "the audit trail is not as it was written";
    /// A source of randomness gives nothing, or what is not random.
    RandomnessOutage = 0x8001_FF53 Critical false "a source of randomness does not answer, or fails its health test";
    /// The database is older than its anchor, or has lost it: somebody put it back whole.
    DatabaseRestored = 0x8001_FF54 Critical true "the database is not the one that was served last";
    /// People have taken the database as it is for what it should be.
    RestoreAccepted = 0x8001_FF55 Critical true "people have agreed to go on with a database that was put back";
    /// The anchor cannot be written: a database put back whole would not be noticed.
    AnchorUnavailable = 0x8001_FF56 Critical false "the anchor cannot be written";
    /// An endpoint was away for so long that there was no room for what it should have been sent.
    EndpointOverflow = 0x8001_FF60 Warning true "an endpoint misses messages: too many wait for it";
    /// An endpoint has refused a message, or answered what is no answer, too often: the message is gone.
    EndpointRefused = 0x8001_FF61 Warning true "a message to an endpoint was given up";
    /// A tenant cannot go on before its legacy tokens are migrated.
    MigrationRequired = 0x8001_FF70 Warning true "a legacy token was imported: its tenant waits until it is migrated";
    /// A legacy token is an HSM-Profile now.
    LegacyTokenMigrated = 0x8001_FF71 Warning true "a legacy token was opened by its shares and migrated";
    /// What custodians have sealed opens nothing any more, or somebody has put another token in its place.
    LegacyCredentialsRefused = 0x8001_FF72 Critical true "an HSM refuses the credentials of a legacy token";
    /// A legacy token was given up.
    LegacyTokenWithdrawn = 0x8001_FF73 Warning true "a legacy token was withdrawn";
    /// Shares were handed in, and the next one did not come.
    SharesWiped = 0x8001_FF74 Notice true "the shares of a legacy token were wiped";
}

/// An event, where it happened and to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// What happened.
    pub event: Event,
    /// In which tenant; all zero for the system.
    pub tenant: [u8; 16],
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// How grave it is: what its row says, unless whoever raises it knows better.
    pub severity: Severity,
    /// Names and numbers, without secrets.
    pub note: String,
}

impl Alarm {
    /// An alarm as grave as its row says.
    #[must_use]
    pub fn new(event: Event, tenant: [u8; 16], at_ms: i64, note: &str) -> Self {
        Self {
            event,
            tenant,
            at_ms,
            severity: event.severity(),
            note: note.to_owned(),
        }
    }

    /// The record for the change trail, where its row wants one.
    #[must_use]
    pub fn draft(&self) -> Option<AuditDraft> {
        self.event.in_trail().then(|| AuditDraft {
            tenant: self.tenant,
            at_ms: self.at_ms,
            actor: Actor {
                kind: ActorKind::Server,
                ..Actor::default()
            },
            operation: self.event.number(),
            note: Some(self.words()),
            ..AuditDraft::default()
        })
    }

    /// Counts it and writes it to the logs. Call it once, after the commit.
    pub fn sound(&self) {
        self.event.counter().fetch_add(1, Ordering::Relaxed);
        let words = self.words();
        let event = self.event.name();
        match self.severity {
            Severity::Critical => tracing::error!(target: "claviger::alarm", event, "{words}"),
            Severity::Warning => tracing::warn!(target: "claviger::alarm", event, "{words}"),
            _ => tracing::info!(target: "claviger::alarm", event, "{words}"),
        }
        if let Some(socket) = SYSTEM_LOG.get() {
            // Whoever reads the system's log misses a line where that log is full; the other carriers have it.
            let _ = socket.send(self.line(&words).as_bytes());
        }
    }

    /// One line without control characters: a name cannot begin a line of its own.
    fn words(&self) -> String {
        let note: String = self
            .note
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .scan(0, |length, c| {
                *length += c.len_utf8();
                (*length <= LONGEST_NOTE).then_some(c)
            })
            .collect();
        match note.is_empty() {
            true => self.event.text().to_owned(),
            false => format!("{}: {note}", self.event.text()),
        }
    }

    /// The line as daemons of the system's log read it.
    fn line(&self, words: &str) -> String {
        let severity = match self.severity {
            Severity::Critical => 2,
            Severity::Warning => 4,
            _ => 5,
        };
        let priority = FACILITY * 8 + severity;
        let event = self.event.name();
        format!("<{priority}>claviger[{}]: alarm {event}: {words}", std::process::id())
    }
}

/// An alarm that sounds now. Its record, where its row wants one, is the caller's to commit.
pub fn raise(event: Event, tenant: [u8; 16], at_ms: i64, note: &str) -> Option<AuditDraft> {
    let alarm = Alarm::new(event, tenant, at_ms, note);
    alarm.sound();
    alarm.draft()
}

/// Sends alarms to the system's log as well, which listens at `path` (`/dev/log`). The first call counts.
///
/// # Errors
/// Nobody listens there.
pub fn use_system_log(path: &Path) -> std::io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    // An alarm does not wait for a log that is full.
    socket.set_nonblocking(true)?;
    let _ = SYSTEM_LOG.set(socket);
    Ok(())
}

/// How often each event was alarmed since the process started.
pub fn counts() -> impl Iterator<Item = (Event, u64)> {
    Event::ALL
        .iter()
        .map(|event| (*event, event.counter().load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(event: Event, note: &str) -> Alarm {
        Alarm::new(event, [3; 16], 5, note)
    }

    #[test]
    fn each_event_has_a_number_and_words_of_its_own() {
        for (i, event) in Event::ALL.iter().enumerate() {
            assert!(event.number() > 0x8001_FF00);
            for other in &Event::ALL[..i] {
                assert!(event.number() > other.number() && event.text() != other.text());
            }
        }
    }

    #[test]
    fn an_alarm_is_counted_and_recorded_as_its_row_says() {
        let before = counts().find(|(event, _)| *event == Event::BreakGlass).unwrap().1;
        let draft = raise(Event::BreakGlass, [3; 16], 5, "rule kek-delete").unwrap();
        let after = counts().find(|(event, _)| *event == Event::BreakGlass).unwrap().1;
        assert!(after > before);
        assert_eq!((draft.tenant, draft.at_ms, draft.operation), ([3; 16], 5, 0x8001_FF04));
        assert_eq!(
            draft.note.as_deref(),
            Some("an alternative for emergencies was used: rule kek-delete")
        );
        assert_eq!(alarm(Event::TrailUnavailable, "").draft(), None);
    }

    #[test]
    fn a_name_breaks_no_line_and_has_an_end() {
        let alarm = alarm(
            Event::PersonSuspended,
            &format!("eve\n<0>root: all well\u{7}{}", "ä".repeat(1000)),
        );
        let line = alarm.line(&alarm.words());
        assert!(line.starts_with("<84>claviger["), "{line}");
        assert!(!line.chars().any(char::is_control) && line.len() < 400);
    }

    #[test]
    fn the_system_log_hears_alarms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = UnixDatagram::bind(&path).unwrap();
        use_system_log(&path).unwrap();
        raise(Event::TenantSuspended, [3; 16], 5, "unusual-tenant");
        let mut buffer = [0; 512];
        // Other tests alarm too.
        loop {
            let length = log.recv(&mut buffer).unwrap();
            let line = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if line.contains("unusual-tenant") {
                assert!(line.contains("alarm TenantSuspended: a tenant was suspended"), "{line}");
                break;
            }
        }
    }
}
