//! An authenticated peer that breaks the protocol: its session closes with the code of the violation, and no other.

use udp_sec::error::{CloseCode, Reject};
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::frame::FrameWriter;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::lab::{Lab, Peer, address, keys};

/// A lab with two sessions: the first of the misbehaving peer, the second of one that has nothing to do with it.
fn lab_with_bystander() -> (Lab, Peer, SessionId, SessionId) {
    let (bad, good) = (keys(10), keys(11));
    let mut lab = Lab::new(&[bad.public(), good.public()]);
    let (peer, id) = Peer::connect(&mut lab, &bad, address(1), 0);
    let (_, bystander) = Peer::connect(&mut lab, &good, address(2), 100);
    (lab, peer, id, bystander)
}

/// Delivers `datagram`, for which the session must close with `code`.
#[track_caller]
fn assert_closes(setup: (Lab, Peer, SessionId, SessionId), datagram: &[u8], label: Reject, code: CloseCode) {
    let (mut lab, mut peer, id, bystander) = setup;
    lab.deliver(address(1), datagram);
    let done = lab.drain();
    assert_eq!(lab.endpoint.rejects().get(label), 1, "{:?}", lab.endpoint.rejects());
    assert_eq!(lab.endpoint.rejects().total(), 1);
    assert_eq!(done.events, [(id, Event::Closed(Closure::ByUs(code)))]);
    let [(to, close)] = &done.datagrams[..] else { panic!("{done:?}") };
    assert_eq!(*to, address(1));
    assert_eq!(peer.close_code(close), Some(code));
    assert_eq!(lab.connection(bystander).closure(), None, "the other session lives on");

    // The 1st, 2nd, 4th and 8th packet that still comes is answered, until the closing period is over.
    let answered: Vec<_> = (1..=10)
        .filter(|_| {
            let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
            let codes: Vec<_> =
                done.datagrams.iter().map(|(_, datagram)| peer.close_code(datagram)).collect();
            assert!(codes.iter().all(|close| *close == Some(code)));
            !codes.is_empty()
        })
        .collect();
    assert_eq!(answered, [1, 2, 4, 8]);
    lab.wait(Duration::from_secs(30));
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    assert!(done.datagrams.is_empty() && done.events.is_empty(), "{done:?}");
}

/// An ACK of `received`, without delay.
fn ack(frames: &mut FrameWriter<'_>, received: &ReceivedNumbers) {
    frames.ack(received, Duration::ZERO).expect("room");
}

/// Unknown types, truncated fields, illegal values; and whatever stood before them in the packet.
#[test]
fn test_reject_malformed_frame() {
    let malformed: [&[u8]; 9] = [
        &[0x03],                                     // no such frame
        &[0xff],                                     // nor this
        &[0x01, 0x0a, 0],                            // after a good one
        &[0x04, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 1, 2], // STREAM cut short
        &[0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],       // STREAM with nothing
        &[0x05, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0],    // offset above 2^62
        &[0x06, 1, 2, 3],                            // MAX_DATA cut short
        &[0x02, 0, 0, 0, 0, 0, 0, 0, 1, 0],          // ACK of no range
        &[0x0c, 1, 0, 2, 0xff, 0xfe],                // a reason that is no UTF-8
    ];
    for frames in malformed {
        let (lab, mut peer, id, bystander) = lab_with_bystander();
        let datagram = peer.seal_bytes(frames);
        assert_closes(
            (lab, peer, id, bystander),
            &datagram,
            Reject::MalformedFrame,
            CloseCode::MalformedFrame,
        );
    }
}

/// The endpoint has sent a few packets; an acknowledgement of the next number is a lie.
#[test]
fn test_reject_ack_of_unsent_packet() {
    let (mut lab, mut peer, id, bystander) = lab_with_bystander();
    lab.connection(id).write(&[1; 3_000]).expect("open");
    let mut received = ReceivedNumbers::new();
    let mut largest = 0;
    for (_, datagram) in lab.drain().datagrams {
        largest = peer.open(&datagram).0;
        received.insert(largest);
    }
    received.insert(largest + 1);
    let datagram = peer.seal(|frames| ack(frames, &received));
    let (label, code) = (Reject::AckOfUnsentPacket, CloseCode::AckOfUnsentPacket);
    assert_closes((lab, peer, id, bystander), &datagram, label, code);
}

/// The endpoint leaves a number out now and then: who acknowledges all there could be is found out.
#[test]
fn test_reject_ack_of_a_skipped_packet_number() {
    let (mut lab, mut peer, id, bystander) = lab_with_bystander();
    let mut received = ReceivedNumbers::new();
    let mut largest = None;
    let mut skipped = None;
    for _ in 0..300 {
        lab.connection(id).write(&[1; 1_000]).expect("open");
        let mut packets = lab.drain().datagrams;
        packets.extend(lab.wait(Duration::from_millis(10)).datagrams);
        for (_, datagram) in packets {
            let number = peer.open(&datagram).0;
            if let Some(before) = largest.filter(|before| before + 2 == number) {
                skipped.get_or_insert(before + 1);
            }
            largest = largest.max(Some(number));
            received.insert(number);
        }
        if skipped.is_some() {
            break;
        }
        peer.send(&mut lab, |frames| ack(frames, &received));
    }
    assert_eq!(lab.endpoint.rejects().total(), 0, "honest so far");
    received.insert(skipped.expect("one number in the first 256 is skipped"));
    let datagram = peer.seal(|frames| ack(frames, &received));
    let (label, code) = (Reject::AckOfUnsentPacket, CloseCode::AckOfUnsentPacket);
    assert_closes((lab, peer, id, bystander), &datagram, label, code);
}

/// The Small profile grants 8 KiB: byte 8192 is one too many, byte 8191 is not.
#[test]
fn test_reject_flow_control_violation() {
    let (mut lab, mut peer, id, bystander) = lab_with_bystander();
    peer.send(&mut lab, |frames| frames.stream(8_191, false, 1).expect("room")[0] = 1);
    assert_eq!(lab.connection(id).closure(), None);
    let datagram = peer.seal(|frames| frames.stream(8_192, false, 1).expect("room")[0] = 1);
    let (label, code) = (Reject::FlowControlViolation, CloseCode::FlowControlViolation);
    assert_closes((lab, peer, id, bystander), &datagram, label, code);
}

/// A second end of the stream, bytes beyond the end, an end before bytes that came.
#[test]
fn test_reject_final_size_changed() {
    type Step = (u64, bool, usize);
    let violations: [(Step, Step); 4] = [
        ((0, true, 10), (0, true, 11)),
        ((0, true, 10), (0, true, 9)),
        ((0, true, 10), (10, false, 1)),
        ((20, false, 5), (0, true, 24)),
    ];
    for (first, second) in violations {
        let (mut lab, mut peer, id, bystander) = lab_with_bystander();
        let stream = |peer: &mut Peer, (offset, fin, len): Step| {
            peer.seal(|frames| frames.stream(offset, fin, len).expect("room").fill(7))
        };
        let datagram = stream(&mut peer, first);
        lab.deliver(address(1), &datagram);
        lab.drain();
        assert_eq!(lab.connection(id).closure(), None, "{first:?}");
        let datagram = stream(&mut peer, second);
        let (label, code) = (Reject::FinalSizeChanged, CloseCode::FinalSizeChanged);
        assert_closes((lab, peer, id, bystander), &datagram, label, code);
    }
}

/// The peer moves to the next key before a packet under the present one was acknowledged to it.
#[test]
fn test_reject_key_update_violation() {
    let (bad, good) = (keys(10), keys(11));
    let mut lab = Lab::new(&[bad.public(), good.public()]);
    let (_, bystander) = Peer::connect(&mut lab, &good, address(2), 100);
    let mut peer = Peer::half_open(&mut lab, &bad, address(1), 0);
    let first = peer.seal(|frames| frames.ping().expect("room"));
    // Nothing says so, but the session lets its owner claim it.
    peer.session.on_acknowledged(0);
    assert!(peer.session.update_key());
    let second = peer.seal(|frames| frames.ping().expect("room"));
    lab.deliver(address(1), &first);
    lab.deliver(address(1), &second);
    let done = lab.drain();
    assert_eq!(lab.endpoint.rejects().get(Reject::KeyUpdateViolation), 1, "{:?}", lab.endpoint.rejects());
    let code = CloseCode::KeyUpdateViolation;
    assert_eq!(done.events.last().map(|(_, event)| *event), Some(Event::Closed(Closure::ByUs(code))));
    let [(_, close)] = &done.datagrams[..] else { panic!("{done:?}") };
    assert_eq!(peer.close_code(close), Some(code));
    assert_eq!(lab.connection(bystander).closure(), None, "the other session lives on");
}
