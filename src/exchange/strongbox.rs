//! For tests: an HSM whose management login is shared, a tenant in front of it, and everybody's share keys.

use super::assembly::{Voter, put_policy, voter};
use super::testing::TestHouse;
use crate::authority::quorum::{Scope, template};
use crate::custody::probe::{Feature, Finding};
use crate::custody::sharing::{Envelope, ShareSecret};
use crate::custody::{
    Capabilities, CustodyError, KekProvider, KekRecord, Locked, NewKek, Placement, ProfileId, Sealer, SealerKind,
    SoftwareKeks,
};
use crate::store::Domain;
use crate::wait::Wait;
use kmip_protocol::{
    HeldShare, KekCreateRequest, KeyHolder, ManagementPutRequest, OpenedShare, PersonRole, PolicyTemplate, Possession,
    ProposalDetail, ProposalState, ProposalVoteRequest, Request, ResponseItem, ResponsePayload, SecretText,
    ShareKeyPutRequest, ShareKeyRevokeRequest, Sharing, SharingGrantRequest, SharingListRequest, TenantGetRequest,
    VoteDecision, possession_statement,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub const PIN: &str = "keeper:of the keys to all keys";

/// Key files behind an HSM that makes and destroys keys for whoever shows this PIN.
pub struct Strongbox {
    pub keks: SoftwareKeks,
    pub pin: std::sync::Mutex<&'static str>,
    /// Whether its other user makes and destroys keys as well.
    pub lax: AtomicBool,
}

impl Strongbox {
    pub fn admits(&self, login: Option<&Locked>) -> Result<(), CustodyError> {
        let pin = self.pin.lock().unwrap();
        match login {
            Some(login) if login.expose() == pin.as_bytes() => Ok(()),
            _ => Err(CustodyError::Credential),
        }
    }
}

impl KekProvider for Strongbox {
    fn kind(&self) -> SealerKind {
        SealerKind::Resident
    }

    fn create<'a>(&'a self, kek: &'a NewKek, login: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        Box::pin(async move {
            self.admits(login)?;
            self.keks.create(kek, login).await
        })
    }

    fn find<'a>(&'a self, kek: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        self.keks.find(kek)
    }

    fn destroy<'a>(&'a self, record: &'a KekRecord, login: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        Box::pin(async move {
            self.admits(login)?;
            self.keks.destroy(record, login).await
        })
    }

    fn sealer(&self, record: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        self.keks.sealer(record)
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        self.keks.health()
    }

    fn examine<'a>(&'a self, login: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        Box::pin(async move {
            if login.is_some() {
                self.admits(login)?;
            }
            let mut found = self.keks.examine(login).await?;
            if self.lax.load(Ordering::SeqCst) {
                found.note(Feature::UsageCreates, Finding::Works);
            }
            Ok(found)
        })
    }
}

pub struct Scene {
    pub house: TestHouse,
    pub hsm: Arc<Strongbox>,
    pub tenant_name: String,
    pub administrators: [Voter; 2],
    pub operators: [Voter; 3],
    pub keys: BTreeMap<String, ShareSecret>,
}

pub fn payload(item: ResponseItem) -> ResponsePayload {
    item.payload
        .unwrap_or_else(|| panic!("{:?}", item.result_message.unwrap_or_default()))
}

impl Scene {
    /// A tenant with three operators, of whom two agree, in front of an HSM with two users.
    pub async fn open() -> Self {
        let house = TestHouse::new().await;
        let services = house.server.services();
        let keks = SoftwareKeks::new(
            house.folder(),
            services.custody.slab().clone(),
            Arc::clone(&services.randomness),
        );
        let hsm = Arc::new(Strongbox {
            keks,
            pin: std::sync::Mutex::new(PIN),
            lax: AtomicBool::new(false),
        });
        services.custody.add_provider(ProfileId([1; 16]), hsm.clone());
        let mut administrators = Vec::new();
        for name in ["ada", "alan"] {
            administrators.push(voter(&house, Domain::SYSTEM, name, PersonRole::Administrator).await);
        }
        let mut operators = Vec::new();
        for name in ["olga", "oscar", "otto"] {
            operators.push(voter(&house, house.tenant, name, PersonRole::Operator).await);
        }
        let mtg = |scope| template(PolicyTemplate::Mtg, scope);
        put_policy(&house, Domain::SYSTEM, mtg(Scope::System)).await;
        put_policy(&house, house.tenant, mtg(Scope::Tenant)).await;
        let asked = operators[0].ask(&house, TenantGetRequest::default()).await;
        let ResponsePayload::TenantGet(told) = payload(asked) else {
            panic!("no tenant")
        };
        Self {
            tenant_name: told.tenant.tenant_name,
            house,
            hsm,
            administrators: administrators.try_into().ok().unwrap(),
            operators: operators.try_into().ok().unwrap(),
            keys: BTreeMap::new(),
        }
    }

    /// The same with everybody's share key, and the credential shared among administrators and operators.
    pub async fn shared() -> Self {
        let mut scene = Self::open().await;
        for place in 0..5 {
            scene.enroll(place).await;
        }
        let [ada, alan] = &scene.administrators;
        let state = scene.carry(ada, alan, scene.management()).await;
        assert_eq!(state, ProposalState::Executed);
        assert_eq!(scene.grant().await, ProposalState::Executed);
        scene
    }

    pub fn management(&self) -> ManagementPutRequest {
        ManagementPutRequest {
            hsm_profile_name: "software".into(),
            management_pin: SecretText::new(*self.hsm.pin.lock().unwrap()),
        }
    }

    pub async fn grant(&self) -> ProposalState {
        let [ada, alan] = &self.administrators;
        let request = SharingGrantRequest {
            hsm_profile_name: "software".into(),
            tenant_name: self.tenant_name.clone(),
        };
        self.carry(ada, alan, request).await
    }

    pub fn person(&self, place: usize) -> &Voter {
        let mut all = self.operators.iter().chain(&self.administrators);
        all.nth(place).unwrap()
    }

    /// A new share key for somebody, by two of the domain.
    pub async fn enroll(&mut self, place: usize) -> ProposalState {
        let key = certs::PrivateKey::generate(certs::KeyKind::P256).unwrap();
        let secret = ShareSecret::read(&key.to_der()).unwrap();
        let who = self.person(place);
        let request = self.share_key(who, &key);
        let (one, other) = match place {
            0 => (&self.operators[0], &self.operators[1]),
            1 | 2 => (&self.operators[place], &self.operators[0]),
            3 => (&self.administrators[0], &self.administrators[1]),
            _ => (&self.administrators[1], &self.administrators[0]),
        };
        let state = self.carry(one, other, request).await;
        let name = self.name(who);
        self.keys.insert(name, secret);
        state
    }

    pub fn name(&self, who: &Voter) -> String {
        match &who.principal {
            crate::identity::Principal::Person(person) => person.name.clone(),
            _ => panic!("no person"),
        }
    }

    pub fn share_key(&self, who: &Voter, key: &certs::PrivateKey) -> ShareKeyPutRequest {
        let crate::identity::Principal::Person(person) = &who.principal else {
            panic!("no person")
        };
        let public_key_info = key.public_key_info();
        let statement = possession_statement(&Possession {
            instance_identifier: &self.house.server.services().installation.instance,
            tenant_name: (person.domain != Domain::SYSTEM).then_some(&*self.tenant_name),
            holder: KeyHolder::Shares(person.role, &person.name),
            key_fingerprint: &certs::fingerprint(&public_key_info),
        });
        ShareKeyPutRequest {
            person_name: person.name.clone(),
            possession_proof: key.sign(statement.as_bytes()).unwrap(),
            public_key_info,
        }
    }

    pub async fn look(&self, who: &Voter, proposal: &[u8]) -> ProposalDetail {
        match payload(who.look(&self.house, proposal).await) {
            ResponsePayload::ProposalGet(told) => told.proposal,
            _ => panic!("no proposal"),
        }
    }

    pub fn opened(&self, who: &Voter, held: &[HeldShare]) -> Vec<OpenedShare> {
        let Some(secret) = self.keys.get(&self.name(who)) else {
            return Vec::new();
        };
        let open = |share: &HeldShare| {
            let envelope = Envelope {
                encapsulated: share.encapsulated_key.clone(),
                sealed: share.sealed_share.clone(),
            };
            Some(OpenedShare {
                share_context: share.share_context.clone(),
                share: secret.open(&share.share_context, &envelope).ok()?,
            })
        };
        held.iter().filter_map(open).collect()
    }

    pub fn approval(&self, proposal: &[u8], opened_shares: Vec<OpenedShare>) -> ProposalVoteRequest {
        ProposalVoteRequest {
            proposal_identifier: proposal.to_vec(),
            decision: VoteDecision::Approve,
            statement: None,
            signature: None,
            reason: None,
            opened_shares,
        }
    }

    /// Votes with whatever shares are his.
    pub async fn vote(&self, who: &Voter, proposal: &[u8]) {
        let held = self.look(who, proposal).await.held_shares;
        let request = self.approval(proposal, self.opened(who, &held));
        payload(who.ask(&self.house, request).await);
    }

    /// Has two agree on a request and the second complete it.
    pub async fn carry<R: Request>(&self, one: &Voter, other: &Voter, request: R) -> ProposalState {
        let id = one.propose(&self.house, request).await;
        for who in [one, other] {
            self.vote(who, &id).await;
        }
        other.complete(&self.house, &id).await;
        other.state(&self.house, &id).await
    }

    /// Takes so many share keys that the tenant's people can open nothing any more.
    pub async fn lose(&self) {
        for person_name in ["oscar", "otto"] {
            let revoke = ShareKeyRevokeRequest {
                person_name: person_name.to_owned(),
                force: Some(true),
            };
            payload(self.operators[0].ask(&self.house, revoke).await);
        }
    }

    pub async fn kek(&self, one: &Voter, other: &Voter) -> ProposalState {
        self.carry(one, other, KekCreateRequest::default()).await
    }

    pub async fn sharing(&self, who: &Voter) -> Sharing {
        match payload(who.ask(&self.house, SharingListRequest::default()).await) {
            ResponsePayload::SharingList(list) => list.sharings.into_iter().next().unwrap(),
            _ => panic!("no sharing"),
        }
    }
}
