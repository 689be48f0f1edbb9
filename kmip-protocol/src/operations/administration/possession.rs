//! What the holder of a key signs to agree that it is registered.

use crate::PersonRole;
use std::fmt::Write as _;

/// As what a key is registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyHolder<'a> {
    /// A client of the tenant.
    Client,
    /// This person, in this role.
    Person(PersonRole, &'a str),
    /// This person, in this role, to open shares with.
    Shares(PersonRole, &'a str),
}

/// Where a key is registered, as what, and which key it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Possession<'a> {
    /// Which installation.
    pub instance_identifier: &'a [u8],
    /// The tenant's name; absent for the system's own people.
    pub tenant_name: Option<&'a str>,
    /// As what.
    pub holder: KeyHolder<'a>,
    /// SHA-256 of the key (SubjectPublicKeyInfo).
    pub key_fingerprint: &'a [u8],
}

/// The lines that the key signs: text that its holder can read, and that any tool can sign. Names have no line breaks, so that no other
/// statement reads the same.
#[must_use]
pub fn possession_statement(of: &Possession<'_>) -> String {
    let mut text = String::from("claviger possession v1\ninstallation ");
    hexadecimal(&mut text, of.instance_identifier);
    text.push_str("\ndomain ");
    match of.tenant_name {
        Some(name) => text.extend(["tenant ", name]),
        None => text.push_str("system"),
    }
    text.push_str("\nas ");
    match of.holder {
        KeyHolder::Client => text.push_str("client"),
        // Writing to a text does not fail.
        KeyHolder::Person(role, name) => {
            let _ = write!(text, "{role} {name}");
        }
        KeyHolder::Shares(role, name) => {
            let _ = write!(text, "shares of {role} {name}");
        }
    }
    text.push_str("\nkey ");
    hexadecimal(&mut text, of.key_fingerprint);
    text.push('\n');
    text
}

fn hexadecimal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tools outside make these lines, too: they never change.
    #[test]
    fn the_lines_are_these() {
        let mut of = Possession {
            instance_identifier: &[3; 2],
            tenant_name: Some("acme"),
            holder: KeyHolder::Client,
            key_fingerprint: &[0xAB; 3],
        };
        let lines = "claviger possession v1\ninstallation 0303\ndomain tenant acme\nas client\nkey ababab\n";
        assert_eq!(possession_statement(&of), lines);
        of.tenant_name = None;
        of.holder = KeyHolder::Person(PersonRole::SystemAuditor, "Ada L.");
        let lines = "claviger possession v1\ninstallation 0303\ndomain system\nas SystemAuditor Ada L.\nkey ababab\n";
        assert_eq!(possession_statement(&of), lines);
        of.holder = KeyHolder::Shares(PersonRole::Operator, "otto");
        let lines =
            "claviger possession v1\ninstallation 0303\ndomain system\nas shares of Operator otto\nkey ababab\n";
        assert_eq!(possession_statement(&of), lines);
    }
}
