//! The three encodings of a message behind one name.

mod common;

use common::Nameless;
use kmip_ttlv::Encoding;

const ENCODINGS: [Encoding; 3] = [Encoding::Ttlv, Encoding::Xml, Encoding::Json];

const MESSAGE: [u8; 24] = [
    0x42, 0, 0x7B, 1, 0, 0, 0, 16, 0x42, 0, 0x0D, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0,
];

#[test]
fn content_types_have_parameters_and_any_case() {
    let of = Encoding::of_content_type;
    assert_eq!(of("application/octet-stream"), Some(Encoding::Ttlv));
    assert_eq!(of("Text/XML; charset=utf-8"), Some(Encoding::Xml));
    assert_eq!(of("application/json;charset=UTF-8"), Some(Encoding::Json));
    assert_eq!(of("text/plain"), None);
    assert_eq!(of("text/xmlx"), None);
    for encoding in ENCODINGS {
        assert_eq!(of(encoding.content_type()), Some(encoding));
    }
}

#[test]
fn every_encoding_of_a_message_reads_the_same() {
    for encoding in ENCODINGS {
        let body = encoding.write(MESSAGE.to_vec(), &Nameless).unwrap();
        assert_eq!(*encoding.read(&body, &Nameless, 24).unwrap(), MESSAGE, "{encoding:?}");
        assert!(encoding.read(&body, &Nameless, 23).is_err(), "{encoding:?}");
    }
}

#[test]
fn what_is_no_whole_message_is_an_error() {
    let wrong: [(Encoding, &[u8]); 7] = [
        (Encoding::Ttlv, &[]),
        (Encoding::Ttlv, &[0x42, 0, 0x78, 1, 0, 0, 0, 8]),
        (Encoding::Ttlv, &[0x42, 0, 0x78, 1, 0, 0, 0, 0, 0]),
        (Encoding::Xml, b"<TTLV"),
        (Encoding::Xml, &[0xFF, 0xFE]),
        (Encoding::Json, b"{\"tag\": 1"),
        (Encoding::Json, b""),
    ];
    for (encoding, body) in wrong {
        assert!(encoding.read(body, &Nameless, 1024).is_err(), "{encoding:?} {body:?}");
    }
}
