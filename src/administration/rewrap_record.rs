//! The record of a rewrap: what it is to do, and how far it has come. One for each domain; it outlives every restart.

use crate::store::{Domain, Key, Kind};
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};

/// A rewrap, in its domain.
pub const REWRAP: Kind = Kind(0x26);

/// The format of the record.
const FORMAT: i32 = 1;

mod tag {
    use kmip_ttlv::Tag;

    pub const REWRAP: Tag = Tag(0x54_F300);
    pub const FORMAT: Tag = Tag(0x54_F301);
    pub const FROM: Tag = Tag(0x54_F302);
    pub const RATE: Tag = Tag(0x54_F303);
    pub const STAGE: Tag = Tag(0x54_F304);
    pub const PAUSED: Tag = Tag(0x54_F305);
    pub const ROW: Tag = Tag(0x54_F306);
    pub const AFTER: Tag = Tag(0x54_F307);
    pub const FOUND: Tag = Tag(0x54_F308);
    pub const LEFT: Tag = Tag(0x54_F309);
    pub const DONE: Tag = Tag(0x54_F30A);
    pub const MOVED: Tag = Tag(0x54_F30B);
    pub const FAILED: Tag = Tag(0x54_F30C);
    pub const NAMED: Tag = Tag(0x54_F30D);
    pub const STARTED: Tag = Tag(0x54_F30E);
    pub const FINISHED: Tag = Tag(0x54_F30F);
}

/// What a rewrap is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Counting what there is to do.
    Counting,
    /// Wrapping.
    Running,
    /// Nothing that it could do is left.
    Ended,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Counting, Self::Running, Self::Ended];

    const fn number(self) -> u32 {
        match self {
            Self::Counting => 1,
            Self::Running => 2,
            Self::Ended => 3,
        }
    }
}

/// A rewrap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RewrapRecord {
    /// The generation of the KEK that the records lie under; `None`: all that are not active.
    pub from: Option<u32>,
    /// Records per second at most.
    pub rate: u32,
    /// What it is at.
    pub stage: Stage,
    /// Whether it waits for an HSM.
    pub paused: bool,
    /// Which row of the table of references it is at.
    pub row: u32,
    /// After which record of that kind it goes on.
    pub after: Option<[u8; 16]>,
    /// What the count under way has found.
    pub found: i64,
    /// What is left to do, as far as it was counted.
    pub left: i64,
    /// What was done.
    pub done: i64,
    /// What the present pass, or the last one, has done; `None` before the first.
    pub moved: Option<i64>,
    /// What the present pass, or the last one, could not open.
    pub failed: i64,
    /// Some of those.
    pub named: Vec<String>,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended.
    pub finished_ms: Option<i64>,
}

impl RewrapRecord {
    /// One that is to begin.
    #[must_use]
    pub const fn new(from: Option<u32>, rate: u32, now_ms: i64) -> Self {
        Self {
            from,
            rate,
            stage: Stage::Counting,
            paused: false,
            row: 0,
            after: None,
            found: 0,
            left: 0,
            done: 0,
            moved: None,
            failed: 0,
            named: Vec::new(),
            started_ms: now_ms,
            finished_ms: None,
        }
    }

    /// Where that of a domain is kept.
    #[must_use]
    pub const fn key(domain: Domain) -> Key {
        Key {
            domain,
            kind: REWRAP,
            id: [0; 16],
        }
    }

    /// The record's bytes, without their MAC.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            from,
            rate,
            stage,
            paused,
            row,
            after,
            found,
            left,
            done,
            moved,
            failed,
            named,
            started_ms,
            finished_ms,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::REWRAP, |w| {
            w.integer(tag::FORMAT, FORMAT);
            if let Some(from) = from {
                w.interval(tag::FROM, *from);
            }
            w.interval(tag::RATE, *rate);
            w.enumeration(tag::STAGE, stage.number());
            w.boolean(tag::PAUSED, *paused);
            w.interval(tag::ROW, *row);
            if let Some(after) = after {
                w.bytes(tag::AFTER, after);
            }
            w.long_integer(tag::FOUND, *found);
            w.long_integer(tag::LEFT, *left);
            w.long_integer(tag::DONE, *done);
            if let Some(moved) = moved {
                w.long_integer(tag::MOVED, *moved);
            }
            w.long_integer(tag::FAILED, *failed);
            for name in named {
                w.text(tag::NAMED, name);
            }
            w.long_integer(tag::STARTED, *started_ms);
            if let Some(finished_ms) = finished_ms {
                w.long_integer(tag::FINISHED, *finished_ms);
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`RewrapRecord::encode`] wrote.
    ///
    /// # Errors
    /// Bytes that are no such record.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::REWRAP, |r| {
            if r.integer(tag::FORMAT)? != FORMAT {
                return Err(r.error(ErrorKind::Invalid("format of a rewrap")));
            }
            Ok(Self {
                from: r.at(tag::FROM).then(|| r.interval(tag::FROM)).transpose()?,
                rate: r.interval(tag::RATE)?,
                stage: read_stage(r)?,
                paused: r.boolean(tag::PAUSED)?,
                row: r.interval(tag::ROW)?,
                after: r.at(tag::AFTER).then(|| r.array(tag::AFTER)).transpose()?,
                found: r.long_integer(tag::FOUND)?,
                left: r.long_integer(tag::LEFT)?,
                done: r.long_integer(tag::DONE)?,
                moved: r.at(tag::MOVED).then(|| r.long_integer(tag::MOVED)).transpose()?,
                failed: r.long_integer(tag::FAILED)?,
                named: read_names(r)?,
                started_ms: r.long_integer(tag::STARTED)?,
                finished_ms: r.at(tag::FINISHED).then(|| r.long_integer(tag::FINISHED)).transpose()?,
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

fn read_stage(reader: &mut Reader<'_>) -> Result<Stage> {
    let number = reader.enumeration(tag::STAGE)?;
    let found = Stage::ALL.into_iter().find(|stage| stage.number() == number);
    found.ok_or_else(|| reader.error(ErrorKind::Invalid("stage of a rewrap")))
}

fn read_names(reader: &mut Reader<'_>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    while reader.at(tag::NAMED) {
        names.push(reader.text(tag::NAMED)?.to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let mut record = RewrapRecord::new(None, 500, 7);
        for stage in Stage::ALL {
            record.stage = stage;
            assert!(RewrapRecord::decode(&record.encode()).is_ok_and(|read| read == record));
        }
        record = RewrapRecord {
            from: Some(3),
            paused: true,
            row: 2,
            after: Some([9; 16]),
            moved: Some(4),
            named: vec!["object 00".into(), "person 01".into()],
            finished_ms: Some(8),
            ..record
        };
        let bytes = record.encode();
        assert!(RewrapRecord::decode(&bytes).is_ok_and(|read| read == record));
        for end in 0..bytes.len() {
            assert!(RewrapRecord::decode(&bytes[..end]).is_err());
        }
    }
}
