//! How often each event was polled: for the last lines of the serial log. The binary log has a line for each of them, so
//! whoever reads both can tell whether one is missing.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use udp_sec_recovery::event::Event;

use crate::say;

static ESTABLISHED: AtomicU64 = AtomicU64::new(0);
static READABLE: AtomicU64 = AtomicU64::new(0);
static WRITABLE: AtomicU64 = AtomicU64::new(0);
static CLOSED: AtomicU64 = AtomicU64::new(0);

/// Counts `event`.
pub fn count(event: Event) {
    let counter = match event {
        Event::Established => &ESTABLISHED,
        Event::Readable => &READABLE,
        Event::Writable => &WRITABLE,
        Event::Closed(_) => &CLOSED,
    };
    counter.fetch_add(1, Relaxed);
}

/// Says what was counted, of all sessions of this guest.
pub fn print() {
    let [established, readable, writable, closed] =
        [&ESTABLISHED, &READABLE, &WRITABLE, &CLOSED].map(|counter| counter.load(Relaxed));
    say!("EVENTS established={established} readable={readable} writable={writable} closed={closed}");
}
