//! The codec beside the crates kmip-ttlv 0.3 and kmip-protocol 0.4: `cargo bench -p claviger-benches --bench codec`.
#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing)]

#[path = "codec/cases.rs"]
#[allow(dead_code, clippy::indexing_slicing)] // each user of the cases takes a part of them
mod cases;

use cases::{LOCATED, captures, decode, encode, get_answer, locate_answer, peer, request_there_and_back, walk};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// Decoding and encoding an answer, typed.
fn answer(c: &mut Criterion, name: &str, bytes: &[u8], peers: &impl serde::Serialize) {
    // What is compared must be the same.
    assert!(encode(&decode(bytes)) == bytes && peer::encode(peers) == bytes);
    let ours = decode(bytes);
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes.len().try_into().expect("a length")));
    group.bench_function("walk/claviger", |b| b.iter(|| walk(black_box(bytes))));
    group.bench_function("decode/claviger", |b| {
        b.iter_with_large_drop(|| decode(black_box(bytes)))
    });
    group.bench_function("decode/kmip-protocol", |b| {
        b.iter_with_large_drop(|| peer::decode(black_box(bytes)))
    });
    group.bench_function("encode/claviger", |b| b.iter(|| encode(black_box(&ours))));
    group.bench_function("encode/kmip-ttlv", |b| b.iter(|| peer::encode(black_box(peers))));
    group.bench_function("both/claviger", |b| b.iter(|| encode(&decode(black_box(bytes)))));
    group.bench_function("both/kmip-protocol", |b| {
        b.iter(|| {
            drop(peer::decode(black_box(bytes)));
            peer::encode(black_box(peers))
        });
    });
    group.finish();
}

fn answers(c: &mut Criterion) {
    answer(c, "get answer", &get_answer(), &peer::get_answer());
    answer(c, "locate answer", &locate_answer(LOCATED), &peer::locate_answer());
}

/// The captured requests, all of them an iteration. The peer reads no requests; both can print them.
fn requests(c: &mut Criterion) {
    let requests = captures();
    if requests.is_empty() {
        return;
    }
    let length: usize = requests.iter().map(Vec::len).sum();
    let mut group = c.benchmark_group(format!("{} captured requests", requests.len()));
    group.throughput(Throughput::Bytes(length.try_into().expect("a length")));
    group.bench_function("walk/claviger", |b| {
        b.iter(|| requests.iter().map(|r| walk(black_box(r))).sum::<usize>());
    });
    group.bench_function("both/claviger", |b| {
        b.iter(|| {
            requests
                .iter()
                .map(|r| request_there_and_back(black_box(r)).len())
                .sum::<usize>()
        });
    });
    group.bench_function("print/claviger", |b| {
        let print = |r: &Vec<u8>| {
            kmip_ttlv::xml::from_ttlv(black_box(r), &kmip_protocol::KmipVocabulary).map_or(0, |t| t.len())
        };
        b.iter(|| requests.iter().map(print).sum::<usize>());
    });
    group.bench_function("print/kmip-ttlv", |b| {
        let printer = peer_ttlv::PrettyPrinter::new();
        b.iter(|| {
            requests
                .iter()
                .map(|r| printer.to_string(black_box(r)).len())
                .sum::<usize>()
        });
    });
    group.finish();
}

/// Messages out of a stream that arrives in pieces of one TLS record.
fn frames(c: &mut Criterion) {
    const EXPECTED: &[kmip_ttlv::Tag] = &[kmip_ttlv::Tag(0x42_007B)];
    let stream = get_answer().repeat(50);
    let mut group = c.benchmark_group("frame");
    group.throughput(Throughput::Bytes(stream.len().try_into().expect("a length")));
    group.bench_function("claviger", |b| {
        b.iter_batched_ref(
            || kmip_ttlv::Frame::new(EXPECTED, 1 << 20),
            |frame| {
                let mut rest = black_box(&stream[..]);
                while let Ok(taken) = frame.push(rest) {
                    rest = &rest[taken..];
                    if frame.message().is_some() {
                        frame.clear();
                    }
                    if rest.is_empty() {
                        break;
                    }
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, answers, requests, frames);
criterion_main!(benches);
