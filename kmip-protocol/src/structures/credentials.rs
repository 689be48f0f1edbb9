//! Credentials: who asks (KMIP 2.1 §9.11).

use super::Ticket;
use crate::field::{Item, Structure, structure};
use crate::{AnyValue, AttestationType, CredentialType, DateTimeExtended, HashingAlgorithm, SecretText, Version, tag};
use kmip_ttlv::{Reader, Result, Tag, Writer};

structure! {
    /// The credentials of a request: one up to 1.1, any number since (KMIP 2.1 §9.4).
    Authentication {
        credentials: Vec<Credential> = CREDENTIAL;
    }

    /// Username and Password (KMIP 2.1 §9.11).
    UsernameAndPassword {
        username: String = USERNAME;
        password: Option<SecretText> = PASSWORD;
    }

    /// Device (KMIP 2.1 §9.11).
    Device {
        device_serial_number: Option<String> = DEVICE_SERIAL_NUMBER;
        password: Option<SecretText> = PASSWORD;
        device_identifier: Option<String> = DEVICE_IDENTIFIER;
        network_identifier: Option<String> = NETWORK_IDENTIFIER;
        machine_identifier: Option<String> = MACHINE_IDENTIFIER;
        media_identifier: Option<String> = MEDIA_IDENTIFIER;
    }

    /// Attestation (KMIP 2.1 §9.11).
    Attestation {
        nonce: Nonce = NONCE;
        attestation_type: AttestationType = ATTESTATION_TYPE;
        attestation_measurement: Option<Vec<u8>> = ATTESTATION_MEASUREMENT;
        attestation_assertion: Option<Vec<u8>> = ATTESTATION_ASSERTION;
    }

    /// One Time Password (KMIP 2.1 §9.11).
    OneTimePassword {
        username: String = USERNAME;
        password: Option<SecretText> = PASSWORD;
        one_time_password: SecretText = ONE_TIME_PASSWORD;
    }

    /// Hashed Password (KMIP 2.1 §9.11).
    HashedPassword {
        username: String = USERNAME;
        time_stamp: DateTimeExtended = TIME_STAMP;
        hashing_algorithm: Option<HashingAlgorithm> = HASHING_ALGORITHM;
        hashed_password: Vec<u8> = HASHED_PASSWORD;
    }

    /// A ticket as credential (KMIP 2.1 §9.11).
    TicketCredential {
        ticket: Ticket = TICKET;
    }

    /// Nonce (KMIP 2.1 §9.14).
    Nonce {
        nonce_id: Vec<u8> = NONCE_ID;
        nonce_value: Vec<u8> = NONCE_VALUE;
    }
}

macro_rules! credentials {
    ($($variant:ident($type:ident);)+) => {
        /// A credential: its type decides what its value is.
        #[derive(Clone, PartialEq)]
        pub enum Credential {
            $(
                #[doc = stringify!($variant)]
                $variant($type),
            )+
            /// A type that is not one of ours, or not one of the version's.
            Unknown {
                /// The type.
                credential_type: CredentialType,
                /// The value.
                value: AnyValue,
            },
        }

        impl Credential {
            /// The type of this credential.
            #[must_use]
            pub const fn credential_type(&self) -> CredentialType {
                match self {
                    $(Self::$variant(_) => CredentialType::$variant,)+
                    Self::Unknown { credential_type, .. } => *credential_type,
                }
            }
        }

        #[cfg(test)]
        impl crate::sample::Sample for Credential {
            fn sample(maker: &mut crate::sample::Maker) -> Self {
                let known = CredentialType::ALL.iter().filter(|t| t.is_known_in(maker.version));
                let mut known: Vec<_> = known.copied().collect();
                known.push(CredentialType(0x8000_0001));
                match maker.choose(&known) {
                    $(CredentialType::$variant => Self::$variant(maker.make()),)+
                    credential_type => Self::Unknown { credential_type, value: maker.make() },
                }
            }
        }

        impl Structure for Credential {
            fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self> {
                let credential_type: CredentialType = Item::read_item(reader, tag::CREDENTIAL_TYPE, version)?;
                match credential_type {
                    $(CredentialType::$variant if credential_type.is_known_in(version) => {
                        Item::read_item(reader, tag::CREDENTIAL_VALUE, version).map(Self::$variant)
                    })+
                    _ => Ok(Self::Unknown {
                        credential_type,
                        value: Item::read_item(reader, tag::CREDENTIAL_VALUE, version)?,
                    }),
                }
            }
            fn write(&self, writer: &mut Writer, version: Version) {
                Item::write_item(&self.credential_type(), writer, tag::CREDENTIAL_TYPE, version);
                match self {
                    $(Self::$variant(value) => Item::write_item(value, writer, tag::CREDENTIAL_VALUE, version),)+
                    Self::Unknown { value, .. } => value.write_item(writer, tag::CREDENTIAL_VALUE, version),
                }
            }
        }
    };
}

credentials! {
    UsernameAndPassword(UsernameAndPassword);
    Device(Device);
    Attestation(Attestation);
    OneTimePassword(OneTimePassword);
    HashedPassword(HashedPassword);
    Ticket(TicketCredential);
}

impl Item for Credential {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        crate::field::read_structure(reader, tag, version)
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        crate::field::write_structure(self, writer, tag, version);
    }
}
