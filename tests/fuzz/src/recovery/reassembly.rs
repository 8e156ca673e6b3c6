//! Reassembly and credit against a list of the offsets that have come.

use heapless::Vec;
use udp_sec::error::Reject;
use udp_sec_recovery::frame::StreamFrame;
use udp_sec_recovery::recv::credit::Credit;
use udp_sec_recovery::recv::reorder::Reassembly;
use udp_sec_recovery::span::Span;

use crate::input::Input;
use crate::{Outcome, log};

const CAPACITY: usize = 64;
const GAPS: usize = 4;

/// The stream, and what is known of it.
struct Stream {
    reassembly: Reassembly,
    ring: [u8; CAPACITY],
    spans: Vec<Span, GAPS>,
    credit: Credit,
    /// By offset: whether it has come.
    come: std::vec::Vec<bool>,
    read: usize,
    final_size: Option<usize>,
}

fn byte(offset: usize) -> u8 {
    (offset as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7]
}

pub(super) fn run(input: &mut Input<'_>) -> Outcome {
    let mut stream = Stream {
        reassembly: Reassembly::new(),
        ring: [0; CAPACITY],
        spans: Vec::new(),
        credit: Credit::new(CAPACITY as u64),
        come: std::vec::Vec::new(),
        read: 0,
        final_size: None,
    };
    let mut outcome = "reassembly";
    while let Some(choice) = input.next() {
        match choice % 4 {
            0 | 1 => {
                let distance = if choice % 4 == 0 { 0 } else { i64::from(input.u8() as i8) };
                let start = (stream.read as u64).saturating_add_signed(distance) as usize;
                let fin = choice >= 0xf0;
                let len = usize::from(input.u8() % 20).max(usize::from(!fin));
                outcome = stream.insert(start, len, fin).unwrap_or(outcome);
            }
            2 => stream.read(input.u8().into(), choice & 0x80 != 0),
            _ => stream.announce(choice),
        }
        stream.check();
    }
    log::state(&(stream.reassembly, stream.credit));
    outcome
}

impl Stream {
    /// One past the last offset that has come.
    fn end(&self) -> usize {
        self.come.iter().rposition(|come| *come).map_or(0, |last| last + 1)
    }

    fn verdict(&self, start: usize, len: usize, fin: bool) -> Result<(), Reject> {
        let end = start + len;
        let limit = self.credit.granted().min((self.read + CAPACITY) as u64);
        if end as u64 > limit {
            return Err(Reject::FlowControlViolation);
        }
        let size = self.final_size.unwrap_or(if fin { end } else { usize::MAX });
        if end > size || self.end() > size || (fin && end != size) {
            return Err(Reject::FinalSizeChanged);
        }
        Ok(())
    }

    fn insert(&mut self, start: usize, len: usize, fin: bool) -> Option<Outcome> {
        let data: std::vec::Vec<u8> = (start..start + len).map(byte).collect();
        let frame = StreamFrame { offset: start as u64, fin, data: &data };
        let before = (self.reassembly.contiguous_end(), self.spans.clone());
        let inserted = self.reassembly.insert(&mut self.ring, &mut self.spans, &frame, self.credit.granted());
        let verdict = self.verdict(start, len, fin);
        match inserted {
            Ok(inserted) => {
                assert_eq!(verdict, Ok(()), "{start}+{len}");
                let fresh = (start..start + len).filter(|at| !self.come.get(*at).unwrap_or(&false)).count();
                self.come.resize(self.come.len().max(start + len), false);
                self.come[start..start + len].fill(true);
                self.final_size = self.final_size.or(fin.then_some(start + len));
                assert_eq!(inserted.fresh, fresh as u64);
                assert_eq!(inserted.readable, self.reassembly.contiguous_end() - before.0);
                self.reassembly.is_finished().then_some("reassembly: finished")
            }
            Err(reject) => {
                log::line(reject);
                assert_eq!(before, (self.reassembly.contiguous_end(), self.spans.clone()), "a trace is left");
                if reject == Reject::ReassemblyOverflow {
                    assert!(verdict.is_ok() && self.spans.is_full(), "there is an entry left");
                    assert!(start as u64 > before.0, "the next expected bytes need no entry");
                } else {
                    assert_eq!(verdict, Err(reject), "{start}+{len}");
                }
                Some(reject.label())
            }
        }
    }

    fn read(&mut self, len: usize, in_place: bool) {
        let mut out = vec![0; len];
        if in_place {
            let (first, second) = self.reassembly.readable_slices(&self.ring);
            out = [first, second].concat();
            out.truncate(len);
            assert_eq!(self.reassembly.consume(out.len()), out.len());
        } else {
            let count = self.reassembly.read(&self.ring, &mut out);
            out.truncate(count);
        }
        let expected: std::vec::Vec<u8> = (self.read..self.read + out.len()).map(byte).collect();
        assert_eq!(out, expected, "from offset {}", self.read);
        self.read += out.len();
        self.credit.on_read(self.read as u64, CAPACITY as u64);
    }

    /// Credit is announced, delivered, lost; none is ever taken back, and none exceeds the ring.
    fn announce(&mut self, choice: u8) {
        let granted = self.credit.granted();
        match choice / 4 % 4 {
            0 => self.credit.due().into_iter().for_each(|value| self.credit.on_sent(value)),
            1 => self.credit.to_probe_with().into_iter().for_each(|value| self.credit.on_sent(value)),
            2 => self.credit.on_acked(granted),
            _ => self.credit.on_lost(granted),
        }
        assert!(self.credit.granted() >= granted);
        assert!(self.credit.granted() <= (self.read + CAPACITY) as u64);
    }

    fn check(&self) {
        let Self { reassembly, spans, come, .. } = self;
        assert!(reassembly.is_consistent(spans, CAPACITY), "{reassembly:?} {spans:?}");
        let contiguous = come.iter().position(|come| !come).unwrap_or(come.len());
        assert_eq!(reassembly.contiguous_end(), contiguous as u64);
        assert_eq!(reassembly.read_offset(), self.read as u64);
        assert_eq!(reassembly.readable(), contiguous - self.read);
        assert_eq!(reassembly.final_size(), self.final_size.map(|size| size as u64));
        assert_eq!(reassembly.is_drained(), self.final_size == Some(self.read));
        for (offset, come) in come.iter().enumerate().skip(contiguous) {
            let in_span = udp_sec_recovery::span::contains(spans, offset as u64);
            assert_eq!(in_span, *come, "offset {offset}");
        }
    }
}
