//! Figures of a run, for machines: counters, what was rejected, and the course of the congestion window.

use ladder::climb::PUMP_BUFFER;
use ladder::{MUX_MEMORY, Mux, Rung, markers};
use nexus_net_adapter::select::Transport;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::stats::Stats;

use crate::endpoint::{ENDPOINT_BYTES, UdpSecDevice};
use crate::network::NETWORK_BYTES;
use crate::platform::statics::Once;
use crate::platform::uart::Uart;
use crate::say;
use crate::sessions::SESSION_BYTES;

/// Says that `rung` was reached over `transport`.
pub fn rung(rung: &Rung, transport: Transport) {
    // The serial line takes everything.
    _ = markers::rung(rung, transport, &mut Uart);
}

/// Says what memory the run took; of the heap, what is in use and what was at most.
pub fn memory((heap_in_use, heap): (usize, usize)) {
    say!("FIGURE heap_bytes {heap}");
    say!("FIGURE heap_bytes_in_use {heap_in_use}");
    let parts = [
        ("session", SESSION_BYTES),
        ("mux", MUX_MEMORY + size_of::<Mux<'_>>()),
        ("pump", 2 * PUMP_BUFFER),
        ("endpoint", ENDPOINT_BYTES),
        ("network", NETWORK_BYTES),
    ];
    for (part, bytes) in parts {
        say!("FIGURE {part}_bytes {bytes}");
    }
    say!("FIGURE ram_bytes {}", heap + parts.iter().map(|(_, bytes)| bytes).sum::<usize>());
}

/// What the session `id` has counted.
pub fn stats(device: &UdpSecDevice, id: SessionId) -> Stats {
    device.look(|driver| driver.peek(id).map(|session| session.stats())).unwrap_or_default()
}

/// Says what the session `id` has counted, and what `device` has rejected.
pub fn session(device: &UdpSecDevice, id: SessionId) {
    let stats = stats(device, id);
    macro_rules! counters {
        ($($name:ident)*) => { $(say!("STAT {} {}", stringify!($name), stats.$name);)* };
    }
    counters!(
        datagrams_sent bytes_sent datagrams_received bytes_received packets_lost bytes_lost spurious_losses
        stream_bytes_retransmitted stream_bytes_probed stream_bytes_sent stream_bytes_received acks_sent
        acks_received probes_sent probe_timeouts window_reductions reductions_undone persistent_congestions
        reassembly_overflows
    );
    device.look(|driver| {
        for (reject, count) in driver.rejects().iter() {
            say!("REJECT {reject} {count}");
        }
        let counts = driver.counts();
        say!("STAT socket_sends {}", counts.sends);
        say!("STAT socket_held {}", counts.held);
        say!("STAT socket_failed {}", counts.failed);
        if let Some(session) = driver.peek(id) {
            let path = session.path_state();
            say!("STAT smoothed_rtt_us {}", path.smoothed_rtt.as_micros());
            say!("STAT min_rtt_us {}", path.min_rtt.as_micros());
        }
    });
}

/// Samples that are kept; when there are more, every other one goes.
const SAMPLES: usize = 1024;
/// The shortest time between two samples.
const INTERVAL: Duration = Duration::from_millis(5);

/// The session at one moment of the bulk transfer.
#[derive(Clone, Copy)]
struct Sample {
    at: Duration,
    window: u64,
    in_flight: u64,
    acked: u64,
    lost: u64,
}

static MEMORY: Once<[Sample; SAMPLES]> =
    Once::new([Sample { at: Duration::ZERO, window: 0, in_flight: 0, acked: 0, lost: 0 }; SAMPLES]);

/// Lines of progress, over the whole of the bulk transfer.
const PROGRESS_LINES: u64 = 10;

/// The course of the bulk transfer.
#[derive(Default)]
pub struct Plot {
    /// Bytes of the transfer, and of these how many had arrived when that was last said.
    total: u64,
    said: u64,
    samples: Option<&'static mut [Sample; SAMPLES]>,
    len: usize,
    interval: Option<Duration>,
    begun: Option<Instant>,
    next: Option<Instant>,
}

impl Plot {
    /// The transfer of `total` bytes begins.
    pub fn begin(&mut self, now: Instant, total: u64) {
        self.total = total;
        self.samples = Some(MEMORY.take());
        (self.begun, self.next, self.interval) = (Some(now), Some(now), Some(INTERVAL));
    }

    /// The transfer is over.
    pub fn end(&mut self) {
        self.next = None;
    }

    /// Looks at the session `id`, if it is time.
    pub fn sample(&mut self, now: Instant, device: &UdpSecDevice, id: SessionId) {
        let (Some(next), Some(begun), Some(interval)) = (self.next, self.begun, self.interval) else {
            return;
        };
        let Some(samples) = self.samples.as_deref_mut() else { return };
        if now < next {
            return;
        }
        let sample = device.look(|driver| {
            let session = driver.peek(id)?;
            let (path, stats) = (session.path_state(), session.stats());
            Some(Sample {
                at: now.saturating_since(begun),
                window: path.window,
                in_flight: path.in_flight,
                acked: stats.stream_bytes_sent.saturating_sub(session.unacknowledged()),
                lost: stats.bytes_lost,
            })
        });
        let Some(sample) = sample else { return };
        if self.len == SAMPLES {
            for place in 0..SAMPLES / 2 {
                samples[place] = samples[2 * place];
            }
            self.len = SAMPLES / 2;
            self.interval = Some(interval * 2);
        }
        samples[self.len] = sample;
        self.len += 1;
        self.next = Some(now + interval);
        let arrived = sample.acked.saturating_sub(samples[0].acked).min(self.total);
        if arrived.saturating_sub(self.said) > self.total / PROGRESS_LINES {
            self.said = arrived;
            say!("PROGRESS {arrived} {}", self.total);
        }
    }

    /// Says it all, a line each.
    pub fn print(&self) {
        for sample in self.samples.as_deref().into_iter().flatten().take(self.len) {
            let Sample { at, window, in_flight, acked, lost } = sample;
            say!("PLOT {} {window} {in_flight} {acked} {lost}", at.as_micros());
        }
    }
}
