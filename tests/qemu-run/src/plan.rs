//! What one run is: its profile, its link, its ends.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::profile::{Profile, Role};
use crate::secrets;

/// The emulated link, the same in both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkPlan {
    /// Frames lost, in percent.
    pub loss: f64,
    /// Round-trip time, in milliseconds.
    pub delay: f64,
    /// Frames held back by 5 ms so that others overtake them, in percent.
    pub reorder: f64,
    /// Mbit/s; 0 for no limit.
    pub rate: f64,
    /// Frames that may wait for the link.
    pub queue: u64,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// Two guests.
    TwoGuests,
    /// A guest that calls, and this host, which listens.
    HostListens,
    /// A guest that listens, and this host, which calls.
    HostCalls,
}

impl Scene {
    /// Which of the two ends is a guest.
    #[must_use]
    pub fn is_guest(self, role: Role) -> bool {
        match self {
            Self::TwoGuests => true,
            Self::HostListens => role == Role::Connector,
            Self::HostCalls => role == Role::Listener,
        }
    }
}

impl Scene {
    /// For a title.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::TwoGuests => "from guest to guest",
            Self::HostListens => "from a guest to the host",
            Self::HostCalls => "from the host to a guest",
        }
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TwoGuests => "two-guests",
            Self::HostListens => "host-listens",
            Self::HostCalls => "host-calls",
        })
    }
}

/// How it comes that udp-sec cannot be had, where a profile wants that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Without {
    /// The link drops UDP: the connector finds out by silence.
    Blocked,
    /// The connector has udp-sec switched off.
    Off,
}

/// What is done to a run from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// The listener is killed while the bulk is under way.
    KillPeer,
    /// The listener gets so many hostile frames meanwhile.
    Fuzz(u64),
}

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is about.
    pub profile: Profile,
    /// Who takes part.
    pub scene: Scene,
    /// The link.
    pub link: LinkPlan,
    /// What the link loses, and which bytes are sent.
    pub seed: u64,
    /// Bytes of the bulk transfer.
    pub bytes: u64,
    /// Largest IP packet of the guests, in bytes.
    pub mtu: u64,
    /// For `fallback` and `strict`.
    pub without: Without,
    /// From outside.
    pub trouble: Trouble,
    /// Whether the guests' memory is searched for the secrets of their session.
    pub secrets: bool,
    /// Longest that a guest may take.
    pub limit: Duration,
}

impl Plan {
    /// Whether the link loses or reorders: recovery is then required, and the guest told so.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.link.loss > 0.0
    }

    /// Whether the connector calls a listener at all.
    #[must_use]
    pub fn has_listener(&self) -> bool {
        !matches!(self.profile, Profile::Quic | Profile::Selftest)
    }

    /// Whether the relay drops UDP.
    #[must_use]
    pub fn blocks_udp(&self) -> bool {
        matches!(self.profile, Profile::Fallback | Profile::Strict) && self.without == Without::Blocked
    }

    /// The boot arguments of the guest in `role`; a host end gets the same words.
    #[must_use]
    pub fn boot_arguments(&self, role: Role, port: u16) -> String {
        if self.profile == Profile::Selftest {
            return format!(
                "role=selftest bytes={} seed={} limit={}",
                self.bytes,
                self.seed,
                self.limit.as_secs()
            );
        }
        let mut words =
            vec![format!("role={}", role.name()), format!("port={port}"), format!("mtu={}", self.mtu)];
        if role == Role::Connector {
            let mode = match self.profile {
                Profile::Strict => "udp-sec",
                Profile::Quic => "quic",
                _ => "auto",
            };
            words.push(format!("DSOFTBUS_TRANSPORT={mode}"));
            words.push(format!("bytes={}", self.bytes));
            words.push(format!("seed={}", self.seed));
            if self.is_lossy() && self.profile == Profile::UdpSec {
                words.push("loss=1".to_owned());
            }
            if matches!(self.profile, Profile::Fallback | Profile::Strict) && self.without == Without::Off {
                words.push("udp=off".to_owned());
            }
        }
        if self.secrets {
            words.push(secrets::boot_arguments(role));
        }
        words.push(format!("limit={}", self.limit.as_secs()));
        words.join(" ")
    }

    /// The relay's options, without addresses and files.
    #[must_use]
    pub fn relay_options(&self) -> Vec<String> {
        let LinkPlan { loss, delay, reorder, rate, queue } = &self.link;
        let mut options = vec![
            format!("--seed={}", self.seed),
            format!("--loss={loss}"),
            format!("--rtt={delay}"),
            format!("--reorder={reorder}"),
            format!("--rate={rate}"),
            format!("--queue={queue}"),
        ];
        if self.blocks_udp() {
            options.push("--block=udp".to_owned());
        }
        if let Trouble::Fuzz(frames) = self.trouble {
            options.push(format!("--fuzz={frames}"));
            options.push("--fuzz-to=b".to_owned());
        }
        options
    }

    /// A short name, good for a folder.
    #[must_use]
    pub fn name(&self) -> String {
        let trouble = match self.trouble {
            Trouble::None => "",
            Trouble::KillPeer => "-kill-peer",
            Trouble::Fuzz(_) => "-fuzz",
        };
        let secrets = if self.secrets { "-secrets" } else { "" };
        match self.profile {
            Profile::Selftest => format!("selftest-seed{}", self.seed),
            _ => format!(
                "{}-{}-loss{}-seed{}{trouble}{secrets}",
                self.profile, self.scene, self.link.loss, self.seed
            ),
        }
    }

    /// What was asked for, for the evidence.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let LinkPlan { loss, delay, reorder, rate, queue } = &self.link;
        json!({
            "profile": self.profile.to_string(),
            "ends": self.scene.to_string(),
            "link": {
                "loss_percent": loss,
                "round_trip_ms": delay,
                "reorder_percent": reorder,
                "rate_mbit_per_second": rate,
                "queue_frames": queue,
                "udp_blocked": self.blocks_udp(),
            },
            "seed": self.seed,
            "bulk_bytes": self.bytes,
            "mtu": self.mtu,
            "memory_searched": self.secrets,
            "peer_killed": self.trouble == Trouble::KillPeer,
            "hostile_frames": if let Trouble::Fuzz(frames) = self.trouble { frames } else { 0 },
        })
    }
}

/// The programs that take part, and where results go.
#[derive(Clone, Debug)]
pub struct Tools {
    /// QEMU for riscv64.
    pub qemu: PathBuf,
    /// The guest's ELF image.
    pub image: PathBuf,
    /// The relay.
    pub relay: PathBuf,
    /// The host end.
    pub host_end: PathBuf,
    /// What decodes the log and draws the picture.
    pub report: PathBuf,
    /// Where each run gets a folder.
    pub out: PathBuf,
    /// The commit that was built, as git names it.
    pub commit: String,
}

#[cfg(test)]
mod tests;
