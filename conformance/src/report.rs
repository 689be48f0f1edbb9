//! What a run found, by version and family.

use crate::case::Case;
use crate::expectations::Expectations;
use crate::play::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The results of a run.
#[derive(Default)]
pub struct Report {
    rows: BTreeMap<(String, String), Row>,
    /// Cases that failed: path, exchange, difference, expected or not.
    failures: Vec<Failure>,
    skipped: Vec<(String, String)>,
    played: BTreeSet<String>,
    /// Cases that pass and are listed.
    stale: Vec<String>,
    /// Passed and failed among the cases that use only the operations of interest.
    selected: Option<(usize, usize)>,
}

#[derive(Default, Clone, Copy)]
struct Row {
    passed: usize,
    failed: usize,
    skipped: usize,
}

struct Failure {
    path: String,
    exchange: usize,
    difference: String,
    reason: Option<String>,
}

impl Report {
    /// Adds a case. `operations`: those of interest, if totals for them are wanted.
    pub fn add(
        &mut self,
        case: &Case,
        outcome: Outcome,
        expectations: &Expectations,
        operations: Option<&BTreeSet<String>>,
    ) {
        self.played.insert(case.path.clone());
        let row = self
            .rows
            .entry((case.version.clone(), case.family.clone()))
            .or_default();
        let passes = matches!(outcome, Outcome::Passed);
        if let Some(of_interest) = operations
            && !matches!(outcome, Outcome::Skipped(_))
            && case.operations.is_subset(of_interest)
        {
            let (passed, failed) = self.selected.get_or_insert_default();
            *(if passes { passed } else { failed }) += 1;
        }
        match outcome {
            Outcome::Passed => {
                row.passed += 1;
                if expectations.reason(&case.path).is_some() {
                    self.stale.push(case.path.clone());
                }
            }
            Outcome::Failed(exchange, difference) => {
                row.failed += 1;
                let reason = expectations.reason(&case.path).map(str::to_owned);
                self.add_failure(case.path.clone(), exchange, difference, reason);
            }
            Outcome::Skipped(why) => {
                row.skipped += 1;
                self.skipped.push((case.path.clone(), why));
            }
        }
    }

    /// Adds a file that is no case.
    pub fn add_unreadable(&mut self, path: &str, why: String) {
        self.played.insert(path.to_owned());
        let row = self.rows.entry(("unreadable".to_owned(), String::new())).or_default();
        row.failed += 1;
        self.add_failure(path.to_owned(), 0, why, None);
    }

    fn add_failure(&mut self, path: String, exchange: usize, difference: String, reason: Option<String>) {
        self.failures.push(Failure {
            path,
            exchange,
            difference,
            reason,
        });
    }

    /// Whether every failure was expected and every expectation still holds. `is_whole`: all cases were played, so
    /// that an expectation for a case that there is not is an error as well.
    #[must_use]
    pub fn is_good(&self, expectations: &Expectations, is_whole: bool) -> bool {
        self.failures.iter().all(|f| f.reason.is_some())
            && self.stale.is_empty()
            && (!is_whole || self.unknown(expectations).is_empty())
    }

    fn unknown(&self, expectations: &Expectations) -> Vec<String> {
        let unknown = expectations.paths().filter(|path| !self.played.contains(*path));
        unknown.map(str::to_owned).collect()
    }

    /// The cases that pass although they are listed.
    #[must_use]
    pub fn passing_though_listed(&self) -> &[String] {
        &self.stale
    }

    /// The failures, one a line; with `all`, the expected ones too.
    #[must_use]
    pub fn failures(&self, all: bool) -> String {
        let mut text = String::new();
        for failure in self.failures.iter().filter(|f| all || f.reason.is_none()) {
            let _ = write!(
                text,
                "FAIL {} #{}: {}",
                failure.path, failure.exchange, failure.difference
            );
            let _ = match &failure.reason {
                Some(reason) => writeln!(text, " (expected: {reason})"),
                None => writeln!(text),
            };
        }
        text
    }

    /// What is wrong with the list of expectations itself.
    #[must_use]
    pub fn stale(&self, expectations: &Expectations, is_whole: bool) -> String {
        let mut text = String::new();
        for path in &self.stale {
            let _ = writeln!(
                text,
                "FAIL {path}: passes, and the list of expectations has it; take it out"
            );
        }
        if is_whole {
            for path in self.unknown(expectations) {
                let _ = writeln!(text, "FAIL {path}: in the list of expectations, and no such case");
            }
        }
        text
    }

    /// The cases that were not played, one a line.
    #[must_use]
    pub fn skipped(&self) -> String {
        self.skipped.iter().fold(String::new(), |mut text, (path, why)| {
            let _ = writeln!(text, "skip {path}: {why}");
            text
        })
    }

    /// The totals as a Markdown table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("| version | family | passed | failed | skipped |\n|---|---|---|---|---|\n");
        let mut by_version: BTreeMap<&str, Row> = BTreeMap::new();
        let mut total = Row::default();
        for ((version, family), row) in &self.rows {
            let _ = writeln!(
                text,
                "| {version} | {family} | {} | {} | {} |",
                row.passed, row.failed, row.skipped
            );
            for sum in [by_version.entry(version).or_default(), &mut total] {
                sum.passed += row.passed;
                sum.failed += row.failed;
                sum.skipped += row.skipped;
            }
        }
        by_version.insert("all", total);
        for (version, row) in by_version {
            let _ = writeln!(
                text,
                "| **{version}** | all | {} | {} | {} |",
                row.passed, row.failed, row.skipped
            );
        }
        if let Some((passed, failed)) = self.selected {
            let _ = writeln!(
                text,
                "\nAmong the cases that use only the operations given: {passed} passed, {failed} failed."
            );
        }
        text
    }

    /// One line: `N passed, N failed (of these N expected), N skipped`.
    #[must_use]
    pub fn summary(&self) -> String {
        let sum = |pick: fn(&Row) -> usize| self.rows.values().map(pick).sum::<usize>();
        let expected = self.failures.iter().filter(|f| f.reason.is_some()).count();
        format!(
            "conformance: {} passed, {} failed (of these {expected} expected), {} skipped",
            sum(|r| r.passed),
            sum(|r| r.failed),
            sum(|r| r.skipped)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str) -> Case {
        let text = "<KMIP><RequestMessage/><ResponseMessage/></KMIP>";
        Case::parse(&format!("1.4/other/{name}.xml"), text).unwrap()
    }

    #[test]
    fn a_listed_case_that_passes_is_an_error() {
        let list = Expectations::parse("1.4/other/a.xml: why\n1.4/other/gone.xml: why").unwrap();
        let mut report = Report::default();
        report.add(&case("a"), Outcome::Failed(1, "x".into()), &list, None);
        assert!(report.is_good(&list, false) && !report.is_good(&list, true));
        assert!(report.stale(&list, true).contains("gone.xml"));
        report.add(&case("a"), Outcome::Passed, &list, None);
        assert!(!report.is_good(&list, false));
        assert!(report.stale(&list, false).contains("take it out"));
    }

    #[test]
    fn an_unlisted_failure_is_an_error() {
        let list = Expectations::default();
        let mut report = Report::default();
        report.add(&case("a"), Outcome::Passed, &list, None);
        report.add(&case("c"), Outcome::Skipped("why".into()), &list, None);
        assert!(report.is_good(&list, true));
        report.add(
            &case("b"),
            Outcome::Failed(0, "x: expected y, found z".into()),
            &list,
            None,
        );
        assert!(!report.is_good(&list, true));
        assert_eq!(
            report.summary(),
            "conformance: 1 passed, 1 failed (of these 0 expected), 1 skipped"
        );
        assert!(report.failures(false).contains("1.4/other/b.xml #0: x: expected y"));
    }
}
