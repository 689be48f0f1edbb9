//! Somebody writes to the database's file: each kind of record, edited in each of its columns and copied elsewhere. What was edited does
//! not open, is named by the scrub, and disturbs nobody else.

use super::assembly::{put_policy, voter};
use super::governing::{destroy, govern, rule};
use super::testing::TestHouse;
use crate::administration::kek;
use crate::audit::alarm::Event;
use crate::authority::quorum::samples::group;
use crate::authority::quorum::{Group, Scope, template};
use crate::failure::Fault;
use crate::identity::{IdentityChange, TenantRecord, kind};
use crate::objects::{self, OBJECT};
use crate::records;
use crate::scrub::{Known, Wrong};
use crate::store::{Domain, Key, Kind, Work};
use kmip_protocol::{
    Completion, GetRequest, LocateRequest, Operation, PersonRole, PolicyTemplate, ResponseItem, ResultStatus,
    UniqueIdentifier, Version,
};
use rusqlite::{Connection, OpenFlags, params};
use std::collections::BTreeMap;
use std::time::Duration;

/// A row of the table of records.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    creation: i64,
    key: Vec<u8>,
    revision: i64,
    body: Vec<u8>,
    rows: Vec<u8>,
    erasure: Vec<u8>,
}

/// The file, as somebody has it who can write there.
struct Thief(Connection);

impl Thief {
    fn new(house: &TestHouse) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let path = house.folder().join("store.db");
        let connection = Connection::open_with_flags_and_vfs(path, flags, "unix-excl").unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        Self(connection)
    }

    fn rows(&self) -> Vec<Row> {
        let all = "SELECT r.creation, r.key, revision, body, rows, e.key FROM record r JOIN erasure e USING (creation)";
        let mut select = self.0.prepare(all).unwrap();
        let rows = select.query_map([], |row| {
            Ok(Row {
                creation: row.get(0)?,
                key: row.get(1)?,
                revision: row.get(2)?,
                body: row.get(3)?,
                rows: row.get(4)?,
                erasure: row.get(5)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn write(&self, row: &Row) {
        let update = "UPDATE record SET key = ?2, revision = ?3, body = ?4, rows = ?5 WHERE creation = ?1";
        let values = params![row.creation, row.key, row.revision, row.body, row.rows];
        assert_eq!(self.0.execute(update, values).unwrap(), 1);
        let update = "UPDATE erasure SET key = ?2 WHERE creation = ?1";
        self.0.execute(update, params![row.creation, row.erasure]).unwrap();
    }

    /// The same row a second time, in another place.
    fn copy(&self, row: &Row, key: &[u8]) -> i64 {
        let creation = row.creation + 1_000_000;
        let insert = "INSERT INTO record (creation, key, revision, body, rows) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![creation, key, row.revision, row.body, row.rows];
        self.0.execute(insert, values).unwrap();
        let insert = "INSERT OR REPLACE INTO erasure (creation, key) VALUES (?1, ?2)";
        self.0.execute(insert, params![creation, row.erasure]).unwrap();
        creation
    }

    fn delete(&self, creation: i64) {
        self.0
            .execute("DELETE FROM record WHERE creation = ?1", [creation])
            .unwrap();
    }

    fn insert(&self, row: &Row) {
        let insert = "INSERT INTO record (creation, key, revision, body, rows) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![row.creation, row.key, row.revision, row.body, row.rows];
        self.0.execute(insert, values).unwrap();
    }
}

fn key_of(row: &Row) -> Key {
    Key {
        domain: Domain(row.key[..16].try_into().unwrap()),
        kind: Kind(row.key[16]),
        id: row.key[17..].try_into().unwrap(),
    }
}

fn blob(key: Key) -> Vec<u8> {
    [&key.domain.0[..], &[key.kind.0], &key.id].concat()
}

/// What is done to a row.
type Edit = (&'static str, fn(&mut Row));

const EDITS: &[Edit] = &[
    ("its revision counted on", |row| row.revision += 1),
    ("its revision negative", |row| row.revision = -1),
    ("its first byte", |row| row.body[0] ^= 1),
    ("a byte in the middle", |row| {
        let middle = row.body.len() / 2;
        row.body[middle] ^= 0x80;
    }),
    ("its last byte", |row| *row.body.last_mut().unwrap() ^= 1),
    ("its body cut", |row| row.body.truncate(7)),
    ("its body empty", |row| row.body.clear()),
    ("its body longer", |row| row.body.push(0)),
    ("its erasure key", |row| row.erasure[5] ^= 1),
    ("its erasure key cut", |row| row.erasure.truncate(3)),
];

/// A house with something of every kind that a tenant has.
async fn furnished() -> TestHouse {
    let house = TestHouse::on_disk().await;
    voter(&house, house.tenant, "olga", PersonRole::Operator).await;
    voter(&house, house.tenant, "otto", PersonRole::Operator).await;
    let group = group("four eyes", &[1, 2]);
    let mut work = Work::new(std::sync::Arc::clone(&house.store));
    let key = Group::key(house.tenant, "four eyes");
    kek::put(&house.server.services().custody, &mut work, key, group.encode())
        .await
        .unwrap();
    house.store.commit(work.into_change_set(house.now_ms())).await.unwrap();
    govern(&house, vec![rule(Operation::Destroy, Completion::OnQuorum)]).await;
    house
}

async fn get(house: &TestHouse, identifier: &str) -> ResponseItem {
    let request = GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.to_owned())),
        ..GetRequest::default()
    };
    house.item(Version::NEWEST, request, &house.alice).await
}

async fn findings(house: &TestHouse) -> Vec<(Key, Wrong)> {
    let known = Known::default();
    let outcome = house.comparison(&known, None).run().await.unwrap();
    assert!(outcome.trail_faults.is_empty());
    outcome.findings
}

/// Bob's tenant does not notice anything, and nor does what alice has besides.
async fn others_are_served(house: &TestHouse, what: &str) {
    let locate = house.item(Version::NEWEST, LocateRequest::default(), &house.bob).await;
    assert_eq!(locate.result_status, ResultStatus::Success, "{what}");
}

#[tokio::test]
async fn an_edited_row_of_any_kind_opens_nowhere_and_is_named() {
    let house = furnished().await;
    let first = house.create("first", Vec::new()).await;
    let second = house.create("second", Vec::new()).await;
    super::asynchronous::submit(&house, Version::NEWEST, destroy(&second), &house.alice).await;
    assert_eq!(findings(&house).await, []);
    let thief = Thief::new(&house);
    let custody = &house.server.services().custody;
    let own = |key: &Key| key.domain == house.tenant || *key == TenantRecord::key(house.tenant);
    let target = objects::key(house.tenant, &first);
    let mut kinds: BTreeMap<u8, Row> = BTreeMap::new();
    for row in thief.rows() {
        let key = key_of(&row);
        if own(&key) && (key.kind != OBJECT || key == target) {
            kinds.entry(key.kind.0).or_insert(row);
        }
    }
    println!("{:02x?}", kinds.keys().collect::<Vec<_>>());
    assert!(kinds.len() >= 10, "{:02x?}", kinds.keys());
    for (number, row) in &kinds {
        let key = key_of(row);
        for (what, edit) in EDITS {
            let what = format!("{number:02x}: {what}");
            let mut edited = row.clone();
            edit(&mut edited);
            thief.write(&edited);
            let read = house.store.load(key).await.unwrap().unwrap();
            assert!(records::open(custody, &read).is_err(), "{what} opens");
            house.server.identity().changed(IdentityChange::All).await.unwrap();
            let asked = get(&house, &first).await;
            if [OBJECT, kind::CLIENT, kind::TENANT].contains(&key.kind) {
                let told = asked.result_message.unwrap_or_default();
                assert_eq!(told, Fault::RecordDamaged.message(), "{what}");
            }
            others_are_served(&house, &what).await;
            assert_eq!(findings(&house).await, [(key, Wrong::Damaged)], "{what}");
            thief.write(row);
        }
        thief.delete(row.creation);
        get(&house, &first).await;
        others_are_served(&house, "deleted").await;
        assert_eq!(findings(&house).await, [(key, Wrong::Missing)], "{number:02x}");
        thief.insert(row);
        assert_eq!(findings(&house).await, []);
    }
    house.server.identity().changed(IdentityChange::All).await.unwrap();
    assert_eq!(get(&house, &first).await.result_status, ResultStatus::Success);
    assert!(house.alarms().await.contains(&Event::RecordDamaged));
}

#[tokio::test]
async fn a_row_copied_to_another_place_opens_nowhere_and_is_named() {
    let house = furnished().await;
    let first = house.create("first", Vec::new()).await;
    let second = house.create("second", Vec::new()).await;
    let thief = Thief::new(&house);
    let bob = house.tenant_of(&house.bob).await;
    let mut kinds: BTreeMap<u8, Row> = BTreeMap::new();
    for row in thief
        .rows()
        .into_iter()
        .filter(|row| key_of(row).domain == house.tenant)
    {
        kinds.entry(row.key[16]).or_insert(row);
    }
    for row in kinds.values() {
        let key = key_of(row);
        let places = [
            Key { id: [0xEE; 16], ..key },
            Key {
                domain: bob,
                id: [0xEE; 16],
                ..key
            },
            Key {
                domain: Domain::SYSTEM,
                id: [0xEE; 16],
                ..key
            },
            Key {
                kind: Kind(key.kind.0 ^ 0x40),
                ..key
            },
        ];
        for place in places {
            let copy = thief.copy(row, &blob(place));
            let read = house.store.load(place).await.unwrap().unwrap();
            let custody = &house.server.services().custody;
            assert!(records::open(custody, &read).is_err(), "{place}");
            house.server.identity().changed(IdentityChange::All).await.unwrap();
            others_are_served(&house, &place.to_string()).await;
            assert_eq!(
                get(&house, &first).await.result_status,
                ResultStatus::Success,
                "{place}"
            );
            assert_eq!(findings(&house).await, [(place, Wrong::Unknown)]);
            thief.delete(copy);
        }
    }
    // One object's row in the place of another of the same tenant: neither is given for the other.
    let rows = thief.rows();
    let row = |identifier: &str| {
        let key = blob(objects::key(house.tenant, identifier));
        rows.iter().find(|row| row.key == key).unwrap().clone()
    };
    let (one, other) = (row(&first), row(&second));
    let swapped = Row {
        creation: one.creation,
        key: one.key.clone(),
        ..other
    };
    thief.write(&swapped);
    assert_eq!(
        get(&house, &first).await.result_message.unwrap_or_default(),
        Fault::RecordDamaged.message()
    );
    assert_eq!(get(&house, &second).await.result_status, ResultStatus::Success);
}

/// Index rows and claims are hints and locks: what they lead to is compared.
#[tokio::test]
async fn index_rows_and_claims_led_elsewhere_lead_to_nothing_of_others() {
    let house = furnished().await;
    let first = house.create("first", Vec::new()).await;
    let thief = Thief::new(&house);
    // Alice's index now names an object of bob's, and claims point at rows that are not there.
    thief
        .0
        .execute("UPDATE index_row SET id = ?1", [&[9_u8; 16][..]])
        .unwrap();
    thief
        .0
        .execute("UPDATE claim SET holder = ?1", [&[9_u8; 33][..]])
        .unwrap();
    house.server.identity().changed(IdentityChange::All).await.unwrap();
    for facts in [&house.alice, &house.bob] {
        house.item(Version::NEWEST, LocateRequest::default(), facts).await;
    }
    get(&house, &first).await;
    put_policy(&house, house.tenant, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
}
