//! Passwords: Argon2id (RFC 9106), kept as PHC strings. Verifying compares in constant time and costs what making costs, for a
//! person that has no password as well.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory of one computation, in KiB.
const MEMORY_KIB: u32 = 64 * 1024;
/// Passes over it.
const PASSES: u32 = 3;
/// Lanes.
const LANES: u32 = 1;

/// How passwords are made into what is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passwords {
    memory_kib: u32,
    passes: u32,
}

/// The computation failed: not enough memory, or a salt that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct PasswordError;

impl Default for Passwords {
    fn default() -> Self {
        Self {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
        }
    }
}

impl Passwords {
    /// As cheap as the algorithm permits: for tests, which hash many.
    #[must_use]
    pub const fn cheap() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
        }
    }

    fn algorithm(self) -> Result<Argon2<'static>, PasswordError> {
        let params = Params::new(self.memory_kib, self.passes, LANES, None).map_err(|_| PasswordError)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// What is kept of a password: a PHC string, `$argon2id$…`. Heavy.
    pub fn hash(self, password: &str, salt: &[u8; 16]) -> Result<String, PasswordError> {
        let salt = SaltString::encode_b64(salt).map_err(|_| PasswordError)?;
        let hash = self.algorithm()?.hash_password(password.as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|_| PasswordError)
    }

    /// Whether this is the password that was kept. Heavy; with what it cost when it was kept.
    #[must_use]
    pub fn verify(self, password: &str, kept: &str) -> bool {
        let Ok(kept) = PasswordHash::new(kept) else {
            return false;
        };
        let algorithm = self.algorithm();
        algorithm.is_ok_and(|a| a.verify_password(password.as_bytes(), &kept).is_ok())
    }

    /// What stands for the password of somebody who has none: no password is this one, and finding that out costs the same.
    #[must_use]
    pub fn nobodys(self) -> String {
        let Self { memory_kib, passes } = self;
        let (salt, output) = ("A".repeat(22), "A".repeat(43));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={LANES}${salt}${output}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_password_alone_is_verified() {
        let passwords = Passwords::cheap();
        let kept = passwords.hash("correct horse", &[7; 16]).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{kept}");
        assert!(passwords.verify("correct horse", &kept));
        assert!(!passwords.verify("correct horsf", &kept) && !passwords.verify("", &kept));
        assert!(!passwords.verify("correct horse", "") && !passwords.verify("correct horse", "$argon2id$"));
        assert_ne!(kept, passwords.hash("correct horse", &[8; 16]).unwrap());
    }

    #[test]
    fn nobodys_password_is_one_that_could_be_verified() {
        for passwords in [Passwords::cheap(), Passwords::default()] {
            let kept = passwords.nobodys();
            let parsed = PasswordHash::new(&kept).unwrap();
            let params = Params::try_from(&parsed).unwrap();
            assert_eq!(
                (params.m_cost(), params.t_cost(), params.p_cost()),
                (passwords.memory_kib, passwords.passes, 1)
            );
            assert_eq!(parsed.hash.unwrap().len(), 32);
            assert_eq!(parsed.salt.unwrap().as_str().len(), 22);
        }
        let passwords = Passwords::cheap();
        assert!(!passwords.verify("", &passwords.nobodys()));
    }

    #[test]
    fn the_default_is_what_is_documented() {
        assert!(
            Passwords::default()
                .nobodys()
                .starts_with("$argon2id$v=19$m=65536,t=3,p=1$")
        );
    }
}
