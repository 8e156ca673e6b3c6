//! A peer with keys that plays games with credit and with the end of the stream.

use udp_sec::error::{CloseCode, Reject};
use udp_sec::time::Duration;
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use super::session;

/// MAX_DATA as bytes: also those that no writer would write.
fn max_data(credit: u64) -> Vec<u8> {
    let mut frame = vec![6];
    frame.extend(credit.to_le_bytes());
    frame
}

/// Credit that shrinks is none; the sender goes on with what it had. The most there can be is no reason to send more than
/// the window, and one more than that is no credit at all.
#[test]
fn credit_neither_shrinks_nor_opens_the_window() {
    let (mut lab, mut peer, id) = session(1);
    for credit in [0, 1, 5, 4_000, 1 << 29] {
        let frame = max_data(credit);
        let datagram = peer.seal_bytes(&frame);
        lab.deliver(peer.path, &datagram);
    }
    lab.connection(id).write(&[7; 8_192]).expect("open");
    lab.drain();
    lab.wait(Duration::from_millis(500));
    assert_eq!(lab.connection(id).stats().stream_bytes_sent, 8_192, "the credit of the handshake holds");
    let most = max_data(1 << 62);
    let datagram = peer.seal_bytes(&most);
    lab.deliver(peer.path, &datagram);
    assert_eq!(lab.connection(id).closure(), None);
    let path = lab.connection(id).path_state();
    assert!(path.in_flight <= path.window, "{path:?}");
    let above = max_data((1 << 62) + 1);
    let datagram = peer.seal_bytes(&above);
    lab.deliver(peer.path, &datagram);
    assert_eq!(lab.endpoint.rejects().get(Reject::MalformedFrame), 1);
    assert_eq!(lab.connection(id).closure(), Some(Closure::ByUs(CloseCode::MalformedFrame)));
}

/// Data behind the end, and a second end, in the packet of the first: the bytes before it stay readable, the end is none.
#[test]
fn a_stream_has_one_end() {
    for (offset, fin, len) in [(6, false, 1), (3, true, 1), (5, true, 1), (0, true, 6)] {
        let (mut lab, mut peer, id) = session(2);
        let datagram = peer.seal(|frames| {
            frames.stream(0, true, 5).expect("room").fill(1);
            frames.stream(offset, fin, len).expect("room").fill(2);
        });
        lab.deliver(peer.path, &datagram);
        let code = CloseCode::FinalSizeChanged;
        assert_eq!(lab.endpoint.rejects().get(Reject::FinalSizeChanged), 1, "{offset} {fin}");
        assert_eq!(lab.connection(id).closure(), Some(Closure::ByUs(code)));
        let mut bytes = [0; 9];
        assert_eq!(lab.connection(id).read(&mut bytes), Ok(5));
        assert_eq!(bytes[..5], [1; 5], "what was there before the violation");
    }
}

/// Acknowledgements below number 0, of more than there is, and in pieces that touch: by name, before any of it counts.
#[test]
fn acknowledgements_that_no_set_of_numbers_has() {
    // largest, delay, count, first length, then gap and length.
    let ack = |largest: u32, runs: &[(u16, u16)]| {
        let mut frame = vec![2];
        frame.extend(largest.to_le_bytes());
        frame.extend([0, 0, runs.len() as u8]);
        frame.extend(runs[0].1.to_le_bytes());
        for (gap, length) in &runs[1..] {
            frame.extend(gap.to_le_bytes());
            frame.extend(length.to_le_bytes());
        }
        frame
    };
    let malformed = (Reject::MalformedFrame, CloseCode::MalformedFrame);
    let unsent = (Reject::AckOfUnsentPacket, CloseCode::AckOfUnsentPacket);
    let attacks = [
        (ack(0, &[(0, 2)]), malformed),
        (ack(1, &[(0, 1), (1, 1)]), malformed),
        (ack(1, &[(0, 1), (0, 1)]), malformed),
        (ack(0, &[(0, 0)]), malformed),
        (ack(1 << 20, &[(0, 1)]), unsent),
        (ack(u32::MAX, &[(0, 1)]), unsent),
        (ack(1 << 31, &[(0, 1)]), unsent),
    ];
    for (nth, (frame, (label, code))) in attacks.into_iter().enumerate() {
        let (mut lab, mut peer, id) = session(nth as u64);
        lab.connection(id).write(&[7; 600]).expect("open");
        let sent = lab.drain().datagrams;
        assert_eq!(sent.len(), 1);
        let before = lab.connection(id).path_state().in_flight;
        let datagram = peer.seal_bytes(&frame);
        lab.deliver(peer.path, &datagram);
        assert_eq!(lab.endpoint.rejects().get(label), 1, "{nth}: {:?}", lab.endpoint.rejects());
        assert_eq!(lab.connection(id).closure(), Some(Closure::ByUs(code)), "{nth}");
        assert_eq!(lab.connection(id).path_state().in_flight, before, "{nth}: half of it counted");
    }
    // The true one, for comparison.
    let (mut lab, mut peer, id) = session(9);
    lab.connection(id).write(&[7; 600]).expect("open");
    let mut received = ReceivedNumbers::new();
    for (_, datagram) in lab.drain().datagrams {
        received.insert(peer.open(&datagram).0);
    }
    peer.send(&mut lab, |frames| {
        frames.ack(&received, Duration::ZERO).expect("room");
    });
    assert_eq!(lab.connection(id).unacknowledged(), 0);
}
