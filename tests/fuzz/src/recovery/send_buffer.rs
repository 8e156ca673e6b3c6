//! The send buffer against a list of what the peer has: nothing is forgotten, nothing wrong is sent, and at the end
//! everything arrives.

use heapless::Vec;
use udp_sec_recovery::ring;
use udp_sec_recovery::send::buffer::{Chunk, ChunkKind, SendBuffer};
use udp_sec_recovery::span::{self, Span};

use crate::input::Input;
use crate::{Outcome, log};

const CAPACITY: usize = 64;
const RANGES: usize = 3;
/// What both range sets and everything else of the sender may need to get all through.
const ROUNDS: usize = 10_000;

#[derive(Default)]
struct Sender {
    buffer: SendBuffer,
    ring: std::vec::Vec<u8>,
    acked: Vec<Span, RANGES>,
    lost: Vec<Span, RANGES>,
    flight: std::vec::Vec<Chunk>,
    written: u64,
    credit: u64,
    /// By offset: whether the peer has it.
    arrived: std::vec::Vec<bool>,
    fin_arrived: bool,
}

fn byte(offset: u64) -> u8 {
    offset.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7]
}

pub(super) fn run(input: &mut Input<'_>) -> Outcome {
    let mut sender = Sender { ring: vec![0; CAPACITY], ..Sender::default() };
    while let Some(choice) = input.next() {
        match choice % 8 {
            0 | 1 => sender.write(input.u8().into()),
            2 | 3 => sender.send(usize::from(choice / 8)),
            4 => input.index(sender.flight.len()).into_iter().for_each(|at| sender.ack(at)),
            5 => input.index(sender.flight.len()).into_iter().for_each(|at| sender.lose(at)),
            6 => input.index(sender.flight.len()).into_iter().for_each(|at| sender.probe(at, choice.into())),
            _ if choice < 0xf0 => sender.credit += u64::from(choice / 8),
            _ => sender.buffer.finish(),
        }
        sender.check();
    }
    log::state(&(&sender.buffer, &sender.flight));
    sender.complete();
    if sender.lost.is_full() || sender.acked.is_full() { "send buffer: full" } else { "send buffer" }
}

impl Sender {
    fn write(&mut self, len: usize) {
        let data: std::vec::Vec<u8> = (self.written..).take(len).map(byte).collect();
        let free = if self.buffer.is_finished() { 0 } else { self.buffer.free(CAPACITY) };
        let taken = self.buffer.write(&mut self.ring, &data);
        assert_eq!(taken, free.min(len));
        self.written += taken as u64;
        self.arrived.resize(self.written as usize, false);
    }

    fn send(&mut self, room: usize) {
        let Some(chunk) = self.buffer.next_chunk(self.lost.as_mut_view(), room, self.credit) else { return };
        assert!(chunk.span.end <= self.credit || chunk.kind == ChunkKind::Lost, "{chunk:?}");
        self.leave(chunk, room);
    }

    fn probe(&mut self, at: usize, room: usize) {
        let Chunk { span, fin, .. } = self.flight[at];
        let Some(chunk) = self.buffer.probe_chunk(span, fin, room) else { return };
        assert!(chunk.span.start >= span.start && chunk.span.end <= span.end, "{chunk:?} of {span:?}");
        self.leave(chunk, room);
    }

    fn leave(&mut self, chunk: Chunk, room: usize) {
        assert!(chunk.span.len() <= room as u64 && chunk.span.end <= self.written);
        assert!(chunk.fin || !chunk.span.is_empty(), "an empty frame");
        assert!(!chunk.fin || (self.buffer.is_finished() && chunk.span.end == self.written));
        let mut bytes = vec![0; chunk.span.len() as usize];
        ring::copy_out(&self.ring, chunk.span.start, &mut bytes);
        let right = bytes.iter().zip(chunk.span.start..).all(|(it, offset)| *it == byte(offset));
        assert!(right, "wrong bytes in {chunk:?}");
        self.buffer.on_sent(self.lost.as_mut_view(), chunk);
        self.flight.push(chunk);
    }

    fn ack(&mut self, at: usize) {
        let chunk = self.flight.swap_remove(at);
        self.arrived[chunk.span.start as usize..chunk.span.end as usize].fill(true);
        self.fin_arrived |= chunk.fin;
        let (acked, lost) = (self.acked.as_mut_view(), self.lost.as_mut_view());
        self.buffer.on_acked(acked, lost, chunk.span, chunk.fin);
    }

    fn lose(&mut self, at: usize) {
        let chunk = self.flight.swap_remove(at);
        let (acked, lost) = (self.acked.as_mut_view(), self.lost.as_mut_view());
        self.buffer.on_lost(acked, lost, chunk.span, chunk.fin);
    }

    /// Where the first byte that was not freed is.
    fn base(&self) -> u64 {
        self.written - self.buffer.unacknowledged()
    }

    fn check(&mut self) {
        assert!(span::is_consistent(&self.lost) && span::is_consistent(&self.acked));
        let base = self.base() as usize;
        assert!(self.arrived[..base].iter().all(|arrived| *arrived), "freed before it arrived");
        // What was written and has neither left nor to leave again is what is left behind `unsent`.
        let never_sent = self.buffer.unsent(self.lost.as_mut_view()) - span::total_len(&self.lost);
        let next = self.written - never_sent;
        for offset in (base as u64..next).filter(|offset| !self.arrived[*offset as usize]) {
            let flying = self.flight.iter().any(|it| it.span.start <= offset && offset < it.span.end);
            assert!(flying || span::contains(&self.lost, offset), "byte {offset} is forgotten");
        }
    }

    /// From now on everything arrives.
    fn complete(&mut self) {
        self.buffer.finish();
        self.credit = u64::MAX;
        for _ in 0..ROUNDS {
            if self.buffer.is_complete() {
                assert!(
                    self.fin_arrived && self.arrived.iter().all(|arrived| *arrived),
                    "not all has arrived"
                );
                return;
            }
            self.send(usize::MAX);
            (0..self.flight.len()).for_each(|_| self.ack(0));
            self.check();
        }
        panic!("it is never complete: {:?}", self.buffer);
    }
}
