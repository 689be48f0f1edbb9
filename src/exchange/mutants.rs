//! Bad input by reflection: a request of each operation that is carried out, in each version, with each of its items left out, said twice,
//! of another type, at the ends of its range, of a value that nobody or only a later version knows, and with the fields of other versions.
//! Each is sent in a batch that is undone, so that nothing may be left of it whatever comes of it.

use super::error_tables::item;
use super::error_tables::things::{Things, message, nobody};
use super::requests::{payload_of, requests};
use super::testing::{BEGIN, TestHouse};
use crate::failure::Fault;
use kmip_protocol::names::of_tag;
use kmip_protocol::{
    AnyItem, AnyValue, BatchErrorContinuationOption, BigInteger, DateTime, DateTimeExtended, Field, FieldRow, Interval,
    ItemType, JUDGED_IN_USE, Occurrence, Operation, RequestItem, RequestMessage, RequestPayload, ResponseItem,
    ResultReason, ResultStatus, Version, holds_attributes, tag,
};
use kmip_ttlv::{Reader, Secret, Tag, Writer};

/// A value that no version has, and that is no extension.
const NOBODYS: u32 = 0x0FFF_FFFF;

/// What the server alone is to blame for: no request brings it about.
const SERVERS_OWN: [Fault; 5] = [
    Fault::Internal,
    Fault::StoreUnavailable,
    Fault::CustodyUnavailable,
    Fault::Contention,
    Fault::RecordDamaged,
];

/// A payload that is wrong in one place.
struct Mutant {
    what: String,
    items: Vec<AnyItem>,
    /// What it must be told; nothing in particular, if it is none.
    expected: Option<ResultReason>,
}

fn read(payload: &[u8], version: Version) -> Vec<AnyItem> {
    Field::read_field(&mut Reader::new(payload), Tag(0), version).unwrap()
}

/// Where the items are, from the outside in, and whether they are within attributes.
pub(super) fn places(
    items: &[AnyItem],
    of_attribute: bool,
    path: &mut Vec<usize>,
    found: &mut Vec<(Vec<usize>, bool)>,
) {
    for (at, item) in items.iter().enumerate() {
        path.push(at);
        found.push((path.clone(), of_attribute));
        if let AnyValue::Structure(inner) = &item.value {
            places(inner, of_attribute || holds_attributes(item.tag), path, found);
        }
        path.pop();
    }
}

/// The items among which a place is, and the last step to it.
pub(super) fn at<'a>(items: &'a mut Vec<AnyItem>, path: &[usize]) -> (&'a mut Vec<AnyItem>, usize) {
    match path {
        [last] => (items, *last),
        [first, rest @ ..] => match &mut items[*first].value {
            AnyValue::Structure(inner) => at(inner, rest),
            _ => panic!("no structure"),
        },
        [] => panic!("no place"),
    }
}

/// Values of the same type that are out of the ordinary.
fn extremes(value: &AnyValue) -> Vec<AnyValue> {
    let times = [0, -1, i64::MIN, i64::MAX, 253_402_300_800];
    match value {
        AnyValue::Structure(_) => vec![AnyValue::Structure(Vec::new())],
        AnyValue::Integer(_) => [0, -1, 1, i32::MIN, i32::MAX].map(AnyValue::Integer).into(),
        AnyValue::LongInteger(_) => [0, -1, i64::MIN, i64::MAX].map(AnyValue::LongInteger).into(),
        AnyValue::Enumeration(_) => [0, 0x8000_0001, u32::MAX].map(AnyValue::Enumeration).into(),
        AnyValue::Boolean(value) => vec![AnyValue::Boolean(!value)],
        AnyValue::TextString(_) => ["", "\0", "\u{202E}x", "somebody", &"x".repeat(70_000)]
            .map(|text| AnyValue::TextString(text.into()))
            .into(),
        AnyValue::ByteString(_) => [0, 1, 70_000]
            .map(|length| AnyValue::ByteString(vec![7; length]))
            .into(),
        AnyValue::DateTime(_) => times.map(|time| AnyValue::DateTime(DateTime(time))).into(),
        AnyValue::DateTimeExtended(_) => times
            .map(|time| AnyValue::DateTimeExtended(DateTimeExtended(time)))
            .into(),
        AnyValue::Interval(_) => [0, 1, u32::MAX].map(|time| AnyValue::Interval(Interval(time))).into(),
        AnyValue::BigInteger(_) => [8, 1024]
            .map(|length| AnyValue::BigInteger(BigInteger(Secret::new(vec![0xFF; length]))))
            .into(),
    }
}

fn row_of(rows: &'static [FieldRow], tag: Tag, version: Version) -> Option<&'static FieldRow> {
    let own = |row: &&FieldRow| {
        row.tags
            .iter()
            .any(|(own, versions)| *own == tag && versions.include(version))
    };
    rows.iter().find(own)
}

/// Values of an enumeration that nobody knows, or that later versions brought: what is told of them, where they are judged at once.
fn unknown_values(tag: Tag, of_attribute: bool, version: Version) -> Vec<(u32, Option<ResultReason>)> {
    let Some(names) = of_tag(tag).filter(|names| !names.is_mask && !names.rows.is_empty()) else {
        return vec![(NOBODYS, None)];
    };
    let judged = of_attribute || !JUDGED_IN_USE.contains(&tag);
    let reason = if of_attribute {
        ResultReason::InvalidAttributeValue.for_version(version)
    } else {
        ResultReason::InvalidField
    };
    let later = names.rows.iter().filter(|(_, versions)| versions.first > version);
    let values = later.map(|(value, _)| *value).chain([NOBODYS]);
    values.map(|value| (value, judged.then_some(reason))).collect()
}

/// Some value of a field, with all the fields of its own.
fn plain(row: &FieldRow, version: Version, depth: usize) -> Option<AnyItem> {
    let (tag, _) = row.tags.iter().find(|(_, versions)| versions.include(version))?;
    let value = match row.item_type? {
        ItemType::Structure if depth > 4 => return None,
        ItemType::Structure => {
            let fields = row.fields.iter().filter_map(|row| plain(row, version, depth + 1));
            AnyValue::Structure(fields.collect())
        }
        ItemType::Integer => AnyValue::Integer(1),
        ItemType::LongInteger => AnyValue::LongInteger(1),
        ItemType::BigInteger => AnyValue::BigInteger(BigInteger(Secret::new(vec![1; 8]))),
        ItemType::Enumeration => {
            let names = of_tag(*tag).and_then(|names| names.rows.first());
            AnyValue::Enumeration(names.map_or(1, |(value, _)| *value))
        }
        ItemType::Boolean => AnyValue::Boolean(true),
        ItemType::TextString => AnyValue::TextString("some".into()),
        ItemType::ByteString => AnyValue::ByteString(vec![7; 16]),
        ItemType::DateTime => AnyValue::DateTime(DateTime(BEGIN)),
        ItemType::DateTimeExtended => AnyValue::DateTimeExtended(DateTimeExtended(BEGIN * 1_000_000)),
        ItemType::Interval => AnyValue::Interval(Interval(60)),
        _ => return None,
    };
    Some(AnyItem { tag: *tag, value })
}

/// A request with each of the fields that it does not have, one by one, and where that stands.
fn enlarged(operation: Operation, good: &[AnyItem], version: Version) -> Vec<(Vec<AnyItem>, usize)> {
    let (rows, _) = operation.fields().unwrap();
    let place_of = |tag: Tag| {
        let own = rows.iter().position(|row| {
            row.tags
                .iter()
                .any(|(own, versions)| *own == tag && versions.include(version))
        });
        // A managed object has its own tag.
        own.or_else(|| rows.iter().position(|row| row.tags.is_empty()))
    };
    let mut all = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let Some(added) = plain(row, version, 0) else { continue };
        if good.iter().any(|item| item.tag == added.tag) {
            continue;
        }
        let later = good
            .iter()
            .position(|item| place_of(item.tag).is_none_or(|place| place > n));
        let place = later.unwrap_or(good.len());
        let mut items = good.to_vec();
        items.insert(place, added);
        all.push((items, place));
    }
    all
}

/// A request wrong in one place: anywhere, or within one of its items.
fn mutants(operation: Operation, good: &[AnyItem], version: Version, within: Option<usize>) -> Vec<Mutant> {
    let (rows, _) = operation.fields().unwrap();
    let mut found = Vec::new();
    places(good, false, &mut Vec::new(), &mut found);
    found.retain(|(path, _)| within.is_none_or(|place| path[0] == place));
    let mut mutants = Vec::new();
    for (path, of_attribute) in &found {
        let mut add = |what: &str, expected: Option<ResultReason>, change: &dyn Fn(&mut Vec<AnyItem>, usize)| {
            let mut items = good.to_vec();
            let (among, last) = at(&mut items, path);
            let what = format!("{what} {} at {path:?}", among[last].tag);
            change(among, last);
            mutants.push(Mutant { what, items, expected });
        };
        let mut copy = good.to_vec();
        let (among, last) = at(&mut copy, path);
        let AnyItem { tag, value } = &among[last];
        let row = row_of(rows, *tag, version).filter(|_| path.len() == 1);
        let invalid = |when: bool| when.then_some(ResultReason::InvalidMessage);
        // What stands several times may go once; attributes may be none.
        let required = row.is_some_and(|row| row.occurrence == Occurrence::One) && !holds_attributes(*tag);
        add("without", invalid(required), &|among, last| drop(among.remove(last)));
        let one_by_one = holds_attributes(*tag) && !version.has_tagged_attributes();
        let once = row.is_some_and(|row| row.occurrence != Occurrence::Many) && !one_by_one;
        add("twice", invalid(once), &|among, last| {
            let again = among[last].clone();
            among.insert(last, again);
        });
        for other in [
            AnyValue::Boolean(true),
            AnyValue::Integer(1),
            AnyValue::Structure(Vec::new()),
        ] {
            if other.item_type() != value.item_type() {
                let typed = row.is_some_and(|row| row.item_type.is_some());
                add("another type of", invalid(typed), &|among, last| {
                    among[last].value = other.clone()
                });
            }
        }
        for extreme in extremes(value) {
            add("an extreme of", None, &|among, last| {
                among[last].value = extreme.clone()
            });
        }
        if matches!(value, AnyValue::Enumeration(_)) {
            for (number, expected) in unknown_values(*tag, *of_attribute, version) {
                let what = format!("the unknown {number:#x} of");
                add(&what, expected, &|among, last| {
                    among[last].value = AnyValue::Enumeration(number)
                });
            }
        }
    }
    for (tag, versions) in rows.iter().flat_map(|row| row.tags).filter(|_| within.is_none()) {
        let is_own = row_of(rows, *tag, version).is_some();
        let known = tag::versions(*tag).is_some_and(|versions| versions.include(version));
        if !is_own {
            let same_major = versions.first.major() == version.major() && versions.first > version;
            let mut items = good.to_vec();
            items.push(AnyItem {
                tag: *tag,
                value: AnyValue::Integer(1),
            });
            mutants.push(Mutant {
                what: format!("{tag}, of another version"),
                items,
                expected: (!known && !same_major).then_some(ResultReason::InvalidField),
            });
        }
    }
    mutants
}

fn written(items: &Vec<AnyItem>, version: Version) -> Secret {
    let mut writer = Writer::new();
    items.write_field(&mut writer, Tag(0), version);
    Secret::new(writer.into_bytes())
}

/// A batch of this item and one that fails, which undoes it.
pub(super) fn with_failure(item: RequestItem, things: &Things, version: Version) -> RequestMessage {
    let mut message = message(item);
    message.items.push(item_of_nobody(things));
    message.header.protocol_version = version.into();
    message.header.batch_count = 2;
    message.header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Undo);
    message
}

fn item_of_nobody(things: &Things) -> RequestItem {
    item(Operation::Get, |w| nobody(w, things))
}

/// Whether a failure is told in words of the table, and is none for which the server alone is to blame.
pub(super) fn is_told(told: &ResponseItem) -> bool {
    let text = told.result_message.as_deref().unwrap_or_default();
    let known = Fault::ALL.iter().find(|fault| text.starts_with(fault.message()));
    known.is_some_and(|fault| !SERVERS_OWN.contains(fault))
}

/// What is wrong with an answer to the first item of such a batch, if anything is.
fn fault(told: &ResponseItem, expected: Option<ResultReason>) -> Option<String> {
    let seen = format!("{:?} {:?}", told.result_reason, told.result_message);
    if told.result_status == ResultStatus::OperationUndone {
        return expected.map(|expected| format!("done for {expected}"));
    }
    let ours = !is_told(told);
    let other = expected.is_some() && told.result_reason != expected;
    (told.result_status != ResultStatus::OperationFailed || ours || other).then(|| format!("{seen} for {expected:?}"))
}

#[tokio::test]
async fn each_operation_is_undone_alone() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let before = house.contents().await;
    let mut wrong = Vec::new();
    for version in Version::ALL {
        for (operation, item) in requests(&things, version) {
            let told = house.message(&with_failure(item, &things, version), &house.alice).await;
            let [done, failed] = told.items.as_slice() else {
                wrong.push(format!("{operation} in {version}: {:?}", told.items[0].result_message));
                continue;
            };
            assert_eq!(
                done.result_status,
                ResultStatus::OperationUndone,
                "{operation} in {version}"
            );
            assert_eq!(
                failed.result_status,
                ResultStatus::OperationFailed,
                "{operation} in {version}"
            );
            if house.contents().await != before {
                wrong.push(format!("{operation} in {version} leaves something"));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Tries mutants, and says what is wrong with what comes of them.
struct Trial<'a> {
    house: &'a TestHouse,
    things: &'a Things,
    wrong: Vec<String>,
    /// How many there were, how many were to be told something in particular, how many were done.
    counts: [usize; 3],
}

impl Trial<'_> {
    async fn run(&mut self, operation: Operation, version: Version, mutants: Vec<Mutant>) {
        for mutant in mutants {
            let payload = RequestPayload::Unknown {
                operation,
                items: written(&mutant.items, version),
            };
            let batch = with_failure(RequestItem::new(payload), self.things, version);
            let told = self.house.message(&batch, &self.house.alice).await.items.remove(0);
            if let Some(fault) = fault(&told, mutant.expected) {
                self.wrong
                    .push(format!("{operation} in {version}, {}: {fault}", mutant.what));
            }
            self.counts[0] += 1;
            self.counts[1] += usize::from(mutant.expected.is_some());
            self.counts[2] += usize::from(told.result_status == ResultStatus::OperationUndone);
        }
    }
}

/// The payload of a request as items.
fn items_of(item: RequestItem, version: Version) -> Vec<AnyItem> {
    let mut whole = message(item);
    whole.header.protocol_version = version.into();
    read(&payload_of(&whole), version)
}

#[tokio::test]
async fn nothing_that_is_wrong_in_one_place_is_done_or_leaves_anything() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let before = house.contents().await;
    let mut trial = Trial {
        house: &house,
        things: &things,
        wrong: Vec::new(),
        counts: [0; 3],
    };
    for version in Version::ALL {
        for (operation, good) in requests(&things, version) {
            let good = items_of(good, version);
            trial
                .run(operation, version, mutants(operation, &good, version, None))
                .await;
            if house.contents().await != before {
                trial.wrong.push(format!("{operation} in {version} leaves something"));
                break;
            }
        }
    }
    let Trial { wrong, counts, .. } = trial;
    assert!(wrong.is_empty(), "{} {counts:?} {wrong:#?}", wrong.len());
    assert!(
        counts[0] > 8_000 && counts[1] > 1_300 && counts[2] > 1_000,
        "{counts:?}"
    );
}

/// The same of the fields that a request may have and mostly has not.
#[tokio::test]
async fn nothing_is_done_for_a_further_field_that_is_wrong() {
    let house = TestHouse::new().await;
    let things = Things::of(&house).await;
    let before = house.contents().await;
    let mut trial = Trial {
        house: &house,
        things: &things,
        wrong: Vec::new(),
        counts: [0; 3],
    };
    let named = Version::ALL
        .into_iter()
        .rfind(|version| !version.has_tagged_attributes());
    for version in [named.unwrap(), Version::NEWEST] {
        for (operation, good) in requests(&things, version) {
            let good = items_of(good, version);
            for (larger, place) in enlarged(operation, &good, version) {
                let mutants = mutants(operation, &larger, version, Some(place));
                trial.run(operation, version, mutants).await;
            }
            if house.contents().await != before {
                trial.wrong.push(format!("{operation} in {version} leaves something"));
                break;
            }
        }
    }
    let Trial { wrong, counts, .. } = trial;
    assert!(wrong.is_empty(), "{} {counts:?} {wrong:#?}", wrong.len());
    assert!(counts[0] > 1_000 && counts[1] > 400, "{counts:?}");
}
