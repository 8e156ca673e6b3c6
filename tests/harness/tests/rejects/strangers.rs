//! Datagrams of those who hold no key of ours: silence for all of them.

use udp_sec::error::Reject;
use udp_sec_recovery::memory::Storage;

use super::lab::{HANDSHAKES, Lab, Peer, address, fix_mac1, initiation, keys};

/// Header fields that no datagram may have, on otherwise good ones; and every size that is none.
#[test]
fn test_reject_malformed_header() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (mut peer, _) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let data = peer.seal(|frames| frames.ping().expect("room"));
    let good = initiation(&peer_keys, lab.keys.public(), 1).datagram().to_vec();
    for datagram in [&good, &data] {
        // Version, type, flags, reserved.
        for (offset, value) in [(0, 0), (0, 2), (1, 0), (1, 5), (1, 255), (2, 0x80), (3, 1)] {
            let mut changed = datagram.clone();
            changed[offset] = value;
            lab.assert_rejects(Reject::MalformedHeader, address(1), &changed);
        }
    }
    for len in 0..33 {
        lab.assert_rejects(Reject::MalformedHeader, address(1), &data.repeat(2)[..len]);
    }
    for len in [33, 1_199] {
        lab.assert_rejects(Reject::MalformedHeader, address(1), &good[..len]);
    }
}

/// One byte too many, whoever sends it; and stream data for which no reassembly entry is left.
#[test]
fn test_reject_oversize_datagram_or_reassembly_overflow() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    for len in [1_201, 1_500, 65_507] {
        let mut long = initiation(&peer_keys, lab.keys.public(), 1).datagram().to_vec();
        long.resize(len, 0);
        lab.assert_rejects(Reject::OversizeDatagram, address(1), &long);
    }

    let (mut peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let entries = udp_sec_recovery::memory::Small::new().memory().reorder.capacity() as u64;
    let byte_at = |peer: &mut Peer, offset: u64| {
        peer.seal(|frames| frames.stream(offset, false, 1).expect("room")[0] = offset as u8)
    };
    // Every second byte: as many gaps as there are entries.
    for nth in 0..entries {
        let datagram = byte_at(&mut peer, 2 * nth + 1);
        lab.deliver(address(1), &datagram);
        lab.drain();
    }
    assert_eq!(lab.endpoint.rejects().get(Reject::ReassemblyOverflow), 0);
    let received = lab.connection(id).stats().acks_sent;
    for nth in entries..entries + 10 {
        let datagram = byte_at(&mut peer, 2 * nth + 1);
        lab.deliver(address(1), &datagram);
        assert!(lab.drain().datagrams.is_empty(), "what is not kept is not acknowledged");
    }
    assert_eq!(lab.endpoint.rejects().get(Reject::ReassemblyOverflow), 10);
    assert_eq!(lab.connection(id).stats().reassembly_overflows, 10);
    assert_eq!(lab.connection(id).stats().acks_sent, received);
    assert_eq!(lab.connection(id).closure(), None, "no reason to end the session");

    // The next expected byte needs no entry and frees one.
    for nth in 0..=entries {
        let datagram = byte_at(&mut peer, 2 * nth);
        lab.deliver(address(1), &datagram);
    }
    let mut bytes = [0; 100];
    let count = lab.connection(id).read(&mut bytes).expect("open");
    let expected: Vec<u8> = (0..=2 * entries as u8).collect();
    assert_eq!(bytes[..count], expected[..]);
    let again = byte_at(&mut peer, 2 * entries + 1);
    lab.deliver(address(1), &again);
    assert_eq!(lab.connection(id).read(&mut bytes), Ok(1), "what was refused is taken when it comes again");
}

#[test]
fn test_reject_unknown_session() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (mut peer, _) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let mut data = peer.seal(|frames| frames.ping().expect("room"));
    for bit in 0..64 {
        data[4 + bit / 8] ^= 1 << (bit % 8);
        lab.assert_rejects(Reject::UnknownSession, address(1), &data);
        data[4 + bit / 8] ^= 1 << (bit % 8);
    }
    for (kind, len) in [(2, 1_200), (3, 68)] {
        let mut stray = vec![0x55; len];
        stray[..4].copy_from_slice(&[1, kind, 0, 0]);
        lab.assert_rejects(Reject::UnknownSession, address(1), &stray);
    }
}

/// Nothing of an initiation is looked at whose sender does not know our public key.
#[test]
fn test_reject_bad_mac1() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let initiator = initiation(&peer_keys, lab.keys.public(), 1);
    for offset in (4..1_184).step_by(7).chain(1_168..1_184) {
        let mut forged = initiator.datagram().to_vec();
        forged[offset] ^= 0x10;
        lab.assert_rejects(Reject::BadMac1, address(1), &forged);
    }
    let to_another = initiation(&peer_keys, keys(99).public(), 1);
    lab.assert_rejects(Reject::BadMac1, address(1), to_another.datagram());
    assert_eq!(lab.entropy.calls_left, u64::MAX, "no entropy was spent on strangers");
    // The true one is as welcome as ever.
    lab.deliver(address(1), initiator.datagram());
    assert_eq!(lab.drain().datagrams.len(), 1);
}

/// Whoever knows our public key can make a right `mac1`; what it covers must open all the same.
#[test]
fn test_reject_handshake_failed() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let responder = *lab.keys.public();
    let initiator = initiation(&peer_keys, &responder, 1);
    for offset in (4..1_168).step_by(13) {
        let mut forged = initiator.datagram().to_vec();
        forged[offset] ^= 0x10;
        fix_mac1(&mut forged, &responder);
        lab.assert_rejects(Reject::HandshakeFailed, address(1), &forged);
    }
    let mut unchanged = initiator.datagram().to_vec();
    fix_mac1(&mut unchanged, &responder);
    assert_eq!(unchanged, initiator.datagram(), "mac1 is what the protocol says");
}

/// A key that is not on the list proves itself, and still gets silence.
#[test]
fn test_reject_peer_not_authorized() {
    let (friend, stranger) = (keys(10), keys(11));
    let mut lab = Lab::new(&[friend.public()]);
    for nth in 0..2 * HANDSHAKES as u64 {
        let initiator = initiation(&stranger, lab.keys.public(), nth);
        lab.assert_rejects(Reject::PeerNotAuthorized, address(2), initiator.datagram());
    }
    Peer::connect(&mut lab, &friend, address(1), 0);
}
