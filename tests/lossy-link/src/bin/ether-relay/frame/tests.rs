//! Kinds of frames, whole and cut short. The frames are made here, field by field.

use super::*;

const TO: [u8; 6] = [0x52, 0x54, 0, 0, 0, 2];
const FROM: [u8; 6] = [0x52, 0x54, 0, 0, 0, 1];

fn ethernet(ethertype: u16, packet: &[u8]) -> Vec<u8> {
    [&TO[..], &FROM, &ethertype.to_be_bytes(), packet].concat()
}

/// An IPv4 frame; the checksums are zero.
pub(crate) fn ipv4(protocol: u8, body: &[u8]) -> Vec<u8> {
    let total = (20 + body.len() as u16).to_be_bytes();
    let mut packet = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(body);
    ethernet(ETHERTYPE_IPV4, &packet)
}

/// An IPv6 frame; the checksums are zero.
pub(crate) fn ipv6(protocol: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, length[0], length[1], protocol, 64];
    packet.extend([0xfd; 16]);
    packet.extend([0xfe; 16]);
    packet.extend(body);
    ethernet(ETHERTYPE_IPV6, &packet)
}

pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len() as u16).to_be_bytes();
    [&[0x11, 0x51, 0x11, 0x52, length[0], length[1], 0, 0], payload].concat()
}

pub(crate) fn tcp(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0x11, 0x51, 0x11, 0x52, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, flags, 16, 0, 0, 0, 0, 0];
    header.extend([2, 4, 4, 0xb0]); // an option: the header has 24 bytes
    header.extend(payload);
    header
}

#[test]
fn each_kind_is_told_from_the_others() {
    for wrap in [ipv4, ipv6] {
        assert_eq!(kind(&wrap(17, &udp(b""))), Kind::Udp { payload: 0 });
        assert_eq!(kind(&wrap(17, &udp(b"four"))), Kind::Udp { payload: 4 });
        assert_eq!(kind(&wrap(6, &tcp(0x02, b""))), Kind::Tcp { syn: true, payload: 0 });
        assert_eq!(kind(&wrap(6, &tcp(0x12, b""))), Kind::Tcp { syn: true, payload: 0 });
        assert_eq!(kind(&wrap(6, &tcp(0x18, b"seven b"))), Kind::Tcp { syn: false, payload: 7 });
        assert_eq!(kind(&wrap(47, &[0; 30])), Kind::Other);
    }
    assert_eq!(kind(&ipv4(1, &[8, 0, 0, 0])), Kind::Icmp);
    assert_eq!(kind(&ipv6(58, &[128, 0, 0, 0])), Kind::Icmp);
    assert_eq!(kind(&ethernet(ETHERTYPE_ARP, &[0; 28])), Kind::Arp);
    assert_eq!(kind(&ethernet(0x1234, &[0; 28])), Kind::Other);
    assert_eq!(kind(&[0; 13]), Kind::Runt);
    assert_eq!(kind(&[]), Kind::Runt);
}

#[test]
fn padding_behind_the_packet_is_no_payload() {
    let mut frame = ipv4(17, &udp(b"x"));
    frame.resize(60, 0);
    assert_eq!(kind(&frame), Kind::Udp { payload: 1 });
}

#[test]
fn whatever_is_cut_short_is_other_and_nothing_panics() {
    for frame in [
        ipv4(17, &udp(&[7; 40])),
        ipv4(6, &tcp(2, &[7; 40])),
        ipv6(17, &udp(&[7; 40])),
        ipv6(6, &tcp(2, &[7; 40])),
    ] {
        for length in 0..frame.len() {
            let expected = if length < ETHERNET_HEADER { Kind::Runt } else { Kind::Other };
            assert_eq!(kind(&frame[..length]), expected, "{length} bytes of {frame:02x?}");
        }
    }
}

#[test]
fn impossible_headers_are_other() {
    let edits: [(usize, u8); 5] = [
        (14, 0x55), // version 5
        (14, 0x44), // a header of 16 bytes
        (17, 19),   // total below the header
        (16, 0xff), // total beyond the frame
        (46, 0x40), // a TCP header of 16 bytes
    ];
    for (offset, value) in edits {
        let mut frame = ipv4(6, &tcp(2, b"data"));
        frame[offset] = value;
        assert_eq!(kind(&frame), Kind::Other, "byte {offset} = {value:#x}");
    }
}
