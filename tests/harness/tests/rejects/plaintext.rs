//! Bytes that nobody sealed for this session, in every guise that could pass for data: dropped in silence, and counted.

use udp_sec::error::Reject;
use udp_sec_recovery::event::Event;

use super::handshakes::respond;
use super::lab::{Lab, Peer, address, initiation, keys};

/// A Data packet to `receiver` whose frames are in the clear: a STREAM frame of five bytes, and where its tag would be.
fn in_the_clear(receiver: u64, number: u32) -> Vec<u8> {
    let frames = [&[0x04, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0][..], b"plain"].concat();
    let header = [&[1, 4, 0, 0][..], &receiver.to_le_bytes(), &number.to_le_bytes()].concat();
    [&header[..], &frames, &[0; 16]].concat()
}

#[test]
fn test_reject_data_before_our_handshake_is_done() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[]);
    let calling = lab.endpoint.connect(lab.now, &mut lab.entropy, address(1), peer_keys.public());
    let id = calling.expect("an empty endpoint");
    let sent = lab.drain().datagrams;
    let ours = u64::from_le_bytes(sent[0].1[4..12].try_into().expect("an id"));
    let label = Reject::UnauthenticatedDataBeforeHandshake;
    lab.assert_rejects(label, address(1), &in_the_clear(ours, 0));
    // And the handshake is none the worse.
    let response = respond(&peer_keys, lab.keys.public(), &sent[0].1);
    lab.deliver(address(1), &response);
    assert!(lab.drain().events.contains(&(id, Event::Established)));
}

#[test]
fn test_reject_data_before_the_callers_confirmation() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
    lab.assert_rejects(Reject::DecryptFailed, address(1), &in_the_clear(peer.session.peer_id(), 0));
    assert_eq!((lab.endpoint.half_open(), lab.endpoint.sessions()), (1, 0));
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.iter().any(|(_, event)| *event == Event::Established));
}

#[test]
fn test_reject_data_in_the_clear_after_the_handshake() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let (peer, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    for number in [0, 2, 3, 1_000, u32::MAX] {
        let forged = in_the_clear(peer.session.peer_id(), number);
        let seen = if number == 0 { Reject::ReplayOrStalePacketNumber } else { Reject::DecryptFailed };
        lab.assert_rejects(seen, address(1), &forged);
    }
    assert_eq!(lab.connection(id).readable(), 0);
}

/// The messages that made a session make nothing more of it, at either end.
#[test]
fn test_reject_handshake_messages_after_the_handshake() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let made_of = initiation(&peer_keys, lab.keys.public(), 0);
    let (_, id) = Peer::connect(&mut lab, &peer_keys, address(1), 0);
    let before = lab.fingerprint();
    lab.deliver(address(1), made_of.datagram());
    let done = lab.drain();
    assert!(done.datagrams.is_empty() && done.events.is_empty(), "{done:?}");
    assert!(lab.fingerprint() == before, "the state changed");
    assert_eq!(lab.connection(id).closure(), None);

    let mut caller = Lab::new(&[]);
    let calling = caller.endpoint.connect(caller.now, &mut caller.entropy, address(1), peer_keys.public());
    let sent = caller.drain().datagrams;
    let response = respond(&peer_keys, caller.keys.public(), &sent[0].1);
    caller.deliver(address(1), &response);
    assert!(caller.drain().events.contains(&(calling.expect("room"), Event::Established)));
    caller.assert_rejects(Reject::UnknownSession, address(1), &response);
}

/// The packets of one session, in another one of the same endpoint: under its own id, and readdressed.
#[test]
fn test_reject_packets_of_another_session() {
    let (first, second) = (keys(10), keys(11));
    let mut lab = Lab::new(&[first.public(), second.public()]);
    let (mut one, one_id) = Peer::connect(&mut lab, &first, address(1), 0);
    let (other, other_id) = Peer::connect(&mut lab, &second, address(2), 100);
    let mut packet = one.seal(|frames| frames.stream(0, false, 5).expect("room").fill(7));
    let honest = packet.clone();
    packet[4..12].copy_from_slice(&other.session.peer_id().to_le_bytes());
    lab.assert_rejects(Reject::DecryptFailed, address(2), &packet);
    assert_eq!(lab.connection(other_id).readable(), 0);
    lab.deliver(address(1), &honest);
    assert_eq!(lab.connection(one_id).readable(), 5, "where it belongs, it counts");
}

/// What an endpoint has sent comes back to it: packets, and either message of a handshake.
#[test]
fn test_reject_what_we_have_sent_ourselves() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let made_of = initiation(&peer_keys, lab.keys.public(), 0);
    lab.deliver(address(1), made_of.datagram());
    let response = lab.drain().datagrams.remove(0).1;
    lab.assert_rejects(Reject::UnknownSession, address(1), &response);

    let (_, id) = Peer::connect(&mut lab, &peer_keys, address(1), 1);
    lab.connection(id).write(&[1; 2_000]).expect("open");
    for (_, datagram) in lab.drain().datagrams {
        lab.assert_rejects(Reject::UnknownSession, address(1), &datagram);
    }

    let mut caller = Lab::new(&[peer_keys.public()]);
    let calling = caller.endpoint.connect(caller.now, &mut caller.entropy, address(1), peer_keys.public());
    calling.expect("an empty endpoint");
    let initiation = caller.drain().datagrams.remove(0).1;
    caller.assert_rejects(Reject::BadMac1, address(1), &initiation);
}
