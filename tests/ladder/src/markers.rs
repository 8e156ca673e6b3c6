//! The lines by which a run is judged, each to be printed when what it names has happened, and not before. Those of
//! the choice of transport are in `nexus_net_adapter::select`; the contract is in `docs/qemu.md`.

use core::fmt::{self, Write};

use nexus_net_adapter::select::Transport;
use udp_sec::time::Duration;

use crate::Rung;

/// The listener waits for udp-sec; its port follows.
pub const LISTENER_UP: &str = "dsoftbus: udp-sec os listener up";
/// The peer has proven who it is, and that it is there.
pub const AUTH_OK: &str = "dsoftbusd: auth ok";
/// A session over udp-sec is open.
pub const SESSION_OK: &str = "dsoftbus: udp-sec os session ok";
/// Something had to be sent again, and everything arrived.
pub const RECOVERY_OK: &str = "SELFTEST: udp-sec recovery ok";
/// After a fallback, everything arrived.
pub const FALLBACK_OK: &str = "SELFTEST: udp-sec fallback ok";
/// udp-sec was demanded and not to be had, and nothing else was tried.
pub const STRICT_OK: &str = "SELFTEST: udp-sec strict ok";
/// Nothing is left to do, and all that was to be proven has been.
pub const END: &str = "SELFTEST: end";

/// Writes the lines for `rung`, reached over `transport`: figures for machines, then the marker, where there is one.
/// Over TCP only the first data has one.
///
/// # Errors
/// Those of `out`.
pub fn rung(rung: &Rung, transport: Transport, out: &mut impl Write) -> fmt::Result {
    let what = match rung {
        Rung::SessionUp => "",
        Rung::Data => return writeln!(out, "dsoftbus:mux data ok ({transport})"),
        Rung::Control(slowest) => {
            writeln!(out, "FIGURE control_slowest_us {}", slowest.as_micros())?;
            "control"
        }
        Rung::Bulk { bytes, elapsed, hash } => {
            writeln!(out, "FIGURE bulk_bytes {bytes}")?;
            writeln!(out, "FIGURE bulk_us {}", elapsed.as_micros())?;
            writeln!(out, "FIGURE goodput_bits_per_second {}", goodput(*bytes, *elapsed))?;
            writeln!(out, "FIGURE bulk_sha256 {}", Hex(hash))?;
            "bulk"
        }
        Rung::Backpressure => "backpressure",
    };
    match (transport, what) {
        (Transport::UdpSec, "") => writeln!(out, "dsoftbus:mux session up"),
        (Transport::UdpSec, what) => writeln!(out, "SELFTEST: udp-sec {what} ok"),
        _ => Ok(()),
    }
}

/// Bits per second; 0 where there was no time.
fn goodput(bytes: u64, elapsed: Duration) -> u64 {
    let bits_and_micros = bytes.saturating_mul(8).saturating_mul(1_000_000);
    bits_and_micros.checked_div(elapsed.as_micros()).unwrap_or(0)
}

/// Bytes as people write them.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
