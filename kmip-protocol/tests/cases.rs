//! Published messages through typed values and back: nothing may change.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod reference;

use kmip_protocol::{KmipVocabulary, RequestMessage, ResponseMessage, tag};
use kmip_ttlv::limits::TextLimits;
use kmip_ttlv::{Reader, Writer, json, xml};
use std::path::{Path, PathBuf};

/// Published messages that contradict themselves or the specification: file, number of the message, why it is refused.
const CONTRADICTIONS: &[(&str, usize, &str)] = &[
    ("CS-AC-M-3-12.xml", 2, "an Attribute without Attribute Name"),
    (
        "TC_NP_2_12_Notify_Put.xml",
        2,
        "says 1.0 and has the Key Format Type of a Digest, which is of 1.1",
    ),
];

/// The same among the messages printed in hex, by name.
const CONTRADICTIONS_IN_HEX: &[(&str, &str)] = &[(
    "kmip_1_0_usecase_8_1_step_1_create_rsa_1024_key_pair_response",
    "Unique Identifier twice instead of those of the private and the public key",
)];

#[test]
fn xml_cases_survive_typed_values() {
    let Some(folder) = reference::path("cases") else { return };
    let mut faults = Vec::new();
    let mut messages = 0;
    let mut expected: Vec<_> = CONTRADICTIONS.to_vec();
    for file in files(&folder, "xml")
        .into_iter()
        .filter(|f| !f.starts_with(folder.join("3.0")))
    {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let text = substituted(&std::fs::read_to_string(&file).unwrap());
        for (number, message) in xml::messages(&text, &KmipVocabulary, TextLimits::default())
            .unwrap()
            .enumerate()
        {
            messages += 1;
            let outcome = match message {
                Ok(message) => survives(&message.bytes),
                Err(error) => Err(format!("XML: {error}")),
            };
            let known = expected.iter().position(|(file, at, _)| *file == name && *at == number);
            match (outcome, known) {
                (Ok(()), None) => {}
                (Err(_), Some(at)) => drop(expected.remove(at)),
                (Ok(()), Some(_)) => faults.push(format!("{name} {number}: no longer refused")),
                (Err(fault), None) => faults.push(format!("{}: message {number}: {fault}", file.display())),
            }
        }
    }
    println!("{messages} messages");
    assert!(messages > 3000, "only {messages} messages");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(expected.is_empty(), "not met: {expected:?}");
}

#[test]
fn captures_of_clients_survive_typed_values() {
    let Some(folder) = reference::path("captures") else {
        return;
    };
    let captures = files(&folder, "hex");
    assert!(!captures.is_empty());
    let faults = captures
        .iter()
        .filter_map(|file| {
            let bytes = unhex(std::fs::read_to_string(file).unwrap().trim());
            survives(&bytes)
                .err()
                .map(|fault| format!("{}: {fault}", file.display()))
        })
        .collect::<Vec<_>>();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn messages_printed_in_hex_survive_typed_values() {
    let Some(folder) = reference::path("cases/hex") else {
        return;
    };
    let mut faults = Vec::new();
    for file in files(&folder, "txt") {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let Some((name, bytes)) = line.rsplit_once(char::is_whitespace) else {
                continue;
            };
            let refused = CONTRADICTIONS_IN_HEX.iter().any(|(known, _)| *known == name);
            let outcome = survives(&unhex(bytes));
            assert!(!(refused && outcome.is_ok()), "{name}: no longer refused");
            if let (Err(fault), false) = (outcome, refused) {
                faults.push(format!("{}: {name}: {fault}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// TTLV to typed values and back, and through XML and JSON and back.
fn survives(bytes: &[u8]) -> Result<(), String> {
    let mut writer = Writer::new();
    if Reader::new(bytes).at(tag::REQUEST_MESSAGE) {
        let message = RequestMessage::read(bytes).map_err(|e| e.error.to_string())?;
        if let Some(error) = message.items.iter().find_map(|item| item.payload.as_ref().err()) {
            return Err(error.to_string());
        }
        message.write(&mut writer);
    } else {
        ResponseMessage::read(bytes)
            .map_err(|e| e.to_string())?
            .write(&mut writer);
    }
    if writer.as_bytes() != bytes {
        let before = xml::from_ttlv(bytes, &KmipVocabulary).map_err(|e| e.to_string())?;
        let after = xml::from_ttlv(writer.as_bytes(), &KmipVocabulary).map_err(|e| e.to_string())?;
        let line = before
            .lines()
            .zip(after.lines())
            .position(|(a, b)| a != b)
            .unwrap_or_default();
        return Err(format!(
            "changed: {:?} became {:?}",
            before.lines().nth(line),
            after.lines().nth(line)
        ));
    }
    let text = xml::from_ttlv(bytes, &KmipVocabulary).map_err(|e| e.to_string())?;
    let again = xml::to_ttlv(&text, &KmipVocabulary, TextLimits::default()).map_err(|e| e.to_string())?;
    if again.as_slice() != bytes {
        return Err("changed on the way through XML".to_owned());
    }
    let text = json::from_ttlv(bytes, &KmipVocabulary).map_err(|e| e.to_string())?;
    let again = json::to_ttlv(&text, &KmipVocabulary, TextLimits::default()).map_err(|e| e.to_string())?;
    if again.as_slice() != bytes {
        return Err("changed on the way through JSON".to_owned());
    }
    Ok(())
}

/// The text with a value in place of each variable, of the type that stands before it.
fn substituted(text: &str) -> String {
    let mut parts = text.split("value=\"$");
    let mut result = parts.next().unwrap().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('"').unwrap();
        let value = match result.rsplit("type=\"").next().unwrap().split('"').next().unwrap() {
            "TextString" => variable.to_owned(),
            "ByteString" => "00".to_owned(),
            "DateTime" => "2019-04-11T09:00:00+00:00".to_owned(),
            "DateTimeExtended" => "2019-04-11T09:00:00.000001+00:00".to_owned(),
            other => panic!("variable {variable} of type {other}"),
        };
        result += &format!("value=\"{value}\"{rest}");
    }
    result
}

/// Every file below a folder with this extension, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).expect(text))
        .collect()
}
