//! What the codecs are measured on, and each codec's way of doing it.
//!
//! The peer's types go one way only: responses are read, requests written. So its writing of an answer is measured with
//! types of the same shape declared here, as its users would have to.

use kmip_protocol::{RequestMessage, ResponseMessage};
use kmip_ttlv::{Reader, Tag, Value, Writer};
use std::path::PathBuf;

/// Identifiers in the long Locate answer.
pub const LOCATED: usize = 10_000;

const IDENTIFIER: &str = "49a1ca88-6bea-4fb2-b450-7e58802c3038";

/// The common beginning of an answer in KMIP 1.2, and its payload.
fn answer(operation: u32, payload: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(Tag(0x42_007B), |w| {
        w.structure(Tag(0x42_007A), |w| {
            w.structure(Tag(0x42_0069), |w| {
                w.integer(Tag(0x42_006A), 1);
                w.integer(Tag(0x42_006B), 2);
            });
            w.date_time(Tag(0x42_0092), 1_700_000_000);
            w.integer(Tag(0x42_000D), 1);
        });
        w.structure(Tag(0x42_000F), |w| {
            w.enumeration(Tag(0x42_005C), operation);
            w.enumeration(Tag(0x42_007F), 0);
            w.structure(Tag(0x42_007C), payload);
        });
    });
    writer.into_bytes()
}

/// The answer to a Get: an AES key of 256 bits.
pub fn get_answer() -> Vec<u8> {
    answer(0x0A, |w| {
        w.enumeration(Tag(0x42_0057), 2);
        w.text(Tag(0x42_0094), IDENTIFIER);
        w.structure(Tag(0x42_008F), |w| {
            w.structure(Tag(0x42_0040), |w| {
                w.enumeration(Tag(0x42_0042), 1);
                w.structure(Tag(0x42_0045), |w| w.bytes(Tag(0x42_0043), &[0xA5; 32]));
                w.enumeration(Tag(0x42_0028), 3);
                w.integer(Tag(0x42_002A), 256);
            });
        });
    })
}

/// The answer to a Locate with this many identifiers.
pub fn locate_answer(count: usize) -> Vec<u8> {
    answer(0x08, |w| (0..count).for_each(|_| w.text(Tag(0x42_0094), IDENTIFIER)))
}

/// The captured requests of real clients that decode; none where the reference data is not at hand.
pub fn captures() -> Vec<Vec<u8>> {
    let root = std::env::var_os("CLAVIGER_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")),
        PathBuf::from,
    );
    let mut found = Vec::new();
    let Ok(clients) = std::fs::read_dir(root.join("kmip/captures")) else {
        eprintln!("SKIPPED: no captures below {}", root.display());
        return found;
    };
    for client in clients.flatten() {
        for file in std::fs::read_dir(client.path()).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(file.path()).unwrap_or_default();
            let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(16)).collect();
            let bytes: Vec<_> = digits
                .chunks_exact(2)
                .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default())
                .collect();
            if RequestMessage::read(&bytes).is_ok() {
                found.push(bytes);
            }
        }
    }
    found
}

/// Ours: every item of a message, untyped; how many there are.
pub fn walk(message: &[u8]) -> usize {
    fn items(mut reader: Reader<'_>) -> usize {
        let mut count = 0;
        while !reader.is_empty() {
            let (_, value) = reader.item().expect("a sound message");
            count += 1;
            if let Value::Structure(inner) = value {
                count += items(inner);
            }
        }
        count
    }
    items(Reader::new(message))
}

/// Ours: a response as typed values.
pub fn decode(message: &[u8]) -> ResponseMessage {
    ResponseMessage::read(message).expect("a sound answer")
}

/// Ours: typed values as TTLV.
pub fn encode(message: &ResponseMessage) -> Vec<u8> {
    let mut writer = Writer::new();
    message.write(&mut writer);
    writer.into_bytes()
}

/// Ours: a request as typed values and back.
pub fn request_there_and_back(message: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    RequestMessage::read(message)
        .ok()
        .expect("a sound request")
        .write(&mut writer);
    writer.into_bytes()
}

/// The peer's reading, and its writing by way of types declared here.
pub mod peer {
    use super::{IDENTIFIER, LOCATED};
    use serde::{Serialize, Serializer};

    /// A response as the peer's typed values.
    pub fn decode(message: &[u8]) -> peer_protocol::types::response::ResponseMessage {
        peer_protocol::response::from_slice(message).expect("a sound answer")
    }

    /// Values as TTLV.
    pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
        peer_ttlv::ser::to_vec(message).expect("plain values")
    }

    macro_rules! values {
        ($($name:ident($type:ty) = $tag:literal;)+) => {$(
            #[derive(Serialize)]
            #[serde(rename = $tag)]
            struct $name($type);
        )+};
    }
    values! {
        Major(i32) = "Transparent:0x42006A";
        Minor(i32) = "Transparent:0x42006B";
        BatchCount(i32) = "Transparent:0x42000D";
        // Its way of telling a Date-Time from a Long Integer.
        TimeStamp(u64) = "Transparent:0x420092";
        UniqueIdentifier(String) = "Transparent:0x420094";
        CryptographicLength(i32) = "Transparent:0x42002A";
    }

    macro_rules! enumerations {
        ($($name:ident { $($value:ident = $number:literal),+ } = $tag:literal;)+) => {$(
            #[derive(Serialize)]
            #[serde(rename = $tag)]
            enum $name { $(#[serde(rename = $number)] $value),+ }
        )+};
    }
    enumerations! {
        Operation { Locate = "0x00000008", Get = "0x0000000A" } = "0x42005C";
        ResultStatus { Success = "0x00000000" } = "0x42007F";
        ObjectType { SymmetricKey = "0x00000002" } = "0x420057";
        KeyFormatType { Raw = "0x00000001" } = "0x420042";
        Algorithm { Aes = "0x00000003" } = "0x420028";
    }

    macro_rules! structures {
        ($($name:ident($($type:ty),+) = $tag:literal;)+) => {$(
            #[derive(Serialize)]
            #[serde(rename = $tag)]
            struct $name($($type),+);
        )+};
    }
    structures! {
        Version(Major, Minor) = "0x420069";
        Header(Version, TimeStamp, BatchCount) = "0x42007A";
        KeyBlock(KeyFormatType, KeyValue, Algorithm, CryptographicLength) = "0x420040";
        GetPayload(ObjectType, UniqueIdentifier, SymmetricKey) = "0x42007C";
    }

    // Structures of one field: a tuple struct of one would be written as its field.
    #[derive(Serialize)]
    #[serde(rename = "0x420045")]
    struct KeyValue {
        key_material: KeyMaterial,
    }

    #[derive(Serialize)]
    #[serde(rename = "0x42008F")]
    struct SymmetricKey {
        key_block: KeyBlock,
    }

    #[derive(Serialize)]
    #[serde(rename = "Transparent:0x420043")]
    struct KeyMaterial(#[serde(serialize_with = "bytes")] Vec<u8>);

    fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    #[derive(Serialize)]
    #[serde(rename = "0x42007C")]
    struct LocatePayload(Vec<UniqueIdentifier>);

    #[derive(Serialize)]
    #[serde(rename = "0x42000F")]
    struct Item<P>(Operation, ResultStatus, P);

    #[derive(Serialize)]
    #[serde(rename = "0x42007B")]
    struct Message<P>(Header, Item<P>);

    fn answer<P>(operation: Operation, payload: P) -> Message<P> {
        let header = Header(Version(Major(1), Minor(2)), TimeStamp(1_700_000_000), BatchCount(1));
        Message(header, Item(operation, ResultStatus::Success, payload))
    }

    /// The values of the Get answer.
    pub fn get_answer() -> impl Serialize {
        let value = KeyValue {
            key_material: KeyMaterial(vec![0xA5; 32]),
        };
        let block = KeyBlock(KeyFormatType::Raw, value, Algorithm::Aes, CryptographicLength(256));
        let key = SymmetricKey { key_block: block };
        let identifier = UniqueIdentifier(IDENTIFIER.to_owned());
        answer(Operation::Get, GetPayload(ObjectType::SymmetricKey, identifier, key))
    }

    /// The values of the long Locate answer.
    pub fn locate_answer() -> impl Serialize {
        let identifiers = (0..LOCATED).map(|_| UniqueIdentifier(IDENTIFIER.to_owned()));
        answer(Operation::Locate, LocatePayload(identifiers.collect()))
    }
}
