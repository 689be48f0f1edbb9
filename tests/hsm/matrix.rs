//! Each kind of fault, at each function of PKCS#11 that an operation calls: nothing is lost, no other tenant is disturbed, it works
//! again without a restart once the fault is over, clients are told the right reason, and a PIN that was refused is not sent again.
//!
//! An operation's row names the functions that it calls; the faults go through all of them. Cells that have no meaning are left out by
//! [`Class::fits`], each with its reason.

use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::custody::{
    Custody, CustodyError, KekId, KekProvider, KekRecord, KekState, NewPair, NewProtected, PairName, ResidentKeks,
};
use claviger::failure::{Failure, Fault};

use crate::world::{self, CONTEXT, MATERIAL, Tenant, Token};

/// What a module does before it is of any use.
const START: [&str; 5] = [
    "C_Initialize",
    "C_GetSlotList",
    "C_GetTokenInfo",
    "C_OpenSession",
    "C_Login",
];
const SEARCH: [&str; 3] = ["C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal"];

/// A kind of fault, as the shim is told it.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Class(&'static str);

const CLASSES: [Class; 13] = [
    Class("code=0x30"),  // CKR_DEVICE_ERROR
    Class("code=0x32"),  // CKR_DEVICE_REMOVED
    Class("code=0x5"),   // CKR_GENERAL_ERROR
    Class("code=0xe0"),  // CKR_TOKEN_NOT_PRESENT
    Class("code=0xb3"),  // CKR_SESSION_HANDLE_INVALID
    Class("code=0x101"), // CKR_USER_NOT_LOGGED_IN
    Class("code=0x82"),  // CKR_OBJECT_HANDLE_INVALID
    Class("code=0xb1"),  // CKR_SESSION_COUNT
    Class("code=0x2"),   // CKR_HOST_MEMORY
    PIN_REFUSED,         // CKR_PIN_INCORRECT
    HANG,
    Class("crash"),
    WRONG,
];
const PIN_REFUSED: Class = Class("code=0xa0");
const HANG: Class = Class("hang");
const WRONG: Class = Class("wrong");
/// What a busy machine may take until everything works again.
const LONGEST: Duration = Duration::from_secs(180);

impl Class {
    fn fits(self, operation: Operation, function: &str) -> bool {
        match self {
            // Nothing else refuses a PIN.
            PIN_REFUSED => function == "C_Login",
            // A token that shows nothing of what it has, after a new login too, is believed that it has nothing.
            WRONG if function == "C_FindObjects" => !matches!(operation, Operation::Destroy | Operation::DestroyPair),
            WRONG => matches!(function, "C_Encrypt" | "C_Decrypt"),
            _ => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Operation {
    Get,
    Seal,
    Activate,
    Create,
    Find,
    Destroy,
    MakePair,
    DestroyPair,
    Open,
}

impl Operation {
    fn functions(self) -> Vec<&'static str> {
        let of = |groups: &[&[&'static str]]| groups.concat();
        match self {
            Self::Get => of(&[&START, &SEARCH, &["C_DecryptInit", "C_Decrypt"]]),
            Self::Seal => of(&[&["C_EncryptInit", "C_Encrypt", "C_DecryptInit", "C_Decrypt"]]),
            Self::Activate => of(&[&START, &["C_DecryptInit", "C_Decrypt"]]),
            Self::Create => of(&[&START, &SEARCH, &["C_GenerateKey", "C_EncryptInit", "C_Decrypt"]]),
            Self::Find => of(&[&SEARCH]),
            Self::Destroy => of(&[&START, &SEARCH, &["C_DestroyObject"]]),
            Self::MakePair => of(&[&SEARCH, &["C_GenerateKeyPair", "C_GetAttributeValue"]]),
            Self::DestroyPair => of(&[&SEARCH, &["C_DestroyObject"]]),
            Self::Open => of(&[
                &START,
                &SEARCH,
                &["C_DeriveKey", "C_GetAttributeValue", "C_DestroyObject"],
            ]),
        }
    }
}

/// A room as it stands before a fault: a tenant on the token that gets it, and one on another.
struct Cell<'a> {
    token: &'a Token,
    custody: Custody,
    provider: Arc<ResidentKeks>,
    tenant: &'a Tenant,
    neighbour: &'a Tenant,
    number: u8,
    /// The protected KEK that is to be opened.
    protected: Option<KekRecord>,
}

/// A KEK that a cell makes and destroys.
fn passing(cell: &Cell<'_>) -> claviger::custody::NewKek {
    world::new_kek(cell.tenant.domain, cell.number, 2)
}

fn pair(cell: &Cell<'_>) -> PairName {
    PairName {
        kek: KekId([cell.number; 16]),
        domain: cell.tenant.domain,
        generation: 2,
        profile: cell.tenant.kek.profile,
        cka_id: vec![cell.number; 17],
    }
}

fn protected(cell: &Cell<'_>) -> NewProtected {
    let pair = pair(cell);
    let login = None;
    let (profile, cka_id) = (pair.profile, pair.cka_id);
    NewProtected {
        id: pair.kek,
        domain: pair.domain,
        generation: pair.generation,
        pairs: vec![NewPair { profile, cka_id, login }],
        created_ms: 1_700_000_000_000,
    }
}

impl Cell<'_> {
    async fn before(&mut self, operation: Operation) {
        match operation {
            // It is to begin with the module: the KEK is made by another worker.
            Operation::Open => {
                let profile = self.tenant.kek.profile;
                self.custody.add_provider(profile, self.token.provider());
                self.protected = Some(self.custody.create_protected(&protected(self)).await.unwrap());
                let provider: Arc<dyn KekProvider> = self.provider.clone();
                self.custody.add_provider(profile, provider);
            }
            // It is to begin with the module.
            Operation::Get | Operation::Activate => {}
            Operation::Find | Operation::Destroy => self.until_done(Operation::Create, "before").await,
            Operation::DestroyPair => self.until_done(Operation::MakePair, "before").await,
            _ => self.until_done(Operation::Get, "before").await,
        }
    }

    async fn run(&self, operation: Operation) -> Result<(), CustodyError> {
        let (custody, tenant) = (&self.custody, self.tenant);
        let pairs = self.provider.pairs().unwrap();
        match operation {
            Operation::Get => tenant.get(custody).await,
            Operation::Seal => {
                let material = kmip_ttlv::Secret::copy_from(MATERIAL);
                let sealed = custody.seal(tenant.domain, CONTEXT, &material).await?;
                // What was sealed is there to be kept: it must open once all is well.
                self.token.script("");
                self.opens(&sealed).await;
                Ok(())
            }
            Operation::Activate => custody.kek_answers(&tenant.kek).await,
            Operation::Create => custody.create_kek(&passing(self), None).await.map(|_| ()),
            Operation::Find => custody.adopt_kek(&passing(self)).await.map(|_| ()),
            Operation::Destroy => custody.destroy_kek(&self.deleting(), None).await,
            Operation::MakePair => pairs.make(&pair(self), None).await.map(|_| ()),
            Operation::DestroyPair => pairs.destroy(&pair(self), None).await,
            Operation::Open => {
                let record = self.protected.as_ref().unwrap();
                custody.profile_answers(record, record.profile).await
            }
        }
    }

    fn deleting(&self) -> KekRecord {
        let new = passing(self);
        let mut record = KekRecord {
            id: new.id,
            generation: new.generation,
            state: KekState::Deleting,
            ..self.tenant.kek.clone()
        };
        if let claviger::custody::Placement::Resident(resident) = &mut record.placement {
            resident.cka_id = new.cka_id;
        }
        record
    }

    async fn opens(&self, sealed: &claviger::custody::Sealed) {
        let start = Instant::now();
        loop {
            match self.custody.open(self.tenant.domain, CONTEXT, sealed).await {
                Ok(opened) => break assert!(opened.expose() == MATERIAL),
                Err(error) => assert_eq!(error, CustodyError::Unavailable),
            }
            assert!(start.elapsed() < LONGEST, "what was sealed is lost");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Tries until it is done; commands are approved anew as people do, who find what the first one has made.
    async fn until_done(&self, operation: Operation, what: &str) {
        let start = Instant::now();
        loop {
            match self.run(operation).await {
                Ok(()) => return,
                Err(CustodyError::Exists) if matches!(operation, Operation::Create | Operation::MakePair) => return,
                Err(error) => assert_eq!(error, CustodyError::Unavailable, "{what}"),
            }
            assert!(start.elapsed() < LONGEST, "{what}: no recovery");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Leaves the token as it was found, and sees that nothing else is in it.
    async fn after(&self, operation: Operation, objects: usize, what: &str) {
        let pairs = self.provider.pairs().unwrap();
        match operation {
            Operation::Create | Operation::Find => {
                self.until_done(Operation::Find, what).await;
                assert_eq!(self.token.objects(), objects + 1, "{what}: one KEK");
                self.until_done(Operation::Destroy, what).await;
            }
            Operation::MakePair => {
                assert!(!matches!(pairs.find(&pair(self)).await, Err(CustodyError::UnknownKek)));
                assert_eq!(self.token.objects(), objects + 2, "{what}: one pair");
                self.until_done(Operation::DestroyPair, what).await;
            }
            Operation::Open => {
                assert_eq!(self.token.objects(), objects + 2, "{what}: one pair, and no secret");
                self.until_done(Operation::DestroyPair, what).await;
            }
            _ => {}
        }
        assert_eq!(self.token.objects(), objects, "{what}: something was left");
        self.until_done(Operation::Get, what).await;
    }
}

async fn cell(cell: &mut Cell<'_>, operation: Operation, function: &str, class: Class) {
    let what = format!("{operation:?}, {function} {}", class.0);
    let token = cell.token;
    cell.before(operation).await;
    let objects = match operation {
        Operation::Find | Operation::Destroy => token.objects() - 1,
        Operation::DestroyPair | Operation::Open => token.objects() - 2,
        _ => token.objects(),
    };
    token.script(&format!("fault {function} {}\n{}", class.0, token.log()));
    let neighbours = async {
        for _ in 0..3 {
            cell.neighbour.get(&cell.custody).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let (outcome, ()) = tokio::join!(cell.run(operation), neighbours);
    match outcome {
        Ok(()) => {}
        Err(error) if class == PIN_REFUSED => {
            assert_eq!(error, CustodyError::Credential, "{what}");
            let sent = token.calls("C_Login");
            for _ in 0..3 {
                assert_eq!(cell.run(operation).await, Err(CustodyError::Credential), "{what}");
                assert_eq!(
                    cell.tenant.get(&cell.custody).await,
                    Err(CustodyError::Credential),
                    "{what}"
                );
            }
            assert_eq!((sent, token.calls("C_Login")), (1, 1), "{what}: the PIN was sent again");
            // Somebody sees to it, and has the profile put to work anew.
            cell.provider = token.provider();
            world::reopen(&cell.custody, cell.tenant, Arc::clone(&cell.provider)).await;
        }
        // A worker that died when it had made it, and another that found it.
        Err(CustodyError::Exists) if matches!(operation, Operation::Create | Operation::MakePair) => {}
        // A token that shows nothing of what it has is not told from one that has nothing, by who asks it alone.
        Err(CustodyError::UnknownKek) if operation == Operation::Find && class == WRONG => {}
        Err(error) => {
            assert_eq!(error, CustodyError::Unavailable, "{what}");
            assert_eq!(Failure::from(error).fault(), Fault::CustodyUnavailable);
        }
    }
    cell.neighbour.get(&cell.custody).await.unwrap();
    token.script("");
    cell.until_done(operation, &what).await;
    cell.after(operation, objects, &what).await;
}

/// Tokens that the cells of an operation are spread over: most of their time is waiting.
const LANES: usize = 3;

async fn through_all(operation: Operation) {
    let Some(healthy) = Token::prepare().await else { return };
    let healthy_provider = healthy.provider();
    let custody = world::custody(&healthy.slab);
    let neighbour = world::tenant(&custody, 200, Arc::clone(&healthy_provider)).await;
    let cells: Vec<(&str, Class)> = operation
        .functions()
        .into_iter()
        .flat_map(|function| CLASSES.map(|class| (function, class)))
        .filter(|(function, class)| class.fits(operation, function))
        .collect();
    let lane = async |lane: usize| {
        let mut token = Token::prepare().await.unwrap();
        let tenant = world::tenant(&world::custody(&token.slab), 1, token.provider()).await;
        for (place, (function, class)) in cells.iter().enumerate().filter(|(place, _)| place % LANES == lane) {
            let custody = world::custody(&healthy.slab);
            world::reopen(&custody, &neighbour, Arc::clone(&healthy_provider)).await;
            // What hangs costs a deadline; nothing else needs a short one.
            token.settings.deadline = match *class {
                HANG => Duration::from_secs(1),
                _ => Duration::from_secs(60),
            };
            let provider = token.provider();
            if matches!(operation, Operation::Get | Operation::Activate | Operation::Open) {
                // The domain is open already, so that what begins with the module is the operation itself.
                world::reopen(&custody, &tenant, token.provider()).await;
            }
            world::reopen(&custody, &tenant, Arc::clone(&provider)).await;
            let mut room = Cell {
                token: &token,
                custody,
                provider,
                tenant: &tenant,
                neighbour: &neighbour,
                number: u8::try_from(place % 100).unwrap() + 2,
                protected: None,
            };
            cell(&mut room, operation, function, *class).await;
        }
    };
    let (first, second, third) = (lane(0), lane(1), lane(2));
    tokio::join!(first, second, third);
}

macro_rules! operations {
    ($($name:ident = $operation:ident;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                through_all(Operation::$operation).await;
            }
        )+
    };
}

operations! {
    get = Get;
    seal = Seal;
    activate = Activate;
    create = Create;
    find = Find;
    destroy = Destroy;
    make_pair = MakePair;
    destroy_pair = DestroyPair;
    open_protected = Open;
}
