//! Packets for a session that are not what its peer sealed, or not for the first time.

use udp_sec::error::Reject;
use udp_sec_recovery::memory::Storage;

use super::lab::{Lab, Peer, address, keys};

/// End to end: each packet counts once, and none below the window counts at all.
#[test]
fn test_reject_replay_or_stale_packet_number() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (mut peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let window = udp_sec_recovery::memory::Small::new().memory().replay.len() as u64 * 64;

    let withheld = [(); 2].map(|()| peer.seal(|frames| frames.ping().expect("room")));
    let mut seen = Vec::new();
    for nth in 0..window - 1 {
        let datagram = peer.seal(|frames| frames.stream(nth, false, 1).expect("room")[0] = nth as u8);
        lab.deliver(address(1), &datagram);
        lab.drain();
        seen.push(datagram);
    }
    for datagram in &seen {
        lab.assert_rejects(Reject::ReplayOrStalePacketNumber, address(1), datagram);
        // From elsewhere, too: a replay is no sign of a new path.
        lab.assert_rejects(Reject::ReplayOrStalePacketNumber, address(9), datagram);
    }
    // One number has left the window, the other is the last within it.
    lab.assert_rejects(Reject::ReplayOrStalePacketNumber, address(1), &withheld[0]);
    let rejects = lab.endpoint.rejects().total();
    lab.deliver(address(1), &withheld[1]);
    assert_eq!(lab.endpoint.rejects().total(), rejects, "late, but for the first time");

    let mut bytes = [0; 1_000];
    let count = lab.connection(id).read(&mut bytes).expect("open");
    let sent: Vec<u8> = (0..window - 1).map(|nth| nth as u8).collect();
    assert_eq!(bytes[..count], sent[..], "each byte once");
}

/// Every byte of a packet is under its authentication tag, or names what it is opened with.
#[test]
fn test_reject_decrypt_failed() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (mut peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    // Numbers above 2: a change of the lower half must not hit one that was used.
    for _ in 0..8 {
        peer.send(&mut lab, |frames| frames.ping().expect("room"));
    }
    let datagram = peer.seal(|frames| frames.stream(0, false, 20).expect("room").fill(7));
    for offset in 16..datagram.len() {
        for bit in 0..8 {
            let mut forged = datagram.clone();
            forged[offset] ^= 1 << bit;
            lab.assert_rejects(Reject::DecryptFailed, address(1), &forged);
        }
    }
    // A number of the future, and the other key phase, which nothing was ever sealed under.
    for (offset, bit) in [(12, 6), (13, 0), (14, 3), (2, 0)] {
        let mut forged = datagram.clone();
        forged[offset] ^= 1 << bit;
        lab.assert_rejects(Reject::DecryptFailed, address(1), &forged);
    }
    for len in 33..datagram.len() {
        lab.assert_rejects(Reject::DecryptFailed, address(1), &datagram[..len]);
    }
    lab.deliver(address(1), &datagram);
    assert_eq!(lab.connection(id).read(&mut [0; 100]), Ok(20), "the true one is none the worse");
}

/// An endpoint does not take its own packets for the peer's, not even with the receiver id changed to its own: the key
/// of the other direction is another.
#[test]
fn test_reject_reflected_packets() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    lab.connection(id).write(&[1; 2_000]).expect("open");
    let own = lab.drain().datagrams;
    assert_eq!(own.len(), 2);
    for (_, datagram) in own {
        lab.assert_rejects(Reject::UnknownSession, address(1), &datagram);
        let mut readdressed = datagram.clone();
        readdressed[4..12].copy_from_slice(&peer.session.peer_id().to_le_bytes());
        // Far from the numbers that the peer has used, so that it is not refused for its number.
        readdressed[12..16].copy_from_slice(&1_000_u32.to_le_bytes());
        lab.assert_rejects(Reject::DecryptFailed, address(1), &readdressed);
    }
}
