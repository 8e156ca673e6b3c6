//! The send buffer against a model that knows the fate of every byte.

use std::vec::Vec;

use heapless::vec::VecView;
use proptest::prelude::*;

use super::*;

const CAPACITY: usize = 64;

/// A buffer with its memory: tiny range sets, so that full ones are common.
#[derive(Default)]
struct Fixture {
    buffer: SendBuffer,
    ring: Vec<u8>,
    acked: heapless::Vec<Span, 3>,
    lost: heapless::Vec<Span, 3>,
    /// Chunks in flight.
    flight: Vec<Chunk>,
    /// Every byte that the peer has.
    arrived: Vec<bool>,
    written: Vec<u8>,
}

impl Fixture {
    fn new() -> Self {
        Self { ring: std::vec![0; CAPACITY], ..Self::default() }
    }

    fn sets(&mut self) -> (&mut VecView<Span>, &mut VecView<Span>) {
        (self.acked.as_mut_view(), self.lost.as_mut_view())
    }

    fn write(&mut self, len: usize) {
        let data: Vec<u8> = (0..len).map(|i| (self.written.len() + i) as u8).collect();
        let taken = self.buffer.write(&mut self.ring, &data);
        self.written.extend_from_slice(&data[..taken]);
        self.arrived.resize(self.written.len(), false);
    }

    fn send(&mut self, room: usize, credit: u64) -> Option<Chunk> {
        let chunk = self.buffer.next_chunk(self.lost.as_mut_view(), room, credit)?;
        let mut bytes = std::vec![0; chunk.span.len() as usize];
        ring::copy_out(&self.ring, chunk.span.start, &mut bytes);
        let range = chunk.span.start as usize..chunk.span.end as usize;
        assert_eq!(bytes, self.written[range], "the bytes at these offsets");
        assert!(chunk.kind == ChunkKind::Lost || chunk.span.end <= credit);
        self.buffer.on_sent(self.lost.as_mut_view(), chunk);
        self.flight.push(chunk);
        Some(chunk)
    }

    fn ack(&mut self, index: usize) {
        let chunk = self.flight.remove(index);
        self.arrived[chunk.span.start as usize..chunk.span.end as usize].fill(true);
        self.ack_chunk(chunk);
    }

    fn ack_chunk(&mut self, chunk: Chunk) {
        let (acked, lost) = (self.acked.as_mut_view(), self.lost.as_mut_view());
        self.buffer.on_acked(acked, lost, chunk.span, chunk.fin);
    }

    fn lose(&mut self, index: usize) {
        let chunk = self.flight.remove(index);
        let (acked, lost) = (self.acked.as_mut_view(), self.lost.as_mut_view());
        self.buffer.on_lost(acked, lost, chunk.span, chunk.fin);
    }

    fn check(&mut self) {
        let arrived = self.arrived.clone();
        let free = self.buffer.free(CAPACITY);
        let base = self.written.len() - (CAPACITY - free);
        assert!(arrived[..base].iter().all(|byte| *byte), "only what arrived is freed");
        // Nothing is forgotten: what has not arrived is in flight, lost, or not sent yet.
        let (_, lost) = self.sets();
        let lost: Vec<Span> = lost.iter().copied().collect();
        for (offset, _) in arrived.iter().enumerate().filter(|(_, arrived)| !**arrived) {
            let offset = offset as u64;
            let holds = |span: &Span| span.start <= offset && offset < span.end;
            let tracked = self.flight.iter().any(|chunk| holds(&chunk.span))
                || lost.iter().any(holds)
                || offset >= self.buffer.next;
            assert!(tracked, "byte {offset} is forgotten");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize),
    Send(usize),
    Ack(usize),
    Lose(usize),
    Finish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1usize..40).prop_map(Step::Write),
        8 => (1usize..9).prop_map(Step::Send),
        4 => any::<usize>().prop_map(Step::Ack),
        4 => any::<usize>().prop_map(Step::Lose),
        1 => Just(Step::Finish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn forgets_nothing_and_always_completes(steps in proptest::collection::vec(step(), 1..120)) {
        let mut fixture = Fixture::new();
        for step in steps {
            match step {
                Step::Write(len) => fixture.write(len),
                Step::Send(room) => _ = fixture.send(room, u64::MAX),
                Step::Ack(index) if !fixture.flight.is_empty() => fixture.ack(index % fixture.flight.len()),
                Step::Lose(index) if !fixture.flight.is_empty() => fixture.lose(index % fixture.flight.len()),
                Step::Ack(_) | Step::Lose(_) => {}
                Step::Finish => fixture.buffer.finish(),
            }
            fixture.check();
        }
        // From any state, a network that delivers completes the stream.
        fixture.buffer.finish();
        for _ in 0..10_000 {
            if fixture.buffer.is_complete() {
                break;
            }
            if fixture.send(8, u64::MAX).is_none() {
                fixture.ack(0);
            }
            fixture.check();
        }
        prop_assert!(fixture.buffer.is_complete());
        prop_assert!(fixture.arrived.iter().all(|byte| *byte));
    }
}

#[test]
fn lost_bytes_go_first_and_lowest_first() {
    let mut fixture = Fixture::new();
    fixture.write(40);
    for _ in 0..3 {
        fixture.send(8, u64::MAX);
    }
    fixture.lose(2);
    fixture.lose(0);
    let again = fixture.send(8, u64::MAX).expect("the lowest");
    assert_eq!((again.span, again.kind), (Span::new(0, 8), ChunkKind::Lost));
    let again = fixture.send(8, u64::MAX).expect("the next");
    assert_eq!((again.span, again.kind), (Span::new(16, 24), ChunkKind::Lost));
    let fresh = fixture.send(8, u64::MAX).expect("new bytes");
    assert_eq!((fresh.span, fresh.kind), (Span::new(24, 32), ChunkKind::Fresh));
}

#[test]
fn credit_holds_new_bytes_back_and_says_where() {
    let mut fixture = Fixture::new();
    fixture.write(20);
    assert_eq!(fixture.send(16, 10).expect("up to the credit").span, Span::new(0, 10));
    assert_eq!(fixture.send(16, 10), None);
    assert_eq!(fixture.buffer.blocked_at(10), Some(10));
    assert_eq!(fixture.buffer.blocked_at(11), None);
}

#[test]
fn an_acknowledged_chunk_may_be_acknowledged_again() {
    let mut fixture = Fixture::new();
    fixture.write(24);
    let first = fixture.send(8, u64::MAX).expect("bytes");
    let second = fixture.send(8, u64::MAX).expect("bytes");
    fixture.ack(1);
    fixture.ack_chunk(second);
    fixture.ack(0);
    fixture.ack_chunk(first);
    assert_eq!(fixture.buffer.unacknowledged(), 8);
}

#[test]
fn fin_is_sent_with_the_last_bytes_and_again_when_lost() {
    let mut fixture = Fixture::new();
    fixture.write(8);
    fixture.buffer.finish();
    let last = fixture.send(8, u64::MAX).expect("bytes");
    assert!(last.fin);
    assert_eq!(fixture.send(8, u64::MAX), None, "once is enough");
    fixture.lose(0);
    assert!(fixture.send(8, u64::MAX).expect("again").fin);
    fixture.ack(0);
    assert!(fixture.buffer.is_complete());
    assert_eq!(fixture.buffer.write(&mut fixture.ring, b"more"), 0);
}

#[test]
fn an_empty_stream_ends_with_a_fin_alone() {
    let mut fixture = Fixture::new();
    fixture.buffer.finish();
    let fin = fixture.send(8, 0).expect("needs no credit");
    assert!(fin.fin && fin.span.is_empty());
}

#[test]
fn a_probe_repeats_what_is_in_flight() {
    let mut fixture = Fixture::new();
    fixture.write(16);
    fixture.send(8, u64::MAX);
    fixture.send(8, u64::MAX);
    let probe = fixture.buffer.probe_chunk(Span::new(0, 8), false, 5).expect("unacknowledged");
    assert_eq!((probe.span, probe.kind), (Span::new(0, 5), ChunkKind::Probe));
    fixture.ack(0);
    assert_eq!(fixture.buffer.probe_chunk(Span::new(0, 8), false, 5), None, "nothing left to repeat");
}
