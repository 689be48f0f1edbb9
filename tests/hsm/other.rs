//! A token of another make, examined and used: `conformance/hsm/others.sh` says how it is set up and has this run.

use std::path::Path;

use claviger::custody::{CustodyError, KekProvider, KekRecord, KekState, Slab, TokenSettings, WorkerCommand, token};

use crate::{envelopes, schemes, world};

#[tokio::test]
#[ignore = "needs a token that may be written to: HSM_MODULE, HSM_LABEL, HSM_PIN; HSM_OFFICER_PIN to have it initialised"]
async fn another_token() {
    let told = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let slab = Slab::new().unwrap();
    let command = WorkerCommand {
        program: env!("CARGO_BIN_EXE_claviger").into(),
        environment: Vec::new(),
    };
    let mut settings = TokenSettings::new(command, Path::new(&told("HSM_MODULE")).to_owned(), &told("HSM_LABEL"));
    let pin = || slab.copy_from(told("HSM_PIN").as_bytes()).unwrap();
    if let Ok(officer) = std::env::var("HSM_OFFICER_PIN") {
        let officer = slab.copy_from(officer.as_bytes()).unwrap();
        let serial = token::initialize_token(&settings, &slab, &officer, &pin()).await;
        settings.serial = Some(serial.unwrap());
    }
    let provider = |settings: &TokenSettings| {
        std::sync::Arc::new(claviger::custody::ResidentKeks::new(
            settings.clone(),
            pin(),
            slab.clone(),
        ))
    };
    let found = provider(&settings).examine(None).await.unwrap();
    println!("{:?}\nsessions: {}", found.token, found.sessions);
    for (feature, finding) in found.findings() {
        println!("{feature}: {finding}");
    }
    println!("separation: {:?}, scheme: {:?}", found.separation(), found.scheme());

    if let Some(scheme) = found.scheme() {
        settings.scheme = scheme;
        let custody = world::custody(&slab);
        let tenant = world::tenant(&custody, 1, provider(&settings)).await;
        schemes::every_edit_is_refused(&custody, &tenant).await;
        let later = world::custody(&slab);
        world::reopen(&later, &tenant, provider(&settings)).await;
        tenant.get(&later).await.unwrap();
        let deleting = KekRecord {
            state: KekState::Deleting,
            ..tenant.kek.clone()
        };
        later.destroy_kek(&deleting, None).await.unwrap();
        let new = world::new_kek(tenant.domain, 1, 1);
        assert_eq!(later.adopt_kek(&new).await.err(), Some(CustodyError::UnknownKek));
        println!("resident KEK: made, used, destroyed");
    }
    settings.pairs = found.pair_scheme();
    println!("key pairs for protected KEKs: {:?}", settings.pairs);
    if settings.pairs.is_some() {
        envelopes::live_and_end(&slab, || provider(&settings)).await;
        println!("protected KEK: made, opened, backed up, restored, destroyed");
    }
}
