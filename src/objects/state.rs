//! The state of an object is derived, never stored: stored are dates and facts, and this is the one function over them.

use kmip_protocol::{Attribute, AttributeKind, CryptographicUsageMask, DateTime, State};

/// What the state of an object depends on. Seconds since 1970.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Dates {
    /// When the object becomes active.
    pub activation: Option<i64>,
    /// When it may first be used to process protected data.
    pub process_start: Option<i64>,
    /// From when on it may no longer protect data.
    pub protect_stop: Option<i64>,
    /// When it ceases to be active.
    pub deactivation: Option<i64>,
    /// When it was reported compromised.
    pub compromise: Option<i64>,
    /// When it was destroyed.
    pub destroy: Option<i64>,
    /// When it was archived.
    pub archive: Option<i64>,
}

impl Dates {
    /// The attributes that they come from.
    pub(super) const KINDS: [AttributeKind; 7] = [
        AttributeKind::ActivationDate,
        AttributeKind::ProcessStartDate,
        AttributeKind::ProtectStopDate,
        AttributeKind::DeactivationDate,
        AttributeKind::CompromiseDate,
        AttributeKind::DestroyDate,
        AttributeKind::ArchiveDate,
    ];

    /// Takes over an attribute, if it is one of them.
    pub(super) const fn note(&mut self, attribute: &Attribute) {
        match attribute {
            Attribute::ActivationDate(DateTime(d)) => self.activation = Some(*d),
            Attribute::ProcessStartDate(DateTime(d)) => self.process_start = Some(*d),
            Attribute::ProtectStopDate(DateTime(d)) => self.protect_stop = Some(*d),
            Attribute::DeactivationDate(DateTime(d)) => self.deactivation = Some(*d),
            Attribute::CompromiseDate(DateTime(d)) => self.compromise = Some(*d),
            Attribute::DestroyDate(DateTime(d)) => self.destroy = Some(*d),
            Attribute::ArchiveDate(DateTime(d)) => self.archive = Some(*d),
            _ => {}
        }
    }

    /// The state at `now` (KMIP 2.1 §4.57). Destruction and compromise are facts; activation and deactivation come with time.
    #[must_use]
    pub fn state(&self, now: i64) -> State {
        match (self.destroy, self.compromise) {
            (Some(_), Some(_)) => State::DestroyedCompromised,
            (Some(_), None) => State::Destroyed,
            (None, Some(_)) => State::Compromised,
            (None, None) if reached(self.activation, now) && reached(self.deactivation, now) => State::Deactivated,
            (None, None) if reached(self.activation, now) => State::Active,
            (None, None) => State::PreActive,
        }
    }

    /// When a date changes the state next, after this moment.
    #[must_use]
    pub fn next_change(&self, after: i64) -> Option<i64> {
        let state = self.state(after);
        let dates = [self.activation, self.deactivation].into_iter().flatten();
        dates.filter(|date| *date > after && self.state(*date) != state).min()
    }

    /// Whether the object may protect data now: encrypt, sign, wrap, MAC, derive (KMIP 2.1 §4.57, §4.47, §4.46).
    #[must_use]
    pub fn may_protect(&self, now: i64) -> bool {
        self.state(now) == State::Active && !before(self.process_start, now) && !reached(self.protect_stop, now)
    }

    /// Whether the object may process protected data now: decrypt, verify, unwrap. A deactivated or compromised object still may
    /// (KMIP 2.1 §4.57); before its Process Start Date none may.
    #[must_use]
    pub fn may_process(&self, now: i64) -> bool {
        matches!(self.state(now), State::Active | State::Deactivated | State::Compromised)
            && !before(self.process_start, now)
    }
}

/// The uses that protect data. What they are limited by, others are not (KMIP 2.1 §4.59, §6.1.23).
const PROTECTING: [CryptographicUsageMask; 14] = [
    CryptographicUsageMask::Sign,
    CryptographicUsageMask::Encrypt,
    CryptographicUsageMask::WrapKey,
    CryptographicUsageMask::MACGenerate,
    CryptographicUsageMask::DeriveKey,
    CryptographicUsageMask::ContentCommitment,
    CryptographicUsageMask::KeyAgreement,
    CryptographicUsageMask::CertificateSign,
    CryptographicUsageMask::CRLSign,
    CryptographicUsageMask::GenerateCryptogram,
    CryptographicUsageMask::TranslateEncrypt,
    CryptographicUsageMask::TranslateWrap,
    CryptographicUsageMask::FPEEncrypt,
    CryptographicUsageMask::Unrestricted,
];

/// Whether one of these uses protects data.
#[must_use]
pub fn protects(mask: CryptographicUsageMask) -> bool {
    PROTECTING.iter().any(|use_| mask.0 & use_.0 != 0)
}

fn reached(date: Option<i64>, now: i64) -> bool {
    date.is_some_and(|d| d <= now)
}

fn before(date: Option<i64>, now: i64) -> bool {
    date.is_some_and(|d| now < d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_alone_moves_an_object_from_pre_active_to_deactivated() {
        let dates = Dates {
            activation: Some(100),
            deactivation: Some(200),
            ..Dates::default()
        };
        let states: Vec<_> = [99, 100, 199, 200].into_iter().map(|t| dates.state(t)).collect();
        assert_eq!(
            states,
            [State::PreActive, State::Active, State::Active, State::Deactivated]
        );
    }

    #[test]
    fn only_dates_that_change_the_state_are_waited_for() {
        let mut dates = Dates {
            activation: Some(100),
            process_start: Some(110),
            protect_stop: Some(120),
            deactivation: Some(200),
            ..Dates::default()
        };
        let next: Vec<_> = [0, 99, 100, 199, 200]
            .into_iter()
            .map(|t| dates.next_change(t))
            .collect();
        assert_eq!(next, [Some(100), Some(100), Some(200), Some(200), None]);
        // Before it is active it cannot cease to be.
        dates.deactivation = Some(50);
        assert_eq!(dates.next_change(0), Some(100));
        dates.compromise = Some(1);
        assert_eq!(dates.next_change(0), None);
    }

    #[test]
    fn facts_outweigh_dates() {
        let active = Dates {
            activation: Some(1),
            ..Dates::default()
        };
        assert_eq!(
            Dates {
                compromise: Some(2),
                ..active
            }
            .state(3),
            State::Compromised
        );
        assert_eq!(
            Dates {
                destroy: Some(2),
                ..active
            }
            .state(3),
            State::Destroyed
        );
        assert_eq!(
            Dates {
                destroy: Some(2),
                compromise: Some(2),
                ..active
            }
            .state(3),
            State::DestroyedCompromised
        );
    }

    #[test]
    fn a_protect_window_lies_within_the_active_time() {
        let dates = Dates {
            activation: Some(0),
            process_start: Some(10),
            protect_stop: Some(20),
            ..Dates::default()
        };
        assert!(!dates.may_protect(9) && !dates.may_process(9));
        assert!(dates.may_protect(10) && dates.may_process(10));
        assert!(!dates.may_protect(20) && dates.may_process(20));
    }

    #[test]
    fn a_deactivated_or_compromised_key_may_still_decrypt() {
        let deactivated = Dates {
            activation: Some(0),
            deactivation: Some(5),
            ..Dates::default()
        };
        assert!(!deactivated.may_protect(6) && deactivated.may_process(6));
        let compromised = Dates {
            activation: Some(0),
            compromise: Some(5),
            ..Dates::default()
        };
        assert!(!compromised.may_protect(6) && compromised.may_process(6));
    }
}
