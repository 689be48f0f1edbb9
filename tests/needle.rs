//! Looks for key bytes in the memory of the process: none may be found once the call that used them has returned, and
//! the canary must be. One test, in a process of its own, so that nothing else plants or disturbs anything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test file through and through

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

use claviger::crypto::{CryptoError, Generator, OsRandomness, Randomness};
use claviger::custody::legacy::{Credentials, Holder, LegacyToken, Share};
use claviger::custody::sharing::{PlannedGroup, Recipient};
use claviger::custody::{
    Binding, Custody, InstallationRoot, Keeping, KekId, KekProvider, KekState, NewKek, NewPair, NewProtected, PinRole,
    ProfileId, Protection, ResidentKeks, SealContext, ShareSecret, Slab, SoftwareKeks, WipingAllocator, token,
};
use claviger::store::Domain;
use kmip_ttlv::Secret;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use zeroize::Zeroizing;

#[global_allocator]
static HEAP: WipingAllocator = WipingAllocator;

const TENANT: Domain = Domain([1; 16]);
const PROFILE: ProfileId = ProfileId([3; 16]);
const NEEDLE: usize = 16;
/// Needles are kept under this mask, or the search would find them in its own list.
const MASK: u8 = 0xa5;

/// The operating system's randomness, which remembers the beginning of each key that it gave.
struct Remembering {
    source: OsRandomness,
    needles: Mutex<Vec<[u8; NEEDLE]>>,
}

impl Remembering {
    fn remember(&self, bytes: &[u8]) {
        let mut needle = [0; NEEDLE];
        for (to, from) in needle.iter_mut().zip(bytes) {
            *to = from ^ MASK;
        }
        self.needles.lock().unwrap().push(needle);
    }
}

impl Randomness for Remembering {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        self.source.fill(out)?;
        // Keys have 32 bytes; nonces and identifiers are no secrets.
        if out.len() == 32 {
            self.remember(out);
        }
        Ok(())
    }

    fn generator(&self) -> Generator {
        self.source.generator()
    }
}

/// How often any needle is in the process's writable memory, and how many regions could not be read.
fn search(needles: &[[u8; NEEDLE]]) -> (usize, usize) {
    let mut firsts = vec![false; 1 << 16];
    for needle in needles {
        firsts[usize::from(needle[0] ^ MASK) << 8 | usize::from(needle[1] ^ MASK)] = true;
    }
    let memory = File::open("/proc/self/mem").unwrap();
    let (mut found, mut closed) = (0, 0);
    let mut buffer = vec![0_u8; 1 << 20];
    for line in std::fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let mut at = u64::from_str_radix(start, 16).unwrap();
        let end = u64::from_str_radix(end, 16).unwrap();
        while at < end {
            let wanted = usize::try_from(end - at).unwrap().min(buffer.len());
            let Ok(read) = memory.read_at(&mut buffer[..wanted], at) else {
                closed += 1;
                break;
            };
            if read == 0 {
                break;
            }
            for place in 0..read.saturating_sub(NEEDLE) {
                if firsts[usize::from(buffer[place]) << 8 | usize::from(buffer[place + 1])] {
                    let here = &buffer[place..place + NEEDLE];
                    found += needles
                        .iter()
                        .filter(|needle| needle.iter().zip(here).all(|(masked, byte)| masked ^ MASK == *byte))
                        .count();
                }
            }
            buffer[..read].fill(0);
            // Overlapping, so that no needle hides on an edge; the end of a region is its end.
            let full = read == wanted && wanted == buffer.len();
            at += u64::try_from(if full { read - NEEDLE } else { read }).unwrap();
        }
    }
    (found, closed)
}

async fn use_keys(slab: &Slab, source: &Arc<Remembering>, provider: Arc<dyn KekProvider>) -> Custody {
    let custody = Custody::new(slab.clone(), source.clone());
    custody.add_provider(PROFILE, provider);
    let new = NewKek {
        id: KekId([1; 16]),
        domain: TENANT,
        generation: 1,
        profile: PROFILE,
        cka_id: vec![1; 16],
        created_ms: 0,
    };
    let mut kek = custody.create_kek(&new, None).await.unwrap();
    kek.state = KekState::Active;
    let keks = [kek];
    let record_key = custody.create_record_key(TENANT, &keks, 0).await.unwrap();
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
    // As after a restart: the record key is opened from its record.
    custody.close_domain(TENANT);
    custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
    for number in 0..40 {
        let context = SealContext {
            internal_id: [number; 16],
            generation: 1,
            object_type: 2,
        };
        let mut material = vec![0; 32];
        source.fill(&mut material).unwrap();
        let material = Secret::new(material);
        let sealed = custody.seal(TENANT, context, &material).await.unwrap();
        let opened = custody.open(TENANT, context, &sealed).await.unwrap();
        assert!(opened == material);
        custody.rewrap(TENANT, context, &sealed).await.unwrap();
        custody.record_mac(TENANT, &[&sealed.blob]).unwrap();
    }
    custody.status().await;
    custody
}

/// A protected KEK: made at random, opened by the token, used, and opened again.
async fn use_protected(slab: &Slab, source: &Arc<Remembering>, provider: Arc<dyn KekProvider>) -> Custody {
    let custody = Custody::new(slab.clone(), source.clone());
    let mut binding = slab.allocate(32).unwrap();
    source.fill(binding.expose_mut()).unwrap();
    custody.keep_protected(binding, Keeping::default());
    custody.add_provider(PROFILE, provider);
    let new = NewProtected {
        id: KekId([2; 16]),
        domain: TENANT,
        generation: 1,
        pairs: vec![NewPair {
            profile: PROFILE,
            cka_id: vec![2; 16],
            login: None,
        }],
        created_ms: 0,
    };
    let mut kek = custody.create_protected(&new).await.unwrap();
    kek.state = KekState::Active;
    let keks = [kek];
    let record_key = custody.create_record_key(TENANT, &keks, 0).await.unwrap();
    for number in 0..8 {
        custody.close_domain(TENANT);
        custody.open_domain(TENANT, &keks, &record_key).await.unwrap();
        let context = SealContext {
            internal_id: [number; 16],
            generation: 1,
            object_type: 2,
        };
        let mut material = vec![0; 32];
        source.fill(&mut material).unwrap();
        let sealed = custody.seal(TENANT, context, &Secret::new(material)).await.unwrap();
        custody.open(TENANT, context, &sealed).await.unwrap();
        custody.profile_answers(&keks[0], PROFILE).await.unwrap();
    }
    custody
}

fn share_secret() -> ShareSecret {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    ShareSecret::read(&key.private_key_to_pkcs8().unwrap()).unwrap()
}

/// A key-management credential: shared, and opened by what two people bring. What they brought stays there.
fn use_management(slab: &Slab, source: &Arc<Remembering>) -> Custody {
    let custody = Custody::new(slab.clone(), source.clone());
    let mut pin = slab.allocate(32).unwrap();
    source.fill(pin.expose_mut()).unwrap();
    let people = [share_secret(), share_secret()];
    let member = |number: u8| Recipient {
        person: [number; 16],
        key: people[usize::from(number)].key().clone(),
    };
    let group = PlannedGroup {
        name: "operators".to_owned(),
        quorum: 2,
        members: vec![member(0), member(1)],
    };
    let binding = Binding {
        instance: [1; 16],
        profile: PROFILE,
        scope: TENANT,
        generation: 1,
        policy_digest: [5; 32],
    };
    let sharing = custody.share(binding, &vec![vec![vec![group]]], &pin, 0).unwrap();
    for number in 0..2 {
        let person = [number; 16];
        for slot in sharing.slots(&person) {
            let share = people[usize::from(number)].open(&slot.context, &slot.envelope).unwrap();
            source.remember(share.expose());
            let of = (&sharing, &slot, &person);
            custody
                .hand_in(&(Domain([8; 16]), [8; 16]), of, share.expose(), (0, 1))
                .unwrap();
        }
    }
    let opened = custody.open_for(&(Domain([8; 16]), [8; 16]), &sharing).unwrap();
    assert!(opened.expose() == pin.expose());
    custody
}

/// A legacy token: made, its shares written down and read again, and opened by two of them, which stay there.
fn use_legacy(slab: &Slab, source: &Arc<Remembering>) -> Custody {
    let custody = Custody::new(slab.clone(), source.clone());
    let mut usage = slab.allocate(32).unwrap();
    source.fill(usage.expose_mut()).unwrap();
    let credentials = Credentials {
        module: "softhsm".to_owned(),
        label: "old safe".to_owned(),
        serial: None,
        usage,
        management: None,
    };
    let named = ("acme", "safe");
    let (token, sealed, shares) = LegacyToken::make(slab, source.as_ref(), named, (2, 3), &credentials).unwrap();
    let place = (TENANT, token.id);
    for (person, share) in (0..2).zip(&shares) {
        let text = share.write();
        let digits = Zeroizing::new(text.bytes().filter(u8::is_ascii_hexdigit).collect::<Vec<u8>>());
        let nibble = |place: usize| u8::try_from(char::from(digits[place]).to_digit(16).unwrap()).unwrap();
        // Format, token and number come before the value.
        let value: Zeroizing<Vec<u8>> =
            Zeroizing::new((18..34).map(|at| nibble(2 * at) << 4 | nibble(2 * at + 1)).collect());
        source.remember(&value);
        let holder = Holder {
            person: [person; 16],
            at_ms: 0,
        };
        let read = Share::read(slab, &text).unwrap();
        custody.gatherings().lay_down(place, holder, read).unwrap();
        custody.gatherings().count(place, holder.person);
    }
    let opened = custody.gatherings().with(place, 0, |held| {
        let held: Vec<&Share> = held.iter().map(|(_, share)| *share).collect();
        token.open(slab, &sealed, &held)
    });
    assert!(opened.unwrap().usage.expose() == credentials.usage.expose());
    custody
}

fn use_root(slab: &Slab, source: &Arc<Remembering>, folder: &std::path::Path) {
    let root = InstallationRoot::create_file(slab, source.as_ref(), &folder.join("root")).unwrap();
    let root = {
        drop(root);
        InstallationRoot::from_file(slab, &folder.join("root")).unwrap()
    };
    let mut pin = slab.allocate(32).unwrap();
    source.fill(pin.expose_mut()).unwrap();
    let sealed = root
        .seal_pin(slab, source.as_ref(), PROFILE, PinRole::KeyUsage, &[0; 32], &pin)
        .unwrap();
    drop(
        root.open_pin(slab, PROFILE, PinRole::KeyUsage, &[0; 32], &sealed)
            .unwrap(),
    );
}

#[test]
fn no_key_is_left_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let slab = Slab::new().unwrap();
    let source = Arc::new(Remembering {
        source: OsRandomness::new(),
        needles: Mutex::default(),
    });

    // The canary, which shows that the search finds what is there.
    let canary: Vec<u8> = (0..32_u8).map(|number| number.wrapping_mul(37) ^ 0x1b).collect();
    let planted = Remembering {
        source: OsRandomness::new(),
        needles: Mutex::default(),
    };
    planted.remember(&canary);
    assert!(
        search(&planted.needles.lock().unwrap()).0 >= 1,
        "the canary was not found: the search is blind"
    );

    // What a buffer without a type of its own held is gone with it, and where it grew from.
    let mut plain: Vec<u8> = Vec::new();
    for number in 0..4096_u32 {
        plain.push(u8::try_from(number % 32).unwrap().wrapping_mul(91) ^ 0x2d);
    }
    let dropped = Remembering {
        source: OsRandomness::new(),
        needles: Mutex::default(),
    };
    dropped.remember(&plain);
    drop(plain);
    assert_eq!(
        search(&dropped.needles.lock().unwrap()).0,
        0,
        "freed memory was not wiped"
    );

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    use_root(&slab, &source, folder.path());
    let software = Arc::new(SoftwareKeks::new(
        &folder.path().join("keks"),
        slab.clone(),
        source.clone(),
    ));
    let first = runtime.block_on(use_keys(&slab, &source, software));
    let second = runtime.block_on(async {
        let Some(module) = token::find_module("softhsm") else {
            eprintln!("SKIPPED: SoftHSM2 is not installed, resident KEKs are NOT searched for");
            return None;
        };
        let home = folder.path().join("softhsm");
        token::configure_softhsm(&home).unwrap();
        let mut settings = token::softhsm_settings(&module, &home, "needle").unwrap();
        settings.command.program = env!("CARGO_BIN_EXE_claviger").into();
        let mut pin = slab.allocate(32).unwrap();
        source.fill(pin.expose_mut()).unwrap();
        token::initialize_token(&settings, &slab, &pin, &pin).await.unwrap();
        let resident = Arc::new(ResidentKeks::new(settings, pin, slab.clone()));
        let protected = use_protected(&slab, &source, resident.clone()).await;
        Some((use_keys(&slab, &source, resident).await, protected))
    });
    let shares = (use_management(&slab, &source), use_legacy(&slab, &source));

    let needles = source.needles.lock().unwrap();
    assert!(needles.len() > 80);
    // KEKs, record keys, PINs and opened shares are in use now; pages of `memfd_secret` do not show them even so.
    if slab.protection() == Protection::Secret {
        let (found, closed) = search(&needles);
        assert_eq!(found, 0, "of {} keys", needles.len());
        assert!(closed >= 1, "the slab is readable");
    }
    drop((first, second, shares));
    let (found, _) = search(&needles);
    assert_eq!(found, 0, "of {} keys", needles.len());
    assert!(
        search(&planted.needles.lock().unwrap()).0 >= 1,
        "the canary was not found: the search is blind"
    );
    drop(canary);
}
