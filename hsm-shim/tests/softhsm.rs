//! The shim in front of SoftHSM: the users that it adds, and the faults that it makes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unsafe_code)] // a test file through and through

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The shim, as cargo has built it beside this test.
fn shim() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().unwrap().join("libhsm_shim.so")
}

fn script(folder: &Path, faults: &str) {
    let users = folder.join("users");
    let text = format!("module {SOFTHSM}\nusers {}\n{faults}", users.display());
    // Another moment than the last, for who looks at it.
    std::thread::sleep(Duration::from_millis(15));
    std::fs::write(folder.join("script"), text).unwrap();
}

fn pin(text: &str) -> AuthPin {
    AuthPin::new(text.into())
}

fn key(session: &Session, on_token: bool) -> Result<ObjectHandle, Error> {
    let template = [
        Attribute::Token(on_token),
        Attribute::ValueLen(32.into()),
        Attribute::Encrypt(true),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template)
}

fn code<T>(outcome: Result<T, Error>) -> Option<RvError> {
    match outcome {
        Err(Error::Pkcs11(code, _)) => Some(code),
        _ => None,
    }
}

fn login(session: &Session, user: &str) -> Option<RvError> {
    code(session.login(UserType::User, Some(&pin(user))))
}

/// One process has one module and one login: hence one test.
#[test]
fn a_token_has_two_users_and_faults_on_demand() {
    if !Path::new(SOFTHSM).exists() {
        eprintln!("SKIPPED: SoftHSM2 is not installed (apt install softhsm2), the shim is NOT tested");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("tokens")).unwrap();
    let settings = format!("directories.tokendir = {}\n", at("tokens").display());
    std::fs::write(at("softhsm2.conf"), settings).unwrap();
    std::fs::write(
        at("users"),
        "pin 123456\nserver usage first\nkeeper management second\n",
    )
    .unwrap();
    script(folder.path(), "");
    // SAFETY: no other thread of this process reads or writes the environment.
    unsafe {
        std::env::set_var("SOFTHSM2_CONF", at("softhsm2.conf"));
        std::env::set_var("HSM_SHIM", at("script"));
    }
    let module = Pkcs11::new(shim()).unwrap();
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .unwrap();
    let session = module.open_rw_session(token(&module)).unwrap();
    users(&session);
    faults(&session, folder.path());
}

fn users(session: &Session) {
    for wrong in ["123456", "server:second", "nobody:first", "server"] {
        assert_eq!(login(session, wrong), Some(RvError::PinIncorrect), "{wrong}");
    }
    assert_eq!(login(session, "server:first"), None);
    let passing = key(session, false).unwrap();
    session
        .update_attributes(passing, &[Attribute::Label(b"mine".to_vec())])
        .unwrap();
    session.destroy_object(passing).unwrap();
    assert_eq!(code(key(session, true)), Some(RvError::ActionProhibited));
    session.logout().unwrap();

    assert_eq!(login(session, "keeper:second"), None);
    key(session, true).unwrap();
    session.set_pin(&pin("keeper:second"), &pin("keeper:third")).unwrap();
    session.logout().unwrap();
    assert_eq!(login(session, "keeper:second"), Some(RvError::PinIncorrect));

    assert_eq!(login(session, "server:first"), None);
    let kept = session.find_objects(&[Attribute::Token(true)]).unwrap();
    assert_eq!(kept.len(), 1);
    for object in &kept {
        assert_eq!(code(session.destroy_object(*object)), Some(RvError::ActionProhibited));
        let renamed = session.update_attributes(*object, &[Attribute::Label(b"x".to_vec())]);
        assert_eq!(code(renamed), Some(RvError::ActionProhibited));
    }
    session.logout().unwrap();

    assert_eq!(login(session, "keeper:third"), None);
    for object in session.find_objects(&[Attribute::Token(true)]).unwrap() {
        session.destroy_object(object).unwrap();
    }
    assert!(session.find_objects(&[Attribute::Token(true)]).unwrap().is_empty());
    session.logout().unwrap();
}

fn faults(session: &Session, folder: &Path) {
    assert_eq!(login(session, "server:first"), None);
    let key = key(session, false).unwrap();
    let encrypt = || code(session.encrypt(&Mechanism::AesEcb, key, &[0; 16]));
    assert_eq!(encrypt(), None);
    script(folder, "fault C_EncryptInit code=0x30 every=2 from=2");
    let outcomes = [encrypt(), encrypt(), encrypt(), encrypt()];
    let spoilt = Some(RvError::DeviceError);
    assert_eq!(outcomes, [None, spoilt, None, spoilt]);

    script(folder, "fault C_EncryptInit hang");
    let released = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            released.store(true, Ordering::SeqCst);
            script(folder, "");
        });
        assert_eq!(encrypt(), None);
        assert!(released.load(Ordering::SeqCst));
    });
}

/// Makes a token whose one user has the PIN 123456. Its officer is none of the shim's users.
fn token(module: &Pkcs11) -> Slot {
    let slot = module.get_all_slots().unwrap().first().copied().unwrap();
    module.init_token(slot, &pin("654321"), "shim").unwrap();
    let slots = module.get_slots_with_initialized_token().unwrap();
    let slot = slots.first().copied().unwrap();
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&pin("654321"))).unwrap();
    session.init_pin(&pin("123456")).unwrap();
    session.logout().unwrap();
    slot
}
