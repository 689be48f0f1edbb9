//! What a legacy token keeps: where an HSM token is, and what logs in to it. As bytes always as long, so that sealed they say nothing of
//! the length of a PIN.

use crate::custody::error::CustodyError;
use crate::custody::slab::{Locked, Slab};

/// Bytes of a module's name at most.
const MODULE: usize = 64;
/// Bytes of a token's label (PKCS#11 has 32).
const LABEL: usize = 32;
/// Bytes of a token's serial number (PKCS#11 has 16).
const SERIAL: usize = 16;
/// Bytes of a PIN at most: as PINs are taken elsewhere.
const PIN: usize = 255;
/// Bytes of all together.
pub(super) const LENGTH: usize = 640;

/// Credentials of an HSM token, in secret memory. Absent ones are empty.
pub struct Credentials {
    /// The name of the module, as the settings name it.
    pub module: String,
    /// The token's label.
    pub label: String,
    /// Its serial number, if it is known.
    pub serial: Option<String>,
    /// The PIN of who wraps and unwraps.
    pub usage: Locked,
    /// The PIN of who makes and deletes keys, if that is another.
    pub management: Option<Locked>,
}

impl Credentials {
    /// Whether they are within the bounds of the format.
    #[must_use]
    pub fn fits(&self) -> bool {
        let text =
            |text: &str, most: usize| text.len() <= most && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        let pin = |pin: &Locked| !pin.is_empty() && pin.len() <= PIN;
        !self.module.is_empty()
            && !self.label.is_empty()
            && text(&self.module, MODULE)
            && text(&self.label, LABEL)
            && self
                .serial
                .as_deref()
                .is_none_or(|serial| !serial.is_empty() && text(serial, SERIAL))
            && pin(&self.usage)
            && self.management.as_ref().is_none_or(pin)
    }

    /// As they are sealed: each field with its length, two bytes, before it; zeros after the last.
    pub(super) fn encode(&self, slab: &Slab) -> Result<Locked, CustodyError> {
        if !self.fits() {
            return Err(CustodyError::Limit);
        }
        let mut whole = slab.allocate(LENGTH)?;
        let mut rest = whole.expose_mut();
        let fields = [
            self.module.as_bytes(),
            self.label.as_bytes(),
            self.serial.as_deref().unwrap_or_default().as_bytes(),
            self.usage.expose(),
            self.management.as_ref().map_or(&[][..], Locked::expose),
        ];
        for field in fields {
            let length = u16::try_from(field.len())
                .map_err(|_| CustodyError::Limit)?
                .to_be_bytes();
            for part in [&length[..], field] {
                let split = core::mem::take(&mut rest).split_at_mut_checked(part.len());
                let (to, after) = split.ok_or(CustodyError::Limit)?;
                to.copy_from_slice(part);
                rest = after;
            }
        }
        Ok(whole)
    }

    /// Reads what [`Credentials::encode`] wrote.
    pub(super) fn decode(slab: &Slab, bytes: &[u8]) -> Result<Self, CustodyError> {
        let mut rest = bytes;
        let mut field = || -> Result<&[u8], CustodyError> {
            let (length, after) = rest.split_first_chunk::<2>().ok_or(CustodyError::Record)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (field, after) = after.split_at_checked(length).ok_or(CustodyError::Record)?;
            rest = after;
            Ok(field)
        };
        let (module, label, serial) = (text(field()?)?, text(field()?)?, text(field()?)?);
        let (usage, management) = (field()?, field()?);
        let found = Self {
            module,
            label,
            serial: Some(serial).filter(|serial| !serial.is_empty()),
            usage: slab.copy_from(usage)?,
            management: match management {
                [] => None,
                pin => Some(slab.copy_from(pin)?),
            },
        };
        let ends = bytes.len() == LENGTH && rest.iter().all(|byte| *byte == 0);
        (ends && found.fits()).then_some(found).ok_or(CustodyError::Record)
    }
}

fn text(bytes: &[u8]) -> Result<String, CustodyError> {
    core::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| CustodyError::Record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(slab: &Slab, usage: &[u8], management: Option<&[u8]>) -> Credentials {
        Credentials {
            module: "softhsm".to_owned(),
            label: "safe a".to_owned(),
            serial: Some("0123456789abcdef".to_owned()),
            usage: slab.copy_from(usage).unwrap(),
            management: management.map(|pin| slab.copy_from(pin).unwrap()),
        }
    }

    #[test]
    fn credentials_are_read_as_they_were_written_and_are_always_as_long() {
        let slab = Slab::new().unwrap();
        for (usage, management) in [
            (&b"1234"[..], None),
            (&b"1234"[..], Some(&b"987654"[..])),
            (&[b'x'; PIN], Some(&[b'y'; PIN][..])),
        ] {
            let written = sample(&slab, usage, management).encode(&slab).unwrap();
            assert_eq!(written.len(), LENGTH);
            let read = Credentials::decode(&slab, written.expose()).unwrap();
            assert_eq!((read.module.as_str(), read.label.as_str()), ("softhsm", "safe a"));
            assert_eq!(read.serial.as_deref(), Some("0123456789abcdef"));
            assert_eq!(read.usage.expose(), usage);
            assert_eq!(read.management.as_ref().map(Locked::expose), management);
        }
    }

    #[test]
    fn what_is_no_credentials_is_refused() {
        let slab = Slab::new().unwrap();
        let written = sample(&slab, b"1234", None).encode(&slab).unwrap();
        for length in 0..LENGTH {
            assert!(
                Credentials::decode(&slab, &written.expose()[..length]).is_err(),
                "{length}"
            );
        }
        let mut longer = written.expose().to_vec();
        longer.push(0);
        assert!(Credentials::decode(&slab, &longer).is_err());
        let mut trailing = written.expose().to_vec();
        trailing[LENGTH - 1] = 1;
        assert!(Credentials::decode(&slab, &trailing).is_err());
        assert!(sample(&slab, &[1; PIN + 1], None).encode(&slab).is_err());
        assert!(sample(&slab, b"", None).encode(&slab).is_err());
        let mut path = sample(&slab, b"1234", None);
        path.label = "two\nlines".to_owned();
        assert!(path.encode(&slab).is_err());
    }
}
