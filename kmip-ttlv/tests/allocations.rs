//! Reading allocates nothing, however many items there are; a frame that is cleared and a writer with room neither.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used)] // an allocator that counts cannot be had otherwise

use kmip_ttlv::{Frame, Reader, Tag, Value, Writer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let result = work();
    (ALLOCATIONS.with(Cell::get) - before, result)
}

const MESSAGE: Tag = Tag(0x42_007B);
const IDENTIFIER: Tag = Tag(0x42_0094);
const ITEMS: usize = 10_000;

fn message() -> Vec<u8> {
    let mut writer = Writer::new();
    writer.structure(MESSAGE, |w| {
        for _ in 0..ITEMS {
            w.structure(IDENTIFIER, |w| {
                w.text(IDENTIFIER, "49a1ca88-6bea-4fb2-b450-7e58802c3038")
            });
        }
    });
    writer.into_bytes()
}

fn walk(mut reader: Reader<'_>) -> usize {
    let mut length = 0;
    while !reader.is_empty() {
        match reader.item().unwrap().1 {
            Value::Structure(inner) => length += walk(inner),
            Value::TextString(text) => length += text.len(),
            _ => {}
        }
    }
    length
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1_u8]))).0, 1);
}

#[test]
fn reading_allocates_nothing() {
    let message = message();
    assert_eq!(allocations(|| walk(Reader::new(&message))), (0, ITEMS * 36));
    let typed = |reader: &mut Reader<'_>| {
        let mut length = 0;
        while reader.at(IDENTIFIER) {
            length += reader.structure(IDENTIFIER, |inner| inner.text(IDENTIFIER))?.len();
        }
        Ok(length)
    };
    let (count, length) = allocations(|| Reader::new(&message).structure(MESSAGE, typed).unwrap());
    assert_eq!((count, length), (0, ITEMS * 36));
    assert_eq!(allocations(|| Reader::new(&message).skip().is_ok()), (0, true));
    // Nor does refusing.
    let (count, error) = allocations(|| Reader::new(&message[..message.len() - 8]).skip());
    assert_eq!((count, error.is_err()), (0, true));
}

#[test]
fn writing_allocates_as_the_buffer_doubles_and_no_more() {
    let (count, bytes) = allocations(message);
    let doublings = (bytes.len() / 512).ilog2() + 2;
    assert!(count <= usize::try_from(doublings).unwrap(), "{count} allocations");
}

#[test]
fn a_frame_allocates_once_for_many_small_messages() {
    const EXPECTED: &[Tag] = &[MESSAGE];
    let mut writer = Writer::new();
    writer.structure(MESSAGE, |w| w.text(IDENTIFIER, "a"));
    let message = writer.into_bytes();
    let (count, ()) = allocations(|| {
        let mut frame = Frame::new(EXPECTED, 4096);
        for _ in 0..100 {
            assert_eq!(frame.push(&message), Ok(message.len()));
            assert_eq!(frame.message().map(<[u8]>::len), Some(message.len()));
            frame.clear();
        }
    });
    assert_eq!(count, 1);
}
