//! Lengths and checksums of a packet that was altered, made right again (RFC 1071), so that what lies inside is
//! looked at.

use crate::frame::{Ip, Version};

/// Repairs the length and checksum fields of the IP packet `ip` in `frame`, and of the UDP or TCP inside, so that
/// they cover all bytes to the end of the frame, wherever that is now.
pub(crate) fn repair(frame: &mut [u8], mut ip: Ip) {
    ip.body.end = frame.len();
    if ip.body.is_empty() {
        return;
    }
    let (header, length) = (ip.header.start, ip.body.len());
    let Ok(length) = u16::try_from(length) else { return };
    match ip.version {
        Version::V4 => {
            let Some(total) = length.checked_add(ip.header.len() as u16) else { return };
            put(frame, header + 2, total);
            put(frame, header + 10, 0);
            let sum = fold(sum(&frame[ip.header.clone()]));
            put(frame, header + 10, !sum);
        }
        Version::V6 => put(frame, header + 4, length),
    }
    let Some(payload) = ip.payload(frame) else { return };
    let checksum = if ip.is_udp() { ip.body.start + 6 } else { ip.body.start + 16 };
    if ip.is_udp() {
        put(frame, ip.body.start + 4, length);
    }
    debug_assert!(checksum < payload.start);
    put(frame, checksum, 0);
    let addresses = match ip.version {
        Version::V4 => header + 12..header + 20,
        Version::V6 => header + 8..header + 40,
    };
    let pseudo_header = sum(&frame[addresses]) + u64::from(ip.protocol) + u64::from(length);
    let found = !fold(pseudo_header + sum(&frame[ip.body.clone()]));
    // A UDP checksum of zero means that there is none; its other form is all ones (RFC 768).
    put(frame, checksum, if found == 0 && ip.is_udp() { u16::MAX } else { found });
}

/// The sum of the 16-bit words of `bytes`, padded with a zero.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(2).map(|word| u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]));
    words.map(u64::from).sum()
}

/// Adds the carries: one's complement addition.
pub(crate) fn fold(mut sum: u64) -> u16 {
    while sum > u64::from(u16::MAX) {
        sum = (sum >> 16) + (sum & u64::from(u16::MAX));
    }
    sum as u16
}

fn put(frame: &mut [u8], offset: usize, value: u16) {
    frame[offset..offset + 2].copy_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests;
