//! The PKCS#11 operation as clients meet it.

use super::testing::TestHouse;
use kmip_protocol::{
    AnyValue, PKCS_11Function as Function, PKCS_11Request, PKCS_11ReturnCode as Code, ResponsePayload, ResultReason,
    Version,
};

fn call(function: Function, correlation_value: Option<Vec<u8>>) -> PKCS_11Request {
    PKCS_11Request {
        pkcs11_interface: None,
        pkcs11_function: AnyValue::Enumeration(function.0),
        correlation_value,
        pkcs11_input_parameters: None,
    }
}

/// CK_INFO as it is sent: two bytes a version, 32 a text, eight of flags.
fn info() -> Vec<u8> {
    let (library, version) = ("Claviger KMIP server", env!("CARGO_PKG_VERSION"));
    let mut numbers = version.split('.').map(|number| number.parse::<u8>().unwrap());
    let mut bytes = vec![3, 0];
    bytes.extend(format!("{:32}", "Claviger").bytes().chain([0; 8]));
    bytes.extend(format!("{library:32}").bytes());
    bytes.extend([numbers.next().unwrap(), numbers.next().unwrap()]);
    assert_eq!(bytes.len(), 76);
    bytes
}

async fn told(house: &TestHouse, request: PKCS_11Request) -> Result<(Code, Option<Vec<u8>>), ResultReason> {
    let call = request.pkcs11_function.clone();
    let item = house.item(Version::NEWEST, request, &house.alice).await;
    match item.payload {
        Some(ResponsePayload::PKCS_11(given)) => {
            let is_info =
                call == AnyValue::Enumeration(Function::C_GetInfo.0) && given.pkcs11_return_code == Code::CKR_OK;
            let output = given.pkcs11_output_parameters.map(|output| output.expose().to_vec());
            assert_eq!(output, is_info.then(info));
            Ok((given.pkcs11_return_code, given.correlation_value))
        }
        _ => Err(item.result_reason.unwrap()),
    }
}

#[tokio::test]
async fn the_library_is_initialised_used_and_finalised() {
    let house = TestHouse::new().await;
    let uninitialised = Ok((Code::CKR_CRYPTOKI_NOT_INITIALIZED, None));
    assert_eq!(told(&house, call(Function::C_GetInfo, None)).await, uninitialised);
    assert_eq!(told(&house, call(Function::C_Finalize, None)).await, uninitialised);
    let (code, session) = told(&house, call(Function::C_Initialize, None)).await.unwrap();
    assert_eq!(code, Code::CKR_OK);
    for (function, code) in [
        (Function::C_Initialize, Code::CKR_CRYPTOKI_ALREADY_INITIALIZED),
        (Function::C_GetInfo, Code::CKR_OK),
        (Function::C_GetSlotList, Code::CKR_FUNCTION_NOT_SUPPORTED),
    ] {
        let answer = told(&house, call(function, session.clone())).await;
        assert_eq!(answer, Ok((code, session.clone())));
    }
    let foreign = house.item(Version::NEWEST, call(Function::C_GetInfo, session.clone()), &house.bob);
    assert_eq!(foreign.await.result_reason, Some(ResultReason::InvalidCorrelationValue));
    let end = call(Function::C_Finalize, session);
    assert_eq!(told(&house, end.clone()).await, Ok((Code::CKR_OK, None)));
    assert_eq!(told(&house, end).await, Err(ResultReason::InvalidCorrelationValue));
    assert_eq!(house.server.services().streams.tally(), (0, 0));
}

#[tokio::test]
async fn interfaces_and_functions_that_there_are_not_are_refused() {
    let house = TestHouse::new().await;
    let with = |interface: Option<&str>, function| PKCS_11Request {
        pkcs11_interface: interface.map(str::to_owned),
        pkcs11_function: function,
        ..call(Function::C_Initialize, None)
    };
    let known = AnyValue::Enumeration(Function::C_Initialize.0);
    let cases = [
        (
            with(Some("Vendor"), known.clone()),
            ResultReason::PKCS_11InvalidInterface,
        ),
        (with(None, AnyValue::Integer(1)), ResultReason::PKCS_11InvalidFunction),
        (
            with(None, AnyValue::Enumeration(0)),
            ResultReason::PKCS_11InvalidFunction,
        ),
        (
            with(None, AnyValue::Enumeration(9_999)),
            ResultReason::PKCS_11InvalidFunction,
        ),
        (
            with(None, AnyValue::Boolean(true)),
            ResultReason::PKCS_11InvalidFunction,
        ),
    ];
    for (request, reason) in cases {
        assert_eq!(told(&house, request).await, Err(reason));
    }
    let named = told(&house, with(Some("PKCS 11"), known)).await;
    assert_eq!(named.unwrap().0, Code::CKR_OK);
}
