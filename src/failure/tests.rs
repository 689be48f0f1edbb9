//! What is told, and what is not.

use super::*;

#[test]
fn every_fault_is_found_by_its_name_and_speaks_ascii() {
    for fault in Fault::ALL {
        assert_eq!(Fault::named(&fault.name()), Some(*fault));
        assert!(fault.message().is_ascii());
    }
}

#[test]
fn a_message_repeats_nothing_but_plain_text_within_bounds() {
    let long = "x".repeat(1_000);
    let names = ["kek\r\ndelete", "r\u{e9}gle", &long, &long, &long, &long];
    let failure = Failure::telling(Fault::ApprovalRequired, Told::governed(names, Some(&[0xAB; 16])));
    let message = failure.message();
    assert!(message.is_ascii() && message.len() < 400, "{message}");
    assert!(
        message.contains("(rule kekdelete, rgle, xxx") && message.ends_with(&"ab".repeat(16)),
        "{message}"
    );
}

/// What each fault is told as, by version: a row changes only where that was meant.
#[test]
fn what_is_told_is_what_the_golden_file_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/faults.txt");
    let mut told = String::new();
    for fault in Fault::ALL {
        let reasons: Vec<String> = Version::ALL.iter().map(|v| fault.reason(*v).to_string()).collect();
        let mut runs: Vec<String> = Vec::new();
        for (version, reason) in Version::ALL.iter().zip(&reasons) {
            let newer = runs.last().is_none_or(|run| !run.ends_with(&format!(" {reason}")));
            if newer {
                runs.push(format!("from {version} {reason}"));
            }
        }
        told.push_str(&format!("{fault:?}: {}: {}\n", runs.join(", "), fault.message()));
    }
    if std::env::var_os("CLAVIGER_UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &told).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    for (told, kept) in told.lines().zip(kept.lines()) {
        assert_eq!(told, kept, "set CLAVIGER_UPDATE_GOLDEN=1 if this was meant");
    }
    assert_eq!(told.lines().count(), kept.lines().count(), "rows were added or removed");
}
