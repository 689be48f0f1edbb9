//! Test cases as files: which there are, in which order they are played, and what each contains.

use crate::element::Element;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A request and the response expected to it.
pub struct Exchange {
    /// `RequestMessage`.
    pub request: Element,
    /// `ResponseMessage`.
    pub response: Element,
}

impl Exchange {
    /// Whether the server is the sender of the request.
    #[must_use]
    pub fn is_sent_by_server(&self) -> bool {
        let operation = self.request.child("BatchItem").and_then(|item| item.child("Operation"));
        operation
            .and_then(Element::value)
            .is_some_and(|name| SENT_BY_SERVERS.contains(&name))
    }
}

/// One test case.
pub struct Case {
    /// Path below the folder of cases, with `/`: names the case in reports and expectations.
    pub path: String,
    /// The protocol version of its folder (`1.4`), or of its first request where no folder says it.
    pub version: String,
    /// The folder that holds it (`mandatory`, `optional`, `other` …).
    pub family: String,
    /// The file name without extension.
    pub name: String,
    /// Requests and responses in their order.
    pub exchanges: Vec<Exchange>,
    /// The operations that its requests name.
    pub operations: BTreeSet<String>,
}

/// Operations that a server sends to its client.
const SENT_BY_SERVERS: [&str; 2] = ["Notify", "Put"];

impl Case {
    /// Reads one case.
    ///
    /// # Errors
    /// A file that cannot be read, is no XML, or holds no requests with responses.
    pub fn read(folder: &Path, file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
        let relative = file.strip_prefix(folder).unwrap_or(file);
        let path = relative.to_string_lossy().replace('\\', "/");
        Self::parse(&path, &text)
    }

    /// Parses one case, whose path below the folder of cases is given.
    ///
    /// # Errors
    /// As [`Case::read`].
    pub fn parse(path: &str, text: &str) -> Result<Self, String> {
        let root = Element::parse(text)?;
        let exchanges = exchanges(&root)?;
        let mut operations = BTreeSet::new();
        for item in exchanges.iter().flat_map(|e| e.request.all("BatchItem")) {
            operations.extend(item.child("Operation").and_then(Element::value).map(str::to_owned));
        }
        let parts: Vec<&str> = path.split('/').collect();
        let named = |part: &&&str| part.len() == 3 && part.as_bytes().get(1) == Some(&b'.');
        let version = match parts.iter().find(named) {
            Some(part) => (*part).to_owned(),
            None => exchanges.first().map(|e| version_of(&e.request)).unwrap_or_default(),
        };
        let file = parts.last().copied().unwrap_or_default();
        let family = parts.iter().rev().nth(1).copied().unwrap_or("cases");
        Ok(Self {
            path: path.to_owned(),
            version,
            family: if family == "." || Some(&family) == parts.iter().find(named) {
                "cases"
            } else {
                family
            }
            .to_owned(),
            name: file.trim_end_matches(".xml").to_owned(),
            exchanges,
            operations,
        })
    }

    /// Whether the server is the sender of a request, which needs a client that listens.
    #[must_use]
    pub fn is_sent_by_server(&self) -> bool {
        SENT_BY_SERVERS
            .iter()
            .any(|operation| self.operations.contains(*operation))
    }

    /// Whether requests say whose they are.
    #[must_use]
    pub fn names_people(&self) -> bool {
        self.exchanges
            .iter()
            .any(|exchange| exchange.request.attribute("identity").is_some())
    }

    /// Whether the case repeats a request until a date has come that it set itself (its text says `[REPEAT]`).
    #[must_use]
    pub fn waits_for_a_state(&self) -> bool {
        self.name.starts_with("TC_92")
    }

    /// Whether the case leaves objects on purpose: a later case of its series finds them.
    #[must_use]
    pub fn is_for_a_later_case(&self) -> bool {
        SERIES.iter().any(|name| self.name.starts_with(name))
    }

    /// Whether the case was written for two clients that share their objects.
    #[must_use]
    pub fn is_for_two_clients(&self) -> bool {
        self.name.contains("Dual_Client") || self.name.starts_with("TC-314") || self.name.starts_with("TC_314")
    }
}

/// Pairs requests and responses. Published cases alternate; where several requests wait for their responses, they are sent in the order
/// in which they are answered, and each is the one that names the operations of its response.
fn exchanges(root: &Element) -> Result<Vec<Exchange>, String> {
    let mut waiting: Vec<&Element> = Vec::new();
    let mut exchanges = Vec::new();
    for message in &root.children {
        match message.name.as_str() {
            "RequestMessage" => waiting.push(message),
            "ResponseMessage" if waiting.is_empty() => return Err("a response without a request".to_owned()),
            "ResponseMessage" => {
                let answers = |request: &&Element| operations_of(request).eq(operations_of(message));
                let place = waiting.iter().position(answers).unwrap_or(0);
                exchanges.push(Exchange {
                    request: waiting.remove(place).clone(),
                    response: message.clone(),
                });
            }
            _ => {}
        }
    }
    if exchanges.is_empty() || !waiting.is_empty() {
        return Err(format!(
            "{} responses, {} requests without one",
            exchanges.len(),
            waiting.len()
        ));
    }
    Ok(exchanges)
}

fn operations_of(message: &Element) -> impl Iterator<Item = Option<&str>> {
    let items = message.all("BatchItem");
    items.map(|item| item.child("Operation").and_then(Element::value))
}

/// Cases whose objects the next case of the series works with.
const SERIES: [&str; 5] = ["SASED-M-2", "TL-M-2", "TC-OTP-SETUP", "TC-CREG-1", "TC-CREG-2"];

/// The protocol version in a message's header.
fn version_of(message: &Element) -> String {
    let version = message
        .children
        .first()
        .and_then(|header| header.child("ProtocolVersion"));
    let number = |name| {
        version
            .and_then(|v| v.child(name))
            .and_then(Element::value)
            .unwrap_or("?")
    };
    format!("{}.{}", number("ProtocolVersionMajor"), number("ProtocolVersionMinor"))
}

/// Every `.xml` file below a folder, in the order of play: by folder, then by name with numbers in numerical order,
/// since later cases of a series use what earlier ones left.
///
/// # Errors
/// A folder that cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        let entries = std::fs::read_dir(&next).map_err(|e| format!("{}: {e}", next.display()))?;
        for entry in entries {
            let path = entry.map_err(|e| e.to_string())?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "xml") {
                found.push(path);
            }
        }
    }
    found.sort_by_cached_key(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (path.parent().map(Path::to_owned), natural(&name), name)
    });
    Ok(found)
}

/// A sort key in which runs of digits count as numbers.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let mut words = String::new();
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let Some(mut number) = character.to_digit(10).map(u64::from) else {
            words.push(character);
            continue;
        };
        while let Some(digit) = characters.peek().and_then(|c| c.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(u64::from(digit));
            characters.next();
        }
        key.push((std::mem::take(&mut words), number));
    }
    key.push((words, 0));
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_numbers() {
        let mut names = ["SASED-M-10-14", "SASED-M-2-14", "SASED-M-3-14", "BL-M-1-14"];
        names.sort_by_key(|n| natural(n));
        assert_eq!(names, ["BL-M-1-14", "SASED-M-2-14", "SASED-M-3-14", "SASED-M-10-14"]);
    }

    #[test]
    fn requests_that_wait_are_sent_in_the_order_of_their_answers() {
        let message = |kind: &str, operation: &str| {
            format!("<{kind}><BatchItem><Operation type='Enumeration' value='{operation}'/></BatchItem></{kind}>")
        };
        let (ask, answer) = (|o| message("RequestMessage", o), |o| message("ResponseMessage", o));
        let case = |messages: &[String]| Case::parse("1.0/other/X.xml", &format!("<KMIP>{}</KMIP>", messages.concat()));
        let case_of_two = case(&[ask("Destroy"), ask("Revoke"), answer("Revoke"), answer("Destroy")]).unwrap();
        let sent: Vec<Option<&str>> = case_of_two
            .exchanges
            .iter()
            .flat_map(|exchange| operations_of(&exchange.request))
            .collect();
        assert_eq!(sent, [Some("Revoke"), Some("Destroy")]);
        // What a Poll fetches is answered as what was asked for.
        assert_eq!(case(&[ask("Poll"), answer("Create")]).unwrap().exchanges.len(), 1);
        assert!(case(&[ask("Poll")]).is_err() && case(&[answer("Poll"), ask("Poll")]).is_err());
    }

    #[test]
    fn version_and_family_come_from_the_path_or_the_message() {
        let text = "<KMIP><RequestMessage><RequestHeader><ProtocolVersion><ProtocolVersionMajor type='Integer' value='1'/>\
            <ProtocolVersionMinor type='Integer' value='3'/></ProtocolVersion></RequestHeader>\
            <BatchItem><Operation type='Enumeration' value='Put'/></BatchItem></RequestMessage><ResponseMessage/></KMIP>";
        let case = Case::parse("1.4/mandatory/X-M-1.xml", text).unwrap();
        assert_eq!(
            (case.version.as_str(), case.family.as_str(), case.name.as_str()),
            ("1.4", "mandatory", "X-M-1")
        );
        assert!(case.is_sent_by_server());
        let case = Case::parse("errors/a.xml", text).unwrap();
        assert_eq!((case.version.as_str(), case.family.as_str()), ("1.3", "errors"));
    }
}
