//! The few calls that the safe binding does not have: feeding OpenSSL's generator, making keys by name, the effective
//! key length of RC2. Unsafe code of this room is here only.
#![allow(unsafe_code)]

use super::error::{CryptoError, internal, note_random_failure};
use super::random::randomness;
use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::cipher_ctx::CipherCtxRef;
use openssl::md_ctx::{MdCtx, MdCtxRef};
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::provider::Provider;
use std::ffi::{CStr, c_double, c_int, c_uchar, c_void};
use std::sync::OnceLock;

/// `RAND_METHOD` of `openssl/rand.h`. Deprecated there, kept for all of 3.x, and the only hook that every provider of
/// the library goes through: `RAND_bytes_ex` and `RAND_priv_bytes_ex` ask it before their own generators.
#[repr(C)]
struct RandMethod {
    seed: Option<extern "C" fn(*const c_void, c_int) -> c_int>,
    bytes: Option<extern "C" fn(*mut c_uchar, c_int) -> c_int>,
    cleanup: Option<extern "C" fn()>,
    add: Option<extern "C" fn(*const c_void, c_int, c_double) -> c_int>,
    pseudorand: Option<extern "C" fn(*mut c_uchar, c_int) -> c_int>,
    status: Option<extern "C" fn() -> c_int>,
}

unsafe extern "C" {
    fn RAND_set_rand_method(method: *const RandMethod) -> c_int;
}

extern "C" fn fill(out: *mut c_uchar, length: c_int) -> c_int {
    let Ok(length) = usize::try_from(length) else { return 0 };
    if out.is_null() || length == 0 {
        return c_int::from(length == 0);
    }
    // SAFETY: the library hands a buffer of `length` bytes that it lets nobody else touch until we return. It may be
    // uninitialised, so it is written before a slice is made of it.
    let out = unsafe {
        std::ptr::write_bytes(out, 0, length);
        std::slice::from_raw_parts_mut(out, length)
    };
    if randomness().fill(out).is_ok() {
        1
    } else {
        note_random_failure();
        0
    }
}

extern "C" fn seed(_: *const c_void, _: c_int) -> c_int {
    1
}

extern "C" fn add(_: *const c_void, _: c_int, _: c_double) -> c_int {
    1
}

extern "C" fn status() -> c_int {
    1
}

static METHOD: RandMethod = RandMethod {
    seed: Some(seed),
    bytes: Some(fill),
    cleanup: None,
    add: Some(add),
    pseudorand: Some(fill),
    status: Some(status),
};

/// Makes the library ready, once: our generator, and the providers with the current and the old algorithms.
///
/// # Errors
/// [`CryptoError::Internal`].
pub(super) fn prepare() -> Result<(), CryptoError> {
    static READY: OnceLock<bool> = OnceLock::new();
    let ready = READY.get_or_init(|| {
        openssl::init();
        // SAFETY: the structure is `'static` and has the layout of the header's.
        let fed = unsafe { RAND_set_rand_method(&raw const METHOD) } == 1;
        // Naming one provider switches the implicit one off, so both are named. They stay for the process's life.
        let loaded = ["default", "legacy"].map(|name| Provider::load(None, name).map(std::mem::forget).is_ok());
        fed && loaded == [true, true]
    });
    if *ready { Ok(()) } else { Err(CryptoError::Internal) }
}

/// A context for keys of the algorithm with this name of the library.
///
/// # Errors
/// [`CryptoError::Unsupported`] if the library has no such algorithm.
pub(super) fn context_by_name(name: &CStr) -> Result<PkeyCtx<()>, CryptoError> {
    prepare()?;
    // SAFETY: `name` is a C string; the result, if any, is owned by nobody else.
    let context =
        unsafe { openssl_sys::EVP_PKEY_CTX_new_from_name(std::ptr::null_mut(), name.as_ptr(), std::ptr::null()) };
    if context.is_null() {
        internal(openssl::error::ErrorStack::get());
        return Err(CryptoError::Unsupported);
    }
    // SAFETY: not null, and owned by us.
    Ok(unsafe { PkeyCtx::from_ptr(context) })
}

/// Makes a key of the named algorithm in the named standard group.
///
/// # Errors
/// [`CryptoError::Unsupported`] if the library has no such group, [`CryptoError::Internal`].
pub(super) fn generate_in_group(algorithm: &CStr, group: &CStr) -> Result<PKey<Private>, CryptoError> {
    let mut context = context_by_name(algorithm)?;
    context.keygen_init().map_err(internal)?;
    // SAFETY: the library copies the name; `OSSL_PARAM_construct_end` needs nothing.
    let set = unsafe {
        let builder = openssl_sys::OSSL_PARAM_BLD_new();
        let pushed = openssl_sys::OSSL_PARAM_BLD_push_utf8_string(builder, c"group".as_ptr(), group.as_ptr(), 0);
        let parameters = openssl_sys::OSSL_PARAM_BLD_to_param(builder);
        let set = pushed == 1
            && !parameters.is_null()
            && openssl_sys::EVP_PKEY_CTX_set_params(context.as_ptr(), parameters) == 1;
        openssl_sys::OSSL_PARAM_free(parameters);
        openssl_sys::OSSL_PARAM_BLD_free(builder);
        set
    };
    if !set {
        internal(openssl::error::ErrorStack::get());
        return Err(CryptoError::Unsupported);
    }
    context.keygen().map_err(internal)
}

/// A second context in the state of the first: each goes on by itself.
///
/// # Errors
/// [`CryptoError::Internal`].
pub(super) fn copy_digest(from: &MdCtxRef) -> Result<MdCtx, CryptoError> {
    let copy = MdCtx::new().map_err(internal)?;
    // SAFETY: both contexts are alive; the first is only read, the second is nobody else's.
    if unsafe { openssl_sys::EVP_MD_CTX_copy_ex(copy.as_ptr(), from.as_ptr()) } == 1 {
        return Ok(copy);
    }
    Err(internal(openssl::error::ErrorStack::get()))
}

/// Whether the key is of the algorithm with this name of the library. Newer algorithms have no number there.
pub(super) fn is_a<T>(key: &PKeyRef<T>, name: &CStr) -> bool {
    // SAFETY: the key is alive and `name` is a C string; both are only read.
    unsafe { openssl_sys::EVP_PKEY_is_a(key.as_ptr(), name.as_ptr()) == 1 }
}

/// Sets RC2's effective key length, which the library otherwise leaves at the cipher's default.
///
/// # Errors
/// [`CryptoError::BadKey`].
pub(super) fn set_rc2_bits(context: &mut CipherCtxRef, bits: c_int) -> Result<(), CryptoError> {
    const EVP_CTRL_SET_RC2_KEY_BITS: c_int = 3;
    // SAFETY: the context holds a cipher; this control takes an integer and no pointer.
    let set = unsafe {
        openssl_sys::EVP_CIPHER_CTX_ctrl(context.as_ptr(), EVP_CTRL_SET_RC2_KEY_BITS, bits, std::ptr::null_mut())
    };
    if set > 0 {
        return Ok(());
    }
    internal(openssl::error::ErrorStack::get());
    Err(CryptoError::BadKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_fed_by_our_source() {
        unsafe extern "C" {
            fn RAND_get_rand_method() -> *const RandMethod;
        }
        prepare().unwrap();
        // SAFETY: takes nothing, returns a pointer that is only compared.
        assert!(std::ptr::eq(unsafe { RAND_get_rand_method() }, &raw const METHOD));
        let (mut first, mut second) = ([0; 32], [0; 32]);
        openssl::rand::rand_bytes(&mut first).unwrap();
        openssl::rand::rand_priv_bytes(&mut second).unwrap();
        assert!(first != [0; 32] && second != [0; 32] && first != second);
    }
}
