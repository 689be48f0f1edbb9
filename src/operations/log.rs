//! Log (KMIP 2.1 §6.1.29): a client's words in the server's log, and in the record that the trail keeps of the request.

use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{LogRequest, LogResponse};

impl Handle for LogRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<LogResponse, Failure> {
        let words = bounded(&self.log_message, context.services.limits.log_bytes)?;
        let client = context.client()?;
        let (tenant, client) = (client.tenant, kmip_ttlv::Hex(&client.client));
        tracing::info!(%tenant, %client, message = words.as_str(), "a client's message");
        context.batch.note = Some(words);
        Ok(LogResponse::default())
    }
}

/// Words of a client as they can be kept: nothing in them ends a line, moves a cursor or turns the direction of reading.
pub(super) fn bounded(words: &str, most: usize) -> Result<String, Failure> {
    let escaped: String = words.chars().flat_map(escape).take(most.saturating_add(1)).collect();
    if words.is_empty() || escaped.len() > most {
        return Err(Fault::InvalidField.into());
    }
    Ok(escaped)
}

/// A character as it is kept. Quotes stay: nothing reads the text by them.
fn escape(letter: char) -> Box<dyn Iterator<Item = char> + Send> {
    match letter {
        '"' | '\'' => Box::new(core::iter::once(letter)),
        other => Box::new(other.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped_and_bounded() {
        let kept = |words: &str| bounded(words, 64).ok();
        assert_eq!(kept("it's \"fine\" für uns").as_deref(), Some("it's \"fine\" für uns"));
        assert_eq!(
            kept("a\nb\u{1b}[2J\u{202e}c").as_deref(),
            Some("a\\nb\\u{1b}[2J\\u{202e}c")
        );
        assert_eq!(kept("a\\n").as_deref(), Some("a\\\\n"));
        assert!(kept("").is_none() && kept(&"x".repeat(64)).is_some() && kept(&"x".repeat(65)).is_none());
        // Of what grows when it is escaped, the longer form counts.
        assert!(kept(&"\n".repeat(32)).is_some() && kept(&"\n".repeat(33)).is_none());
    }
}
