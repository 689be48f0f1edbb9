//! A case played against a server that is a list of answers.
#![allow(clippy::unwrap_used)] // a test file through and through

use conformance::case::Case;
use conformance::element::Element;
use conformance::pattern::encode;
use conformance::play::{History, Outcome, Peer, play};
use std::cell::RefCell;
use std::rc::Rc;

/// Answers each request with the next text, and keeps what was asked.
struct Script {
    answers: Vec<String>,
    asked: Rc<RefCell<Vec<String>>>,
}

impl Peer for Script {
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        let text = kmip_ttlv::xml::from_ttlv(request, &kmip_protocol::names::KmipVocabulary).unwrap();
        self.asked.borrow_mut().push(text.to_string());
        if self.answers.is_empty() {
            return Err("no more answers".to_owned());
        }
        let answer = self.answers.remove(0);
        encode(&Element::parse(&answer).unwrap())
    }
}

fn message(kind: &str, items: &str) -> String {
    let stamp = if kind == "Response" {
        "<TimeStamp type='DateTime' value='2026-01-01T00:00:00Z'/>"
    } else {
        ""
    };
    format!(
        "<{kind}Message><{kind}Header><ProtocolVersion><ProtocolVersionMajor type='Integer' value='1'/>\
         <ProtocolVersionMinor type='Integer' value='4'/></ProtocolVersion>{stamp}\
         <BatchCount type='Integer' value='1'/></{kind}Header><BatchItem>{items}</BatchItem></{kind}Message>"
    )
}

fn item(operation: &str, payload: &str) -> String {
    format!("<Operation type='Enumeration' value='{operation}'/><RequestPayload>{payload}</RequestPayload>")
}

fn done(operation: &str, payload: &str) -> String {
    format!(
        "<Operation type='Enumeration' value='{operation}'/><ResultStatus type='Enumeration' value='Success'/>\
         <ResponsePayload>{payload}</ResponsePayload>"
    )
}

fn identifier(value: &str) -> String {
    format!("<UniqueIdentifier type='TextString' value='{value}'/>")
}

fn run(case: &str, answers: &[String]) -> (Outcome, Vec<String>) {
    let case = Case::parse("1.4/mandatory/X-M-1-14.xml", case).unwrap();
    let asked = Rc::new(RefCell::new(Vec::new()));
    let script = Script {
        answers: answers.to_vec(),
        asked: asked.clone(),
    };
    let mut script = Some(script);
    let outcome = play(
        &case,
        &mut History::default(),
        &mut |_| Ok(Box::new(script.take().ok_or("one connection")?)),
        &mut |_, _| {},
    );
    let asked = asked.borrow().clone();
    (outcome, asked)
}

fn register_and_get() -> String {
    let exchanges = [
        message("Request", &item("Register", "")),
        message("Response", &done("Register", &identifier("$UNIQUE_IDENTIFIER_0"))),
        message("Request", &item("Activate", &identifier("$UNIQUE_IDENTIFIER_0"))),
        message("Response", &done("Activate", &identifier("$UNIQUE_IDENTIFIER_0"))),
    ];
    format!("<KMIP>{}</KMIP>", exchanges.concat())
}

#[test]
fn sends_back_what_the_server_named() {
    let answers = [
        message("Response", &done("Register", &identifier("its-own"))),
        message("Response", &done("Activate", &identifier("its-own"))),
    ];
    let (outcome, asked) = run(&register_and_get(), &answers);
    assert!(matches!(outcome, Outcome::Passed));
    assert!(asked[1].contains("its-own"));
    assert_eq!(asked.len(), 2 + 3, "what the case left is removed");
}

#[test]
fn cleans_up_after_a_failure() {
    let failed = "<Operation type='Enumeration' value='Activate'/><ResultStatus type='Enumeration' value='OperationFailed'/>\
                  <ResultReason type='Enumeration' value='ItemNotFound'/>";
    let answers = [
        message("Response", &done("Register", &identifier("its-own"))),
        message("Response", failed),
    ];
    let (outcome, asked) = run(&register_and_get(), &answers);
    let Outcome::Failed(1, why) = outcome else {
        panic!("the second exchange fails");
    };
    assert!(
        why.contains("expected Success") && why.contains("ItemNotFound"),
        "{why}"
    );
    // Destroy, and since that is not answered: Revoke, then Destroy again.
    assert_eq!(asked.len(), 5);
    assert!(asked[2].contains("Destroy") && asked[2].contains("its-own"));
    assert!(asked[3].contains("Revoke") && asked[3].contains("its-own"));
    assert!(asked[4].contains("Destroy") && asked[4].contains("its-own"));
}

#[test]
fn polls_until_the_server_is_done() {
    let token = "<AsynchronousCorrelationValue type='ByteString' value='01'/>";
    let pending = format!(
        "<Operation type='Enumeration' value='Create'/><ResultStatus type='Enumeration' value='OperationPending'/>{token}"
    );
    let case = format!(
        "<KMIP>{}{}</KMIP>",
        message("Request", &item("Poll", token)),
        message("Response", &done("Create", &identifier("$UNIQUE_IDENTIFIER_0")))
    );
    let answers = [
        message("Response", &pending),
        message("Response", &pending),
        message("Response", &done("Create", &identifier("a"))),
    ];
    let (outcome, asked) = run(&case, &answers);
    assert!(matches!(outcome, Outcome::Passed));
    assert_eq!(asked.iter().filter(|text| text.contains("Poll")).count(), 3);
}

#[test]
fn what_a_server_sends_is_skipped() {
    let case = format!(
        "<KMIP>{}{}</KMIP>",
        message("Request", &item("Put", "")),
        message("Response", &done("Put", ""))
    );
    assert!(matches!(run(&case, &[]).0, Outcome::Skipped(_)));
}
