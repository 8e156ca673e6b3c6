//! What a frame claims to be, read from the outside in. Nothing is assumed of it: any bytes have an answer.

use std::ops::Range;

/// Bytes of an Ethernet II header.
pub(crate) const ETHERNET_HEADER: usize = 14;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const UDP_HEADER: usize = 8;
const TCP_HEADER: usize = 20;
const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
const PROTOCOL_ICMP6: u8 = 58;
const TCP_FLAG_SYN: u8 = 0x02;

/// The kinds that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Shorter than an Ethernet header.
    Runt,
    /// Address resolution.
    Arp,
    /// ICMP, of either version of IP.
    Icmp,
    /// UDP, with the bytes of its payload.
    Udp { payload: usize },
    /// TCP, with its SYN flag and the bytes of its payload.
    Tcp { syn: bool, payload: usize },
    /// Anything else, headers cut short included.
    Other,
}

impl Kind {
    /// The name in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Runt => "runt",
            Self::Arp => "arp",
            Self::Icmp => "icmp",
            Self::Udp { .. } => "udp",
            Self::Tcp { .. } => "tcp",
            Self::Other => "other",
        }
    }
}

/// The version of IP, where it matters for what surrounds a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V4,
    V6,
}

/// Where the parts of an IP packet lie within its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) version: Version,
    pub(crate) protocol: u8,
    /// Of the IP header.
    pub(crate) header: Range<usize>,
    /// Of what it carries, without padding behind it.
    pub(crate) body: Range<usize>,
}

impl Ip {
    /// Finds the packet in a frame. IPv6 extension headers are not followed: what they carry counts as other.
    pub(crate) fn parse(frame: &[u8]) -> Option<Self> {
        let packet = frame.get(ETHERNET_HEADER..)?;
        let (version, protocol, header, total) = match ethertype(frame)? {
            ETHERTYPE_IPV4 => {
                let first = *packet.first()?;
                let header = usize::from(first & 0x0f) * 4;
                let total = usize::from(be16(packet, 2)?);
                let valid = first >> 4 == 4 && (IPV4_HEADER..=total).contains(&header);
                valid.then_some((Version::V4, *packet.get(9)?, header, total))?
            }
            ETHERTYPE_IPV6 => {
                let total = IPV6_HEADER + usize::from(be16(packet, 4)?);
                (packet.first()? >> 4 == 6).then_some((Version::V6, *packet.get(6)?, IPV6_HEADER, total))?
            }
            _ => return None,
        };
        let body = ETHERNET_HEADER + header..ETHERNET_HEADER + total;
        (body.end <= frame.len()).then_some(Self {
            version,
            protocol,
            header: ETHERNET_HEADER..body.start,
            body,
        })
    }

    /// Where the payload of UDP or TCP lies, `None` for other protocols and impossible headers.
    pub(crate) fn payload(&self, frame: &[u8]) -> Option<Range<usize>> {
        let body = frame.get(self.body.clone())?;
        let header = match self.protocol {
            PROTOCOL_UDP => UDP_HEADER,
            PROTOCOL_TCP => usize::from(body.get(12)? >> 4) * 4,
            _ => return None,
        };
        let least = if self.protocol == PROTOCOL_UDP { UDP_HEADER } else { TCP_HEADER };
        (header >= least && header <= body.len()).then(|| self.body.start + header..self.body.end)
    }

    /// Whether it carries UDP; else, where it has a [`payload`](Self::payload), it carries TCP.
    pub(crate) fn is_udp(&self) -> bool {
        self.protocol == PROTOCOL_UDP
    }
}

/// What `frame` claims to be.
pub(crate) fn kind(frame: &[u8]) -> Kind {
    match ethertype(frame) {
        None => return Kind::Runt,
        Some(ETHERTYPE_ARP) => return Kind::Arp,
        Some(_) => {}
    }
    let Some(ip) = Ip::parse(frame) else { return Kind::Other };
    if matches!(ip.protocol, PROTOCOL_ICMP | PROTOCOL_ICMP6) {
        return Kind::Icmp;
    }
    match ip.payload(frame) {
        Some(payload) if ip.is_udp() => Kind::Udp { payload: payload.len() },
        Some(payload) => {
            Kind::Tcp { syn: frame[ip.body.start + 13] & TCP_FLAG_SYN != 0, payload: payload.len() }
        }
        None => Kind::Other,
    }
}

fn ethertype(frame: &[u8]) -> Option<u16> {
    be16(frame, 12)
}

/// The big-endian number at `offset`.
fn be16(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

#[cfg(test)]
pub(crate) mod tests;
