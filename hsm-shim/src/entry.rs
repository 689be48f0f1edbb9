//! The functions of PKCS#11 as callers find them: each looks at the script, judges who is logged in, and calls the module behind.
//! Every pointer is the caller's, passed on as it came, or read as PKCS#11 says that it may be.
#![allow(unsafe_code, non_snake_case)]

use crate::module;
use crate::users::{Role, Users};
use core::ffi::c_void;
use cryptoki_sys::*;
use std::sync::OnceLock;

type Outcome = Result<(), CK_RV>;

/// The functions of the module behind; none if it cannot be loaded, which does not change any more.
fn real() -> Option<&'static CK_FUNCTION_LIST> {
    static REAL: OnceLock<Option<&'static CK_FUNCTION_LIST>> = OnceLock::new();
    *REAL.get_or_init(|| {
        let path = module::behind()?;
        // SAFETY: the script's author vouches for the module, as a server's owner does for a vendor's.
        let library = unsafe { libloading::Library::new(path) }.ok()?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: the function has this type in every module of PKCS#11.
        let list =
            unsafe { library.get::<unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV>(b"C_GetFunctionList") };
        let mut found = core::ptr::null_mut();
        // SAFETY: the module writes its list, which lives as long as it does: for ever.
        let outcome = unsafe { list.ok()?(&raw mut found) };
        // SAFETY: as above; a null pointer becomes none.
        if outcome == CKR_OK {
            unsafe { found.as_ref() }
        } else {
            None
        }
    })
}

/// Text that a caller passed with its length.
fn text(start: *const CK_UTF8CHAR, length: CK_ULONG) -> Option<String> {
    if start.is_null() {
        return None;
    }
    // SAFETY: the caller's text, of the length that it says.
    let bytes = unsafe { core::slice::from_raw_parts(start, usize::try_from(length).ok()?) };
    core::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn may_manage() -> Outcome {
    if module::role() == Some(Role::Usage) {
        return Err(CKR_ACTION_PROHIBITED);
    }
    Ok(())
}

/// Whether an object of this template may be made: by users of keys, if it ends with the session.
fn may_make(template: *const CK_ATTRIBUTE, count: CK_ULONG) -> Outcome {
    let Ok(count) = usize::try_from(count) else {
        return Err(CKR_ARGUMENTS_BAD);
    };
    if template.is_null() {
        return Ok(());
    }
    // SAFETY: the caller's template, of the length that it says.
    let template = unsafe { core::slice::from_raw_parts(template, count) };
    let is_token = |attribute: &CK_ATTRIBUTE| {
        let value = attribute.pValue.cast::<CK_BBOOL>();
        // SAFETY: the attribute's value is one byte.
        attribute.type_ == CKA_TOKEN && !value.is_null() && unsafe { value.read() } != CK_FALSE
    };
    if template.iter().any(is_token) {
        may_manage()
    } else {
        Ok(())
    }
}

/// Whether this object may be changed or destroyed: by users of keys, if it ends with the session.
fn may_change(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE) -> Outcome {
    let mut on_token: CK_BBOOL = CK_FALSE;
    let mut attribute = CK_ATTRIBUTE {
        type_: CKA_TOKEN,
        pValue: (&raw mut on_token).cast(),
        ulValueLen: 1,
    };
    let function = real().and_then(|list| list.C_GetAttributeValue);
    // SAFETY: one attribute, whose value has room for one byte.
    let outcome = function.map(|get| unsafe { get(session, object, &raw mut attribute, 1) });
    if outcome == Some(CKR_OK) && on_token == CK_FALSE {
        Ok(())
    } else {
        may_manage()
    }
}

/// Logs one of the token's users in, as the one user of the token behind.
fn login(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: *mut CK_UTF8CHAR, length: CK_ULONG) -> CK_RV {
    let Some(function) = real().and_then(|list| list.C_Login) else {
        return CKR_FUNCTION_NOT_SUPPORTED;
    };
    let users = match module::users() {
        Some((_, users)) if user == CKU_USER => users,
        // SAFETY: the caller's arguments.
        _ => return unsafe { function(session, user, pin, length) },
    };
    let role = users
        .as_ref()
        .zip(text(pin, length))
        .and_then(|(users, pin)| users.role(&pin));
    let Some((mut users, role)) = users.zip(role) else {
        return CKR_PIN_INCORRECT;
    };
    let (own, length) = raw(&mut users);
    // SAFETY: the users' PIN, alive until the call returns.
    let outcome = unsafe { function(session, user, own, length) };
    if outcome == CKR_OK {
        module::note_role(Some(role));
    }
    outcome
}

/// The PIN of the token behind, as a caller passes it.
fn raw(users: &mut Users) -> (*mut CK_UTF8CHAR, CK_ULONG) {
    let length = CK_ULONG::try_from(users.pin.len()).unwrap_or(0);
    (users.pin.as_mut_ptr(), length)
}

fn logout(session: CK_SESSION_HANDLE) -> CK_RV {
    module::note_role(None);
    let function = real().and_then(|list| list.C_Logout);
    // SAFETY: the caller's argument.
    function.map_or(CKR_FUNCTION_NOT_SUPPORTED, |logout| unsafe { logout(session) })
}

fn finalize(reserved: *mut c_void) -> CK_RV {
    module::note_role(None);
    module::end_sessions(true);
    let function = real().and_then(|list| list.C_Finalize);
    // SAFETY: the caller's argument.
    function.map_or(CKR_FUNCTION_NOT_SUPPORTED, |finalize| unsafe { finalize(reserved) })
}

/// Changes a PIN. Where the outcome is to be spoilt, nobody hears of it: the process dies once it is done.
fn set_pin(a: CK_SESSION_HANDLE, b: *mut CK_UTF8CHAR, c: CK_ULONG, d: *mut CK_UTF8CHAR, e: CK_ULONG) -> CK_RV {
    let outcome = change_pin(a, (b, c), (d, e));
    if module::is_wrong() {
        std::process::abort();
    }
    outcome
}

/// Changes the password of one of the token's users, or the token's PIN where it has no others.
fn change_pin(
    session: CK_SESSION_HANDLE,
    (old, old_length): (*mut CK_UTF8CHAR, CK_ULONG),
    (new, new_length): (*mut CK_UTF8CHAR, CK_ULONG),
) -> CK_RV {
    let Some((path, users)) = module::users() else {
        let function = real().and_then(|list| list.C_SetPIN);
        // SAFETY: the caller's arguments.
        return function.map_or(CKR_FUNCTION_NOT_SUPPORTED, |set| unsafe {
            set(session, old, old_length, new, new_length)
        });
    };
    let Some(((mut users, old), new)) = users.zip(text(old, old_length)).zip(text(new, new_length)) else {
        return CKR_ARGUMENTS_BAD;
    };
    if !users.change(&old, &new) {
        return CKR_PIN_INCORRECT;
    }
    if users.save(&path).is_ok() {
        CKR_OK
    } else {
        CKR_DEVICE_ERROR
    }
}

fn function_list(place: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    if place.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: the caller's place for a pointer; nobody writes through what it gets.
    unsafe { place.write((&raw const LIST.0).cast_mut()) };
    CKR_OK
}

/// What the token behind says of itself, with what the script adds.
fn token_info(slot: CK_SLOT_ID, place: *mut CK_TOKEN_INFO) -> CK_RV {
    let Some(function) = real().and_then(|list| list.C_GetTokenInfo) else {
        return CKR_FUNCTION_NOT_SUPPORTED;
    };
    // SAFETY: the caller's arguments.
    let outcome = unsafe { function(slot, place) };
    // SAFETY: the caller's place, which the module behind has just filled.
    if let Some(facts) = unsafe { place.as_mut() }
        && outcome == CKR_OK
    {
        facts.flags |= module::told(|script| script.flags);
        let sessions = module::told(|script| script.sessions);
        if sessions > 0 {
            facts.ulMaxSessionCount = sessions;
        }
    }
    outcome
}

fn open_session(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    application: *mut c_void,
    notify: CK_NOTIFY,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    let Some(function) = real().and_then(|list| list.C_OpenSession) else {
        return CKR_FUNCTION_NOT_SUPPORTED;
    };
    if !module::begin_session() {
        return CKR_SESSION_COUNT;
    }
    // SAFETY: the caller's arguments.
    let outcome = unsafe { function(slot, flags, application, notify, session) };
    if outcome != CKR_OK {
        module::end_sessions(false);
    }
    outcome
}

fn close_session(session: CK_SESSION_HANDLE) -> CK_RV {
    let function = real().and_then(|list| list.C_CloseSession);
    // SAFETY: the caller's argument.
    let outcome = function.map_or(CKR_FUNCTION_NOT_SUPPORTED, |close| unsafe { close(session) });
    if outcome == CKR_OK {
        module::end_sessions(false);
    }
    outcome
}

/// Begins an encryption; a token that makes nonces itself takes zeros, and says what it has made of them.
fn encrypt_init(session: CK_SESSION_HANDLE, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) -> CK_RV {
    let Some(function) = real().and_then(|list| list.C_EncryptInit) else {
        return CKR_FUNCTION_NOT_SUPPORTED;
    };
    // SAFETY: the caller's mechanism, whose parameter has the type that PKCS#11 says for its kind.
    let nonce = unsafe {
        mechanism.as_ref().and_then(|mechanism| match mechanism.mechanism {
            CKM_AES_GCM => mechanism.pParameter.cast::<CK_GCM_PARAMS>().as_ref(),
            _ => None,
        })
    };
    if is_refused(mechanism) {
        return CKR_MECHANISM_INVALID;
    }
    if let Some(parameters) = nonce
        && module::told(|script| script.nonces)
    {
        let Ok(length) = usize::try_from(parameters.ulIvLen) else {
            return CKR_MECHANISM_PARAM_INVALID;
        };
        // SAFETY: the caller's nonce, of the length that it says.
        let nonce = unsafe { core::slice::from_raw_parts_mut(parameters.pIv, length) };
        if nonce.iter().any(|byte| *byte != 0) {
            return CKR_MECHANISM_PARAM_INVALID;
        }
        let Some(random) = real().and_then(|list| list.C_GenerateRandom) else {
            return CKR_FUNCTION_NOT_SUPPORTED;
        };
        // SAFETY: as above.
        let outcome = unsafe { random(session, nonce.as_mut_ptr(), parameters.ulIvLen) };
        if outcome != CKR_OK {
            return outcome;
        }
    }
    // SAFETY: the caller's arguments.
    unsafe { function(session, mechanism, key) }
}

fn may_begin(mechanism: *const CK_MECHANISM) -> Outcome {
    if is_refused(mechanism) {
        Err(CKR_MECHANISM_INVALID)
    } else {
        Ok(())
    }
}

fn is_refused(mechanism: *const CK_MECHANISM) -> bool {
    // SAFETY: the caller's mechanism.
    let kind = unsafe { mechanism.as_ref() }.map(|mechanism| mechanism.mechanism);
    module::told(|script| kind.is_some_and(|kind| script.refused.contains(&kind)))
}

type Cipher =
    Option<unsafe extern "C" fn(CK_SESSION_HANDLE, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG) -> CK_RV>;

/// Makes a call that turns bytes into bytes, and spoils what comes out if the script says so.
fn turned(
    function: Option<Cipher>,
    session: CK_SESSION_HANDLE,
    input: *mut CK_BYTE,
    length: CK_ULONG,
    out: *mut CK_BYTE,
    written: *mut CK_ULONG,
) -> CK_RV {
    let Some(function) = function.flatten() else {
        return CKR_FUNCTION_NOT_SUPPORTED;
    };
    // SAFETY: the caller's arguments.
    let outcome = unsafe { function(session, input, length, out, written) };
    // SAFETY: the caller's buffer, into which something was written.
    if outcome == CKR_OK
        && module::is_wrong()
        && let Some(byte) = unsafe { out.as_mut() }
    {
        *byte ^= 1;
    }
    outcome
}

fn encrypt(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG) -> CK_RV {
    turned(real().map(|list| list.C_Encrypt), a, b, c, d, e)
}

fn decrypt(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG) -> CK_RV {
    turned(real().map(|list| list.C_Decrypt), a, b, c, d, e)
}

fn sign(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG) -> CK_RV {
    turned(real().map(|list| list.C_Sign), a, b, c, d, e)
}

/// Goes on with a search, which finds nothing if the script says so.
fn find_objects(
    session: CK_SESSION_HANDLE,
    place: *mut CK_OBJECT_HANDLE,
    room: CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    let Some(function) = real().and_then(|list| list.C_FindObjects) else {
        return CKR_FUNCTION_NOT_SUPPORTED;
    };
    // SAFETY: the caller's arguments.
    let outcome = unsafe { function(session, place, room, count) };
    // SAFETY: the caller's place.
    if outcome == CKR_OK
        && module::is_wrong()
        && let Some(count) = unsafe { count.as_mut() }
    {
        *count = 0;
    }
    outcome
}

/// The list that callers get.
struct List(CK_FUNCTION_LIST);

// SAFETY: it is made of numbers and functions, and never changes.
unsafe impl Sync for List {}

/// Declares the functions: `if` a condition that a call must fulfil, or `=` what is called in the module's place.
macro_rules! functions {
    ($($name:ident($($argument:ident: $kind:ty),*) $(= $instead:ident)? $(if $judged:expr)?;)+) => {
        mod shims {
            use super::*;
            $(
                pub(super) unsafe extern "C" fn $name($($argument: $kind),*) -> CK_RV {
                    match module::before(stringify!($name)) {
                        None => return CKR_GENERAL_ERROR,
                        Some(Some(code)) => return code,
                        Some(None) => {}
                    }
                    functions!(@call $name($($argument),*) $(= $instead)? $(if $judged)?)
                }
            )+
        }

        static LIST: List = List(CK_FUNCTION_LIST {
            version: CK_VERSION { major: 2, minor: 40 },
            $($name: Some(shims::$name)),+
        });
    };
    (@call $name:ident($($argument:ident),*) = $instead:ident) => { $instead($($argument),*) };
    (@call $name:ident($($argument:ident),*) if $judged:expr) => {
        match $judged {
            Ok(()) => functions!(@call $name($($argument),*)),
            Err(refusal) => refusal,
        }
    };
    (@call $name:ident($($argument:ident),*)) => {
        match real().and_then(|list| list.$name) {
            // SAFETY: the caller's arguments, as they came.
            Some(function) => unsafe { function($($argument),*) },
            None => CKR_FUNCTION_NOT_SUPPORTED,
        }
    };
}

/// Gives callers the functions of this module.
///
/// # Safety
/// `place` is null or a place for a pointer (PKCS #11 v2.40 §5.4, `C_GetFunctionList`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(place: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    function_list(place)
}

#[rustfmt::skip] // a row a line
functions! {
    C_Initialize(a: *mut c_void);
    C_Finalize(a: *mut c_void) = finalize;
    C_GetInfo(a: *mut CK_INFO);
    C_GetFunctionList(a: *mut *mut CK_FUNCTION_LIST) = function_list;
    C_GetSlotList(a: CK_BBOOL, b: *mut CK_SLOT_ID, c: *mut CK_ULONG);
    C_GetSlotInfo(a: CK_SLOT_ID, b: *mut CK_SLOT_INFO);
    C_GetTokenInfo(a: CK_SLOT_ID, b: *mut CK_TOKEN_INFO) = token_info;
    C_GetMechanismList(a: CK_SLOT_ID, b: *mut CK_MECHANISM_TYPE, c: *mut CK_ULONG);
    C_GetMechanismInfo(a: CK_SLOT_ID, b: CK_MECHANISM_TYPE, c: *mut CK_MECHANISM_INFO);
    C_InitToken(a: CK_SLOT_ID, b: *mut CK_UTF8CHAR, c: CK_ULONG, d: *mut CK_UTF8CHAR) if may_manage();
    C_InitPIN(a: CK_SESSION_HANDLE, b: *mut CK_UTF8CHAR, c: CK_ULONG) if may_manage();
    C_SetPIN(a: CK_SESSION_HANDLE, b: *mut CK_UTF8CHAR, c: CK_ULONG, d: *mut CK_UTF8CHAR, e: CK_ULONG) = set_pin;
    C_OpenSession(a: CK_SLOT_ID, b: CK_FLAGS, c: *mut c_void, d: CK_NOTIFY, e: *mut CK_SESSION_HANDLE) = open_session;
    C_CloseSession(a: CK_SESSION_HANDLE) = close_session;
    C_CloseAllSessions(a: CK_SLOT_ID);
    C_GetSessionInfo(a: CK_SESSION_HANDLE, b: *mut CK_SESSION_INFO);
    C_GetOperationState(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_SetOperationState(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: CK_OBJECT_HANDLE, e: CK_OBJECT_HANDLE);
    C_Login(a: CK_SESSION_HANDLE, b: CK_USER_TYPE, c: *mut CK_UTF8CHAR, d: CK_ULONG) = login;
    C_Logout(a: CK_SESSION_HANDLE) = logout;
    C_CreateObject(a: CK_SESSION_HANDLE, b: *mut CK_ATTRIBUTE, c: CK_ULONG, d: *mut CK_OBJECT_HANDLE) if may_make(b, c);
    C_CopyObject(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ATTRIBUTE, d: CK_ULONG, e: *mut CK_OBJECT_HANDLE) if may_make(c, d);
    C_DestroyObject(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE) if may_change(a, b);
    C_GetObjectSize(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ULONG);
    C_GetAttributeValue(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ATTRIBUTE, d: CK_ULONG);
    C_SetAttributeValue(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ATTRIBUTE, d: CK_ULONG) if may_change(a, b);
    C_FindObjectsInit(a: CK_SESSION_HANDLE, b: *mut CK_ATTRIBUTE, c: CK_ULONG);
    C_FindObjects(a: CK_SESSION_HANDLE, b: *mut CK_OBJECT_HANDLE, c: CK_ULONG, d: *mut CK_ULONG) = find_objects;
    C_FindObjectsFinal(a: CK_SESSION_HANDLE);
    C_EncryptInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE) = encrypt_init;
    C_Encrypt(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG) = encrypt;
    C_EncryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_EncryptFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_DecryptInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE) if may_begin(b);
    C_Decrypt(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG) = decrypt;
    C_DecryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DecryptFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_DigestInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM);
    C_Digest(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DigestUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_DigestKey(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE);
    C_DigestFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_SignInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_Sign(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG) = sign;
    C_SignUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_SignFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_SignRecoverInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_SignRecover(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_VerifyInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_Verify(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: CK_ULONG);
    C_VerifyUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_VerifyFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_VerifyRecoverInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_VerifyRecover(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DigestEncryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DecryptDigestUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_SignEncryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DecryptVerifyUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_GenerateKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: *mut CK_ATTRIBUTE, d: CK_ULONG, e: *mut CK_OBJECT_HANDLE) if may_make(c, d);
    C_GenerateKeyPair(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: *mut CK_ATTRIBUTE, d: CK_ULONG, e: *mut CK_ATTRIBUTE, f: CK_ULONG, g: *mut CK_OBJECT_HANDLE, h: *mut CK_OBJECT_HANDLE) if may_make(c, d).and(may_make(e, f)).and(may_begin(b));
    C_WrapKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE, d: CK_OBJECT_HANDLE, e: *mut CK_BYTE, f: *mut CK_ULONG);
    C_UnwrapKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE, d: *mut CK_BYTE, e: CK_ULONG, f: *mut CK_ATTRIBUTE, g: CK_ULONG, h: *mut CK_OBJECT_HANDLE) if may_make(f, g);
    C_DeriveKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE, d: *mut CK_ATTRIBUTE, e: CK_ULONG, f: *mut CK_OBJECT_HANDLE) if may_make(d, e).and(may_begin(b));
    C_SeedRandom(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_GenerateRandom(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_GetFunctionStatus(a: CK_SESSION_HANDLE);
    C_CancelFunction(a: CK_SESSION_HANDLE);
    C_WaitForSlotEvent(a: CK_FLAGS, b: *mut CK_SLOT_ID, c: *mut c_void);
}
