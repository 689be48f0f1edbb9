//! Cases that may fail, each with its reason: a list that can only shrink.

use std::collections::BTreeMap;

/// The cases that are expected to fail. One line each: `PATH: REASON`; `#` begins a comment.
#[derive(Default)]
pub struct Expectations {
    reasons: BTreeMap<String, String>,
}

impl Expectations {
    /// Reads the list.
    ///
    /// # Errors
    /// A line without reason, or a case that is listed twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reasons = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = number + 1;
            let (path, reason) = line
                .split_once(':')
                .ok_or_else(|| format!("line {number}: no reason given"))?;
            let (path, reason) = (path.trim().to_owned(), reason.trim().to_owned());
            if reason.is_empty() {
                return Err(format!("line {number}: no reason given"));
            }
            if reasons.insert(path, reason).is_some() {
                return Err(format!("line {number}: listed twice"));
            }
        }
        Ok(Self { reasons })
    }

    /// Why a case is expected to fail, if it is.
    #[must_use]
    pub fn reason(&self, path: &str) -> Option<&str> {
        self.reasons.get(path).map(String::as_str)
    }

    /// The text of a list without some of its cases: how it shrinks.
    #[must_use]
    pub fn without(text: &str, gone: &[String]) -> String {
        let is_gone = |line: &str| {
            let path = line.split_once(':').map(|(path, _)| path.trim());
            !line.trim_start().starts_with('#') && path.is_some_and(|path| gone.iter().any(|g| g == path))
        };
        text.lines()
            .filter(|line| !is_gone(line))
            .fold(String::new(), |text, line| text + line + "\n")
    }

    /// The cases listed.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.reasons.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shrinks_and_keeps_its_comments() {
        let text = "# a: c\na: x\nb: y\n";
        assert_eq!(Expectations::without(text, &["a".to_owned()]), "# a: c\nb: y\n");
    }

    #[test]
    fn every_line_has_a_reason() {
        let list = Expectations::parse("# c\n\n1.4/other/A.xml: not built: RNG of one vendor\n").unwrap();
        assert_eq!(list.reason("1.4/other/A.xml"), Some("not built: RNG of one vendor"));
        assert_eq!(list.reason("1.4/other/B.xml"), None);
        assert!(Expectations::parse("A.xml").is_err());
        assert!(Expectations::parse("A.xml: ").is_err());
        assert!(Expectations::parse("A.xml: x\nA.xml: y").is_err());
    }
}
