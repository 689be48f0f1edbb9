//! A server without sockets: an embedded store, a trail, and tenants with a client each.

use std::path::Path;
use std::sync::Arc;

use certs::{CertificateAuthority, KeyKind, Leaf, Subject, Usage, Validity};
use claviger::administration::quarantine::barrier;
use claviger::administration::{act, hsm_profile, kek, server_act};
use claviger::audit::{ChainStart, LateChain, RatchetChain, SegmentSettings, SegmentTrail, StreamId, TrailKind};
use claviger::authority::quorum::{Scope, template};
use claviger::authority::{InstallationRecord, PolicyRecord};
use claviger::clock::{Clock, Moment, SystemClock};
use claviger::compose::{self, Parts};
use claviger::crypto::{OsRandomness, Randomness};
use claviger::custody::{
    Benches, Custody, InstallationRoot, Keeping, KekId, KekProvider, KekRecord, Links, NewKek, NewPair, NewProtected,
    Outfit, ProfileId, ProfileRecord, Slab,
};
use claviger::exchange::{ConnectionFacts, Exchange, Server, TlsFacts};
use claviger::identity::{
    ApplicationRecord, AuthorityRecord, ClientId, ClientRecord, Credential, Enroll, Identity, IdentityChange,
    PeerCertificate, StoreDirectory, TenantRecord, tenant_counter,
};
use claviger::objects;
use claviger::operations::keeper::Keeper;
use claviger::operations::{About, Limits, Services};
use claviger::records;
use claviger::scrub::{Gated, Quarantine, first_key};
use claviger::store::{Domain, SqliteSettings, SqliteStore, Store, Work};
use kmip_protocol::{
    Attribute, Attributes, CreateRequest, CryptographicAlgorithm, CryptographicUsageMask, GetRequest, ObjectType,
    PolicyTemplate, Request, RequestMessage, ResponseMessage, ResponsePayload, ResultStatus, TemplateAttribute,
    UniqueIdentifier, Version,
};
use kmip_ttlv::Writer;

use crate::token::PROFILE;

const SOFTWARE: ProfileId = ProfileId([1; 16]);

/// What keeps a tenant's KEK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Software,
    Resident,
    Protected,
}

pub struct House {
    pub server: Arc<Server>,
    store: Arc<dyn Store>,
    links: Links,
    now_ms: i64,
}

/// A tenant's client, and the message by which it gets a key.
#[derive(Clone)]
pub struct Client {
    pub tenant: Domain,
    facts: ConnectionFacts,
    key: String,
    get: Vec<u8>,
}

fn chain(kind: TrailKind, custody: &Custody) -> RatchetChain {
    let stream = StreamId([if kind == TrailKind::Change { 1 } else { 2 }; 16]);
    let key = first_key(custody, kind, stream).unwrap();
    RatchetChain::new(kind, ChainStart::new_stream(stream, [0; 32], key))
}

fn message<R: Request>(request: R) -> Vec<u8> {
    let mut writer = Writer::new();
    RequestMessage::single(Version::NEWEST, request).write(&mut writer);
    writer.into_bytes()
}

impl House {
    /// Its own records lie under a software KEK; tenants choose.
    pub async fn build(folder: &Path, hsm: Arc<dyn KekProvider>) -> Self {
        let late = LateChain::default();
        let store = SqliteStore::open(&SqliteSettings::new(folder.join("store.db")), Box::new(late.clone())).unwrap();
        let quarantine = Arc::new(Quarantine::new(barrier));
        let store: Arc<dyn Store> = Arc::new(Gated::new(Arc::new(store), Arc::clone(&quarantine)));
        let now_ms = SystemClock::start().now().0;
        let randomness: Arc<dyn Randomness> = Arc::new(OsRandomness::new());
        let slab = Slab::new().unwrap();
        let custody = Arc::new(Custody::new(slab.clone(), Arc::clone(&randomness)));
        let root = InstallationRoot::create_file(&slab, randomness.as_ref(), &folder.join("root.key")).unwrap();
        custody.keep_protected(root.binding_key(&slab).unwrap(), Keeping::default());
        let benches = Benches {
            keks: folder.to_owned(),
            ..Benches::default()
        };
        let outfit = Arc::new(Outfit::new(benches, root, slab, Arc::clone(&randomness)));
        let record = ProfileRecord {
            name: "software".into(),
            ..ProfileRecord::default()
        };
        outfit.put_to_work(&custody, SOFTWARE, &record, None);
        custody.add_provider(PROFILE, hsm);
        let links = Links(vec![SOFTWARE, PROFILE]);
        let mut work = Work::new(Arc::clone(&store));
        kek::found_domain(
            &custody,
            &mut work,
            Domain::SYSTEM,
            SOFTWARE,
            KekId([9; 16]),
            now_ms,
            None,
        )
        .await
        .unwrap();
        hsm_profile::put(&custody, &mut work, SOFTWARE, &record).await.unwrap();
        hsm_profile::put_links(&custody, &mut work, Domain::SYSTEM, &links)
            .await
            .unwrap();
        late.begin(chain(TrailKind::Change, &custody));
        store.commit(work.into_change_set(now_ms)).await.unwrap();
        let directory = StoreDirectory::new(Arc::clone(&store), Arc::new(Keeper(Arc::clone(&custody))));
        let identity = Arc::new(Identity::open(Arc::new(directory)).await.unwrap());
        let access = SegmentTrail::open(
            SegmentSettings::new(folder.join("access")),
            Box::new(chain(TrailKind::Access, &custody)),
        );
        let parts = Parts {
            store: Arc::clone(&store),
            custody,
            identity,
            randomness,
            access: Arc::new(access.unwrap()),
            installation: InstallationRecord::new([3; 16]),
            outbox: Arc::default(),
            freshness: Arc::default(),
            quarantine,
            about: About::default(),
            limits: Limits::default(),
            outfit,
        };
        Self {
            server: Arc::new(compose::server(parts)),
            store,
            links,
            now_ms,
        }
    }

    /// Makes a tenant with a KEK of this kind, a client of it, and a key.
    pub async fn tenant(&self, kind: Kind) -> Client {
        let Services {
            custody, randomness, ..
        } = self.server.services();
        let domain = Domain(randomness.array().unwrap());
        let mut work = Work::new(Arc::clone(&self.store));
        let kek = self.kek(domain, kind).await;
        kek::found_domain_on(custody, &mut work, kek, self.now_ms)
            .await
            .unwrap();
        hsm_profile::put_links(custody, &mut work, domain, &self.links)
            .await
            .unwrap();
        let name = format!("{kind:?}");
        let validity = Validity::days(self.now_ms / 1000, 365);
        let ca = CertificateAuthority::create(&Subject::named(&name), validity, KeyKind::P256).unwrap();
        let leaf = Leaf {
            subject: Subject::named("client"),
            alternative_names: Vec::new(),
            usage: Usage::Client,
            validity,
        };
        let certificate = ca.issue(&leaf, KeyKind::P256).unwrap().0;
        let facts = ConnectionFacts {
            connection: 1,
            peer: "127.0.0.1:4000".parse().unwrap(),
            listener: "bench".into(),
            certificate: Arc::new(PeerCertificate::read(vec![certificate]).unwrap()),
            tls: TlsFacts {
                version: "TLSv1.3",
                cipher: "TLS13_AES_256_GCM_SHA384",
                group: "secp256r1",
                resumed: false,
            },
            roles: None,
        };
        self.enroll(&mut work, domain, &name, ca.certificate(), &facts).await;
        let policy = PolicyRecord::first(template(PolicyTemplate::Mtg, Scope::Tenant), self.now_ms);
        for key in [PolicyRecord::key(domain), PolicyRecord::version_key(domain, 1)] {
            kek::put(custody, &mut work, key, policy.encode()).await.unwrap();
        }
        work.audit(server_act(act::GENESIS, domain, Moment(self.now_ms), "tenant"));
        self.store.commit(work.into_change_set(self.now_ms)).await.unwrap();
        self.server.identity().changed(IdentityChange::All).await.unwrap();
        let key = self.create_over(&facts).await;
        let get = message(GetRequest {
            unique_identifier: Some(UniqueIdentifier::Text(key.clone())),
            ..GetRequest::default()
        });
        let tenant = domain;
        let client = Client {
            tenant,
            facts,
            key,
            get,
        };
        // The first Get of a key is a change: it is fresh no more.
        let answer = self.server.answer(client.get.clone(), &client.facts).await;
        let answer = ResponseMessage::read(&answer).unwrap();
        assert_eq!(answer.items[0].result_status, ResultStatus::Success);
        client
    }

    async fn kek(&self, domain: Domain, kind: Kind) -> KekRecord {
        let Services {
            custody, randomness, ..
        } = self.server.services();
        let id = KekId(randomness.array().unwrap());
        if kind == Kind::Protected {
            let new = NewProtected {
                id,
                domain,
                generation: 1,
                pairs: vec![NewPair {
                    profile: PROFILE,
                    cka_id: id.0.to_vec(),
                    login: None,
                }],
                created_ms: self.now_ms,
            };
            return custody.create_protected(&new).await.unwrap();
        }
        let new = NewKek {
            id,
            domain,
            generation: 1,
            profile: if kind == Kind::Software { SOFTWARE } else { PROFILE },
            cka_id: id.0.to_vec(),
            created_ms: self.now_ms,
        };
        custody.create_kek(&new, None).await.unwrap()
    }

    async fn enroll(&self, work: &mut Work, tenant: Domain, name: &str, authority: &[u8], facts: &ConnectionFacts) {
        let Services {
            custody, randomness, ..
        } = self.server.services();
        let keeper = Keeper(Arc::clone(custody));
        let mut enroll = Enroll::new(work, &keeper);
        let record = TenantRecord {
            name: name.into(),
            created_ms: self.now_ms,
            ..TenantRecord::default()
        };
        enroll.tenant(tenant, &record).await.unwrap();
        let record = AuthorityRecord {
            name: name.into(),
            certificate: authority.to_vec(),
            created_ms: self.now_ms,
            ..AuthorityRecord::default()
        };
        let id = || randomness.array().unwrap();
        enroll.authority(tenant, id(), &record).await.unwrap();
        let (application, client) = (id(), id());
        let record = ApplicationRecord {
            name: name.into(),
            created_ms: self.now_ms,
        };
        enroll.application(tenant, application, &record).await.unwrap();
        let record = ClientRecord {
            name: name.into(),
            application,
            credentials: vec![Credential::Key(*facts.certificate.key_fingerprint())],
            created_ms: self.now_ms,
            ..ClientRecord::default()
        };
        enroll.client(ClientId { tenant, client }, &record).await.unwrap();
        work.set_counter(TenantRecord::counters(tenant), tenant_counter::CLIENTS, 1);
    }

    /// Makes a key.
    pub async fn create(&self, client: &Client) {
        self.create_over(&client.facts).await;
    }

    /// Puts as many copies of the client's key beside it.
    pub async fn multiply(&self, client: &Client, copies: u32) {
        let custody = &self.server.services().custody;
        let key = objects::key(client.tenant, &client.key);
        let record = self.store.load(key).await.unwrap().unwrap();
        let body = records::open(custody, &record).unwrap().to_vec();
        for first in (0..copies).step_by(1_000) {
            let mut work = Work::new(Arc::clone(&self.store));
            for number in first..copies.min(first + 1_000) {
                let key = objects::key(client.tenant, &number.to_string());
                kek::put(custody, &mut work, key, body.clone()).await.unwrap();
            }
            self.store.commit(work.into_change_set(self.now_ms)).await.unwrap();
        }
    }

    async fn create_over(&self, facts: &ConnectionFacts) -> String {
        let attributes = [
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            Attribute::CryptographicLength(256),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt | CryptographicUsageMask::Decrypt),
        ];
        let create = message(CreateRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: TemplateAttribute::from(attributes.into_iter().collect::<Attributes>()),
            protection_storage_masks: None,
        });
        let answer = self.server.answer(create, facts).await;
        let item = ResponseMessage::read(&answer).unwrap().items.remove(0);
        match item.payload {
            Some(ResponsePayload::Create(made)) => made.unique_identifier,
            _ => panic!("not created: {:?}", item.result_message),
        }
    }
}

impl Client {
    /// Gets the key; answers the answer's length.
    pub async fn get(&self, server: &Server) -> usize {
        server.answer(self.get.clone(), &self.facts).await.len()
    }
}
