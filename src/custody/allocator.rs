//! A heap that wipes what is given back: clients' material passes through many buffers that no type of ours owns.
#![allow(unsafe_code)] // the contract of a global allocator

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, which overwrites each block before it frees it. A block that grows is moved, and its old
/// place wiped. The program declares it: `#[global_allocator] static HEAP: WipingAllocator = WipingAllocator;`
pub struct WipingAllocator;

// SAFETY: every call goes to the system's allocator with the layout that it came with; the bytes that are overwritten
// are those of a block that the caller gives back, and so owns. `realloc` is the default one, which goes through these.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the callee's demand.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the callee's demand.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's, `layout.size()` bytes long, and about to be freed.
        unsafe {
            block.write_bytes(0, layout.size());
            // The compiler may not leave out the writes because of the free that follows.
            core::hint::black_box(block);
            System.dealloc(block, layout);
        }
    }
}
