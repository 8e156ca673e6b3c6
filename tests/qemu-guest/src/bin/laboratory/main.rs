//! Runs in virtual time that a host repeats to the last bit, on the guest's processor: what they compute must not
//! depend on the machine. No device is used; all that differs from a host is the machine, the target and the allocator.
//!
//! An image of its own, for simulations take a real heap and a deep stack, of which the product's image has nothing.
#![no_std]
#![no_main]

mod settings;
mod shim;
mod simulate;

use core::fmt;
use core::mem::MaybeUninit;

use os_shim::exercise::Failure;
use qemu_guest::platform::heap::Wiping;
use qemu_guest::platform::statics::Once;
use qemu_guest::platform::{device_tree, finisher, stack};
use qemu_guest::say;
use settings::{Role, Settings};

/// Bytes of heap.
const HEAP_BYTES: usize = 8 << 20;
/// What QEMU exits with when the role's work was not done.
const FAILED: u16 = 1;

static HEAP_MEMORY: Once<[MaybeUninit<u8>; HEAP_BYTES]> = Once::new([MaybeUninit::uninit(); HEAP_BYTES]);
#[global_allocator]
static HEAP: Wiping = Wiping::empty();

/// Why a role's work was not done.
#[derive(Debug)]
enum Undone {
    /// The exercise failed.
    Exercise(Failure),
    /// It ended early, or with less than was sent.
    Incomplete,
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exercise(failure) => write!(f, "the exercise failed: {failure:?}"),
            Self::Incomplete => f.write_str("not everything has arrived"),
        }
    }
}

/// The machine is up.
#[unsafe(no_mangle)]
extern "Rust" fn guest_main(device_tree: *const u8) -> ! {
    HEAP.init(HEAP_MEMORY.take());
    // SAFETY: what OpenSBI has handed over.
    let arguments = unsafe { device_tree::boot_arguments(device_tree) };
    say!("boot: arguments [{arguments}]");
    let settings = match Settings::parse(arguments) {
        Ok(settings) => settings,
        Err(word) => panic!("boot argument {word}"),
    };
    let outcome = match settings.role {
        Role::Simulate => simulate::run(&settings),
        Role::Shim => shim::run(&settings),
    };
    match &outcome {
        Ok(()) => say!("LABORATORY: end"),
        Err(why) => say!("FAILED: {why}"),
    }
    let (in_use, heap) = HEAP.usage();
    say!("FIGURE heap_bytes {heap}");
    say!("FIGURE heap_bytes_in_use {in_use}");
    say!("FIGURE stack_bytes {}", stack::high_water());
    stack::check();
    finisher::exit(if outcome.is_ok() { 0 } else { FAILED })
}
