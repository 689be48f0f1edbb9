//! The messages of a load, encoded before it begins as far as they can be.

use crate::{Outcome, Run};
use kmip_client::Connection;
use kmip_protocol::{
    ActivateRequest, Attribute, AttributePattern, AttributePatterns, BlockCipherMode, CreateRequest,
    CryptographicAlgorithm, CryptographicParameters, CryptographicUsageMask, DiscoverVersionsRequest, EncryptRequest,
    GetRequest, LocateRequest, Name, NameType, ObjectType, PaddingMethod, RequestHeader, RequestItem, RequestMessage,
    RequestPayload, ResponseMessage, ResponsePayload, ResultStatus, UniqueIdentifier, Version,
};
use kmip_ttlv::{Secret, Writer};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

/// The operations that a load is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Kind {
    /// Fetch a key.
    Get,
    /// Make a key.
    Create,
    /// Find an object by its Name.
    Locate,
    /// Encrypt in AES-CBC.
    Encrypt,
}

/// The messages of one load.
pub struct Requests {
    kind: Kind,
    /// Sent in turn.
    messages: Vec<Vec<u8>>,
    /// How many answers were looked at whole.
    checked: AtomicU32,
}

/// Of how many answers the status is read; the rest are known by their length, lest the client be what is measured.
const CHECKED: u32 = 1_000;
/// The shortest answer that can be a success with a payload.
const SHORTEST: usize = 120;

impl Requests {
    pub fn prepare(connection: &mut Connection, run: &Run) -> Outcome<Self> {
        let messages = match run.operation {
            Kind::Get => {
                let keys = create(connection, run.objects.min(1_000), |_| Vec::new())?;
                keys.iter().map(|key| get(key)).collect()
            }
            Kind::Create => vec![encode(vec![key_request(Vec::new()).into()])],
            // Spread over all names, in no order that the store has them in.
            Kind::Locate => (0..run.objects.min(5_000))
                .map(|n| u64::from(n) * 2_654_435_761 % u64::from(run.objects))
                .map(|n| encode(vec![locate(&format!("load-{n}")).into()]))
                .collect(),
            Kind::Encrypt => vec![encrypt(&create_one(connection)?, run.bytes)],
        };
        Ok(Self {
            kind: run.operation,
            messages,
            checked: AtomicU32::new(0),
        })
    }

    pub fn message(&self, number: u64) -> Cow<'_, [u8]> {
        let place = usize::try_from(number).unwrap_or(usize::MAX) % self.messages.len().max(1);
        self.messages
            .get(place)
            .map_or(Cow::Borrowed(&[]), |m| Cow::Borrowed(m.as_slice()))
    }

    pub fn check(&self, answer: &[u8], _: u64) -> Outcome<()> {
        if self.checked.fetch_add(1, Ordering::Relaxed) >= CHECKED {
            return if answer.len() >= SHORTEST {
                Ok(())
            } else {
                Err("a short answer".into())
            };
        }
        // The echo server's answers are no KMIP inside.
        if crate::echo::is_echo(answer) {
            return Ok(());
        }
        let payloads = payloads(answer)?;
        match (self.kind, payloads.first()) {
            (Kind::Locate, Some(ResponsePayload::Locate(found))) if found.unique_identifiers.len() != 1 => {
                Err(format!(
                    "{} objects of one name: is the store filled?",
                    found.unique_identifiers.len()
                )
                .into())
            }
            (_, Some(_)) => Ok(()),
            (_, None) => Err("no payload".into()),
        }
    }
}

fn encode(payloads: Vec<RequestPayload>) -> Vec<u8> {
    let count = i32::try_from(payloads.len()).unwrap_or(i32::MAX);
    let mut items: Vec<_> = payloads.into_iter().map(RequestItem::new).collect();
    if items.len() > 1 {
        for (n, item) in (0_u32..).zip(&mut items) {
            item.unique_batch_item_id = Some(n.to_be_bytes().to_vec());
        }
    }
    let mut writer = Writer::new();
    RequestMessage {
        header: RequestHeader::new(Version::NEWEST, count),
        items,
    }
    .write(&mut writer);
    writer.into_bytes()
}

fn payloads(answer: &[u8]) -> Outcome<Vec<ResponsePayload>> {
    let message = ResponseMessage::read(answer)?;
    let mut payloads = Vec::with_capacity(message.items.len());
    for item in message.items {
        match (item.result_status, item.payload) {
            (ResultStatus::Success, Some(payload)) => payloads.push(payload),
            _ => {
                return Err(item
                    .result_message
                    .unwrap_or_else(|| "failed without a word".to_owned())
                    .into());
            }
        }
    }
    Ok(payloads)
}

fn name(text: String) -> Attribute {
    Attribute::Name(Name {
        name_value: text,
        name_type: NameType::UninterpretedTextString,
    })
}

fn key_request(more: Vec<Attribute>) -> CreateRequest {
    let usage = CryptographicUsageMask::Encrypt | CryptographicUsageMask::Decrypt;
    let fixed = [
        Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        Attribute::CryptographicLength(256),
        Attribute::CryptographicUsageMask(usage),
    ];
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: fixed.into_iter().chain(more).collect(),
        protection_storage_masks: None,
    }
}

/// Makes keys in one message; gives their identifiers.
fn create(connection: &mut Connection, count: u32, more: impl Fn(u32) -> Vec<Attribute>) -> Outcome<Vec<String>> {
    let requests = (0..count).map(|n| key_request(more(n)).into()).collect();
    let answer = Secret::new(connection.send(&encode(requests))?);
    let created = payloads(answer.expose())?
        .into_iter()
        .filter_map(|payload| match payload {
            ResponsePayload::Create(created) => Some(created.unique_identifier),
            _ => None,
        });
    let identifiers: Vec<_> = created.collect();
    if identifiers.len() == usize::try_from(count)? {
        Ok(identifiers)
    } else {
        Err(format!("{} of {count} keys were made", identifiers.len()).into())
    }
}

/// Makes named keys in large batches.
pub fn fill(connection: &mut Connection, from: u32, objects: u32, batch: u32) -> Outcome<()> {
    let (mut at, end) = (from, from.saturating_add(objects));
    while at < end {
        let size = batch.min(end - at);
        create(connection, size, |n| vec![name(format!("load-{}", at + n))])?;
        at += size;
    }
    Ok(())
}

/// A key that is ready for use.
pub fn create_one(connection: &mut Connection) -> Outcome<String> {
    let key = create(connection, 1, |_| Vec::new())?.pop().ok_or("no key")?;
    let activate = ActivateRequest {
        unique_identifier: Some(UniqueIdentifier::Text(key.clone())),
    };
    payloads(&connection.send(&encode(vec![activate.into()]))?)?;
    Ok(key)
}

/// A Get of one key.
pub fn get(key: &str) -> Vec<u8> {
    let request = GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(key.to_owned())),
        ..Default::default()
    };
    encode(vec![request.into()])
}

/// The cheapest request that there is.
pub fn discover() -> Vec<u8> {
    encode(vec![DiscoverVersionsRequest::default().into()])
}

fn locate(text: &str) -> LocateRequest {
    let pattern = AttributePattern::exactly(&name(text.to_owned()));
    LocateRequest {
        attributes: AttributePatterns(vec![pattern]),
        ..Default::default()
    }
}

fn encrypt(key: &str, bytes: usize) -> Vec<u8> {
    let request = EncryptRequest {
        unique_identifier: Some(UniqueIdentifier::Text(key.to_owned())),
        cryptographic_parameters: Some(CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::CBC),
            padding_method: Some(PaddingMethod::PKCS5),
            ..Default::default()
        }),
        data: Some(Secret::new(vec![0x5a; bytes]).into()),
        iv_counter_nonce: Some(vec![7; 16]),
        ..Default::default()
    };
    encode(vec![request.into()])
}
