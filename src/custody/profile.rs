//! The record of an HSM-Profile: a token, or the folder of key files, and how to reach it. It is read before its MAC can be checked,
//! since the KEK under which the record key lies is behind it; until then the sealed PIN is bound to its token by itself.

use super::context::ProfileId;
use super::probe::Capabilities;
use super::record::Abandonment;
use kmip_ttlv::{ErrorKind, Reader, Result, Writer};
use ring::digest;

/// The format of the records.
const FORMAT: i32 = 1;
/// HSM-Profiles of one domain at most: its protected KEKs are wrapped for each.
pub const MAX_LINKS: usize = 16;

/// Tags of these encodings: extensions of our own that never leave the server.
mod tag {
    use kmip_ttlv::Tag;

    pub(super) const RECORD: Tag = Tag(0x54_F100);
    pub(super) const FORMAT: Tag = Tag(0x54_F101);
    pub(super) const NAME: Tag = Tag(0x54_F102);
    pub(super) const CREATED: Tag = Tag(0x54_F103);
    pub(super) const TOKEN: Tag = Tag(0x54_F104);
    pub(super) const MODULE: Tag = Tag(0x54_F105);
    pub(super) const LABEL: Tag = Tag(0x54_F106);
    pub(super) const SERIAL: Tag = Tag(0x54_F107);
    pub(super) const SESSIONS: Tag = Tag(0x54_F108);
    pub(super) const DEADLINE: Tag = Tag(0x54_F109);
    pub(super) const PIN: Tag = Tag(0x54_F10A);
    pub(super) const NEW_PIN: Tag = Tag(0x54_F10B);
    pub(super) const MANAGEMENT: Tag = Tag(0x54_F10C);
    pub(super) const CAPABILITIES: Tag = Tag(0x54_F10D);
    pub(super) const PROBED: Tag = Tag(0x54_F10E);
    pub(super) const LINKS: Tag = Tag(0x54_F110);
    pub(super) const LINK: Tag = Tag(0x54_F111);
    pub(super) const OCCASION: Tag = Tag(0x54_F112);
    pub(super) const ABANDONED: Tag = Tag(0x54_F900);
    pub(super) const ABANDONED_BY: Tag = Tag(0x54_F901);
    pub(super) const LOST: Tag = Tag(0x54_F902);
}

/// An HSM-Profile.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileRecord {
    /// Its name, unique in the installation.
    pub name: String,
    /// The token; without one, key files on the server's disk.
    pub token: Option<TokenRecord>,
    /// That there is a key-management credential of its own, and which it is.
    pub management: Option<Vec<u8>>,
    /// What the token was found to be able to do.
    pub capabilities: Option<Vec<u8>>,
    /// When that was found, in milliseconds since 1970.
    pub probed_ms: Option<i64>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// That it was given up, because its HSM is gone for good.
    pub abandoned: Option<Abandonment>,
}

/// A token and the credential for its use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TokenRecord {
    /// The name that the settings have for its module: a path never comes from outside, nobody has code loaded by asking for it.
    pub module: String,
    /// Its label.
    pub label: String,
    /// Its serial number, if it is to be checked too.
    pub serial: Option<String>,
    /// Sessions at most.
    pub sessions: Option<u16>,
    /// Milliseconds that it may take for one request.
    pub deadline_ms: Option<u32>,
    /// The key-usage PIN, sealed under the installation root.
    pub pin: Vec<u8>,
}

impl TokenRecord {
    /// What a sealed PIN is bound to beside its profile: a PIN is sent to no other token than the one that it was given for.
    pub(super) fn address(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [&self.module, &self.label, self.serial.as_deref().unwrap_or_default()] {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        let digest = context.finish();
        digest.as_ref().first_chunk().copied().unwrap_or_default()
    }

    fn write(&self, writer: &mut Writer) {
        let Self {
            module,
            label,
            serial,
            sessions,
            deadline_ms,
            pin,
        } = self;
        writer.structure(tag::TOKEN, |w| {
            w.text(tag::MODULE, module);
            w.text(tag::LABEL, label);
            if let Some(serial) = serial {
                w.text(tag::SERIAL, serial);
            }
            if let Some(sessions) = sessions {
                w.interval(tag::SESSIONS, u32::from(*sessions));
            }
            if let Some(deadline) = deadline_ms {
                w.interval(tag::DEADLINE, *deadline);
            }
            w.bytes(tag::PIN, pin);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.structure(tag::TOKEN, |r| {
            Ok(Self {
                module: r.text(tag::MODULE)?.to_owned(),
                label: r.text(tag::LABEL)?.to_owned(),
                serial: optional(r, tag::SERIAL, |r, tag| Ok(r.text(tag)?.to_owned()))?,
                sessions: optional(r, tag::SESSIONS, |r, tag| {
                    let wrong = r.error(ErrorKind::TooLong);
                    u16::try_from(r.interval(tag)?).map_err(|_| wrong)
                })?,
                deadline_ms: optional(r, tag::DEADLINE, Reader::interval)?,
                pin: r.bytes(tag::PIN)?.to_vec(),
            })
        })
    }
}

impl ProfileRecord {
    /// What the token was found to be able to do.
    #[must_use]
    pub fn found(&self) -> Option<Capabilities> {
        self.capabilities
            .as_deref()
            .and_then(|bytes| Capabilities::decode(bytes).ok())
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            name,
            token,
            management,
            capabilities,
            probed_ms,
            created_ms,
            abandoned,
        } = self;
        let mut writer = Writer::new();
        writer.structure(tag::RECORD, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.text(tag::NAME, name);
            w.long_integer(tag::CREATED, *created_ms);
            if let Some(token) = token {
                token.write(w);
            }
            if let Some(management) = management {
                w.bytes(tag::MANAGEMENT, management);
            }
            if let Some(capabilities) = capabilities {
                w.bytes(tag::CAPABILITIES, capabilities);
            }
            if let Some(probed) = probed_ms {
                w.long_integer(tag::PROBED, *probed);
            }
            if let Some(Abandonment {
                at_ms,
                proposal,
                records,
            }) = abandoned
            {
                w.long_integer(tag::ABANDONED, *at_ms);
                w.bytes(tag::ABANDONED_BY, proposal);
                w.bytes(tag::LOST, &records.to_be_bytes());
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`ProfileRecord::encode`] wrote.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let record = reader.structure(tag::RECORD, |r| {
            format(r)?;
            Ok(Self {
                name: r.text(tag::NAME)?.to_owned(),
                created_ms: r.long_integer(tag::CREATED)?,
                token: r.at(tag::TOKEN).then(|| TokenRecord::read(r)).transpose()?,
                management: optional(r, tag::MANAGEMENT, |r, tag| Ok(r.bytes(tag)?.to_vec()))?,
                capabilities: optional(r, tag::CAPABILITIES, |r, tag| Ok(r.bytes(tag)?.to_vec()))?,
                probed_ms: optional(r, tag::PROBED, Reader::long_integer)?,
                abandoned: match optional(r, tag::ABANDONED, Reader::long_integer)? {
                    Some(at_ms) => Some(Abandonment {
                        at_ms,
                        proposal: r.array(tag::ABANDONED_BY)?,
                        records: u64::from_be_bytes(r.array(tag::LOST)?),
                    }),
                    None => None,
                },
            })
        })?;
        reader.finish()?;
        Ok(record)
    }
}

/// A PIN that a token is being changed to: kept before the token is asked, until it is known that the token has it, or has not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StagedPin {
    /// What the change belongs to.
    pub occasion: [u8; 16],
    /// The PIN, sealed under the installation root.
    pub pin: Vec<u8>,
}

impl StagedPin {
    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { occasion, pin } = self;
        let mut writer = Writer::new();
        writer.structure(tag::NEW_PIN, |w| {
            w.integer(tag::FORMAT, FORMAT);
            w.bytes(tag::OCCASION, occasion);
            w.bytes(tag::PIN, pin);
        });
        writer.into_bytes()
    }

    /// Reads what [`StagedPin::encode`] wrote.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let staged = reader.structure(tag::NEW_PIN, |r| {
            format(r)?;
            Ok(Self {
                occasion: r.array(tag::OCCASION)?,
                pin: r.bytes(tag::PIN)?.to_vec(),
            })
        })?;
        reader.finish()?;
        Ok(staged)
    }
}

/// The HSM-Profiles that a domain may use. The first is where its new KEKs are made unless another is named.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Links(pub Vec<ProfileId>);

impl Links {
    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.structure(tag::LINKS, |w| {
            w.integer(tag::FORMAT, FORMAT);
            for profile in &self.0 {
                w.bytes(tag::LINK, &profile.0);
            }
        });
        writer.into_bytes()
    }

    /// Reads what [`Links::encode`] wrote.
    ///
    /// # Errors
    /// Those of [`Reader`]; more than [`MAX_LINKS`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let links = reader.structure(tag::LINKS, |r| {
            format(r)?;
            let mut links = Vec::new();
            while r.at(tag::LINK) {
                if links.len() >= MAX_LINKS {
                    return Err(r.error(ErrorKind::TooLong));
                }
                links.push(ProfileId(r.array(tag::LINK)?));
            }
            Ok(Self(links))
        })?;
        reader.finish()?;
        Ok(links)
    }
}

fn format(r: &mut Reader<'_>) -> Result<()> {
    if r.integer(tag::FORMAT)? == FORMAT {
        Ok(())
    } else {
        Err(r.error(ErrorKind::Version))
    }
}

fn optional<'a, T>(
    r: &mut Reader<'a>,
    tag: kmip_ttlv::Tag,
    read: impl FnOnce(&mut Reader<'a>, kmip_ttlv::Tag) -> Result<T>,
) -> Result<Option<T>> {
    r.at(tag).then(|| read(r, tag)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_come_back_and_only_whole() {
        let token = TokenRecord {
            module: "softhsm".into(),
            label: "one".into(),
            serial: Some("0123".into()),
            sessions: Some(4),
            deadline_ms: Some(500),
            pin: vec![1; 40],
        };
        let full = ProfileRecord {
            abandoned: Some(Abandonment {
                at_ms: 8,
                proposal: [9; 16],
                records: 10,
            }),
            name: "main".into(),
            token: Some(token.clone()),
            management: Some(vec![3]),
            capabilities: Some(vec![4]),
            probed_ms: Some(5),
            created_ms: 6,
        };
        for record in [full, ProfileRecord::default()] {
            let bytes = record.encode();
            assert_eq!(ProfileRecord::decode(&bytes).as_ref(), Ok(&record));
            for end in 0..bytes.len() {
                assert!(ProfileRecord::decode(&bytes[..end]).is_err());
            }
        }
        let other = TokenRecord {
            serial: Some("0124".into()),
            ..token.clone()
        };
        assert_ne!(other.address(), token.address());
    }

    #[test]
    fn links_come_back_and_no_more_than_there_may_be() {
        let links = Links((0..16).map(|n| ProfileId([n; 16])).collect());
        assert_eq!(Links::decode(&links.encode()), Ok(links));
        let more = Links((0..17).map(|n| ProfileId([n; 16])).collect());
        assert!(Links::decode(&more.encode()).is_err());
    }
}
