//! The pcap format, byte by byte.

use super::*;

#[test]
fn a_pcap_file_is_a_header_and_the_frames() {
    let mut pcap = Pcap::new(Vec::new()).unwrap();
    assert_eq!(pcap.write(Duration::new(0x6000_0000, 1_500), b"abc").unwrap(), 1);
    assert_eq!(pcap.write(Duration::from_micros(7), b"").unwrap(), 2);
    #[rustfmt::skip]
    let expected = [
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
        0, 0, 0, 0x60, 1, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, b'a', b'b', b'c',
        0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    assert_eq!(pcap.out, expected);
}
