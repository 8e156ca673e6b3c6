//! Checksums, against the definition (a sum over all of it is all ones) and a frame from elsewhere.

use super::*;
use crate::frame::tests::{ipv4, ipv6, tcp, udp};
use crate::frame::{Kind, kind};

/// Asserts that a receiver would accept lengths and checksums.
fn assert_valid(frame: &[u8]) {
    let ip = Ip::parse(frame).expect("a packet");
    assert_eq!(ip.body.end, frame.len());
    let addresses = match ip.version {
        Version::V4 => {
            assert_eq!(fold(sum(&frame[ip.header.clone()])), u16::MAX);
            26..34
        }
        Version::V6 => 22..54,
    };
    let pseudo_header = sum(&frame[addresses]) + u64::from(ip.protocol) + ip.body.len() as u64;
    assert_eq!(fold(pseudo_header + sum(&frame[ip.body.clone()])), u16::MAX);
}

#[test]
fn repaired_packets_are_valid_at_any_length() {
    for wrap in [ipv4, ipv6] {
        for (protocol, body) in [(17, udp(&[9; 33])), (6, tcp(0x18, &[9; 33]))] {
            let whole = wrap(protocol, &body);
            let ip = Ip::parse(&whole).unwrap();
            let payload = ip.payload(&whole).unwrap();
            for length in payload.start..=whole.len() + 300 {
                let mut frame = whole.clone();
                frame.resize(length, 0x5a);
                repair(&mut frame, ip.clone());
                assert_valid(&frame);
                let carried = length - payload.start;
                match kind(&frame) {
                    Kind::Udp { payload } | Kind::Tcp { payload, .. } => assert_eq!(payload, carried),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_repaired_frame_has_the_checksums_another_stack_gave_it() {
    // A datagram "hello" from 10.0.2.2 to 10.0.2.15, as QEMU's own network made it.
    let mut frame: Vec<u8> = vec![0x52, 0x54, 0, 0, 0, 1, 0x52, 0x55, 10, 0, 2, 2, 8, 0];
    frame.extend([0x45, 0, 0, 0x21, 0, 0, 0, 0, 0x40, 0x11, 0x62, 0xbc, 10, 0, 2, 2, 10, 0, 2, 15]);
    frame.extend([0x92, 0x47, 0x11, 0x51, 0, 0x0d, 0x00, 0x59]);
    frame.extend(b"hello");
    let original = frame.clone();
    for field in [16, 17, 24, 25, 38, 39, 40, 41] {
        frame[field] ^= 0x55;
    }
    repair(&mut frame, Ip::parse(&original).unwrap());
    assert_eq!(frame, original);
}
