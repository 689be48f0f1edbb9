//! Users that a vendor's module adds to a token's one: each logs in with the PIN `name:password`. Those who use keys may do everything
//! but make, change and destroy what is kept on the token.
//!
//! The file has one user a line, `name role password`, the role `usage` or `management`, and a line `pin` with the token's own PIN.

use std::path::Path;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Work with the keys that there are.
    Usage,
    /// Make and destroy keys besides.
    Management,
}

/// The users of a token.
#[derive(Debug, PartialEq, Eq)]
pub struct Users {
    /// The PIN that the module behind the shim takes.
    pub pin: String,
    users: Vec<(String, Role, String)>,
}

impl Users {
    /// Reads the file of users.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (mut pin, mut users) = (None, Vec::new());
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                ["pin", own] => pin = Some((*own).to_owned()),
                [name, "usage", password] => users.push(((*name).to_owned(), Role::Usage, (*password).to_owned())),
                [name, "management", password] => {
                    users.push(((*name).to_owned(), Role::Management, (*password).to_owned()));
                }
                _ => return None,
            }
        }
        pin.map(|pin| Self { pin, users })
    }

    /// Reads the file of users.
    #[must_use]
    pub fn load(path: &Path) -> Option<Self> {
        Self::read(&std::fs::read_to_string(path).ok()?)
    }

    /// The role of the user whose PIN this is.
    #[must_use]
    pub fn role(&self, pin: &str) -> Option<Role> {
        let (name, password) = pin.split_once(':')?;
        let mut users = self.users.iter();
        users
            .find(|(n, _, p)| n == name && p == password)
            .map(|(_, role, _)| *role)
    }

    /// Gives the user of the old PIN a new password; the new PIN may repeat the name. Whether there is such a user.
    #[must_use]
    pub fn change(&mut self, old: &str, new: &str) -> bool {
        let Some((name, password)) = old.split_once(':') else {
            return false;
        };
        let chosen = new
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(':'))
            .unwrap_or(new);
        if chosen.is_empty() || chosen.chars().any(char::is_whitespace) {
            return false;
        }
        let mut users = self.users.iter_mut();
        let found = users.find(|(n, _, p)| n == name && p == password);
        found.is_some_and(|(_, _, kept)| {
            chosen.clone_into(kept);
            true
        })
    }

    /// Writes the file of users, in one step.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let mut text = format!("pin {}\n", self.pin);
        for (name, role, password) in &self.users {
            let role = match role {
                Role::Usage => "usage",
                Role::Management => "management",
            };
            text.push_str(&format!("{name} {role} {password}\n"));
        }
        let beside = path.with_extension("new");
        std::fs::write(&beside, text)?;
        std::fs::rename(beside, path)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FILE: &str = "pin 123456\nserver usage secret\nkeeper management other\n";

    #[test]
    fn users_log_in_with_their_names() {
        let users = Users::read(FILE).unwrap();
        assert_eq!(users.role("server:secret"), Some(Role::Usage));
        assert_eq!(users.role("keeper:other"), Some(Role::Management));
        for wrong in ["server:other", "123456", "server", "nobody:secret", ""] {
            assert_eq!(users.role(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_password_is_changed_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let mut users = Users::read(FILE).unwrap();
        assert!(!users.change("server:wrong", "x"));
        assert!(!users.change("server:secret", "a b"));
        assert!(users.change("server:secret", "server:fresh"));
        assert!(users.change("keeper:other", "new"));
        users.save(&path).unwrap();
        let read = Users::load(&path).unwrap();
        assert_eq!(read, users);
        assert_eq!(
            (read.role("server:fresh"), read.role("server:secret")),
            (Some(Role::Usage), None)
        );
        assert_eq!(read.role("keeper:new"), Some(Role::Management));
    }

    #[test]
    fn a_damaged_file_has_no_users() {
        for damaged in [
            "",
            "server usage secret\n",
            "pin 1\nserver boss secret\n",
            "pin 1\nserver usage\n",
        ] {
            assert_eq!(Users::read(damaged), None, "{damaged}");
        }
    }
}
