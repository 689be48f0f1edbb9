//! Tags of the records kept here: extensions of our own that never leave the server. Append only.

use kmip_ttlv::Tag;

pub(super) const RECORD: Tag = Tag(0x54_E100);
pub(super) const FORMAT: Tag = Tag(0x54_E101);
pub(super) const NAME: Tag = Tag(0x54_E102);
pub(super) const SUSPENDED: Tag = Tag(0x54_E103);
pub(super) const CREATED: Tag = Tag(0x54_E104);
pub(super) const APPLICATION: Tag = Tag(0x54_E105);
pub(super) const EXPIRES: Tag = Tag(0x54_E106);
pub(super) const CREDENTIAL: Tag = Tag(0x54_E107);
pub(super) const KEY_FINGERPRINT: Tag = Tag(0x54_E108);
pub(super) const PINNED_CERTIFICATE: Tag = Tag(0x54_E109);
pub(super) const RULE_KIND: Tag = Tag(0x54_E10A);
pub(super) const RULE_VALUE: Tag = Tag(0x54_E10B);
pub(super) const CERTIFICATE: Tag = Tag(0x54_E10C);
pub(super) const REVOCATION_LIST: Tag = Tag(0x54_E10D);
pub(super) const REFUSE_STALE: Tag = Tag(0x54_E10E);
pub(super) const HARDWARE: Tag = Tag(0x54_E10F);

// People and their sessions.
pub(super) const ROLE: Tag = Tag(0x54_E120);
pub(super) const STATUS: Tag = Tag(0x54_E121);
pub(super) const MEMBER_SINCE: Tag = Tag(0x54_E122);
pub(super) const CREATED_BY: Tag = Tag(0x54_E123);
pub(super) const PERSON_KEY: Tag = Tag(0x54_E124);
pub(super) const ENROLLED: Tag = Tag(0x54_E125);
pub(super) const REVOKED: Tag = Tag(0x54_E126);
pub(super) const PASSWORD: Tag = Tag(0x54_E127);
pub(super) const PASSWORD_HASH: Tag = Tag(0x54_E128);
pub(super) const INITIAL: Tag = Tag(0x54_E129);
pub(super) const FORMER_PASSWORD: Tag = Tag(0x54_E12A);
pub(super) const ONE_TIME: Tag = Tag(0x54_E12B);
pub(super) const SEALED: Tag = Tag(0x54_E12C);
pub(super) const CONFIRMED: Tag = Tag(0x54_E12D);
pub(super) const PERSON: Tag = Tag(0x54_E12E);
pub(super) const DIGEST: Tag = Tag(0x54_E12F);
pub(super) const REQUESTS: Tag = Tag(0x54_E130);
pub(super) const ATTESTED_BY: Tag = Tag(0x54_E131);

// What a ticket was delegated for.
pub(super) const RIGHT: Tag = Tag(0x54_FE00);
pub(super) const OPERATIONS: Tag = Tag(0x54_FE01);
pub(super) const OPERATION: Tag = Tag(0x54_FE02);
pub(super) const OBJECTS: Tag = Tag(0x54_FE03);
pub(super) const GROUPS: Tag = Tag(0x54_FE04);

// Settings of tenants and clients, authorities of the server's own and what they issued.
pub(super) const SETTINGS: Tag = Tag(0x54_E140);
pub(super) const DELETED: Tag = Tag(0x54_E141);
pub(super) const DELETED_AT: Tag = Tag(0x54_F330);
pub(super) const PURGED_AT: Tag = Tag(0x54_F331);
pub(super) const USERNAME: Tag = Tag(0x54_E143);
pub(super) const CLIENT_PASSWORD: Tag = Tag(0x54_E144);
pub(super) const ISSUED_CERTIFICATE: Tag = Tag(0x54_E145);
pub(super) const AUTHORITY: Tag = Tag(0x54_E146);
pub(super) const SERIAL: Tag = Tag(0x54_E147);
pub(super) const ISSUER: Tag = Tag(0x54_E148);
pub(super) const KEK: Tag = Tag(0x54_E149);
pub(super) const KEK_GENERATION: Tag = Tag(0x54_E14A);
pub(super) const WRAPPED_DEK: Tag = Tag(0x54_E14B);
pub(super) const BLOB: Tag = Tag(0x54_E14C);
pub(super) const LIST_NUMBER: Tag = Tag(0x54_E14D);
pub(super) const REVOKED_CERTIFICATE: Tag = Tag(0x54_E14E);
pub(super) const RETIRED: Tag = Tag(0x54_E14F);

// What is to be migrated.
pub(super) const MIGRATION: Tag = Tag(0x54_F700);

// What was proven of keys.
pub(super) const PROVEN: Tag = Tag(0x54_E160);

// Users.
pub(super) const USER: Tag = Tag(0x54_E200);
pub(super) const CONNECTION: Tag = Tag(0x54_E201);
