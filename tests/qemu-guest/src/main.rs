//! A guest of QEMU's riscv64 `virt` machine: the three crates, unchanged, without an operating system.
//!
//! ```text
//! OpenSBI ──► platform: stack, heap, time, wfi ──► boot arguments ──► roles: listener | connector | selftest
//!             devices:  virtio network, random numbers, console          │
//!                          │                                             ▼
//!             network:  smoltcp ── the facade ── link ── endpoint ── ladder (mux v2, rungs, markers)
//! ```
//! What it is told, what it says and how it is judged is in `docs/qemu.md`. Reading order: this file, `roles`,
//! `network`, `platform`.
#![no_std]
#![no_main]

extern crate alloc;

mod roles;

use core::mem::MaybeUninit;

use ladder::settings::Unknown;
use ladder::{Role, Settings, markers};
use udp_sec::time::Duration;

use qemu_guest::platform::heap::Wiping;
use qemu_guest::platform::statics::Once;
use qemu_guest::platform::{device_tree, finisher, interrupts, stack, time};
use qemu_guest::{devices, events, log, network, report, say};

/// What QEMU exits with when the role's work was not done.
const FAILED: u16 = 1;

/// Bytes of heap: what handshakes take, and room.
const HEAP_BYTES: usize = 8 * 1024;

static HEAP_MEMORY: Once<[MaybeUninit<u8>; HEAP_BYTES]> = Once::new([MaybeUninit::uninit(); HEAP_BYTES]);
#[global_allocator]
static HEAP: Wiping = Wiping::empty();

/// The machine is up.
#[unsafe(no_mangle)]
extern "Rust" fn guest_main(device_tree: *const u8) -> ! {
    HEAP.init(HEAP_MEMORY.take());
    // SAFETY: what OpenSBI has handed over.
    let arguments = unsafe { device_tree::boot_arguments(device_tree) };
    say!("boot: arguments [{arguments}]");
    let settings = match Settings::parse(arguments) {
        Ok(settings) => settings,
        Err(Unknown(word)) => panic!("boot argument {word}"),
    };
    let net = boot(&settings);
    say!("FIGURE boot_stack_bytes {}", stack::begin_anew());
    if settings.hold > Duration::ZERO {
        stack::leave_as_it_is();
    }

    let outcome = match (settings.role, net) {
        (Role::Selftest, _) => roles::selftest::run(&settings),
        (Role::Connector, Some(net)) => roles::connector::run(net, &settings),
        (Role::Listener, Some(net)) => roles::listener::run(net, &settings),
        (_, None) => panic!("a network card is needed for this role"),
    };
    match &outcome {
        Ok(()) => say!("{}", markers::END),
        Err(why) => say!("FAILED: {why}"),
    }
    say!("FIGURE stack_role_bytes {}", stack::deepest());
    report::memory(HEAP.usage());
    events::print();
    stack::check();
    log::flush();
    interrupts::sleep_through(time::now() + settings.hold);
    finisher::exit(if outcome.is_ok() { 0 } else { FAILED })
}

/// Finds the devices, and brings up what runs on them. A frame of its own: large values pass through it.
#[inline(never)]
fn boot(settings: &Settings) -> Option<&'static network::Net> {
    let mut devices = devices::discover();
    log::init(devices.console.take());
    Some(network::start(devices.net.take()?, settings))
}
