//! What the shim is told to do: a text of one instruction a line, `#` before a remark.
//!
//! ```text
//! module /usr/lib/softhsm/libsofthsm2.so     the module behind it
//! users /path/to/users                       the file of [`crate::users`]; without it, PINs pass as they are
//! fault C_Encrypt code=0x30 every=3          every third call gives CKR_DEVICE_ERROR instead of being made
//! fault C_Encrypt code=0x30 from=2 times=1   the second call alone
//! fault * delay=1000                         every call takes a millisecond more (in microseconds)
//! fault C_Decrypt hang                       the call does not return as long as the script says so
//! fault C_Decrypt crash                      the process that makes the call dies
//! fault C_Decrypt wrong                      the call is made, and its outcome spoilt: a bit of it is another, a search finds nothing,
//!                                            and of a PIN that was changed (C_SetPIN) nobody hears, since the process dies
//! flags 0x20000                              what the token's flags have besides (here CKF_USER_PIN_FINAL_TRY)
//! sessions 4                                 how many sessions the token grants, as it says and as it does
//! nonces                                     the token makes the nonces of AES-GCM: it takes zeros, and writes its own over them
//! refuse 0x1087                              a mechanism that ciphers are not begun with, pairs not made by and keys not derived by (here
//!                                            CKM_AES_GCM)
//! log /path/to/log                           the file to which every call adds its name, a line each
//! ```

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

/// The environment variable that names the script.
pub const VARIABLE: &str = "HSM_SHIM";

/// A script that was read.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Script {
    /// The module behind the shim.
    pub module: PathBuf,
    /// The file with the token's users.
    pub users: Option<PathBuf>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Flags of the token besides its own.
    pub flags: u64,
    /// The sessions that the token grants; 0 for as many as the module behind.
    pub sessions: u64,
    /// Whether the token makes the nonces of AES-GCM.
    pub nonces: bool,
    /// Mechanisms that ciphers are not begun with, pairs not made by, and keys not derived by.
    pub refused: Vec<u64>,
    /// Where calls are noted.
    pub log: Option<PathBuf>,
}

/// What goes wrong with calls of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The function, or `*` for all of them.
    pub function: String,
    /// The return value in place of the call; the call is made where there is none.
    pub code: Option<u64>,
    /// Which of the calls that it concerns: each so many-th.
    pub every: u64,
    /// The first call that it concerns, counted from 1.
    pub from: u64,
    /// How many calls it spoils at most.
    pub times: u64,
    /// How long a call waits first.
    pub delay: Duration,
    /// Whether the call does not return.
    pub hang: bool,
    /// Whether the process dies.
    pub crash: bool,
    /// Whether the outcome is spoilt.
    pub wrong: bool,
}

/// What is to happen before a call.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Wait so long.
    pub delay: Duration,
    /// Do not go on while this is in the script.
    pub hang: bool,
    /// Die.
    pub crash: bool,
    /// Spoil the outcome.
    pub wrong: bool,
    /// Return this in place of calling.
    pub code: Option<u64>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The line that could not be read.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut script = Self::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let mut words = line.split_whitespace();
            let read = match (words.next(), words.next()) {
                (None, _) => Some(()),
                (Some("module"), Some(path)) => {
                    script.module = path.into();
                    Some(())
                }
                (Some("users"), Some(path)) => {
                    script.users = Some(path.into());
                    Some(())
                }
                (Some("log"), Some(path)) => {
                    script.log = Some(path.into());
                    Some(())
                }
                (Some("flags"), Some(flags)) => number(flags).map(|flags| script.flags = flags),
                (Some("refuse"), Some(mechanism)) => number(mechanism).map(|mechanism| script.refused.push(mechanism)),
                (Some("sessions"), Some(count)) => number(count).map(|count| script.sessions = count),
                (Some("nonces"), None) => {
                    script.nonces = true;
                    Some(())
                }
                (Some("fault"), Some(function)) => Fault::read(function, words).map(|fault| script.faults.push(fault)),
                _ => None,
            };
            read.ok_or_else(|| format!("not understood: {line}"))?;
        }
        Ok(script)
    }
}

impl Fault {
    fn read<'a>(function: &str, words: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut fault = Self {
            function: function.to_owned(),
            code: None,
            every: 1,
            from: 1,
            times: u64::MAX,
            delay: Duration::ZERO,
            hang: false,
            crash: false,
            wrong: false,
        };
        for word in words {
            match word.split_once('=') {
                None if word == "hang" => fault.hang = true,
                None if word == "crash" => fault.crash = true,
                None if word == "wrong" => fault.wrong = true,
                Some(("code", code)) => fault.code = Some(number(code)?),
                Some(("every", every)) => fault.every = number(every).filter(|every| *every > 0)?,
                Some(("from", from)) => fault.from = number(from).filter(|from| *from > 0)?,
                Some(("times", times)) => fault.times = number(times)?,
                Some(("delay", delay)) => fault.delay = Duration::from_micros(number(delay)?),
                _ => return None,
            }
        }
        Some(fault)
    }

    /// Whether it concerns the so many-th call of its function.
    fn concerns(&self, call: u64) -> bool {
        let Some(after) = call.checked_sub(self.from) else {
            return false;
        };
        after.is_multiple_of(self.every) && after / self.every < self.times
    }
}

fn number(text: &str) -> Option<u64> {
    text.strip_prefix("0x")
        .map_or_else(|| text.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok())
}

/// How often each function was called under the present script.
#[derive(Default)]
pub struct Calls(HashMap<String, u64>);

impl Calls {
    /// Counts a call, and says what is to happen before it.
    pub fn next(&mut self, script: &Script, function: &str) -> Effect {
        let call = self.0.entry(function.to_owned()).or_default();
        *call += 1;
        let mut effect = Effect::default();
        let concerned = script
            .faults
            .iter()
            .filter(|fault| fault.function == function || fault.function == "*");
        for fault in concerned.filter(|fault| fault.concerns(*call)) {
            effect.delay += fault.delay;
            effect.hang |= fault.hang;
            effect.crash |= fault.crash;
            effect.wrong |= fault.wrong;
            effect.code = effect.code.or(fault.code);
        }
        effect
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read() {
        let script = Script::read(
            "module /lib/a.so # the real one\n\nusers /tmp/u\nfault C_Encrypt code=0x30 every=3 from=2 times=4 delay=5\nfault * hang\nfault C_Sign wrong\nfault C_Sign crash\n\
             flags 0x20000\nsessions 4\nnonces\nlog /tmp/l\n",
        )
        .unwrap();
        assert_eq!(
            (script.module.as_path(), script.users),
            ("/lib/a.so".as_ref(), Some("/tmp/u".into()))
        );
        assert_eq!(script.faults.len(), 4);
        assert!(script.faults[2].wrong && script.faults[3].crash);
        assert_eq!((script.flags, script.sessions, script.nonces), (0x20000, 4, true));
        assert_eq!(script.log, Some("/tmp/l".into()));
        let fault = &script.faults[0];
        assert_eq!(
            (fault.code, fault.every, fault.from, fault.times),
            (Some(0x30), 3, 2, 4)
        );
        assert_eq!(
            (fault.delay, fault.hang, script.faults[1].hang),
            (Duration::from_micros(5), false, true)
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in [
            "modul /a",
            "module",
            "fault",
            "fault C_Login code=x",
            "fault C_Login every=0",
            "fault C_Login soon",
        ] {
            assert!(Script::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn faults_concern_the_calls_that_they_name() {
        let script = Script::read("fault C_Encrypt code=1 every=3 from=2 times=2\nfault * delay=7").unwrap();
        let mut calls = Calls::default();
        let spoilt: Vec<u64> = (1..=12)
            .filter(|_| calls.next(&script, "C_Encrypt").code == Some(1))
            .collect();
        assert_eq!(spoilt, [2, 5]);
        let other = calls.next(&script, "C_Decrypt");
        assert_eq!(
            (other.code, other.hang, other.delay),
            (None, false, Duration::from_micros(7))
        );
    }
}
