//! The module alone: what a process does that only decrypts.
#![allow(
    unsafe_code,
    reason = "it calls a module as the worker does: with two calls for each decryption"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::figures::summary;
use crate::token::PIN;
use crate::{MEASURED, domain};

fn ulong(length: usize) -> CK_ULONG {
    CK_ULONG::try_from(length).unwrap()
}

fn ok(rv: CK_RV) {
    assert_eq!(rv, CKR_OK);
}

/// The functions of a module, logged in to, which never ends in this process.
fn logged_in(module: &Path) -> (&'static CK_FUNCTION_LIST, CK_SLOT_ID) {
    // SAFETY: the bench's own module.
    let library: &'static Pkcs11 = Box::leak(Box::new(unsafe { Pkcs11::new(module) }.unwrap()));
    let get = library.C_GetFunctionList.as_ref().unwrap();
    let mut list = std::ptr::null_mut();
    // SAFETY: the function writes one pointer, to a list that lives as long as the library.
    let functions = unsafe {
        ok(get(&raw mut list));
        list.as_ref().unwrap()
    };
    let mut arguments = CK_C_INITIALIZE_ARGS {
        CreateMutex: None,
        DestroyMutex: None,
        LockMutex: None,
        UnlockMutex: None,
        flags: CKF_OS_LOCKING_OK,
        pReserved: std::ptr::null_mut(),
    };
    let (mut slots, mut count, mut session) = ([0; 8], 8, 0);
    // SAFETY: pointers to live values, of the types that PKCS#11 names.
    unsafe {
        ok(functions.C_Initialize.unwrap()((&raw mut arguments).cast()));
        ok(functions.C_GetSlotList.unwrap()(
            CK_TRUE,
            slots.as_mut_ptr(),
            &raw mut count,
        ));
        let slot = slots[0];
        ok(functions.C_OpenSession.unwrap()(
            slot,
            CKF_SERIAL_SESSION,
            std::ptr::null_mut(),
            None,
            &raw mut session,
        ));
        let pin = PIN.as_ptr().cast_mut();
        ok(functions.C_Login.unwrap()(session, CKU_USER, pin, ulong(PIN.len())));
        (functions, slot)
    }
}

/// A session of its own.
fn session(functions: &CK_FUNCTION_LIST, slot: CK_SLOT_ID) -> CK_SESSION_HANDLE {
    let mut session = 0;
    // SAFETY: a pointer to a live value.
    unsafe {
        ok(functions.C_OpenSession.unwrap()(
            slot,
            CKF_SERIAL_SESSION,
            std::ptr::null_mut(),
            None,
            &raw mut session,
        ));
    }
    session
}

/// The one key of a tenant.
fn find(functions: &CK_FUNCTION_LIST, session: CK_SESSION_HANDLE, tenant: u16) -> CK_OBJECT_HANDLE {
    let (mut key, mut found) = (0, 0);
    let id = domain(tenant).0;
    let mut template = [CK_ATTRIBUTE {
        type_: CKA_ID,
        pValue: id.as_ptr().cast_mut().cast(),
        ulValueLen: ulong(id.len()),
    }];
    // SAFETY: pointers to live values, of the types that PKCS#11 names, with their lengths.
    unsafe {
        ok(functions.C_FindObjectsInit.unwrap()(session, template.as_mut_ptr(), 1));
        ok(functions.C_FindObjects.unwrap()(
            session,
            &raw mut key,
            1,
            &raw mut found,
        ));
        ok(functions.C_FindObjectsFinal.unwrap()(session));
    }
    assert_eq!(found, 1);
    key
}

/// Decrypts in one session until the time is over.
fn decrypt(functions: &CK_FUNCTION_LIST, slot: CK_SLOT_ID, start: Instant) -> Vec<Duration> {
    let session = session(functions, slot);
    let key = find(functions, session, 0);
    let (mut nonce, aad, mut plain, mut sealed, mut opened) = ([8; 12], [7; 58], [9; 32], [0; 80], [0; 80]);
    let mut parameters = CK_GCM_PARAMS {
        pIv: nonce.as_mut_ptr(),
        ulIvLen: 12,
        ulIvBits: 96,
        pAAD: aad.as_ptr().cast_mut(),
        ulAADLen: ulong(aad.len()),
        ulTagBits: 128,
    };
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_AES_GCM,
        pParameter: (&raw mut parameters).cast(),
        ulParameterLen: ulong(size_of::<CK_GCM_PARAMS>()),
    };
    let mut length = ulong(sealed.len());
    let mut times = Vec::new();
    // SAFETY: pointers to live values, of the types that PKCS#11 names, with their lengths.
    unsafe {
        ok(functions.C_EncryptInit.unwrap()(session, &raw mut mechanism, key));
        ok(functions.C_Encrypt.unwrap()(
            session,
            plain.as_mut_ptr(),
            32,
            sealed.as_mut_ptr(),
            &raw mut length,
        ));
        while start.elapsed() < MEASURED {
            let before = Instant::now();
            let mut room = ulong(opened.len());
            ok(functions.C_DecryptInit.unwrap()(session, &raw mut mechanism, key));
            ok(functions.C_Decrypt.unwrap()(
                session,
                sealed.as_mut_ptr(),
                length,
                opened.as_mut_ptr(),
                &raw mut room,
            ));
            times.push(before.elapsed());
        }
    }
    assert_eq!(opened.get(..32), Some(&plain[..]));
    times
}

pub fn module_alone(module: &Path, sessions: u16) {
    let (functions, slot) = logged_in(module);
    let start = Instant::now();
    let times = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..sessions)
            .map(|_| scope.spawn(|| decrypt(functions, slot, start)))
            .collect();
        let times = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        times.collect()
    });
    let (rate, median) = summary(times, start.elapsed());
    println!("{rate:.0} {}", median.as_nanos());
}

/// Looks for the keys of so many tenants in one session.
pub fn module_finds(module: &Path, tenants: u16) {
    let (functions, slot) = logged_in(module);
    let session = session(functions, slot);
    let start = Instant::now();
    let times = (0..tenants)
        .map(|tenant| {
            let before = Instant::now();
            find(functions, session, tenant);
            before.elapsed()
        })
        .collect();
    let (rate, median) = summary(times, start.elapsed());
    println!("{rate:.0} {}", median.as_nanos());
}
