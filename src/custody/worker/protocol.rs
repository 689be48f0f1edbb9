//! What the server and its HSM workers say to each other: one frame is one packet of the socket pair, at most
//! [`MAX_FRAME`] bytes. Frames are built and received in secret memory, since they carry PINs and DEKs.
//!
//! A request is `version (1) ‖ kind (1) ‖ number (8) ‖ fields`, an answer `version ‖ status (1) ‖ number ‖ detail (8) ‖
//! field`, where the detail is the module's error, or of what was done how many microseconds it took. Fields of variable length have their length before them in two bytes.

use zeroize::Zeroize;

use crate::custody::context::{WRAP_AAD, WrapContext};
use crate::custody::error::CustodyError;
use crate::custody::slab::{Locked, Slab};

const VERSION: u8 = 1;
/// The longest frame: a greeting with a long path and a long PIN.
pub(crate) const MAX_FRAME: usize = 2048;
/// Enough for every frame about a KEK: header, CKA_ID, AAD, wrapped key.
pub(crate) const KEK_FRAME: usize = 256;

/// Where an answer's detail is.
const DETAIL: usize = 10;
const ANSWER_HEAD: usize = DETAIL + 8;

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The first one: role, module, token, PIN.
    Hello,
    /// Wrap a key.
    Wrap,
    /// Unwrap a key.
    Unwrap,
    /// Make a KEK. Key management only.
    Create,
    /// Is there such a KEK, for certain?
    Find,
    /// Destroy a KEK, and verify. Key management only.
    Destroy,
    /// Initialise a token. Preparation only.
    Prepare,
    /// Is the token there, and logged in to?
    Probe,
    /// Make a key pair. Key management only.
    MakePair,
    /// Is there such a key pair, for certain?
    FindPair,
    /// Destroy a key pair, and verify. Key management only.
    DestroyPair,
    /// Open a protected KEK by a key pair.
    Open,
    /// Try what the token can do: a [`Trial`]. Examination, and key management.
    Examine,
    /// Change the PIN that was logged in with. Key management only.
    SetPin,
    /// Random bytes of the token. Key usage only.
    Random,
}

const KINDS: [Kind; 15] = [
    Kind::Hello,
    Kind::Wrap,
    Kind::Unwrap,
    Kind::Create,
    Kind::Find,
    Kind::Destroy,
    Kind::Prepare,
    Kind::Probe,
    Kind::MakePair,
    Kind::FindPair,
    Kind::DestroyPair,
    Kind::Open,
    Kind::Examine,
    Kind::SetPin,
    Kind::Random,
];

/// What a worker may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Wrap and unwrap.
    Usage,
    /// Create, find and destroy KEKs; lives as long as one approved command.
    Management,
    /// Initialise a token.
    Preparation,
    /// Try what a token can do, with the login of key usage.
    Examination,
}

const ROLES: [Role; 4] = [Role::Usage, Role::Management, Role::Preparation, Role::Examination];

/// What is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trial {
    /// What the token says of itself, without a login.
    Identity,
    /// How many sessions can be open at once.
    Sessions,
    /// A feature, by its number.
    Feature,
    /// Make a key that stays in the token.
    Make,
    /// Destroy what such trials left.
    Destroy,
}

const TRIALS: [Trial; 5] = [
    Trial::Identity,
    Trial::Sessions,
    Trial::Feature,
    Trial::Make,
    Trial::Destroy,
];

/// How a request went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// Done.
    Done,
    /// The bytes are not authentic.
    Refused,
    /// The HSM does not answer as it should.
    Outage,
    /// The HSM answers, and has no such KEK.
    Missing,
    /// The HSM does not take the PIN.
    Credential,
    /// No session or memory left.
    Limit,
    /// There is one already.
    Exists,
    /// The request cannot be read, or is not for this role.
    Misfit,
}

const STATUSES: [Status; 8] = [
    Status::Done,
    Status::Refused,
    Status::Outage,
    Status::Missing,
    Status::Credential,
    Status::Limit,
    Status::Exists,
    Status::Misfit,
];

/// A place in one of the tables above, counted from 1, is the number on the wire.
fn code<T: PartialEq>(table: &[T], value: &T) -> u8 {
    let place = table
        .iter()
        .position(|entry| entry == value)
        .unwrap_or(usize::from(u8::MAX));
    u8::try_from(place + 1).unwrap_or(0)
}

fn decode<T: Copy>(table: &[T], code: u8) -> Result<T, CustodyError> {
    table
        .get(usize::from(code).wrapping_sub(1))
        .copied()
        .ok_or(CustodyError::Record)
}

/// A frame in the making.
pub(crate) struct FrameWriter {
    buffer: Locked,
    filled: usize,
}

impl FrameWriter {
    /// Begins a request in a buffer of `capacity` bytes.
    pub(crate) fn request(slab: &Slab, capacity: usize, kind: Kind, number: u64) -> Result<Self, CustodyError> {
        let mut frame = Self {
            buffer: slab.allocate(capacity.min(MAX_FRAME))?,
            filled: 0,
        };
        frame.raw(&[VERSION, code(&KINDS, &kind)])?;
        frame.raw(&number.to_be_bytes())?;
        Ok(frame)
    }

    /// Begins an answer, over what the buffer had before.
    pub(crate) fn answer(&mut self, status: Status, number: u64, detail: u64) -> Result<(), CustodyError> {
        self.clear();
        self.raw(&[VERSION, code(&STATUSES, &status)])?;
        self.raw(&number.to_be_bytes())?;
        self.raw(&detail.to_be_bytes())
    }

    /// Puts another detail into the answer that was begun.
    pub(crate) fn detail(&mut self, detail: u64) -> Result<(), CustodyError> {
        let place = self.buffer.expose_mut().get_mut(DETAIL..ANSWER_HEAD);
        place.ok_or(CustodyError::Limit)?.copy_from_slice(&detail.to_be_bytes());
        Ok(())
    }

    /// An empty buffer for answers.
    pub(crate) fn empty(slab: &Slab) -> Result<Self, CustodyError> {
        Ok(Self {
            buffer: slab.allocate(MAX_FRAME)?,
            filled: 0,
        })
    }

    /// Wipes what was written.
    pub(crate) fn clear(&mut self) {
        if let Some(written) = self.buffer.expose_mut().get_mut(..self.filled) {
            written.zeroize();
        }
        self.filled = 0;
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), CustodyError> {
        let end = self.filled + bytes.len();
        self.buffer
            .expose_mut()
            .get_mut(self.filled..end)
            .ok_or(CustodyError::Limit)?
            .copy_from_slice(bytes);
        self.filled = end;
        Ok(())
    }

    pub(crate) fn field(&mut self, bytes: &[u8]) -> Result<(), CustodyError> {
        self.raw(
            &u16::try_from(bytes.len())
                .map_err(|_| CustodyError::Limit)?
                .to_be_bytes(),
        )?;
        self.raw(bytes)
    }

    pub(crate) fn role(&mut self, role: Role) -> Result<(), CustodyError> {
        self.raw(&[code(&ROLES, &role)])
    }

    pub(crate) fn trial(&mut self, trial: Trial) -> Result<(), CustodyError> {
        self.raw(&[code(&TRIALS, &trial)])
    }

    /// The frame so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.expose().get(..self.filled).unwrap_or_default()
    }
}

/// A received frame, read from front to back.
pub(crate) struct FrameReader<'a>(&'a [u8]);

impl<'a> FrameReader<'a> {
    /// Reads the head of a request.
    pub(crate) fn request(frame: &'a [u8]) -> Result<(Kind, u64, Self), CustodyError> {
        let mut reader = Self(frame);
        let [version, kind] = reader.raw()?;
        let number = u64::from_be_bytes(reader.raw()?);
        if version != VERSION {
            return Err(CustodyError::Record);
        }
        Ok((decode(&KINDS, kind)?, number, reader))
    }

    /// Reads the head of an answer: status, number, detail.
    pub(crate) fn answer(frame: &'a [u8]) -> Result<(Status, u64, u64, Self), CustodyError> {
        let mut reader = Self(frame);
        let [version, status] = reader.raw()?;
        let number = u64::from_be_bytes(reader.raw()?);
        let detail = u64::from_be_bytes(reader.raw()?);
        if version != VERSION {
            return Err(CustodyError::Record);
        }
        Ok((decode(&STATUSES, status)?, number, detail, reader))
    }

    pub(crate) fn raw<const N: usize>(&mut self) -> Result<[u8; N], CustodyError> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(CustodyError::Record)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(crate) fn field(&mut self) -> Result<&'a [u8], CustodyError> {
        let length = usize::from(u16::from_be_bytes(self.raw()?));
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(CustodyError::Record)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn role(&mut self) -> Result<Role, CustodyError> {
        let [role] = self.raw()?;
        decode(&ROLES, role)
    }

    pub(crate) fn trial(&mut self) -> Result<Trial, CustodyError> {
        let [trial] = self.raw()?;
        decode(&TRIALS, trial)
    }

    /// The context that every request about a KEK carries whole: tenant, owner, generations, KEK.
    pub(crate) fn context(&mut self) -> Result<WrapContext, CustodyError> {
        WrapContext::from_aad(&self.raw::<WRAP_AAD>()?).ok_or(CustodyError::Record)
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn end(&self) -> Result<(), CustodyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(CustodyError::Record)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_cut_ones_do_not() {
        let slab = Slab::new().unwrap();
        let mut frame = FrameWriter::request(&slab, KEK_FRAME, Kind::Destroy, 7).unwrap();
        frame.role(Role::Management).unwrap();
        frame.field(b"abc").unwrap();
        let (kind, number, mut reader) = FrameReader::request(frame.bytes()).unwrap();
        assert_eq!((kind, number), (Kind::Destroy, 7));
        assert_eq!(reader.role(), Ok(Role::Management));
        assert_eq!(reader.field(), Ok(&b"abc"[..]));
        assert_eq!(reader.end(), Ok(()));
        for end in 0..10 {
            assert!(FrameReader::request(&frame.bytes()[..end]).is_err());
        }
        assert_eq!(frame.raw(&[0; MAX_FRAME]), Err(CustodyError::Limit));
        for status in STATUSES {
            let mut answer = FrameWriter::empty(&slab).unwrap();
            answer.answer(status, 8, 9).unwrap();
            let (read, number, detail, _) = FrameReader::answer(answer.bytes()).unwrap();
            assert_eq!((read, number, detail), (status, 8, 9));
            answer.raw(b"rest").unwrap();
            answer.detail(10).unwrap();
            let (read, number, detail, rest) = FrameReader::answer(answer.bytes()).unwrap();
            assert_eq!((read, number, detail, rest.rest()), (status, 8, 10, &b"rest"[..]));
        }
        assert!(FrameReader::request(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(FrameReader::request(&[1, 16, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(FrameReader::request(&[2, 1, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
