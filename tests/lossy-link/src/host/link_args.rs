//! The options of a link on the command line: units people use (percent, milliseconds, Mbit/s) into units the
//! engine uses.

use std::borrow::ToOwned;
use std::format;
use std::net::SocketAddr;
use std::ops::Range;
use std::str::FromStr;
use std::string::String;
use std::vec::Vec;

use clap::Args;
use udp_sec::time::{Duration, Instant};

use crate::config::{ErrorModel, LinkConfig};

/// What a link does, and the seed of its randomness; the same for both directions.
#[derive(Args, Clone, Debug)]
pub struct LinkArgs {
    /// Seed of all randomness: the same seed loses the same packets of each direction.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Packets lost, in percent, each way.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    loss: u32,
    /// Longest run of losses (and of corruptions).
    #[arg(long, value_name = "PACKETS", default_value_t = u32::MAX, hide_default_value = true)]
    burst: u32,
    /// Round-trip time in milliseconds, half of it each way.
    #[arg(long, value_name = "MS", default_value = "0", value_parser = millis)]
    rtt: Duration,
    /// Further delay of each packet, uniform between 0 and this, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "0", value_parser = millis)]
    jitter: Duration,
    /// Rate in Mbit/s, each way, counting 28 bytes of headers per datagram; 0 for no limit.
    #[arg(long, value_name = "MBIT", default_value = "0", value_parser = megabits)]
    rate: u64,
    /// Packets that may wait for the link, each way.
    #[arg(long, value_name = "PACKETS", default_value_t = usize::MAX, hide_default_value = true)]
    queue: usize,
    /// Packets held back so that others overtake them, in percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    reorder: u32,
    /// How long they are held back, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "5", value_parser = millis)]
    reorder_delay: Duration,
    /// Packets that arrive twice, in percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    dup: u32,
    /// Packets in which one byte changes, in percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    corrupt: u32,
    /// Offsets within the datagram at which corruption strikes.
    #[arg(long, value_name = "FROM..TO", value_parser = range::<usize>)]
    corrupt_offsets: Option<Range<usize>>,
    /// Lose everything between two times, in seconds since the relay began. May be given several times.
    #[arg(long, value_name = "FROM..TO", value_parser = range::<f64>)]
    blackout: Vec<Range<f64>>,
}

impl LinkArgs {
    /// What one direction does; the same for both.
    #[must_use]
    pub fn link(&self) -> LinkConfig {
        let mut config = LinkConfig::default()
            .delay(self.rtt / 2)
            .jitter(self.jitter)
            .rate(self.rate)
            .queue(self.queue)
            .loss(ErrorModel::bursts(self.loss, self.burst))
            .corruption(ErrorModel::bursts(self.corrupt, self.burst))
            .duplication(self.dup)
            .reordering(self.reorder, self.reorder_delay);
        if let Some(offsets) = &self.corrupt_offsets {
            config = config.corrupt_offsets(offsets.clone());
        }
        for period in &self.blackout {
            config = config.blackout(instant(period.start)..instant(period.end));
        }
        config
    }

    /// A link with the delay of these and no other effect, for what is to be spared.
    #[must_use]
    pub fn delay_only(&self) -> LinkConfig {
        LinkConfig::default().delay(self.rtt / 2)
    }
}

/// `seconds` after the relay began.
#[must_use]
pub fn instant(seconds: f64) -> Instant {
    Instant::from_micros((seconds * 1e6).round() as u64)
}

/// A loopback address with its port: nothing else is relayed.
///
/// # Errors
/// Any other text.
pub fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "expected an address like 127.0.0.1:4433".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only loopback addresses (127.0.0.0/8, ::1) are relayed".to_owned())
    }
}

fn number(text: &str, limit: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=limit).contains(&number) => Ok(number),
        _ => Err(format!("expected a number between 0 and {limit}")),
    }
}

/// Percent into parts per million.
fn percent(text: &str) -> Result<u32, String> {
    Ok((number(text, 100.0)? * 1e4).round() as u32)
}

fn millis(text: &str) -> Result<Duration, String> {
    Ok(Duration::from_micros((number(text, 3_600_000.0)? * 1e3).round() as u64))
}

/// Mbit/s into bit/s.
fn megabits(text: &str) -> Result<u64, String> {
    Ok((number(text, 1e6)? * 1e6).round() as u64)
}

/// `FROM..TO`, not empty.
fn range<T: FromStr + PartialOrd + Default>(text: &str) -> Result<Range<T>, String> {
    let ends =
        text.split_once("..").and_then(|(from, to)| Some(from.parse::<T>().ok()?..to.parse::<T>().ok()?));
    ends.filter(|ends| T::default() <= ends.start && ends.start < ends.end)
        .ok_or_else(|| "expected two numbers, FROM..TO with FROM below TO".to_owned())
}
