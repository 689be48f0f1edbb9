//! One case of the codec bench, a number of times, for counting instructions:
//! `valgrind --tool=callgrind target/release/examples/codec_loop CASE COUNT`, with two counts, and the difference divided.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../benches/codec/cases.rs"]
#[allow(dead_code, clippy::indexing_slicing)] // each user of the cases takes a part of them
mod cases;

use cases::{LOCATED, captures, decode, encode, get_answer, locate_answer, peer, request_there_and_back, walk};
use std::hint::black_box;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().expect("a case");
    let count: usize = arguments.next().and_then(|n| n.parse().ok()).expect("a count");
    let (get, locate) = (get_answer(), locate_answer(LOCATED));
    let (typed, peers) = (decode(&get), peer::get_answer());
    let requests = if case == "requests" { captures() } else { Vec::new() };
    for _ in 0..count {
        let _ = match case.as_str() {
            "get-walk" => black_box(walk(black_box(&get))),
            "get-decode" => black_box(decode(black_box(&get))).items.len(),
            "get-decode-peer" => black_box(peer::decode(black_box(&get))).batch_items.len(),
            "get-encode" => black_box(encode(black_box(&typed))).len(),
            "get-encode-peer" => black_box(peer::encode(black_box(&peers))).len(),
            "locate-walk" => black_box(walk(black_box(&locate))),
            "locate-decode" => black_box(decode(black_box(&locate))).items.len(),
            "locate-decode-peer" => black_box(peer::decode(black_box(&locate))).batch_items.len(),
            "requests" => requests
                .iter()
                .map(|r| request_there_and_back(black_box(r)).len())
                .sum(),
            other => panic!("no case {other}"),
        };
    }
}
