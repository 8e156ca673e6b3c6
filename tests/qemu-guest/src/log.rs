//! defmt's way out: frames, encoded, to the console device; nowhere if there is none.

use core::cell::UnsafeCell;

use crate::devices::Console;

/// What waits to be sent at once.
const BATCH: usize = 1024;

/// The only logger.
#[defmt::global_logger]
struct Logger;

struct State {
    encoder: defmt::Encoder,
    console: Option<Console>,
    waiting: [u8; BATCH],
    len: usize,
}

struct Shared(UnsafeCell<State>);

// SAFETY: there is one hart, nothing interrupts it, and nothing in here logs.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State {
    encoder: defmt::Encoder::new(),
    console: None,
    waiting: [0; BATCH],
    len: 0,
}));

/// Sends what is logged from now on to `console`.
pub fn init(console: Option<Console>) {
    with(|state| state.console = console);
}

/// Sends what still waits.
pub fn flush() {
    with(State::flush);
}

fn with<T>(use_it: impl FnOnce(&mut State) -> T) -> T {
    // SAFETY: see `Shared`: nobody else has it borrowed.
    use_it(unsafe { &mut *STATE.0.get() })
}

impl State {
    fn flush(&mut self) {
        if let (Some(console), 1..) = (&mut self.console, self.len) {
            console.send(&self.waiting[..self.len]);
        }
        self.len = 0;
    }

    fn put(waiting: &mut [u8; BATCH], len: &mut usize, console: &mut Option<Console>, bytes: &[u8]) {
        for byte in bytes {
            if *len == BATCH {
                if let Some(console) = console {
                    console.send(waiting);
                }
                *len = 0;
            }
            waiting[*len] = *byte;
            *len += 1;
        }
    }
}

// SAFETY: one hart without interrupts is one context; every byte goes through the encoder.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        with(|State { encoder, console, waiting, len }| {
            encoder.start_frame(|bytes| State::put(waiting, len, console, bytes));
        });
    }

    unsafe fn flush() {
        flush();
    }

    unsafe fn release() {
        with(|State { encoder, console, waiting, len }| {
            encoder.end_frame(|bytes| State::put(waiting, len, console, bytes));
        });
    }

    unsafe fn write(bytes: &[u8]) {
        with(|State { encoder, console, waiting, len }| {
            encoder.write(bytes, |bytes| State::put(waiting, len, console, bytes));
        });
    }
}

defmt::timestamp!("{=u64:us}", crate::platform::time::now().as_micros());
