//! Each bit of both handshake messages, flipped: refused in silence, and the true message completes the handshake all the
//! same. That the prologue's label is bound as well, `tests/interop` shows with another's Noise.

use udp_sec::error::Reject;
use udp_sec_recovery::event::Event;

use super::lab::{Lab, Peer, address, fix_mac1, initiation, keys};

/// Where the fields of a handshake message begin.
const ID: usize = 4;
const BODY: usize = 12;
const MAC1: usize = 1_168;
const MAC2: usize = 1_184;

/// `datagram` with each bit of `bytes` flipped in turn.
fn flipped(datagram: &[u8], bytes: std::ops::Range<usize>) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (8 * bytes.start..8 * bytes.end).map(|bit| {
        let mut forged = datagram.to_vec();
        forged[bit / 8] ^= 1 << (bit % 8);
        (bit / 8, forged)
    })
}

/// The first twelve bytes are the prologue's variable part: version, type, flags and id. Who knows our public key can put
/// a right `mac1` on any of it.
#[test]
fn no_bit_of_an_initiation_can_be_changed() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let responder = *lab.keys.public();
    let initiator = initiation(&peer_keys, &responder, 1);
    let mut count = 0;
    for (byte, mut forged) in flipped(initiator.datagram(), 0..MAC2) {
        // A flag that there is: the pre-shared-key variant.
        let is_legal = byte >= ID || forged[2] == 1;
        let expected = if is_legal { Reject::BadMac1 } else { Reject::MalformedHeader };
        lab.assert_rejects(expected, address(1), &forged);
        if is_legal && byte < MAC1 {
            fix_mac1(&mut forged, &responder);
            lab.assert_rejects(Reject::HandshakeFailed, address(1), &forged);
        }
        count += 1;
    }
    assert_eq!(count, 8 * MAC2);
    lab.deliver(address(1), initiator.datagram());
    let done = lab.drain();
    let [(_, response)] = &done.datagrams[..] else { panic!("{done:?}") };
    // A repeat with another `mac2`, which proves an address and is asked for under load only, is a repeat.
    for (_, forged) in flipped(initiator.datagram(), MAC2..1_200) {
        lab.deliver(address(1), &forged);
        assert_eq!(lab.drain().datagrams[0].1, *response);
        assert_eq!(lab.endpoint.half_open(), 1);
    }
    let mut peer = Peer::established(initiator, address(1), response);
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.events.iter().any(|(_, event)| *event == Event::Established));
}

#[test]
fn no_bit_of_a_response_can_be_changed() {
    let (ours, theirs) = (keys(10), keys(1));
    // The lab's key is that of a responder here; the initiator is a lab as well, with the same key and another peer.
    let mut lab = Lab::new(&[ours.public()]);
    let id = lab.endpoint.connect(lab.now, &mut lab.entropy, address(1), ours.public()).expect("room");
    let done = lab.drain();
    let [(_, sent)] = &done.datagrams[..] else { panic!("{done:?}") };
    let response = super::handshakes::respond(&ours, theirs.public(), sent);
    for (byte, forged) in flipped(&response, 0..response.len()) {
        let expected = match byte {
            ..ID => Reject::MalformedHeader,
            ID..BODY => Reject::UnknownSession,
            _ => Reject::HandshakeFailed,
        };
        lab.assert_rejects(expected, address(1), &forged);
    }
    lab.deliver(address(1), &response);
    assert!(lab.drain().events.contains(&(id, Event::Established)));
}
