//! One bulk transfer over udp-sec, smoltcp's TCP, or secure TCP over that, to be set beside each other: the same bytes,
//! the same memory, the same program. Behind features, so that an image can have one transport and its size be seen.
//!
//! Boot arguments: `transport=udp-sec|tcp|secure-tcp control=none|reno|cubic -- ` and then the ladder's. Figures:
//! `ram_bytes` (buffers and state of the transport), and of the connector `bulk_us` and `goodput_bits_per_second`.

#![no_std]
#![no_main]
#![cfg_attr(
    not(all(feature = "peer-udp-sec", feature = "peer-tcp", feature = "peer-secure-tcp")),
    allow(dead_code, unused, reason = "images that are only to be weighed have one transport, or none")
)]

extern crate alloc;

mod bulk;
#[cfg(any(feature = "peer-tcp", feature = "peer-secure-tcp"))]
mod tcp;
mod udp;

use core::fmt;
use core::mem::MaybeUninit;

use ladder::{Role, Settings};
use qemu_guest::platform::heap::Wiping;
use qemu_guest::platform::statics::Once;
use qemu_guest::platform::{device_tree, finisher, stack};
use qemu_guest::{devices, log, say};

use qemu_guest::devices::NetDevice;

/// What QEMU exits with when the transfer failed.
const FAILED: u16 = 1;
/// Bytes of heap: what handshakes take, and room.
const HEAP_BYTES: usize = 8 * 1024;

static HEAP_MEMORY: Once<[MaybeUninit<u8>; HEAP_BYTES]> = Once::new([MaybeUninit::uninit(); HEAP_BYTES]);
#[global_allocator]
static HEAP: Wiping = Wiping::empty();

/// What a run is told.
struct Task<'a> {
    transport: &'a str,
    control: &'a str,
    settings: Settings,
}

/// Why a run failed.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// This image does not have it, or it is none.
    Unknown(&'static str),
    /// The transport has ended, or could not begin.
    Lost(&'static str),
    /// What arrived is not what was sent.
    Mismatch,
    /// It took too long.
    TooLate,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "no such {what} in this image"),
            Self::Lost(what) => write!(f, "{what} was lost"),
            Self::Mismatch => f.write_str("what arrived is not what was sent"),
            Self::TooLate => f.write_str("it took too long"),
        }
    }
}

impl core::error::Error for Failure {}

/// The machine is up.
#[unsafe(no_mangle)]
extern "Rust" fn guest_main(device_tree: *const u8) -> ! {
    HEAP.init(HEAP_MEMORY.take());
    // SAFETY: what OpenSBI has handed over.
    let arguments = unsafe { device_tree::boot_arguments(device_tree) };
    say!("boot: arguments [{arguments}]");
    let outcome = run(arguments);
    if let Err(why) = &outcome {
        say!("FAILED: {why}");
    }
    stack::check();
    log::flush();
    finisher::exit(if outcome.is_ok() { 0 } else { FAILED })
}

/// Does what `arguments` say.
#[inline(never)]
fn run(arguments: &str) -> Result<(), Failure> {
    let task = parse(arguments)?;
    let mut devices = devices::discover();
    log::init(devices.console.take());
    let card = devices.net.take().ok_or(Failure::Unknown("network card"))?;
    if task.settings.role == Role::Selftest {
        return Err(Failure::Unknown("role"));
    }
    start(card, &task)
}

fn start(card: NetDevice, task: &Task<'_>) -> Result<(), Failure> {
    match task.transport {
        #[cfg(feature = "peer-udp-sec")]
        "udp-sec" => udp::run(card, &task.settings),
        #[cfg(feature = "peer-tcp")]
        "tcp" => tcp::plain(card, task),
        #[cfg(feature = "peer-secure-tcp")]
        "secure-tcp" => tcp::secure(card, task),
        _ => Err(Failure::Unknown("transport")),
    }
}

fn parse(arguments: &str) -> Result<Task<'_>, Failure> {
    let (own, ladder) = arguments.split_once(" -- ").ok_or(Failure::Unknown("argument"))?;
    let mut task = Task {
        transport: "",
        control: "reno",
        settings: Settings::parse(ladder).map_err(|_| Failure::Unknown("argument"))?,
    };
    for word in own.split_whitespace() {
        match word.split_once('=') {
            Some(("transport", value)) => task.transport = value,
            Some(("control", value)) => task.control = value,
            _ => return Err(Failure::Unknown("argument")),
        }
    }
    say!("peers: {} with {}", task.transport, task.control);
    Ok(task)
}
