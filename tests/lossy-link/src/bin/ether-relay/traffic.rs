//! What one machine sent, counted as it left it: before anything was lost.

use std::fmt;

use crate::frame::Kind;

/// Counts of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    frames: u64,
    bytes: u64,
    runt: u64,
    arp: u64,
    icmp: u64,
    udp: u64,
    udp_with_payload: u64,
    udp_payload_bytes: u64,
    tcp: u64,
    tcp_syn: u64,
    tcp_with_payload: u64,
    tcp_payload_bytes: u64,
    other: u64,
    /// Dropped by `--block`.
    pub(crate) blocked: u64,
    /// Datagrams from another address than the machine's, which are no frames of its.
    pub(crate) strangers: u64,
}

impl Traffic {
    pub(crate) fn count(&mut self, kind: Kind, length: usize) {
        self.frames += 1;
        self.bytes += length as u64;
        match kind {
            Kind::Runt => self.runt += 1,
            Kind::Arp => self.arp += 1,
            Kind::Icmp => self.icmp += 1,
            Kind::Udp { payload } => {
                self.udp += 1;
                self.udp_with_payload += u64::from(payload > 0);
                self.udp_payload_bytes += payload as u64;
            }
            Kind::Tcp { syn, payload } => {
                self.tcp += 1;
                self.tcp_syn += u64::from(syn);
                self.tcp_with_payload += u64::from(payload > 0);
                self.tcp_payload_bytes += payload as u64;
            }
            Kind::Other => self.other += 1,
        }
    }
}

/// One JSON object on one line.
impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = [
            ("frames", self.frames),
            ("bytes", self.bytes),
            ("runt", self.runt),
            ("arp", self.arp),
            ("icmp", self.icmp),
            ("udp", self.udp),
            ("udp_with_payload", self.udp_with_payload),
            ("udp_payload_bytes", self.udp_payload_bytes),
            ("tcp", self.tcp),
            ("tcp_syn", self.tcp_syn),
            ("tcp_with_payload", self.tcp_with_payload),
            ("tcp_payload_bytes", self.tcp_payload_bytes),
            ("other", self.other),
            ("blocked", self.blocked),
            ("strangers", self.strangers),
        ];
        for (position, (name, value)) in fields.into_iter().enumerate() {
            write!(f, "{}\"{name}\":{value}", if position == 0 { "{" } else { "," })?;
        }
        f.write_str("}")
    }
}
