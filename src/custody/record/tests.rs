//! Records come back as they were written, and only whole.

use super::*;
use crate::custody::ProfileWrap;

fn resident(cka_id: Vec<u8>) -> Placement {
    let scheme = Scheme::CbcHmac;
    Placement::Resident(Resident { cka_id, scheme })
}

fn kek(placement: Placement) -> KekRecord {
    KekRecord {
        id: KekId([1; 16]),
        domain: Domain([2; 16]),
        generation: 3,
        state: KekState::Inactive,
        profile: ProfileId([4; 16]),
        placement,
        created_ms: -5,
        compromised_ms: Some(6),
        abandoned: Some(Abandonment {
            at_ms: 8,
            proposal: [9; 16],
            records: 10,
        }),
        taken_in: true,
        known_answer: vec![7; 62],
    }
}

#[test]
fn kek_records_come_back_and_only_whole() {
    let wrap = |byte| ProfileWrap {
        profile: ProfileId([byte; 16]),
        cka_id: vec![byte; 16],
        public_key: vec![2; 97],
        sealed: vec![3; 160],
    };
    let protected = ProtectedKek {
        check_value: [4; 16],
        binding: [5; 32],
        wraps: vec![wrap(4), wrap(6)],
    };
    let twice = ProtectedKek {
        wraps: vec![wrap(4), wrap(4)],
        ..protected.clone()
    };
    let twice = kek(Placement::Protected(twice)).encode().unwrap();
    assert_eq!(KekRecord::decode(&twice), Err(CustodyError::Record));
    let nowhere = ProtectedKek {
        wraps: Vec::new(),
        ..protected.clone()
    };
    assert_eq!(kek(Placement::Protected(nowhere)).encode(), Err(CustodyError::Limit));
    for placement in [
        Placement::Software,
        resident(vec![9; 16]),
        Placement::Protected(protected),
    ] {
        let record = kek(placement);
        let bytes = record.encode().unwrap();
        assert_eq!(KekRecord::decode(&bytes), Ok(record));
        for end in 0..bytes.len() {
            assert_eq!(KekRecord::decode(&bytes[..end]), Err(CustodyError::Record));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(KekRecord::decode(&longer), Err(CustodyError::Record));
    }
    assert_eq!(kek(resident(vec![])).encode(), Err(CustodyError::Limit));
    assert_eq!(kek(resident(vec![1; 65])).encode(), Err(CustodyError::Limit));
}

#[test]
fn record_key_records_come_back_and_only_whole() {
    let wrap = RecordKeyWrap {
        kek: KekId([1; 16]),
        kek_generation: 2,
        wrapped: vec![3; 62],
    };
    let record = RecordKeyRecord {
        id: [1; 16],
        domain: Domain([2; 16]),
        generation: 1,
        created_ms: 9,
        check: [4; 32],
        wraps: vec![wrap.clone(), wrap],
    };
    let bytes = record.encode().unwrap();
    assert_eq!(RecordKeyRecord::decode(&bytes), Ok(record));
    for end in 0..bytes.len() {
        assert_eq!(RecordKeyRecord::decode(&bytes[..end]), Err(CustodyError::Record));
    }
}
