//! Reassembly against a naive model, and each of its rejects.

use std::vec;
use std::vec::Vec as StdVec;

use heapless::Vec;
use proptest::prelude::*;

use super::*;

/// The byte that every honest copy carries at `offset`.
fn byte_at(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

fn content(span: Span) -> StdVec<u8> {
    (span.start..span.end).map(byte_at).collect()
}

/// Reassembly in a ring of `capacity` bytes with `GAPS` entries, and credit kept as a receiver does.
struct Stream<const GAPS: usize> {
    reassembly: Reassembly,
    ring: StdVec<u8>,
    spans: Vec<Span, GAPS>,
    credit: u64,
}

impl<const GAPS: usize> Stream<GAPS> {
    fn new(capacity: usize) -> Self {
        let credit = capacity as u64;
        Self { reassembly: Reassembly::new(), ring: vec![0; capacity], spans: Vec::new(), credit }
    }

    fn insert(&mut self, start: u64, end: u64, fin: bool) -> Result<Inserted, Reject> {
        let data = content(Span::new(start, end));
        let frame = StreamFrame { offset: start, fin, data: &data };
        let result = self.reassembly.insert(&mut self.ring, &mut self.spans, &frame, self.credit);
        assert!(self.reassembly.is_consistent(&self.spans, self.ring.len()));
        result
    }

    fn read(&mut self, len: usize) -> StdVec<u8> {
        let mut out = vec![0; len];
        let count = self.reassembly.read(&self.ring, &mut out);
        out.truncate(count);
        self.credit = self.reassembly.read_offset() + self.ring.len() as u64;
        out
    }

    /// All there is to see of it.
    fn state(&self) -> (u64, u64, Option<u64>, StdVec<Span>, StdVec<u8>) {
        let reassembly = &self.reassembly;
        let offsets = (reassembly.read_offset(), reassembly.contiguous_end(), reassembly.final_size());
        (offsets.0, offsets.1, offsets.2, self.spans.to_vec(), self.ring.clone())
    }
}

fn inserted(fresh: u64, readable: u64) -> Result<Inserted, Reject> {
    Ok(Inserted { fresh, readable })
}

#[derive(Clone, Debug)]
enum Op {
    /// A frame this far (possibly below) from the next expected offset, of this length, with FIN or not.
    Frame(i64, u64, bool),
    Read(usize),
    /// The same by borrowing.
    Borrow(usize),
}

fn ops() -> impl Strategy<Value = StdVec<Op>> {
    let op = prop_oneof![
        8 => (-6..24_i64, 0..10_u64, proptest::bool::weighted(0.03)).prop_map(|(d, l, f)| Op::Frame(d, l.max(1), f)),
        4 => (1..8_u64).prop_map(|len| Op::Frame(0, len, false)),
        2 => (0..20_usize).prop_map(Op::Read),
        2 => (0..20_usize).prop_map(Op::Borrow),
        1 => (-6..24_i64).prop_map(|distance| Op::Frame(distance, 0, true)),
    ];
    proptest::collection::vec(op, 1..120)
}

/// Which offsets have come, and what must be answered; as slow and plain as can be.
#[derive(Default)]
struct Model {
    received: StdVec<bool>,
    read: u64,
    final_size: Option<u64>,
}

impl Model {
    fn contiguous(&self) -> u64 {
        self.received.iter().position(|here| !here).unwrap_or(self.received.len()) as u64
    }

    fn highest(&self) -> u64 {
        self.received.iter().rposition(|here| *here).map_or(0, |last| last as u64 + 1)
    }

    /// Gaps in which a span of received bytes follows.
    fn spans(&self) -> usize {
        self.received.windows(2).filter(|pair| !pair[0] && pair[1]).count()
            + usize::from(self.received.first() == Some(&false) && self.received.len() == 1)
    }

    fn insert(&mut self, span: Span, fin: bool, capacity: u64, gaps: usize) -> Result<Inserted, Reject> {
        if span.end > self.read + capacity {
            return Err(Reject::FlowControlViolation);
        }
        let size = self.final_size.or(fin.then_some(span.end));
        if size.is_some_and(|size| span.end > size || self.highest() > size || (fin && size != span.end)) {
            return Err(Reject::FinalSizeChanged);
        }
        let before = self.received.clone();
        let contiguous = self.contiguous();
        self.received.resize(self.received.len().max(span.end as usize), false);
        let mut fresh = 0;
        for offset in span.start..span.end {
            fresh += u64::from(!self.received[offset as usize]);
            self.received[offset as usize] = true;
        }
        while self.received.last() == Some(&false) {
            self.received.pop();
        }
        if span.start > contiguous && self.spans() > gaps {
            self.received = before;
            return Err(Reject::ReassemblyOverflow);
        }
        self.final_size = size;
        Ok(Inserted { fresh, readable: self.contiguous() - contiguous })
    }
}

fn run<const GAPS: usize>(capacity: usize, ops: &[Op]) {
    let mut stream = Stream::<GAPS>::new(capacity);
    let mut model = Model::default();
    for op in ops {
        match *op {
            Op::Frame(distance, len, fin) => {
                let start = model.contiguous().saturating_add_signed(distance);
                let before = stream.state();
                let result = stream.insert(start, start + len, fin);
                let expected = model.insert(Span::new(start, start + len), fin, capacity as u64, GAPS);
                assert_eq!(result, expected, "{op:?}");
                if result.is_err() {
                    assert_eq!(stream.state(), before, "a rejected frame changes nothing");
                }
            }
            Op::Read(len) => {
                let out = stream.read(len);
                let expected = len.min((model.contiguous() - model.read) as usize);
                assert_eq!(out, content(Span::new(model.read, model.read + expected as u64)));
                model.read += expected as u64;
            }
            Op::Borrow(len) => {
                let (first, second) = stream.reassembly.readable_slices(&stream.ring);
                assert_eq!([first, second].concat(), content(Span::new(model.read, model.contiguous())));
                let taken = stream.reassembly.consume(len);
                assert_eq!(taken, len.min((model.contiguous() - model.read) as usize));
                model.read += taken as u64;
                stream.credit = model.read + capacity as u64;
            }
        }
        assert_eq!(stream.reassembly.contiguous_end(), model.contiguous());
        assert_eq!(stream.reassembly.read_offset(), model.read);
        assert_eq!(stream.reassembly.final_size(), model.final_size);
        assert_eq!(stream.spans.len(), model.spans());
        assert_eq!(stream.reassembly.is_finished(), model.final_size == Some(model.contiguous()));
        assert_eq!(stream.reassembly.is_drained(), model.final_size == Some(model.read));
    }
}

proptest! {
    #[test]
    fn equals_the_model(capacity in 1..48_usize, ops in ops()) {
        run::<64>(capacity, &ops);
    }

    #[test]
    fn equals_the_model_when_entries_are_few(capacity in 1..48_usize, ops in ops()) {
        run::<1>(capacity, &ops);
        run::<3>(capacity, &ops);
    }

    /// Every order of a stream's pieces gives the stream.
    #[test]
    fn any_order_gives_the_stream(order in Just((0..40_u64).collect::<StdVec<_>>()).prop_shuffle()) {
        let mut stream = Stream::<40>::new(400);
        for piece in order {
            stream.insert(piece * 10, piece * 10 + 10, piece == 39).expect("within credit");
        }
        prop_assert!(stream.reassembly.is_finished());
        prop_assert_eq!(stream.read(500), content(Span::new(0, 400)));
        prop_assert!(stream.reassembly.is_drained());
    }
}

#[test]
fn data_in_order_touches_no_span() {
    let mut stream = Stream::<1>::new(100);
    for start in (0..1_000).step_by(50) {
        assert_eq!(stream.insert(start, start + 50, false), inserted(50, 50));
        assert!(stream.spans.is_empty());
        assert_eq!(stream.read(50).len(), 50);
    }
}

#[test]
fn a_gap_filled_makes_what_waited_readable() {
    let mut stream = Stream::<4>::new(100);
    assert_eq!(stream.insert(20, 30, false), inserted(10, 0));
    assert_eq!(stream.insert(40, 50, false), inserted(10, 0));
    assert_eq!(stream.insert(25, 45, false), inserted(10, 0), "overlaps on both sides");
    assert_eq!(stream.insert(0, 20, false), inserted(20, 50));
    assert_eq!(stream.insert(0, 50, false), inserted(0, 0), "known already");
    assert_eq!(stream.read(100), content(Span::new(0, 50)));
}

#[test]
fn test_reject_oversize_datagram_or_reassembly_overflow() {
    let mut stream = Stream::<2>::new(100);
    stream.insert(10, 11, false).expect("one entry is left");
    stream.insert(20, 21, false).expect("the last entry");
    let before = stream.state();
    assert_eq!(stream.insert(30, 31, true), Err(Reject::ReassemblyOverflow));
    assert_eq!(stream.state(), before);
    assert_eq!(stream.insert(9, 12, false), inserted(2, 0), "needs no entry of its own");
    assert_eq!(stream.insert(0, 5, false), inserted(5, 5), "the next expected offset never does");
    assert_eq!(stream.insert(5, 40, true), inserted(31, 35));
    assert!(stream.reassembly.is_finished());
}

/// One-byte frames at every second offset, upwards and downwards: the memory is what was lent, and the stream ends.
#[test]
fn frames_of_one_byte_cannot_fill_more_than_the_spans() {
    let upwards: StdVec<u64> = (0..500).map(|i| 1 + 2 * i).collect();
    let downwards: StdVec<u64> = upwards.iter().rev().copied().collect();
    for attack in [upwards, downwards] {
        let mut stream = Stream::<16>::new(1_000);
        let results: StdVec<_> =
            attack.iter().map(|&offset| stream.insert(offset, offset + 1, false)).collect();
        assert_eq!(results.iter().filter(|result| **result == inserted(1, 0)).count(), 16);
        assert_eq!(results.iter().filter(|result| **result == Err(Reject::ReassemblyOverflow)).count(), 484);
        for offset in 0..1_000 {
            stream.insert(offset, offset + 1, false).expect("in order");
        }
        assert_eq!(stream.read(1_000), content(Span::new(0, 1_000)));
    }
}

#[test]
fn rejects_data_above_the_credit() {
    let mut stream = Stream::<2>::new(100);
    stream.credit = 50;
    assert_eq!(stream.insert(0, 51, false), Err(Reject::FlowControlViolation));
    assert_eq!(stream.insert(51, 51, true), Err(Reject::FlowControlViolation));
    assert_eq!(stream.insert(0, 50, true), inserted(50, 50), "up to the credit");

    let mut stream = Stream::<2>::new(100);
    stream.credit = u64::MAX;
    assert_eq!(stream.insert(60, 101, false), Err(Reject::FlowControlViolation), "above what the ring holds");
    let frame = StreamFrame { offset: u64::MAX, fin: false, data: &[1, 2, 3] };
    let result = stream.reassembly.insert(&mut stream.ring, &mut stream.spans, &frame, u64::MAX);
    assert_eq!(result, Err(Reject::FlowControlViolation), "no offset overflows");
}

#[test]
fn rejects_a_second_final_size() {
    let mut stream = Stream::<4>::new(100);
    stream.insert(30, 40, false).expect("out of order");
    assert_eq!(stream.insert(39, 39, true), Err(Reject::FinalSizeChanged), "below what has been received");
    assert_eq!(stream.insert(50, 50, true), inserted(0, 0), "a FIN alone may come early");
    assert_eq!(stream.reassembly.final_size(), Some(50));
    assert_eq!(stream.insert(50, 50, true), inserted(0, 0), "the same again");
    assert_eq!(stream.insert(50, 51, false), Err(Reject::FinalSizeChanged), "a byte after the end");
    assert_eq!(stream.insert(45, 51, true), Err(Reject::FinalSizeChanged));
    assert_eq!(stream.insert(0, 49, true), Err(Reject::FinalSizeChanged), "an earlier end");
    assert_eq!(stream.insert(0, 50, false), inserted(40, 50));
    assert!(stream.reassembly.is_finished() && !stream.reassembly.is_drained());
    stream.read(100);
    assert!(stream.reassembly.is_drained());
}

#[test]
fn a_stream_may_be_empty() {
    let mut stream = Stream::<1>::new(10);
    assert!(!stream.reassembly.is_finished());
    assert_eq!(stream.insert(0, 0, true), inserted(0, 0));
    assert!(stream.reassembly.is_finished() && stream.reassembly.is_drained());
}

#[test]
fn a_readable_byte_does_not_change_any_more() {
    let mut stream = Stream::<2>::new(16);
    stream.insert(0, 8, false).expect("in order");
    let liar = StreamFrame { offset: 0, fin: false, data: &[0; 12] };
    let result = stream.reassembly.insert(&mut stream.ring, &mut stream.spans, &liar, stream.credit);
    assert_eq!(result, inserted(4, 4));
    let out = stream.read(16);
    assert_eq!(out[..8], content(Span::new(0, 8)));
    assert_eq!(out[8..], [0; 4]);
}

#[test]
fn its_size_is_known() {
    assert_eq!(size_of::<Reassembly>(), 32);
}
