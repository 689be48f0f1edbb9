//! How key material is sealed: installation root, KEKs and their keepers, secret memory. Nothing leaves this room in
//! clear but the material that a request was granted.
//!
//! A KEK ([`Sealer`]) wraps the DEK of an object, the DEK seals its material, and both are bound by additional
//! authenticated data to domain, object and generation. Records are MACed under the domain's record key, which its KEKs
//! wrap.

mod absent;
pub mod allocator;
pub mod context;
mod emptied;
pub mod error;
pub mod facade;
pub mod harden;
pub mod keks;
pub mod legacy;
mod noise;
pub mod outfit;
mod pkcs11;
pub mod probe;
pub mod profile;
pub mod protected;
pub mod record;
pub mod reservoir;
pub mod resident;
pub mod root;
mod sealed;
pub mod sealer;
mod sealing;
pub mod sharing;
pub mod slab;
pub mod software;
pub mod token;
pub mod worker;

pub use allocator::WipingAllocator;
pub use context::{KekId, ProfileId, Purpose, SealContext, WrapContext};
pub use emptied::Emptied;
pub use error::CustodyError;
pub use facade::{Custody, CustodyState};
pub use harden::{harden, is_hardened};
pub use keks::{DomainStatus, KekStatus};
pub use outfit::{Benches, Outfit};
pub use probe::Capabilities;
pub use profile::{Links, ProfileRecord, StagedPin, TokenRecord};
pub use protected::{Backup, Keeping, Misread, NewPair, NewProtected, ProfileWrap, ProtectedKek};
pub use record::{Abandonment, KekRecord, KekState, Placement, RecordKeyRecord, RecordKeyWrap, Resident};
pub use reservoir::{Mix, Reservoir};
pub use resident::{ResidentKeks, TokenSettings, WorkerCommand};
pub use root::{InstallationRoot, PinRole, RootOrigin};
pub use sealed::{Fresh, Sealed, kek_guard};
pub use sealer::{KekProvider, NewKek, PairName, PairProvider, Sealer, SealerKind, Sealing};
pub use sharing::{Binding, Openings, Plan, ShareKey, ShareSecret, Sharing};
pub use slab::{Locked, Protection, Slab};
pub use software::SoftwareKeks;
