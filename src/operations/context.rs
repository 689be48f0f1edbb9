//! What a handler sees: who asks, when, and the objects of that client through the overlay of the batch.

use super::identifiers::Identifiers;
use super::services::Services;
use super::{Desk, Notice, Outputs, digests, ownership};
use crate::audit::AuditObject;
use crate::authority::Approval;
use crate::clock::Moment;
use crate::crypto::quantum::is_quantum_safe;
use crate::custody::SealContext;
use crate::failure::{Failure, Fault};
use crate::identity::{ClientPrincipal, Principal, SecondFactor};
use crate::objects::{self, AttributeSet, Dates, Kept, Material, Object, index};
use crate::records;
use crate::store::{Domain, Key, Seen, Taken, Work};
use kmip_protocol::{
    Attribute, AttributeKind, DateTime, Field, ManagedObject, ObjectType, Operation, RequestMessage, ResultReason,
    State, UniqueIdentifier, Version, tag,
};
use kmip_ttlv::{Reader, Secret, Writer};

/// What the items of a batch hand on to one another.
#[derive(Default)]
pub struct Batch {
    /// The ID Placeholder (KMIP 2.1 §6.1).
    pub placeholder: Option<String>,
    /// The identifiers that items gave, for references by position and by operation.
    pub identifiers: Identifiers,
    /// What the current item acted on, for its audit record.
    pub touched: Vec<AuditObject>,
    /// Proposals that items have begun to carry out by steps, also such as were taken back: nobody else's first step is met then.
    pub begun: Vec<(Domain, [u8; 16])>,
    /// What items changed that others remember; `exchange` tells them once the message is committed, before it is answered.
    pub notices: Vec<Notice>,
    /// What a person has shown beside its certificate: taken by the one item that it is for.
    pub second_factor: Option<SecondFactor>,
    /// The proposal that the current item belongs to, and the digest of what it is about, for the item's audit record.
    pub proposal: Option<([u8; 16], Option<[u8; 32]>)>,
    /// Which state of the domain's policy items were decided by without loading it: what the commit rests on as well.
    pub policy_seen: Option<(Key, Option<Seen>)>,
    /// Whether the current item took an identifier from an earlier one.
    pub used_placeholder: bool,
    /// Whether an item of the message was put to a vote: what it would give to later ones is not there yet.
    pub governed: bool,
    /// Whether a later item wanted it all the same.
    pub misplaced: bool,
    /// The operation of the current item, as rights of tickets name it.
    pub operation: Option<Operation>,
    /// The operation that the item had carried out, where that is not its own: a Poll's.
    pub performed: Option<Operation>,
    /// Why what it had carried out failed, if it did.
    pub failed: Option<Fault>,
    /// The streams that items go on with.
    pub streams: Desk,
    /// What items have produced for later ones.
    pub outputs: Outputs,
    /// How many candidates the Locates of the message have looked at.
    pub examined: usize,
    /// Words of the current item for the auditor, escaped and bounded.
    pub note: Option<String>,
    /// Whether the roles of the connection's ends may be set: it is one over which the server can ask, and the item is the only one.
    pub can_reverse: bool,
    /// Whether they were, so that the server asks from now on.
    pub reverses: bool,
}

/// How far a batch has come, to take back what came after.
pub struct BatchMark {
    placeholder: Option<String>,
    identifiers: usize,
    notices: usize,
    outputs: usize,
}

impl Batch {
    /// That of a message's items.
    #[must_use]
    pub fn of(message: &RequestMessage) -> Self {
        Self {
            streams: Desk::of_message(),
            outputs: Outputs::of(&message.items),
            ..Self::default()
        }
    }

    /// What items have handed on so far, when the next one begins.
    #[must_use]
    pub fn mark(&mut self) -> BatchMark {
        self.streams.advance();
        BatchMark {
            placeholder: self.placeholder.clone(),
            identifiers: self.identifiers.begin(),
            notices: self.notices.len(),
            outputs: self.outputs.count(),
        }
    }

    /// Takes back what an item handed on that failed.
    pub fn rollback(&mut self, mark: BatchMark) {
        let BatchMark {
            placeholder,
            identifiers,
            notices,
            outputs,
        } = mark;
        self.placeholder = placeholder;
        self.identifiers.truncate(identifiers);
        self.notices.truncate(notices);
        self.streams.rollback();
        self.outputs.truncate(outputs);
    }
}

/// What a handler sees.
pub struct Context<'a> {
    /// The rooms below.
    pub services: &'a Services,
    /// Who asks.
    pub principal: &'a Principal,
    /// In which version: only to be handed to the vocabulary.
    pub version: Version,
    /// When: read once per item.
    pub now: Moment,
    /// The overlay of the batch.
    pub work: &'a mut Work,
    /// What items hand on to one another.
    pub batch: &'a mut Batch,
    /// The proposal that is being carried out, if one is.
    pub approval: Option<Approval>,
    /// Whether what may be carried out is to be put off.
    pub defer: bool,
}

impl<'a> Context<'a> {
    /// That of an act which no request of a version asks for: the server's own, with nothing approved and nothing put off.
    pub fn new(
        services: &'a Services,
        principal: &'a Principal,
        now: Moment,
        work: &'a mut Work,
        batch: &'a mut Batch,
    ) -> Self {
        Self {
            services,
            principal,
            version: Version::NEWEST,
            now,
            work,
            batch,
            approval: None,
            defer: false,
        }
    }
}

/// Which destroyed and archived objects a handler wants to see.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Objects with their material: neither destroyed nor archived.
    Whole,
    /// Also archived ones, but none that are destroyed.
    Stored,
    /// Also destroyed and archived ones, of which attributes remain.
    Remains,
}

impl Wanted {
    /// Whether an object with these dates is one of those.
    const fn judge(self, dates: Dates) -> Result<(), Fault> {
        match self {
            Self::Whole | Self::Stored if dates.destroy.is_some() => Err(Fault::ObjectDestroyed),
            Self::Whole if dates.archive.is_some() => Err(Fault::ObjectArchived),
            Self::Whole | Self::Stored | Self::Remains => Ok(()),
        }
    }
}

impl Context<'_> {
    /// The client that asks; handlers of object operations have one.
    pub fn client(&self) -> Result<&ClientPrincipal, Failure> {
        self.principal.client().ok_or(Failure::new(Fault::NotAuthenticated))
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn seconds(&self) -> i64 {
        self.now.seconds()
    }

    /// The object that a request means.
    ///
    /// # Errors
    /// Unknown and foreign objects are told apart by nothing: not by the answer, not by the number of reads.
    pub async fn object(&mut self, given: Option<&UniqueIdentifier>, wanted: Wanted) -> Result<Object, Failure> {
        let kept = self.kept(given, wanted).await?;
        self.whole(kept)
    }

    /// The object that a request means, to look at. Its Digests are as the record has them: veiled.
    ///
    /// # Errors
    /// Those of [`Context::object`].
    pub async fn kept(&mut self, given: Option<&UniqueIdentifier>, wanted: Wanted) -> Result<Kept, Failure> {
        let unique_identifier = self.identifier(given)?;
        let object = self
            .find_kept(&unique_identifier)
            .await?
            .ok_or(Failure::new(Fault::ObjectNotFound))?;
        self.batch.touched.push(AuditObject {
            unique_identifier,
            record: None,
        });
        wanted.judge(object.attributes.dates()?)?;
        Ok(object)
    }

    /// The object with this identifier, if the client sees it.
    pub async fn find(&mut self, unique_identifier: &str) -> Result<Option<Object>, Failure> {
        let kept = self.find_kept(unique_identifier).await?;
        kept.map(|kept| self.whole(kept)).transpose()
    }

    /// An object with all its attributes.
    pub fn whole(&self, kept: Kept) -> Result<Object, Failure> {
        let mut object = kept.whole()?;
        digests::turn(&self.services.custody, self.client()?.tenant, &mut object)?;
        Ok(object)
    }

    /// Whether the rights of the ticket that was shown, if it was delegated, permit the item's operation on this object.
    ///
    /// # Errors
    /// [`Fault::RightsRefused`].
    pub fn reach(&self, unique_identifier: &str, attributes: &AttributeSet) -> Result<(), Failure> {
        let Some(rights) = self.client()?.rights() else {
            return Ok(());
        };
        let reached = self
            .batch
            .operation
            .is_some_and(|operation| rights.reach(operation, unique_identifier, attributes.groups()));
        if reached {
            Ok(())
        } else {
            Err(Fault::RightsRefused.into())
        }
    }

    /// An object of the client's tenant with its material, whichever application it belongs to: only for identifiers that people have given to
    /// the client's settings, never for one that comes from a request.
    pub async fn of_tenant(&mut self, unique_identifier: &str) -> Result<Option<Kept>, Failure> {
        let key = objects::key(self.client()?.tenant, unique_identifier);
        let found = self.load_kept(key).await?;
        let found = found.filter(|kept| kept.unique_identifier == unique_identifier);
        if found.is_some() {
            if self.services.quarantine.holds(key) {
                return Err(Fault::Quarantined.into());
            }
            self.batch.touched.push(AuditObject {
                unique_identifier: unique_identifier.to_owned(),
                record: None,
            });
        }
        Ok(match found {
            Some(kept) if Wanted::Whole.judge(kept.attributes.dates()?).is_ok() => Some(kept),
            _ => None,
        })
    }

    async fn load_kept(&mut self, key: Key) -> Result<Option<Kept>, Failure> {
        let Some(record) = self.work.load(key).await? else {
            return Ok(None);
        };
        Ok(Some(Kept::read(records::open(&self.services.custody, &record)?)?))
    }

    /// The object that holds the claim to a Name, if the client sees it.
    pub async fn named(&mut self, name: &str) -> Result<Option<Object>, Failure> {
        let client = self.client()?;
        let claim = objects::name_claim(client.tenant, client.application, name);
        let Some(key) = self.work.claimed(&claim).await? else {
            return Ok(None);
        };
        let kept = self.seen(key).await?;
        kept.map(|kept| self.whole(kept)).transpose()
    }

    async fn find_kept(&mut self, unique_identifier: &str) -> Result<Option<Kept>, Failure> {
        let key = objects::key(self.client()?.tenant, unique_identifier);
        let kept = self.seen(key).await?;
        Ok(kept.filter(|kept| kept.unique_identifier == unique_identifier))
    }

    /// The object with this key, if the client sees it: one of its application, within its settings, of a type that its version has.
    async fn seen(&mut self, key: Key) -> Result<Option<Kept>, Failure> {
        let Some(kept) = self.load_kept(key).await? else {
            return Ok(None);
        };
        let mut is_seen = kept.application == self.client()?.application && self.knows(kept.object_type);
        if is_seen && self.client()?.limits.is_narrowed() {
            is_seen = self.shows(&kept.clone().whole()?.attributes)?;
        }
        if is_seen && self.client()?.rights().is_some() {
            self.reach(&kept.unique_identifier, &kept.attributes.decode()?)?;
        }
        if is_seen && !ownership::permits(&kept, self.client()?.client, self.batch.operation)? {
            return Err(Fault::PermissionDenied.into());
        }
        if is_seen && self.services.quarantine.holds(key) {
            return Err(Fault::Quarantined.into());
        }
        Ok(is_seen.then_some(kept))
    }

    /// Whether the version has objects of this type. To others they do not exist: they have no word for them.
    #[must_use]
    pub const fn knows(&self, object_type: ObjectType) -> bool {
        object_type.is_known_in(self.version)
    }

    /// Keeps an object that the request changed: as [`Context::keep`], with a new Last Change Date.
    ///
    /// # Errors
    /// Those of [`permit_safety`], as long as the object is not past its time: what ends one is never refused for what it is. Those of
    /// [`Context::keep`].
    pub fn save(&mut self, object: &mut Object) -> Result<(), Failure> {
        if matches!(
            object.attributes.dates().state(self.seconds()),
            State::PreActive | State::Active
        ) {
            permit_safety(&object.attributes)?;
        }
        object
            .attributes
            .set(Attribute::LastChangeDate(DateTime(self.seconds())));
        self.keep(object)
    }

    /// Keeps an object as it is: MAC, index rows, audit.
    pub fn keep(&mut self, object: &Object) -> Result<(), Failure> {
        if object.attributes.iter().count() > self.services.limits.attributes {
            return Err(Fault::TooManyAttributes.into());
        }
        // Nobody puts an object out of its own sight.
        if !self.shows(&object.attributes)? {
            return Err(Fault::PermissionDenied.into());
        }
        let tenant = self.client()?.tenant;
        let key = objects::key(tenant, &object.unique_identifier);
        let mut kept = object.as_of(self.seconds());
        let rows = index::rows(&kept);
        digests::turn(&self.services.custody, tenant, &mut kept)?;
        let (body, _) = records::close(&self.services.custody, key, self.work.next_revision(key), kept.encode())?;
        self.work.put(key, body, rows);
        self.touch(object.unique_identifier.clone(), key)
    }

    /// Says in the item's audit record what it acted on.
    pub fn touch(&mut self, unique_identifier: String, key: Key) -> Result<(), Failure> {
        let is_sealed = |(_, body): (_, &[u8])| records::parts(body).is_some();
        if !self.work.written(key).is_none_or(is_sealed) {
            let unsealed = format_args!("the record {key} was not sealed");
            return Err(Failure::detailed(Fault::Internal, unsealed));
        }
        let touched = &mut self.batch.touched;
        touched.retain(|earlier| earlier.unique_identifier != unique_identifier);
        touched.push(AuditObject {
            unique_identifier,
            record: Some((key.kind.0, key.id)),
        });
        Ok(())
    }

    /// Claims a Name for an object; `taken` says what the client is told if another object has it.
    ///
    /// Names are unique where the version has a reason to say so (KMIP 2.1 §4.32). Before, clients give several objects one Name
    /// and find them all by it (PyKMIP's suite does): there the first keeps the claim, and the others have the Name without. That of a
    /// template is always unique: it is what the template is referred to by (KMIP 1.4 §2.2.6).
    pub async fn claim_name(&mut self, object: &Object, name: &str, taken: Fault) -> Result<(), Failure> {
        let tenant = self.client()?.tenant;
        let claim = objects::name_claim(tenant, object.application, name);
        let is_unique = object.object_type == ObjectType::Template
            || ResultReason::NonUniqueNameAttribute.is_known_in(self.version);
        match self
            .work
            .take(claim, objects::key(tenant, &object.unique_identifier))
            .await?
        {
            Taken::Yes => Ok(()),
            Taken::By(_) if is_unique => Err(taken.into()),
            Taken::By(_) => Ok(()),
        }
    }

    /// Releases a Name.
    pub async fn release_name(&mut self, object: &Object, name: &str) -> Result<(), Failure> {
        let tenant = self.client()?.tenant;
        let claim = objects::name_claim(tenant, object.application, name);
        self.work
            .release(claim, objects::key(tenant, &object.unique_identifier))
            .await?;
        Ok(())
    }

    /// Seals an object's material, to be kept by this unit of work.
    pub async fn seal(
        &mut self,
        object: &Object,
        managed: &ManagedObject,
        generation: u32,
    ) -> Result<Material, Failure> {
        let tenant = self.client()?.tenant;
        let mut writer = Writer::new();
        managed.write_field(&mut writer, tag::REQUEST_PAYLOAD, kept_in(object.object_type));
        let plain = Secret::new(writer.into_bytes());
        let sealed = self
            .services
            .custody
            .seal(tenant, seal_context(object, generation), &plain)
            .await?
            .settle_in(self.work);
        Ok(Material { generation, sealed })
    }

    /// Opens an object's material.
    pub async fn open<A: Sync>(&self, object: &Object<A>) -> Result<ManagedObject, Failure> {
        let tenant = self.client()?.tenant;
        let material = object.material.as_ref().ok_or(Failure::new(Fault::ObjectDestroyed))?;
        let plain = self
            .services
            .custody
            .open(tenant, seal_context(object, material.generation), &material.sealed)
            .await?;
        let mut reader = Reader::new(plain.expose());
        let managed = ManagedObject::read_field(&mut reader, tag::REQUEST_PAYLOAD, kept_in(object.object_type))?;
        reader.finish()?;
        Ok(managed)
    }
}

/// Refuses an object that is required to be quantum safe and is not (KMIP 2.1 §4.45).
///
/// # Errors
/// [`Fault::NotQuantumSafe`].
pub fn permit_safety(attributes: &AttributeSet) -> Result<(), Fault> {
    let required = attributes.flag(AttributeKind::QuantumSafe, false);
    match attributes.algorithm().filter(|_| required) {
        Some(algorithm) if !is_quantum_safe(algorithm, attributes.length()) => Err(Fault::NotQuantumSafe),
        _ => Ok(()),
    }
}

/// The version in whose form an object is sealed: the newest that has its type.
fn kept_in(object_type: ObjectType) -> Version {
    let mut versions = Version::ALL.into_iter().rev();
    versions
        .find(|version| object_type.is_known_in(*version))
        .unwrap_or(Version::NEWEST)
}

/// What an object's material is bound to.
pub const fn seal_context<A>(object: &Object<A>, generation: u32) -> SealContext {
    SealContext {
        internal_id: object.internal_id,
        generation,
        object_type: object.object_type.0,
    }
}
