//! A peer with keys that sends its stream in pieces of one byte with gaps between them, in every order.

use chacha20::ChaCha8Rng;
use harness::attacker::keyed::{Lab, Peer};
use rand_core::{Rng, SeedableRng};
use udp_sec::error::{CloseCode, Reject};
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::Closure;

use super::{flood, heap, session};

/// The credit that the lab grants, and the room that it has.
const WINDOW: u64 = 8_192;

fn byte_at(offset: u64) -> u8 {
    (offset % 251) as u8
}

/// A packet with one STREAM frame for each of `pieces`: offset and length.
fn pieces(peer: &mut Peer, pieces: &[(u64, usize)]) -> Vec<u8> {
    peer.seal(|frames| {
        for (offset, len) in pieces {
            let Ok(room) = frames.stream(*offset, false, *len) else { return };
            room.iter_mut().zip(*offset..).for_each(|(byte, at)| *byte = byte_at(at));
        }
    })
}

/// Delivers packets of up to 90 pieces each, `next` giving one after the other. What is not kept is not acknowledged and
/// is counted, memory does not grow, and at the end the whole stream arrives all the same.
fn attack(what: &str, mut next: impl FnMut(u64) -> (u64, usize)) {
    let (mut lab, mut peer, id) = session(3);
    let packets = flood() / 10;
    let (mut piece, mut settled, mut answers) = (0, None, 0);
    for nth in 0..packets {
        let first = piece;
        piece += 1 + nth % 90;
        let many: Vec<_> = (first..piece).map(&mut next).collect();
        let datagram = pieces(&mut peer, &many);
        lab.deliver(peer.path, &datagram);
        lab.endpoint.end_of_batch();
        answers += lab.drain().datagrams.len() as u64;
        drop((many, datagram));
        if nth == packets / 10 {
            settled = Some(heap::live());
        }
    }
    assert_eq!(Some(heap::live()), settled, "{what}: memory grew");
    let stats = lab.connection(id).stats();
    assert_eq!(lab.endpoint.rejects().get(Reject::ReassemblyOverflow), stats.reassembly_overflows);
    assert_eq!(lab.endpoint.rejects().total(), stats.reassembly_overflows, "{what}");
    assert!(stats.reassembly_overflows > packets / 4, "{what}: the bound was reached, {stats:?}");
    assert!(answers + stats.reassembly_overflows <= packets + 1, "{what}: {answers} answers");
    assert_eq!(lab.connection(id).readable(), 0, "{what}: nothing is in order");
    assert_whole(&mut lab, &mut peer, id);
    println!("{what}: {piece} pieces in {packets} packets, {} refused", stats.reassembly_overflows);
}

/// The stream in order at last: every byte is what it should be.
fn assert_whole(lab: &mut Lab, peer: &mut Peer, id: SessionId) {
    for offset in (0..WINDOW).step_by(1_024) {
        let datagram = pieces(peer, &[(offset, 1_024)]);
        lab.deliver(peer.path, &datagram);
    }
    let mut bytes = [0; WINDOW as usize];
    assert_eq!(lab.connection(id).read(&mut bytes), Ok(WINDOW as usize));
    assert!(bytes.iter().zip(0..).all(|(byte, at)| *byte == byte_at(at)));
}

/// Row 35: upward, downward, at random, and in pieces that overlap each other.
#[test]
fn gaps_fill_the_table_and_nothing_else() {
    let odd = |nth: u64| 1 + 2 * (nth % (WINDOW / 2));
    attack("upward", |nth| (odd(nth), 1));
    attack("downward", |nth| (WINDOW - odd(nth), 1));
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    attack("at random", |_| (odd(rng.next_u64()), 1));
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    attack("overlapping", |_| {
        // In the upper half, so that what merges cannot reach the beginning.
        let start = WINDOW / 2 + rng.next_u64() % (WINDOW / 2 - 3);
        (start - start % 7, 1 + (rng.next_u64() % 3) as usize)
    });
}

/// Pieces above the window, ends above it, and offsets that overflow: refused by name, and that is the end.
#[test]
fn pieces_beyond_the_window_end_the_session() {
    let stream = |kind: u8, offset: u64, len: u16| {
        let mut frame = vec![kind];
        frame.extend(offset.to_le_bytes());
        frame.extend(len.to_le_bytes());
        frame.extend(vec![7; usize::from(len)]);
        frame
    };
    let beyond = (Reject::FlowControlViolation, CloseCode::FlowControlViolation);
    let malformed = (Reject::MalformedFrame, CloseCode::MalformedFrame);
    let attacks = [
        (stream(4, WINDOW, 1), beyond),
        (stream(4, WINDOW - 1, 2), beyond),
        (stream(5, WINDOW + 1, 0), beyond),
        (stream(5, (1 << 62) - 1, 1), beyond),
        (stream(4, (1 << 62) - 1, 2), malformed),
        (stream(4, u64::MAX, 1), malformed),
        (stream(5, u64::MAX - 1, 2), malformed),
    ];
    for (nth, (frame, (label, code))) in attacks.into_iter().enumerate() {
        let (mut lab, mut peer, id) = session(nth as u64);
        let datagram = peer.seal_bytes(&frame);
        lab.deliver(peer.path, &datagram);
        assert_eq!(lab.endpoint.rejects().get(label), 1, "{nth}: {:?}", lab.endpoint.rejects());
        assert_eq!(lab.connection(id).closure(), Some(Closure::ByUs(code)), "{nth}");
    }
}
