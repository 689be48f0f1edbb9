//! What a message says beside its fixed text.

/// What a client is told beyond the fixed text: the one place where a message is put together. It can say nothing but names of rules,
/// the identifier of a proposal and numbers of records, in ASCII and within bounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told(pub(super) Box<str>);

/// Rules that a message names; a request governed by more is rare, and the rest is shown with the proposal.
const NAMED_RULES: usize = 4;
/// Characters of a rule's name that a message repeats: as many as a name may have.
const RULE_NAME: usize = 64;

impl Told {
    /// Which rules govern a request, and the proposal that was made of it, if one was.
    #[must_use]
    pub fn governed<'a>(rules: impl IntoIterator<Item = &'a str>, proposal: Option<&[u8; 16]>) -> Self {
        let plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
        let name = |rule: &str| rule.chars().filter(plain).take(RULE_NAME).collect::<String>();
        let rules: Vec<String> = rules.into_iter().take(NAMED_RULES).map(name).collect();
        let mut text = format!(" (rule {})", rules.join(", "));
        if let Some(proposal) = proposal {
            text.push_str(&format!(", proposal {}", kmip_ttlv::Hex(proposal)));
        }
        Self(text.into_boxed_str())
    }

    /// How many records are in the way, and how many of them cannot be read.
    #[must_use]
    pub fn records(count: u64, unreadable: u64) -> Self {
        let text = match unreadable {
            0 => format!(" ({count})"),
            _ => format!(" ({count}, of which {unreadable} cannot be read)"),
        };
        Self(text.into_boxed_str())
    }
}
