//! What the relay says it saw, and what a profile demands of it.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::profile::Profile;

/// The relay's counts, as it prints them. A is the side of the connector's machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire(pub Value);

impl Wire {
    /// Reads the relay's last line.
    ///
    /// # Errors
    /// Where it is not what a relay prints.
    pub fn parse(line: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(line).context("the relay's counts")?;
        let wire = Self(value);
        for direction in ["a_to_b", "b_to_a"] {
            wire.sent(direction, "frames")?;
            wire.link(direction, "lost")?;
        }
        Ok(wire)
    }

    /// A count of what was sent in one direction, before anything was lost.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn sent(&self, direction: &str, name: &str) -> Result<u64> {
        self.number(&[direction, "sent", name])
    }

    /// A count of the emulated link.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn link(&self, direction: &str, name: &str) -> Result<u64> {
        self.number(&[direction, "link", name])
    }

    /// The sum over both directions.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn both(&self, name: &str) -> Result<u64> {
        Ok(self.sent("a_to_b", name)? + self.sent("b_to_a", name)?)
    }

    /// What is wrong with the wire in a run of `profile`; empty where nothing is. `lossy`: the link was to lose frames.
    ///
    /// # Errors
    /// Where a count is missing.
    pub fn faults(&self, profile: Profile, lossy: bool) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let mut refuse = |names: &[&str], why: &str| -> Result<()> {
            for name in names {
                let count = self.both(name)?;
                if count > 0 {
                    faults.push(format!("{why}, but the link carried {count} of {name}"));
                }
            }
            Ok(())
        };
        match profile {
            Profile::NoEntropy => refuse(&["frames"], "without entropy nothing may be sent")?,
            Profile::Strict => refuse(&["tcp"], "udp-sec was demanded")?,
            Profile::UdpSec => refuse(&["tcp"], "udp-sec was possible")?,
            Profile::Quic => refuse(&["udp_with_payload", "tcp"], "QUIC is blocked")?,
            Profile::Fallback | Profile::Selftest => {}
        }
        match profile {
            Profile::Strict if self.sent("a_to_b", "udp_with_payload")? == 0 => {
                faults.push("udp-sec was demanded, but never tried".to_owned());
            }
            Profile::Fallback if self.sent("a_to_b", "tcp_with_payload")? == 0 => {
                faults.push("nothing went by TCP".to_owned());
            }
            Profile::UdpSec if lossy && self.link("a_to_b", "lost")? + self.link("b_to_a", "lost")? == 0 => {
                faults.push("the link was to lose frames, but lost none".to_owned());
            }
            _ => {}
        }
        // A frame lost by a socket of ours is none that the seed has lost: the run would say nothing.
        if let Ok(drops @ 1..) = self.number(&["socket_drops"]) {
            faults.push(format!("the relay itself lost {drops} frames: this machine was too busy"));
        }
        Ok(faults)
    }

    /// Hostile frames that were sent.
    ///
    /// # Errors
    /// Where the count is missing.
    pub fn fuzzed(&self) -> Result<u64> {
        self.number(&["fuzzed"])
    }

    fn number(&self, path: &[&str]) -> Result<u64> {
        let found = path.iter().try_fold(&self.0, |value, key| value.get(key));
        found.and_then(Value::as_u64).with_context(|| format!("the relay counts no {}", path.join(".")))
    }
}

#[cfg(test)]
mod tests;
