//! Locate (KMIP 2.1 §6.1.28; KMIP 1.4 §4.9).

use super::{Context, Handle, digests, ownership, usage};
use crate::authority::Granted;
use crate::custody::CustodyError;
use crate::failure::{Failure, Fault};
use crate::objects::index::{Lookup, best_lookup};
use crate::objects::{self, OBJECT, Object, matching};
use crate::records;
use crate::store::{IndexHit, IndexQuery, IndexRange};
use crate::wait::breathe;
use kmip_protocol::{
    AttributeKind, AttributePattern, AttributeReference, LocateRequest, LocateResponse, ObjectGroupMember,
    StorageStatusMask,
};
use kmip_ttlv::{Reader, Value};

/// Candidates fetched from the index at a time.
const PAGE: usize = 256;

const DIGEST: AttributeReference = AttributeReference::Known(AttributeKind::Digest);

impl Handle for LocateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<LocateResponse, Failure> {
        let patterns = self.patterns();
        let unknown = |p: &AttributePattern| {
            matches!(
                p.reference(),
                AttributeReference::UnknownTag(_) | AttributeReference::UnknownName(_)
            )
        };
        if patterns.len() > context.services.limits.patterns {
            return Err(Fault::LimitExceeded.into());
        }
        if patterns.iter().any(unknown) {
            return Err(Fault::InvalidAttribute.into());
        }
        let bounds = [self.maximum_items, self.offset_items];
        if bounds.into_iter().flatten().any(|n| n < 0) {
            return Err(Fault::InvalidField.into());
        }
        let mut found = Found {
            skip: self.offset_items.and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
            most: self
                .maximum_items
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(usize::MAX),
            ..Found::default()
        };
        found.most = found.most.min(context.services.limits.located);
        let of_group = patterns
            .iter()
            .any(|p| *p.reference() == AttributeReference::Known(AttributeKind::ObjectGroup));
        let member = self.object_group_member.filter(|_| of_group);
        found.members = member.map(|_| Vec::new());
        self.search(context, &patterns, &mut found).await?;
        if let Some(member) = member {
            found.choose(member);
        }
        // Exactly one identifier becomes the ID Placeholder; several, or none, empty it.
        context.batch.placeholder = None;
        if let [only] = found.identifiers.as_slice()
            && (found.matching == 1 || self.maximum_items == Some(1))
        {
            context.batch.placeholder = Some(only.clone());
        }
        let operation = context.batch.operation;
        context.batch.identifiers.open(operation);
        found.identifiers.iter().for_each(|one| context.tell(one));
        let located_items = if found.complete {
            i32::try_from(found.matching).ok()
        } else {
            None
        };
        Ok(LocateResponse {
            located_items,
            unique_identifiers: found.identifiers,
        })
    }
}

/// What a search has found so far.
#[derive(Default)]
struct Found {
    skip: usize,
    most: usize,
    matching: usize,
    identifiers: Vec<String>,
    /// Whether every candidate was looked at, so that the count is true.
    complete: bool,
    /// The members of an Object Group that match, newest first, and whether each is fresh: the choice among them needs all.
    members: Option<Vec<(String, bool)>>,
}

impl Found {
    fn count(&mut self, object: &Object) {
        if let Some(members) = &mut self.members {
            let fresh = object.attributes.flag(AttributeKind::Fresh, false);
            members.push((object.unique_identifier.clone(), fresh));
            return;
        }
        if self.matching >= self.skip && self.identifiers.len() < self.most {
            self.identifiers.push(object.unique_identifier.clone());
        }
        self.matching = self.matching.saturating_add(1);
    }

    /// Members of a group are given out in the order in which they were made. The default one is the oldest that is fresh,
    /// or where none is, the oldest (KMIP 2.1 §6.1.28: "as defined by server policy"). Several are told newest first, as always.
    fn choose(&mut self, member: ObjectGroupMember) {
        let mut chosen = self.members.take().unwrap_or_default();
        chosen.reverse();
        if member == ObjectGroupMember::GroupMemberDefault {
            let default = chosen.iter().position(|(_, fresh)| *fresh).unwrap_or(0);
            chosen = chosen.into_iter().skip(default).take(1).collect();
        }
        self.matching = chosen.len();
        let wanted = chosen.into_iter().skip(self.skip).take(self.most);
        self.identifiers = wanted.map(|(identifier, _)| identifier).collect();
        self.identifiers.reverse();
    }
}

/// The parts of a search.
trait Search {
    fn patterns(&self) -> Vec<AttributePattern>;
    fn is_searched(&self, object: &Object, now: i64) -> bool;
    fn search(
        &self,
        context: &mut Context<'_>,
        patterns: &[AttributePattern],
        found: &mut Found,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    fn examine(
        &self,
        context: &mut Context<'_>,
        query: &IndexQuery,
        hit: IndexHit,
        patterns: &[AttributePattern],
        found: &mut Found,
        now: i64,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl Search for LocateRequest {
    /// Also those that one vendor's clients wrap in a Template-Attribute.
    fn patterns(&self) -> Vec<AttributePattern> {
        let wrapped = self.template_attribute.iter().flat_map(|t| t.attributes.iter());
        self.attributes
            .0
            .iter()
            .cloned()
            .chain(wrapped.map(AttributePattern::exactly))
            .collect()
    }

    /// Whether the object's storage status and freshness are among those asked for.
    fn is_searched(&self, object: &Object, _: i64) -> bool {
        let asked = self.storage_status_mask.unwrap_or(StorageStatusMask::OnLineStorage);
        let dates = object.attributes.dates();
        let stored = if dates.destroy.is_some() {
            asked.contains(StorageStatusMask::DestroyedStorage)
        } else if dates.archive.is_some() {
            asked.contains(StorageStatusMask::ArchivalStorage)
        } else {
            asked.contains(StorageStatusMask::OnLineStorage)
        };
        let fresh = self.object_group_member != Some(ObjectGroupMember::GroupMemberFresh)
            || object.attributes.flag(AttributeKind::Fresh, false);
        stored && fresh
    }

    async fn search(
        &self,
        context: &mut Context<'_>,
        patterns: &[AttributePattern],
        found: &mut Found,
    ) -> Result<(), Failure> {
        let now = context.seconds();
        if let Some(identifier) = asked_identifier(patterns) {
            found.complete = true;
            let object = match context.find(&identifier).await {
                // Another client's alone: it is not found.
                Err(failure) if failure.fault() == Fault::PermissionDenied => None,
                found => found?,
            };
            if let Some(mut object) = object {
                tell_used(context, &mut object, patterns).await?;
                if self.is_searched(&object, now) && matching::matches(&object, patterns, now) {
                    found.count(&object);
                }
            }
            return Ok(());
        }
        let client = context.client()?;
        let Lookup { attribute, range } = best_lookup(patterns);
        let mut query = IndexQuery {
            domain: client.tenant,
            kind: OBJECT,
            application: client.application,
            attribute,
            range,
            before: None,
            limit: PAGE,
        };
        let most = context.services.limits.examined;
        let left = most.saturating_sub(context.batch.examined);
        if left == 0 {
            return Err(Fault::LimitExceeded.into());
        }
        // The hits of one value lie in their order, so that a page costs what it holds. Those of a range must be put in order
        // each time they are asked for, so they are asked for once.
        query.limit = match query.range {
            IndexRange::Equal(_) => PAGE.min(left),
            IndexRange::Between { .. } | IndexRange::InOrder { .. } | IndexRange::Any => left,
        };
        loop {
            let hits = context.work.find(&query).await?;
            for page in hits.chunks(PAGE) {
                for hit in page {
                    self.examine(context, &query, *hit, patterns, found, now).await?;
                }
                breathe().await;
            }
            context.batch.examined = context.batch.examined.saturating_add(hits.len());
            match hits.last() {
                Some(last) if hits.len() >= query.limit => query.before = Some(last.creation),
                _ => {
                    found.complete = true;
                    return Ok(());
                }
            }
            if context.batch.examined >= most {
                return Ok(());
            }
        }
    }

    /// A hit is a hint: what it leads to is compared, and rests on no revision, since Locate decides nothing.
    async fn examine(
        &self,
        context: &mut Context<'_>,
        query: &IndexQuery,
        hit: IndexHit,
        patterns: &[AttributePattern],
        found: &mut Found,
        now: i64,
    ) -> Result<(), Failure> {
        let Some(record) = context.work.peek(hit.key).await? else {
            return Ok(());
        };
        if context.services.quarantine.holds(hit.key) {
            return Ok(());
        }
        let body = match records::open(&context.services.custody, &record) {
            Ok(body) => body,
            // One that was altered is refused where it is asked for, and does not keep the others from being found.
            Err(CustodyError::Refused | CustodyError::Record) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut object = Object::decode(body)?;
        if patterns.iter().any(|p| *p.reference() == DIGEST) {
            digests::turn(&context.services.custody, query.domain, &mut object)?;
        }
        let mine =
            objects::key(query.domain, &object.unique_identifier) == hit.key && object.application == query.application;
        if mine {
            tell_used(context, &mut object, patterns).await?;
        }
        let mine = mine && context.reach(&object.unique_identifier, &object.attributes).is_ok();
        let mine = mine && context.knows(object.object_type) && context.shows(&object.attributes)?;
        let mine = mine && ownership::shows(&object, context.client()?.client);
        if mine && self.is_searched(&object, now) && matching::matches(&object, patterns, now) {
            found.count(&object);
        }
        Ok(())
    }
}

/// What is left of Usage Limits is looked up only where it is asked for.
async fn tell_used(
    context: &mut Context<'_>,
    object: &mut Object,
    patterns: &[AttributePattern],
) -> Result<(), Failure> {
    if patterns.iter().any(|p| usage::is_counted(p.reference())) {
        usage::tell(context, object).await?;
    }
    Ok(())
}

/// The Unique Identifier that is asked for, if one is: it needs no index.
fn asked_identifier(patterns: &[AttributePattern]) -> Option<String> {
    let pattern = patterns
        .iter()
        .find(|p| *p.reference() == AttributeReference::Known(AttributeKind::UniqueIdentifier))?;
    match Reader::new(pattern.value()).item() {
        Ok((_, Value::TextString(text))) => Some(text.to_owned()),
        _ => None,
    }
}
