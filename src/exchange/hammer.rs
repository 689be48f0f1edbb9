//! Requests of real clients and of published cases, spoilt at random: whatever comes of it, there is a well-formed answer in the version of
//! the request, in words of the server's own table.

use super::Exchange as _;
use super::mutants::{at, is_told, places};
use super::testing::TestHouse;
use kmip_protocol::{AnyItem, AnyValue, Field, RequestMessage, ResponseMessage, ResultStatus, Version};
use kmip_ttlv::{Reader, Tag, Writer};
use std::path::{Path, PathBuf};

/// How many spoilt forms of each request are tried.
const FORMS: usize = 60;

/// Where the reference data are; none, and it is said, where there are none.
pub(super) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CLAVIGER_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let found = root.join(path);
    if !found.exists() {
        eprintln!(
            "SKIPPED: no reference data at {} (set CLAVIGER_SHARED)",
            found.display()
        );
        return None;
    }
    Some(found)
}

/// A fixed sequence of numbers, so that what fails once fails again.
struct Sequence(u64);

impl Sequence {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        let ends = [0, 1, 0x7F, 0x80, 0xFF];
        match self.below(3) {
            0 => ends[self.below(ends.len())],
            _ => self.next().to_le_bytes()[0],
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every request message of the captures and of the cases in hexadecimal.
fn corpus() -> Option<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    files(&shared("kmip/captures")?, &mut paths);
    files(&shared("kmip/cases/hex")?, &mut paths);
    paths.sort();
    let mut messages = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().filter_map(|line| line.split_whitespace().last());
        messages.extend(
            lines
                .map(bytes)
                .filter(|message| message.starts_with(&[0x42, 0x00, 0x78, 0x01])),
        );
    }
    messages.dedup();
    Some(messages)
}

fn tree(message: &[u8]) -> Option<Vec<AnyItem>> {
    Field::read_field(&mut Reader::new(message), Tag(0), Version::NEWEST).ok()
}

/// One item put in place of another, said twice or left out; the lengths agree.
fn rearranged(message: &[u8], other: &[u8], by: &mut Sequence) -> Option<Vec<u8>> {
    let (mut items, mut others) = (tree(message)?, tree(other)?);
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    places(&items, false, &mut Vec::new(), &mut own);
    places(&others, false, &mut Vec::new(), &mut theirs);
    let (among, last) = at(&mut others, &theirs[by.below(theirs.len())].0);
    let taken = among[last].clone();
    let (among, last) = at(&mut items, &own[by.below(own.len())].0);
    match by.below(4) {
        0 => among[last].value = taken.value,
        1 => among.insert(last, taken),
        2 => drop(among.remove(last)),
        _ => among[last].value = AnyValue::Integer(i32::from_le_bytes(by.next().to_le_bytes()[..4].try_into().ok()?)),
    }
    let mut writer = Writer::new();
    items.write_field(&mut writer, Tag(0), Version::NEWEST);
    Some(writer.into_bytes())
}

fn spoilt(message: &[u8], other: &[u8], by: &mut Sequence) -> Vec<u8> {
    let mut spoilt = message.to_vec();
    match by.below(4) {
        0 => spoilt.truncate(by.below(message.len())),
        1 => {
            for _ in 0..=by.below(3) {
                let place = by.below(spoilt.len());
                spoilt[place] = by.byte();
            }
        }
        _ => return rearranged(message, other, by).unwrap_or(spoilt),
    }
    spoilt
}

#[tokio::test]
async fn whatever_comes_of_a_spoilt_request_is_answered_well() {
    let Some(corpus) = corpus() else { return };
    let house = TestHouse::new().await;
    let (mut wrong, mut counts) = (Vec::new(), [0; 3]);
    for (n, message) in corpus.iter().enumerate() {
        let mut by = Sequence(u64::try_from(n).unwrap());
        for form in 0..FORMS {
            let other = &corpus[by.below(corpus.len())];
            let request = spoilt(message, other, &mut by);
            let version = match RequestMessage::read(&request) {
                Ok(read) => Some(read.version()),
                Err(error) => error.protocol_version.and_then(|numbers| numbers.version()),
            };
            let answer = house.server.answer(request, &house.alice).await;
            let Ok(told) = ResponseMessage::read(&answer) else {
                wrong.push(format!("{n}.{form}: not well formed"));
                continue;
            };
            if version.is_some_and(|version| told.header.protocol_version != version.into()) {
                wrong.push(format!("{n}.{form}: in another version"));
            }
            for item in &told.items {
                let failed = item.result_status == ResultStatus::OperationFailed;
                if failed && !is_told(item) {
                    let said = (item.operation, item.result_reason, &item.result_message);
                    wrong.push(format!("{n}.{form}: {said:?}"));
                }
                counts[usize::from(failed)] += 1;
            }
            counts[2] += 1;
        }
    }
    assert!(wrong.is_empty(), "{} {wrong:#?}", wrong.len());
    assert!(counts[0] > 100 && counts[1] > 8_000, "{counts:?}");
}
