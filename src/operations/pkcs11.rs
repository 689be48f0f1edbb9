//! PKCS#11 (KMIP 2.1 §6.1.37). What can be told without a token: whether the library is initialised, and whose it is. Every other
//! function says that it is not supported, as PKCS#11 has it for functions that a library leaves out.

use super::part::{Opening, Part, State};
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use kmip_protocol::{
    AnyValue, PKCS_11Function as Function, PKCS_11Request, PKCS_11Response, PKCS_11ReturnCode as Code, Request,
};
use kmip_ttlv::Secret;

/// What the library says of itself, padded with blanks (PKCS#11 3.0 §3.1, CK_INFO).
const MANUFACTURER: &str = "Claviger";
const LIBRARY: &str = "Claviger KMIP server";
/// Bytes of either.
const PADDED: usize = 32;
/// The version of PKCS#11 whose interface this is.
const CRYPTOKI: [u8; 2] = [3, 0];

/// The interface that there is: the default one of PKCS#11 3.0, by the name that PKCS#11 gives it.
const INTERFACE: &str = "PKCS 11";

impl Handle for PKCS_11Request {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<PKCS_11Response, Failure> {
        if self.pkcs11_interface.as_deref().is_some_and(|name| name != INTERFACE) {
            return Err(Fault::Pkcs11Interface.into());
        }
        let function = match self.pkcs11_function {
            AnyValue::Enumeration(number) => Function(number),
            // Integers are functions of vendors, of which there are none here.
            _ => return Err(Fault::Pkcs11Function.into()),
        };
        if !function.is_known_in(context.version) {
            return Err(Fault::Pkcs11Function.into());
        }
        let (code, correlation_value, output) = match &self.correlation_value {
            None => outside(function, context)?,
            Some(value) => inside(function, value, context)?,
        };
        Ok(PKCS_11Response {
            pkcs11_interface: self.pkcs11_interface.clone(),
            pkcs11_function: self.pkcs11_function.clone(),
            correlation_value,
            pkcs11_output_parameters: output,
            pkcs11_return_code: code,
        })
    }
}

/// What came of a call: the code, the Correlation Value to go on with, and output.
type Called = (Code, Option<Vec<u8>>, Option<Secret>);

/// Before anything is initialised.
fn outside(function: Function, context: &mut Context<'_>) -> Result<Called, Failure> {
    if function != Function::C_Initialize {
        return Ok((Code::CKR_CRYPTOKI_NOT_INITIALIZED, None, None));
    }
    Ok((Code::CKR_OK, wait(Part::First, context)?, None))
}

/// Between C_Initialize and C_Finalize.
fn inside(function: Function, value: &[u8], context: &mut Context<'_>) -> Result<Called, Failure> {
    if function == Function::C_Finalize {
        context
            .turn(Part::Last(value), PKCS_11Request::OPERATION)?
            .end(context)?;
        return Ok((Code::CKR_OK, None, None));
    }
    let (code, output) = match function {
        Function::C_Initialize => (Code::CKR_CRYPTOKI_ALREADY_INITIALIZED, None),
        Function::C_GetInfo => (Code::CKR_OK, Some(info())),
        _ => (Code::CKR_FUNCTION_NOT_SUPPORTED, None),
    };
    Ok((code, wait(Part::Next(value), context)?, output))
}

/// CK_INFO: versions as two bytes, texts padded, flags as eight bytes, of which none is set (KMIP Profiles 2.1 §5.18.1).
fn info() -> Secret {
    let number = |text: &str| text.parse().unwrap_or(0);
    let version = [
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
    ];
    let padded = |text: &str| format!("{text:PADDED$}").into_bytes();
    let parts = [
        CRYPTOKI.to_vec(),
        padded(MANUFACTURER),
        vec![0; 8],
        padded(LIBRARY),
        version.to_vec(),
    ];
    Secret::new(parts.concat())
}

/// Remembers that this client has the library initialised. Gives the Correlation Value to tell.
fn wait(part: Part<'_>, context: &mut Context<'_>) -> Result<Option<Vec<u8>>, Failure> {
    let turn = context.turn(part, PKCS_11Request::OPERATION)?;
    turn.keep(context, None, Opening::default(), State::Held(Vec::new()))
}
