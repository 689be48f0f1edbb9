//! A request and its outcome as they are frozen in a pending record: TTLV with the version that it is written in, sealed.

use super::Services;
use crate::custody::{Fresh, SealContext, Sealed};
use crate::failure::{Failure, Fault};
use crate::store::Key;
use kmip_protocol::{Operation, RequestPayload, ResponsePayload, Version};
use kmip_ttlv::{ErrorKind, Reader, Result, Secret, Writer};

/// What the sealed bytes of a pending record are, in place of an object's type: no object has such a one.
const REQUEST: u32 = 0x54_B00A;
const RESULT: u32 = 0x54_B00B;

mod tag {
    use kmip_ttlv::Tag;

    pub const FROZEN: Tag = Tag(0x54_B020);
    pub const MAJOR: Tag = Tag(0x54_B021);
    pub const MINOR: Tag = Tag(0x54_B022);
    pub const OPERATION: Tag = Tag(0x54_B023);
    pub const PAYLOAD: Tag = Tag(0x54_B024);
    pub const FAULT: Tag = Tag(0x54_B025);
    pub const SALT: Tag = Tag(0x54_B026);
}

/// What came of a request.
pub type Conclusion = core::result::Result<ResponsePayload, Refused>;

/// Why a request failed.
#[derive(Clone, PartialEq)]
pub struct Refused {
    /// What its requester is told.
    pub fault: Fault,
    /// What the answer says all the same: a Check repeats what was refused (KMIP 2.1 §6.1.7).
    pub payload: Option<Box<ResponsePayload>>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, payload: None }
    }
}

impl From<&Failure> for Refused {
    fn from(failure: &Failure) -> Self {
        Self {
            fault: failure.fault(),
            payload: failure.payload().cloned().map(Box::new),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused.payload {
            Some(payload) => Self::denying(refused.fault, Some(*payload)),
            None => Self::new(refused.fault),
        }
    }
}

fn write_version(writer: &mut Writer, version: Version) {
    writer.integer(tag::MAJOR, version.major());
    writer.integer(tag::MINOR, version.minor());
}

fn read_version(reader: &mut Reader<'_>) -> Result<Version> {
    let (major, minor) = (reader.integer(tag::MAJOR)?, reader.integer(tag::MINOR)?);
    let known = Version::ALL
        .into_iter()
        .find(|v| (v.major(), v.minor()) == (major, minor));
    known.ok_or_else(|| reader.error(ErrorKind::Version))
}

/// A request as it was frozen.
#[derive(Clone, PartialEq)]
pub struct Frozen {
    /// What was asked.
    pub payload: RequestPayload,
    /// What its canonical form commits to its secrets with, if others must agree to it.
    pub salt: Option<[u8; 32]>,
}

/// A request in TTLV.
#[must_use]
pub fn write_request(payload: &RequestPayload, version: Version, salt: Option<&[u8; 32]>) -> Secret {
    let mut writer = Writer::new();
    writer.structure(tag::FROZEN, |w| {
        write_version(w, version);
        w.enumeration(tag::OPERATION, payload.operation().0);
        w.structure(tag::PAYLOAD, |w| payload.write(w, version));
        if let Some(salt) = salt {
            w.bytes(tag::SALT, salt);
        }
    });
    Secret::new(writer.into_bytes())
}

/// Reads what [`write_request`] wrote.
pub fn read_request(bytes: &[u8]) -> Result<Frozen> {
    let mut reader = Reader::new(bytes);
    let frozen = reader.structure(tag::FROZEN, |r| {
        let version = read_version(r)?;
        let operation = Operation(r.enumeration(tag::OPERATION)?);
        Ok(Frozen {
            payload: r.structure(tag::PAYLOAD, |r| RequestPayload::read(r, operation, version))?,
            salt: r.at(tag::SALT).then(|| r.array(tag::SALT)).transpose()?,
        })
    })?;
    reader.finish()?;
    Ok(frozen)
}

/// An outcome in TTLV.
#[must_use]
pub fn write_conclusion(conclusion: &Conclusion, version: Version) -> Secret {
    let mut writer = Writer::new();
    writer.structure(tag::FROZEN, |w| {
        write_version(w, version);
        match conclusion {
            Ok(payload) => write_payload(w, payload, version),
            Err(refused) => {
                w.text(tag::FAULT, &refused.fault.name());
                if let Some(payload) = &refused.payload {
                    write_payload(w, payload, version);
                }
            }
        }
    });
    Secret::new(writer.into_bytes())
}

fn write_payload(writer: &mut Writer, payload: &ResponsePayload, version: Version) {
    writer.enumeration(tag::OPERATION, payload.operation().0);
    writer.structure(tag::PAYLOAD, |w| payload.write(w, version));
}

fn read_payload(reader: &mut Reader<'_>, version: Version) -> Result<ResponsePayload> {
    let operation = Operation(reader.enumeration(tag::OPERATION)?);
    reader.structure(tag::PAYLOAD, |r| ResponsePayload::read(r, operation, version))
}

/// Reads what [`write_conclusion`] wrote.
pub fn read_conclusion(bytes: &[u8]) -> Result<Conclusion> {
    let mut reader = Reader::new(bytes);
    let conclusion = reader.structure(tag::FROZEN, |r| {
        let version = read_version(r)?;
        if r.at(tag::FAULT) {
            // A fault of another release is a fault all the same.
            let fault = Fault::named(r.text(tag::FAULT)?).unwrap_or(Fault::Internal);
            let payload = r.at(tag::OPERATION).then(|| read_payload(r, version)).transpose()?;
            return Ok(Err(Refused {
                fault,
                payload: payload.map(Box::new),
            }));
        }
        read_payload(r, version).map(Ok)
    })?;
    reader.finish()?;
    Ok(conclusion)
}

const fn context(place: Key, object_type: u32) -> SealContext {
    SealContext {
        internal_id: place.id,
        generation: 1,
        object_type,
    }
}

/// What the request in a pending record is bound to.
#[must_use]
pub const fn request_context(place: Key) -> SealContext {
    context(place, REQUEST)
}

/// What the outcome in a pending record is bound to.
#[must_use]
pub const fn result_context(place: Key) -> SealContext {
    context(place, RESULT)
}

/// Seals a request for its record.
pub async fn seal_request(services: &Services, place: Key, bytes: &Secret) -> core::result::Result<Fresh, Failure> {
    Ok(services
        .custody
        .seal(place.domain, request_context(place), bytes)
        .await?)
}

/// Opens a request.
pub async fn open_request(services: &Services, place: Key, sealed: &Sealed) -> core::result::Result<Frozen, Failure> {
    let bytes = services
        .custody
        .open(place.domain, request_context(place), sealed)
        .await?;
    Ok(read_request(bytes.expose())?)
}

/// Seals an outcome for its record.
pub async fn seal_conclusion(
    services: &Services,
    place: Key,
    conclusion: &Conclusion,
    version: Version,
) -> core::result::Result<Fresh, Failure> {
    let bytes = write_conclusion(conclusion, version);
    Ok(services
        .custody
        .seal(place.domain, result_context(place), &bytes)
        .await?)
}

/// Opens an outcome.
pub async fn open_conclusion(
    services: &Services,
    place: Key,
    sealed: &Sealed,
) -> core::result::Result<Conclusion, Failure> {
    let bytes = services
        .custody
        .open(place.domain, result_context(place), sealed)
        .await?;
    Ok(read_conclusion(bytes.expose())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{CheckResponse, DestroyRequest, DestroyResponse, UniqueIdentifier};

    #[test]
    fn requests_and_outcomes_read_back_in_every_version() {
        for version in Version::ALL {
            let request = RequestPayload::from(DestroyRequest {
                unique_identifier: Some(UniqueIdentifier::from("4711")),
            });
            for salt in [None, Some([7; 32])] {
                let read = read_request(write_request(&request, version, salt.as_ref()).expose());
                assert!(read.is_ok_and(|read| read.payload == request && read.salt == salt));
            }
            let done: Conclusion = Ok(ResponsePayload::from(DestroyResponse {
                unique_identifier: "4711".into(),
            }));
            let refused = Refused {
                payload: Some(Box::new(CheckResponse::default().into())),
                ..Fault::UsageMask.into()
            };
            for conclusion in [done, Err(Fault::ObjectNotFound.into()), Err(refused)] {
                let bytes = write_conclusion(&conclusion, version);
                assert!(read_conclusion(bytes.expose()).is_ok_and(|read| read == conclusion));
            }
        }
    }
}
