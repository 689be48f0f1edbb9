//! What a response may differ in, and that nothing else passes.
#![allow(clippy::unwrap_used)] // a test file through and through

use conformance::binding::Bindings;
use conformance::compare;
use conformance::element::Element;
use conformance::pattern::{Pattern, encode};
use conformance::tree::{Content, Node};

const NOW: i64 = 1_800_000_000;

fn header(kind: &str, count: usize) -> String {
    let stamp = if kind == "Response" {
        "<TimeStamp type='DateTime' value='$NOW'/>"
    } else {
        ""
    };
    format!(
        "<{kind}Header><ProtocolVersion><ProtocolVersionMajor type='Integer' value='1'/>\
         <ProtocolVersionMinor type='Integer' value='2'/></ProtocolVersion>{stamp}\
         <BatchCount type='Integer' value='{count}'/></{kind}Header>"
    )
}

fn request(operation: &str, payload: &str) -> String {
    let header = header("Request", 1);
    format!(
        "<RequestMessage>{header}<BatchItem><Operation type='Enumeration' value='{operation}'/>\
         <RequestPayload>{payload}</RequestPayload></BatchItem></RequestMessage>"
    )
}

fn response(operation: &str, payload: &str) -> String {
    let header = header("Response", 1);
    format!(
        "<ResponseMessage>{header}<BatchItem><Operation type='Enumeration' value='{operation}'/>\
         <ResultStatus type='Enumeration' value='Success'/>\
         <ResponsePayload>{payload}</ResponsePayload></BatchItem></ResponseMessage>"
    )
}

fn failure(operation: &str, reason: &str, message: &str) -> String {
    let header = header("Response", 1);
    format!(
        "<ResponseMessage>{header}<BatchItem><Operation type='Enumeration' value='{operation}'/>\
         <ResultStatus type='Enumeration' value='OperationFailed'/><ResultReason type='Enumeration' value='{reason}'/>\
         {message}</BatchItem></ResponseMessage>"
    )
}

fn node(text: &str, bindings: &mut Bindings) -> Node {
    let element = bindings.substitute(&Element::parse(text).unwrap()).unwrap();
    Node::read(&encode(&element).unwrap()).unwrap()
}

/// Compares one exchange, after `before` filled the bindings.
fn judge(bindings: &mut Bindings, request: &str, expected: &str, actual: &str) -> Result<(), String> {
    let pattern = Pattern::of(&Element::parse(expected).unwrap()).unwrap();
    let sent = node(request, bindings);
    bindings.note_request(&sent);
    let got = node(actual, &mut bindings.clone());
    let outcome = compare::message("CS-BC-M-1", &pattern, &sent, &got, bindings);
    bindings.note_response(&got);
    outcome.map_err(|d| d.to_string())
}

fn once(request: &str, expected: &str, actual: &str) -> Result<(), String> {
    judge(&mut Bindings::new(NOW), request, expected, actual)
}

fn text(tag: &str, value: &str) -> String {
    format!("<{tag} type='TextString' value='{value}'/>")
}

fn attribute(name: &str, kind: &str, value: &str) -> String {
    let name = text("AttributeName", name);
    format!("<Attribute>{name}<AttributeValue type='{kind}' value='{value}'/></Attribute>")
}

/// The canary: if this passes with a wrong reason, no other result of this tool means anything.
#[test]
fn a_wrong_reason_is_caught() {
    let sent = request("Get", &text("UniqueIdentifier", "x"));
    let expected = failure("Get", "ItemNotFound", "");
    assert_eq!(once(&sent, &expected, &expected), Ok(()));
    let with_message = failure("Get", "ItemNotFound", &text("ResultMessage", "anything"));
    assert_eq!(once(&sent, &expected, &with_message), Ok(()));
    let wrong = once(&sent, &expected, &failure("Get", "PermissionDenied", "")).unwrap_err();
    assert!(
        wrong.contains("ItemNotFound") && wrong.contains("PermissionDenied"),
        "{wrong}"
    );
    assert!(once(&sent, &expected, &response("Get", "")).is_err());
    assert!(once(&sent, &response("Get", ""), &expected).is_err());
}

#[test]
fn identifiers_are_bound_and_stay() {
    let mut bindings = Bindings::new(NOW);
    let created = response("Create", &text("UniqueIdentifier", "$UNIQUE_IDENTIFIER_0"));
    let sent = request("Create", "");
    judge(
        &mut bindings,
        &sent,
        &created,
        &response("Create", &text("UniqueIdentifier", "abc")),
    )
    .unwrap();
    let sent = request("Activate", &text("UniqueIdentifier", "$UNIQUE_IDENTIFIER_0"));
    let expected = response("Activate", &text("UniqueIdentifier", "$UNIQUE_IDENTIFIER_0"));
    let good = response("Activate", &text("UniqueIdentifier", "abc"));
    assert_eq!(judge(&mut bindings, &sent, &expected, &good), Ok(()));
    let bad = response("Activate", &text("UniqueIdentifier", "abd"));
    let told = judge(&mut bindings, &sent, &expected, &bad).unwrap_err();
    assert!(told.contains("$UNIQUE_IDENTIFIER_0 = abc"), "{told}");
}

#[test]
fn locate_is_a_set_without_extras() {
    let mut bindings = Bindings::new(NOW);
    bindings.bind("UNIQUE_IDENTIFIER_0", Content::Text("a".into()));
    bindings.bind("UNIQUE_IDENTIFIER_1", Content::Text("b".into()));
    let sent = request("Locate", "");
    let answer = |names: &[&str]| {
        let list: String = names.iter().map(|n| text("UniqueIdentifier", n)).collect();
        response("Locate", &list)
    };
    let expected = answer(&["$UNIQUE_IDENTIFIER_0", "$UNIQUE_IDENTIFIER_1"]);
    let mut judge = |actual: &[&str]| judge(&mut bindings, &sent, &expected, &answer(actual));
    assert_eq!(judge(&["b", "a"]), Ok(()));
    assert_eq!(judge(&["a", "b"]), Ok(()));
    assert!(judge(&["a", "b", "c"]).is_err());
    assert!(judge(&["a"]).is_err());
    assert!(judge(&["a", "a"]).is_err());
    assert!(judge(&[]).is_err());
}

#[test]
fn nothing_located_means_nothing() {
    let sent = request("Locate", "");
    let something = response("Locate", &text("UniqueIdentifier", "a"));
    assert!(once(&sent, &response("Locate", ""), &something).is_err());
}

#[test]
fn attributes_are_a_multiset_that_may_have_more() {
    let sent = request("GetAttributes", &text("AttributeName", "State"));
    let state = attribute("State", "Enumeration", "Active");
    let length = attribute("Cryptographic Length", "Integer", "256");
    let other = attribute("Cryptographic Length", "Integer", "128");
    let expected = response("GetAttributes", &format!("{state}{length}"));
    let judge = |payload: String| once(&sent, &expected, &response("GetAttributes", &payload));
    assert_eq!(judge(format!("{length}{state}")), Ok(()));
    assert_eq!(judge(format!("{length}{other}{state}")), Ok(()));
    let told = judge(format!("{other}{state}")).unwrap_err();
    assert!(
        told.contains("Cryptographic Length") && told.contains("256") && told.contains("128"),
        "{told}"
    );
    assert!(judge(length.clone()).unwrap_err().contains("State"));
}

#[test]
fn an_absent_index_is_zero() {
    let indexed = |index: &str| {
        let name = text("AttributeName", "x-a");
        let value = text("AttributeValue", "v");
        let index = if index.is_empty() {
            String::new()
        } else {
            format!("<AttributeIndex type='Integer' value='{index}'/>")
        };
        response("AddAttribute", &format!("<Attribute>{name}{index}{value}</Attribute>"))
    };
    let sent = request("AddAttribute", "");
    assert_eq!(once(&sent, &indexed(""), &indexed("0")), Ok(()));
    assert_eq!(once(&sent, &indexed("0"), &indexed("")), Ok(()));
    assert!(once(&sent, &indexed(""), &indexed("1")).is_err());
    assert!(once(&sent, &indexed("1"), &indexed("")).is_err());
}

#[test]
fn dates_are_the_servers_unless_the_request_fixed_them() {
    let answer = |name: &str, value: &str| response("GetAttributes", &attribute(name, "DateTime", value));
    let asked = request("GetAttributes", "");
    let printed = answer("Initial Date", "2012-04-27T08:14:39+00:00");
    assert_eq!(once(&asked, &printed, &answer("Initial Date", "$NOW")), Ok(()));
    let now = answer("Initial Date", "$NOW");
    assert_eq!(once(&asked, &now, &answer("Initial Date", "$NOW+2")), Ok(()));
    assert!(once(&asked, &now, &answer("Initial Date", "$NOW-3600")).is_err());

    let mut bindings = Bindings::new(NOW);
    let fixing = request(
        "Create",
        &format!(
            "<TemplateAttribute>{}</TemplateAttribute>",
            attribute("Activation Date", "DateTime", "$NOW-3600")
        ),
    );
    judge(&mut bindings, &fixing, &response("Create", ""), &response("Create", "")).unwrap();
    let fixed = answer("Activation Date", "$NOW-3600");
    assert_eq!(judge(&mut bindings, &asked, &fixed, &fixed), Ok(()));
    assert!(judge(&mut bindings, &asked, &fixed, &answer("Activation Date", "$NOW-3599")).is_err());
}

fn get_of(identifier: &str, material: &str) -> String {
    let identifier = text("UniqueIdentifier", identifier);
    response(
        "Get",
        &format!(
            "<ObjectType type='Enumeration' value='SymmetricKey'/>{identifier}<SymmetricKey><KeyBlock>\
             <KeyFormatType type='Enumeration' value='Raw'/><KeyValue><KeyMaterial type='ByteString' value='{material}'/>\
             </KeyValue></KeyBlock></SymmetricKey>"
        ),
    )
}

#[test]
fn material_is_free_only_where_the_server_made_it() {
    for (operation, is_free) in [("Create", true), ("Register", false)] {
        let mut bindings = Bindings::new(NOW);
        let made = response(operation, &text("UniqueIdentifier", "$UNIQUE_IDENTIFIER_0"));
        let answer = response(operation, &text("UniqueIdentifier", "k"));
        judge(&mut bindings, &request(operation, ""), &made, &answer).unwrap();
        let sent = request("Get", &text("UniqueIdentifier", "$UNIQUE_IDENTIFIER_0"));
        let expected = get_of("$UNIQUE_IDENTIFIER_0", "00112233");
        assert_eq!(judge(&mut bindings, &sent, &expected, &get_of("k", "00112233")), Ok(()));
        assert_eq!(
            judge(&mut bindings, &sent, &expected, &get_of("k", "44556677")).is_ok(),
            is_free,
            "{operation}"
        );
    }
}

#[test]
fn outputs_are_free_only_where_they_are_random() {
    let encrypted = |data: &str| {
        let identifier = text("UniqueIdentifier", "k");
        response(
            "Encrypt",
            &format!("{identifier}<Data type='ByteString' value='{data}'/>"),
        )
    };
    let plain = request("Encrypt", &text("UniqueIdentifier", "k"));
    assert!(once(&plain, &encrypted("aabb"), &encrypted("aabc")).is_err());
    let parameters =
        "<CryptographicParameters><PaddingMethod type='Enumeration' value='OAEP'/></CryptographicParameters>";
    let random = request("Encrypt", &format!("{}{parameters}", text("UniqueIdentifier", "k")));
    assert_eq!(once(&random, &encrypted("aabb"), &encrypted("aabc")), Ok(()));
}

#[test]
fn order_of_fields_and_types_are_not_free() {
    let identifier = text("UniqueIdentifier", "k");
    let kind = "<ObjectType type='Enumeration' value='SymmetricKey'/>";
    let sent = request("Create", "");
    let expected = response("Create", &format!("{kind}{identifier}"));
    assert!(once(&sent, &expected, &response("Create", &format!("{identifier}{kind}"))).is_err());
    assert!(once(&sent, &expected, &response("Create", &identifier)).is_err());
    let more = format!("{kind}{identifier}<LeaseTime type='Interval' value='1'/>");
    assert!(once(&sent, &expected, &response("Create", &more)).is_err());
    let bytes = "<Data type='ByteString' value='00'/>";
    let number = "<Data type='Enumeration' value='0x00000001'/>";
    assert!(
        once(
            &request("Decrypt", ""),
            &response("Decrypt", bytes),
            &response("Decrypt", number)
        )
        .is_err()
    );
}

#[test]
fn a_digest_of_what_was_registered_has_one_value() {
    let digest = |hash: &str, value: &str| {
        let name = text("AttributeName", "Digest");
        let inner = format!(
            "<HashingAlgorithm type='Enumeration' value='{hash}'/><DigestValue type='ByteString' value='{value}'/>\
             <KeyFormatType type='Enumeration' value='Raw'/>"
        );
        response(
            "GetAttributes",
            &format!("<Attribute>{name}<AttributeValue>{inner}</AttributeValue></Attribute>"),
        )
    };
    let sent = request("GetAttributes", &text("UniqueIdentifier", "k"));
    let expected = digest("SHA_256", "aa");
    assert_eq!(once(&sent, &expected, &expected), Ok(()));
    assert!(once(&sent, &expected, &digest("SHA_256", "ab")).is_err());
    assert_eq!(once(&sent, &expected, &digest("SHA_512", "ab")), Ok(()));
}

#[test]
fn query_lists_hold_at_least_what_the_profile_requires() {
    let list = |names: &[&str]| {
        let items: String = names
            .iter()
            .map(|n| format!("<Operation type='Enumeration' value='{n}'/>"))
            .collect();
        response("Query", &items)
    };
    let sent = request("Query", "<QueryFunction type='Enumeration' value='QueryOperations'/>");
    let expected = list(&["Get", "Locate"]);
    assert_eq!(once(&sent, &expected, &list(&["Locate", "Create", "Get"])), Ok(()));
    assert!(once(&sent, &expected, &list(&["Locate", "Create"])).is_err());
}
