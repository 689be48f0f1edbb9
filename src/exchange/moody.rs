//! For tests: an HSM that can be away, and a tenant with two operators whose KEKs it keeps.

use super::assembly::{Voter, put_policy, voter};
use super::testing::TestHouse;
use crate::administration::kek;
use crate::authority::quorum::{Scope, template};
use crate::custody::{
    Capabilities, CustodyError, KekProvider, KekRecord, Locked, NewKek, Placement, ProfileId, Sealer, SealerKind,
    SoftwareKeks, WrapContext,
};
use crate::objects::{OBJECT, Object};
use crate::records;
use crate::wait::Wait;
use kmip_protocol::{
    GetRequest, KekActivateRequest, KekCreateRequest, KekDeleteRequest, KekListRequest, KekRewrapGetRequest,
    KekRewrapRequest, KekState, PersonRole, PolicyTemplate, ProposalState, Request, ResponsePayload, ResultStatus,
    Rewrap, UniqueIdentifier, Version,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Key files behind an HSM that can be away.
pub struct Moody {
    pub keks: SoftwareKeks,
    pub away: Arc<AtomicBool>,
    /// It destroys nothing, and does the rest.
    pub stuck: AtomicBool,
    pub destroyed: AtomicUsize,
}

pub struct MoodySealer {
    pub inner: Arc<dyn Sealer>,
    pub away: Arc<AtomicBool>,
}

pub fn answers(away: &AtomicBool) -> Result<(), CustodyError> {
    match away.load(Ordering::SeqCst) {
        true => Err(CustodyError::Unavailable),
        false => Ok(()),
    }
}

impl KekProvider for Moody {
    fn kind(&self) -> SealerKind {
        self.keks.kind()
    }

    fn create<'a>(&'a self, kek: &'a NewKek, login: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        self.keks.create(kek, login)
    }

    fn find<'a>(&'a self, kek: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        self.keks.find(kek)
    }

    fn destroy<'a>(&'a self, record: &'a KekRecord, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        Box::pin(async move {
            answers(&self.stuck)?;
            self.destroyed.fetch_add(1, Ordering::SeqCst);
            self.keks.destroy(record, login).await
        })
    }

    fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        Ok(Arc::new(MoodySealer {
            inner: self.keks.sealer(record)?,
            away: Arc::clone(&self.away),
        }))
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        self.keks.health()
    }

    fn examine<'a>(&'a self, login: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        self.keks.examine(login)
    }
}

impl Sealer for MoodySealer {
    fn kind(&self) -> SealerKind {
        self.inner.kind()
    }

    fn wrap<'a>(&'a self, context: WrapContext, key: &'a Locked) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        Box::pin(async move {
            answers(&self.away)?;
            // Others have their turn while an HSM works.
            crate::wait::breathe().await;
            self.inner.wrap(context, key).await
        })
    }

    fn unwrap<'a>(&'a self, context: WrapContext, wrapped: &'a [u8]) -> Wait<'a, Result<Locked, CustodyError>> {
        Box::pin(async move {
            answers(&self.away)?;
            self.inner.unwrap(context, wrapped).await
        })
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        self.inner.health()
    }
}

pub struct Scene {
    pub house: TestHouse,
    pub olga: Voter,
    pub otto: Voter,
    pub hsm: Arc<Moody>,
}

impl Scene {
    pub async fn open() -> Self {
        Self::over(TestHouse::new().await).await
    }

    pub async fn over(house: TestHouse) -> Self {
        let services = house.server.services();
        let custody = &services.custody;
        let keks = SoftwareKeks::new(house.folder(), custody.slab().clone(), Arc::clone(&services.randomness));
        let hsm = Arc::new(Moody {
            keks,
            away: Arc::default(),
            stuck: AtomicBool::new(false),
            destroyed: AtomicUsize::new(0),
        });
        custody.add_provider(ProfileId([1; 16]), hsm.clone());
        kek::open_domain(custody, &house.store, house.tenant).await.unwrap();
        let olga = voter(&house, house.tenant, "olga", PersonRole::Operator).await;
        let otto = voter(&house, house.tenant, "otto", PersonRole::Operator).await;
        put_policy(&house, house.tenant, template(PolicyTemplate::Mtg, Scope::Tenant)).await;
        let scene = Self { house, olga, otto, hsm };
        assert_eq!(scene.agree(KekCreateRequest::default()).await, ProposalState::Executed);
        scene
    }

    /// Has something done on which both agree.
    pub async fn agree<R: Request>(&self, request: R) -> ProposalState {
        let id = self.olga.propose(&self.house, request).await;
        self.olga.approve(&self.house, &id).await;
        self.otto.approve(&self.house, &id).await;
        self.otto.complete(&self.house, &id).await;
        self.olga.state(&self.house, &id).await
    }

    pub async fn activate(&self, kek_generation: i32) {
        let item = self.olga.ask(&self.house, KekActivateRequest { kek_generation }).await;
        assert_eq!(item.result_status, ResultStatus::Success);
    }

    pub async fn rewrap(&self) {
        let request = KekRewrapRequest {
            kek_generation: Some(1),
            records_per_second: Some(100_000),
        };
        assert_eq!(self.agree(request).await, ProposalState::Executed);
    }

    pub async fn delete(&self) -> ProposalState {
        self.agree(KekDeleteRequest { kek_generation: 1 }).await
    }

    pub async fn progress(&self) -> Rewrap {
        match self.otto.ask(&self.house, KekRewrapGetRequest::default()).await.payload {
            Some(ResponsePayload::KekRewrapGet(told)) => told.rewrap.unwrap(),
            _ => panic!("no rewrap"),
        }
    }

    pub async fn states(&self) -> Vec<(i32, KekState)> {
        match self.olga.ask(&self.house, KekListRequest::default()).await.payload {
            Some(ResponsePayload::KekList(list)) => list.keks.iter().map(|k| (k.kek_generation, k.kek_state)).collect(),
            _ => panic!("no list"),
        }
    }

    /// The clockwork's look, until there is nothing to do for it now.
    pub async fn tend(&self) {
        for _ in 0..64 {
            self.house.server.tend().await;
            self.house.clock.advance(1);
        }
    }

    /// The generations of the KEKs that the tenant's objects lie under.
    pub async fn in_use(&self) -> BTreeSet<u32> {
        let objects = objects(&self.house).await;
        let sealed = objects.into_iter().filter_map(|object| object.material);
        sealed.map(|material| material.sealed.kek_generation).collect()
    }

    pub fn key_file(&self) -> usize {
        let entries = std::fs::read_dir(self.house.folder()).unwrap();
        entries
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "kek"))
            .count()
    }
}

pub async fn objects(house: &TestHouse) -> Vec<Object> {
    let custody = &house.server.services().custody;
    let found = house.store.scan(house.tenant, OBJECT, None, 100_000).await.unwrap();
    let object = |record| Object::decode(records::open(custody, record).unwrap()).unwrap();
    found.iter().map(object).collect()
}

pub async fn get(house: &TestHouse, identifier: &str) -> Option<ResponsePayload> {
    let request = GetRequest {
        unique_identifier: Some(UniqueIdentifier::Text(identifier.to_owned())),
        ..GetRequest::default()
    };
    house.item(Version::NEWEST, request, &house.alice).await.payload
}
