//! What a session costs in memory: sizes of the three profiles, pinned, and the block of the README that states them.
//!
//! The figures are those of a 64-bit machine; on a 32-bit one everything is smaller.
#![cfg(target_pointer_width = "64")]

mod common;

use std::mem::size_of;

use harness::pool::HostStorage;
use udp_sec::handshake::identity::AllowList;
use udp_sec::session::Session;
use udp_sec_recovery::connection::Connection;
use udp_sec_recovery::endpoint::{Endpoint, StaticPool, Tables};
use udp_sec_recovery::limits::PROBE_SLOTS;
use udp_sec_recovery::memory::{Medium, Small, Storage};

const KIB: usize = 1 << 10;

/// An endpoint for two `Small` sessions and two handshakes at a time, in memory that it is lent.
type Device = Endpoint<&'static mut StaticPool<Small, 2>, AllowList<2>, 2, 2>;

/// What it is lent.
type Lent = (Tables<2, 2>, StaticPool<Small, 2>, [Small; 2]);

/// Sizes in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Sizes {
    /// Without its keys, which are on the heap.
    session: usize,
    small: usize,
    medium: usize,
    /// Without what is lent to it.
    host: usize,
    /// The endpoint itself, which can be moved.
    device: usize,
    /// What is lent to it, and stays where it is.
    lent: usize,
}

/// A change is a decision: it belongs into the changelog.
const PINNED: Sizes =
    Sizes { session: 120, small: 20_624, medium: 148_464, host: 1_888, device: 1_040, lent: 51_312 };
/// A session's keys with the portable cipher, as on a device.
const HEAP_PORTABLE: usize = 264;
/// With `ring`, whose keys are larger. Where a workspace is built as a whole, one package that asks for it decides for
/// all.
const HEAP_RING: usize = 1_296;

const BUILT: Sizes = Sizes {
    session: size_of::<Session>(),
    small: size_of::<Connection<Small>>(),
    medium: size_of::<Connection<Medium>>(),
    host: size_of::<Connection<HostStorage>>(),
    device: size_of::<Device>(),
    lent: size_of::<Lent>(),
};

#[test]
fn sizes_are_pinned() {
    assert_eq!(BUILT, PINNED);
    assert!([HEAP_PORTABLE, HEAP_RING].contains(&Session::HEAP), "{}", Session::HEAP);
}

// Issue: `Small` is at most 24 KiB in all, a `Host` connection at most 8 KiB without the storage lent to it.
const _: () = assert!(BUILT.small <= 24 * KIB && BUILT.host <= 8 * KIB);

#[test]
fn the_readme_states_the_sizes() {
    const BEGIN: &str = "<!-- sizes:begin -->\n";
    const END: &str = "<!-- sizes:end -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the block");
    let (stated, after) = rest.split_once(END).expect("the block has an end");
    let computed = table();
    if common::updating() {
        std::fs::write(path, format!("{before}{BEGIN}{computed}{END}{after}"))
            .expect("the README can be written");
    } else {
        assert_eq!(stated, computed, "README.md; HARNESS_UPDATE=1 rewrites the block");
    }
}

fn table() -> String {
    let mut text = String::from(
        "| profile | buffer each way | packets in flight | replay window | memory of one session |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    text += &row::<Small>("Small", PINNED.small, "");
    text += &row::<Medium>("Medium", PINNED.medium, "");
    text += &row::<HostStorage>("Host", PINNED.host, ", and the pages of its storage that it has touched");
    text += &format!(
        "\nAn endpoint for two `Small` sessions and two handshakes at a time takes {} bytes, the sessions included; all\n\
         but {} bytes of it is memory that is lent to it and stays where it is. A handshake needs an allocator while it\n\
         runs, and each session keeps {} bytes of keys there ({} with feature `ring`).\n\
         (64-bit machine; pinned by `tests/harness/tests/profiles.rs`.)\n",
        PINNED.device + PINNED.lent,
        PINNED.device,
        HEAP_PORTABLE,
        HEAP_RING,
    );
    text
}

/// The capacities of a profile, as its storage has them.
fn row<S: Storage + Default>(name: &str, size: usize, apart: &str) -> String {
    let mut storage = S::default();
    let memory = storage.memory();
    assert_eq!(memory.send.len(), memory.recv.len());
    format!(
        "| `{name}` | {} KiB | {} | {} packets | {size} bytes{apart} |\n",
        memory.send.len() / KIB,
        memory.sent.storage_capacity() - PROBE_SLOTS,
        memory.replay.len() * 64,
    )
}
