//! The error tables of the specification (KMIP 2.1 §6.1): each reason that can be provoked is, and what cannot stands in a list that says
//! why.

mod attributes;
mod creation;
mod cryptography;
mod delivery;
mod life;
#[cfg(test)]
mod older;
#[cfg(test)]
mod older_uses;
mod tables;
#[cfg(test)]
pub(super) mod things;

use super::hammer::shared;
use super::testing::{BEGIN, TestHouse};
use crate::identity::{ClientLimits, Principal};
use crate::operations::CARRIED_OUT;
use crate::operations::unprovoked::{OF_ALL, OF_OLDER, OF_ONE};
use kmip_protocol::errors::ERROR_ROWS;
use kmip_protocol::{
    AnyValue, MessageExtension, Namespace, NamespaceCreateRequest, Operation, Operations, PersonRole, RequestItem,
    RequestMessage, RequestPayload, ResultReason, TenantSettings, Version,
};
use kmip_ttlv::{Secret, Writer};
use older::OlderRow;
use std::collections::BTreeSet;
use std::sync::Arc;
use tables::{OF_EVERY, TABLES};
use things::{Row, Things, message};

/// Operation, reason, and how it is provoked.
fn rows() -> impl Iterator<Item = &'static Row> {
    let all = [
        attributes::ROWS,
        creation::ROWS,
        cryptography::ROWS,
        delivery::ROWS,
        life::ROWS,
    ];
    all.into_iter().flatten()
}

pub(super) fn item(operation: Operation, say: impl Fn(&mut Writer)) -> RequestItem {
    let mut writer = Writer::new();
    say(&mut writer);
    RequestItem::new(RequestPayload::Unknown {
        operation,
        items: Secret::new(writer.into_bytes()),
    })
}

/// As it comes from the wire.
fn read(message: &RequestMessage) -> RequestMessage {
    let mut writer = Writer::new();
    message.write(&mut writer);
    RequestMessage::read(writer.as_bytes()).ok().unwrap()
}

#[tokio::test]
async fn each_reason_that_can_be_provoked_is() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let mut wrong = Vec::new();
    for (operation, reason, say) in rows() {
        let message = message(item(*operation, |w| say(w, &things)));
        let told = house.message(&message, &house.alice).await.items.remove(0);
        if told.result_reason != Some(*reason) {
            let instead = (told.result_reason, told.result_message);
            wrong.push(format!("{operation}: {reason}: {instead:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_reason_of_a_table_is_provoked_or_not_given_for_a_reason() {
    for (operation, reasons) in TABLES {
        for reason in *reasons {
            let provoked = rows().any(|(of, one, _)| of == operation && one == reason);
            let listed = OF_ONE.iter().any(|(of, one, _)| of == operation && one == reason);
            assert!(provoked != listed, "{operation}: {reason}");
        }
    }
    let foreseen = |operation: Operation, reason: ResultReason| {
        TABLES
            .iter()
            .any(|(of, reasons)| *of == operation && reasons.contains(&reason))
    };
    let listed = OF_ONE.iter().map(|(operation, reason, _)| (*operation, *reason));
    for (operation, reason) in rows().map(|(operation, reason, _)| (*operation, *reason)).chain(listed) {
        assert!(foreseen(operation, reason), "{operation}: {reason} is in no table");
    }
}

/// Letters and digits of a name, however it is spelt.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// The reasons that the specification's own table of an operation has.
fn specified(reasons: &serde_json::Value) -> BTreeSet<String> {
    let rows = reasons.as_array().unwrap().iter();
    let lists = rows.map(|row| row.as_array().unwrap().last().unwrap().as_str().unwrap());
    lists.flat_map(|list| list.split(',')).map(plain).collect()
}

#[test]
fn the_tables_are_those_of_the_specification() {
    let Some(path) = shared("kmip/tables/SPEC_TABLES.json") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let tables: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut count = 0;
    for (name, reasons) in tables["2.1"]["errors"].as_object().unwrap() {
        // Answers of clients to messages of the server.
        if name.contains("server to client") {
            continue;
        }
        let name = plain(name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' '));
        let found = TABLES
            .iter()
            .find(|(operation, _)| plain(&operation.to_string()) == name);
        let (operation, own) = found.unwrap_or_else(|| panic!("{name} has no table"));
        let own = own.iter().chain(OF_EVERY).map(|reason| plain(&reason.to_string()));
        let missing: Vec<String> = specified(reasons).difference(&own.collect()).cloned().collect();
        assert!(missing.is_empty(), "{operation}: {missing:?}");
        count += 1;
    }
    assert_eq!(count, TABLES.len());
}

/// Every operation says no to whoever may not ask, and to what it does not understand but must (Feature Not Supported).
#[tokio::test]
async fn what_all_tables_have_is_told_by_all() {
    let house = TestHouse::new().await;
    let known = house
        .server
        .identity()
        .resolve(&house.alice.certificate, BEGIN)
        .await
        .unwrap();
    let Principal::Client(client) = &known else { panic!() };
    let mut confined = client.as_ref().clone();
    let settings = kmip_protocol::ClientSettings {
        operations: Some(Operations {
            operations: vec![Operation::Poll],
        }),
        ..Default::default()
    };
    confined.limits = Arc::new(ClientLimits::new(&settings, &TenantSettings::default(), false));
    let confined = Principal::Client(Arc::new(confined));
    let own = CARRIED_OUT
        .iter()
        .copied()
        .filter(|operation| operation.0 < 0x8000_0000);
    let anybodys = [
        Operation::Query,
        Operation::DiscoverVersions,
        Operation::Poll,
        Operation::Login,
        Operation::Logout,
    ];
    let mut count = 0;
    for operation in own.filter(|operation| operation.is_spoken_in(Version::NEWEST) && !anybodys.contains(operation)) {
        let refused = house.act_by(&confined, read(&message(item(operation, |_| {})))).await;
        assert_eq!(
            refused.result_reason,
            Some(ResultReason::PermissionDenied),
            "{operation}"
        );
        count += 1;
    }
    assert!(count > 25, "{count}");
}

fn standard() -> impl Iterator<Item = Operation> {
    let all = CARRIED_OUT.iter().copied();
    all.filter(|operation| operation.0 < 0x8000_0000 && operation.is_spoken_in(Version::NEWEST))
}

async fn reason(house: &TestHouse, message: &RequestMessage) -> Option<ResultReason> {
    house.message(message, &house.alice).await.items.remove(0).result_reason
}

/// What is not understood, is too long to be answered, or belongs to another version: every operation says so in the same words.
#[tokio::test]
async fn what_is_not_understood_is_told_by_all() {
    let house = TestHouse::new().await;
    let before = house.all_rows().await;
    let mut count = [0; 3];
    for operation in standard() {
        let mut critical = item(operation, |_| {});
        critical.message_extensions.push(MessageExtension {
            vendor_identification: "somebody".into(),
            criticality_indicator: true,
            vendor_extension: AnyValue::Structure(Vec::new()),
        });
        // Whether or not an empty payload can be read.
        let told = reason(&house, &message(critical)).await;
        assert_eq!(told, Some(ResultReason::FeatureNotSupported), "{operation}");
        // Whatever it would say: there is no room for it.
        let mut short = message(item(operation, |_| {}));
        short.header.maximum_response_size = Some(1);
        let told = house.message(&short, &house.alice).await.items.remove(0);
        let too_large = told.result_reason == Some(ResultReason::ResponseTooLarge);
        assert!(too_large || told.payload.is_none(), "{operation}");
        count[0] += usize::from(too_large);
        for version in Version::ALL
            .into_iter()
            .filter(|version| !operation.is_spoken_in(*version))
        {
            let mut older = message(item(operation, |_| {}));
            older.header.protocol_version = version.into();
            let told = reason(&house, &older).await;
            assert_eq!(
                told,
                Some(ResultReason::OperationNotSupported),
                "{operation} in {version}"
            );
            count[1] += 1;
        }
        count[2] += 1;
    }
    assert!(count[1] > 60 && count[2] > 50, "{count:?}");
    assert!(house.all_rows().await == before);
    let of_all: Vec<ResultReason> = OF_ALL.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(
        of_all,
        [ResultReason::AttestationFailed, ResultReason::AttestationRequired]
    );
}

/// How the rows of the tables of older versions are provoked.
fn older_rows() -> impl Iterator<Item = &'static OlderRow> {
    older::ROWS.iter().chain(older_uses::ROWS)
}

#[test]
fn each_row_of_older_versions_is_provoked_or_not_given_for_a_reason() {
    for row in ERROR_ROWS {
        let provoked = older_rows().filter(|(of, mistake, _)| *of == row.operation && *mistake == row.mistake);
        let listed = OF_OLDER
            .iter()
            .filter(|(of, mistake, _)| *of == row.operation && *mistake == row.mistake);
        let (operation, mistake) = (row.operation, row.mistake);
        assert_eq!(provoked.count() + listed.count(), 1, "{operation}: {mistake}");
    }
    assert_eq!(older_rows().count() + OF_OLDER.len(), ERROR_ROWS.len());
}

/// Every row, in every version that has it and the operation.
#[tokio::test]
async fn older_versions_are_told_in_their_words() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let operator = house.known(house.tenant, PersonRole::Operator);
    let namespace = Namespace {
        application_namespace: "somewhere".into(),
        generated_data: false,
        description: None,
    };
    let told = house.act(&operator, NamespaceCreateRequest { namespace }).await;
    assert!(told.payload.is_some(), "{:?}", told.result_message);
    let before = house.contents().await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (operation, mistake, say) in older_rows() {
        let row = ERROR_ROWS
            .iter()
            .find(|row| row.operation == *operation && row.mistake == *mistake);
        let row = row.unwrap();
        for version in Version::ALL {
            if !row.versions.include(version) || !operation.is_spoken_in(version) {
                continue;
            }
            let mut older = message(item(*operation, |w| say(w, &things)));
            older.header.protocol_version = version.into();
            let told = house.message(&older, &house.alice).await.items.remove(0);
            if told.result_reason != Some(row.reason.for_version(version)) {
                let instead = (told.result_reason, told.result_message);
                wrong.push(format!(
                    "{operation} in {version}, {mistake}: {instead:?} for {}",
                    row.reason
                ));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{} {wrong:#?}", wrong.len());
    assert!(count > 600, "{count}");
    assert!(house.contents().await == before);
}
