//! How much the pump hands to the stream below, and how a session ends.

use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::mux::tests::{Small, data, engine, name, open, peer, wire};
use crate::mux::{Event, MuxReject, PriorityClass, Side, StreamName};
use crate::stream::CloseReason;

/// A stream that reads what the test wrote down, and takes what the test allows.
#[derive(Debug)]
pub(in crate::mux) struct Scripted {
    pub(in crate::mux) peer: Option<PeerIdentity>,
    reads: VecDeque<Result<Vec<u8>, StreamError>>,
    /// What was written, call by call.
    written: Vec<Vec<u8>>,
    /// Bytes that leave with the next calls; what is beyond stays unsent.
    link: u64,
    unsent: u64,
    mark: u64,
    finished: bool,
    aborted: bool,
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            peer: Some(peer()),
            reads: VecDeque::new(),
            written: vec![],
            link: u64::MAX,
            unsent: 0,
            mark: 0,
            finished: false,
            aborted: false,
        }
    }
}

impl ReliableStream for Scripted {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn peer(&self) -> Option<PeerIdentity> {
        self.peer
    }

    fn read(&mut self, buf: &mut [u8], _: Instant) -> Result<usize, StreamError> {
        let bytes = self.reads.pop_front().unwrap_or(Err(StreamError::WouldBlock))?;
        buf[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write(&mut self, data: &[u8], _: Instant) -> Result<usize, StreamError> {
        self.written.push(data.to_vec());
        let leaves = self.link.min(data.len() as u64);
        self.link -= leaves;
        self.unsent += data.len() as u64 - leaves;
        Ok(data.len())
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.finished = true;
        Ok(())
    }

    fn abort(&mut self) {
        self.aborted = true;
    }

    fn unsent(&self) -> u64 {
        self.unsent
    }

    fn set_low_water(&mut self, mark: u64) {
        self.mark = mark;
    }

    fn wait(&mut self, interest: Interest, _: Instant) -> Result<(), StreamError> {
        let readable = interest.in_reading() && !self.reads.is_empty();
        let writable = interest.in_writing() && self.unsent <= self.mark;
        if readable || writable { Ok(()) } else { Err(StreamError::WouldBlock) }
    }
}

type Bulk = Engine<Vec<u8>, 4>;

/// An engine with 48 KiB to send, for which there is credit, on a stream whose link takes `link` bytes.
fn bulk(link: u64) -> (Pump<Scripted, 65536>, Bulk) {
    let mut engine = Bulk::new(Side::Initiator, peer(), vec![0; 4 * 262_144]);
    let stream = engine.open(PriorityClass::LOWEST, StreamName::new("bulk").unwrap()).unwrap();
    engine.write(stream, &[7; 48 * 1024]).unwrap();
    engine.transmit(&mut [0; 128], 64);
    let about = crate::mux::frame::About { stream, priority: PriorityClass::LOWEST };
    let credit = crate::mux::WindowCredit::new(64 * 1024);
    engine.receive(&wire(&crate::mux::frame::Frame::OpenAck { about, credit }, &[])).unwrap();
    (Pump::begin(Scripted { link, ..Scripted::default() }).unwrap(), engine)
}

fn sizes(pump: &Pump<Scripted, 65536>) -> Vec<usize> {
    pump.stream.written.iter().map(Vec::len).collect()
}

#[test]
fn a_link_that_takes_all_gets_twice_as_much_each_time() {
    let (mut pump, mut engine) = bulk(u64::MAX);
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Ok(Progress::Moved));
    assert_eq!(sizes(&pump)[..3], [4096, 8192, 16384]);
    assert!(!engine.has_output());
}

#[test]
fn while_the_link_is_the_limit_little_is_handed_over() {
    let (mut pump, mut engine) = bulk(4096 + 8192 + 100);
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Ok(Progress::Moved));
    assert_eq!(sizes(&pump), [4096, 8192, 16384], "nothing more above the mark");
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Ok(Progress::Idle));
    pump.stream.link = 0;
    // Now the link drains, a little at a time.
    for unsent in [LOW_WATER + 1, LOW_WATER, 1] {
        pump.stream.written.clear();
        pump.stream.unsent = unsent;
        let progress = pump.run(&mut engine, Instant::ZERO).unwrap();
        assert_eq!(progress == Progress::Moved, unsent <= LOW_WATER, "{unsent} unsent");
        let handed = sizes(&pump);
        assert!(handed.iter().all(|len| *len == BATCH_MIN), "{handed:?}");
        assert!(pump.stream.unsent <= LOW_WATER + BATCH_MIN as u64, "{}", pump.stream.unsent);
    }
}

#[test]
fn a_batch_that_is_taken_in_part_is_continued_in_place() {
    let (mut pump, mut engine) = bulk(u64::MAX);
    let len = engine.transmit(&mut pump.outbox, 1000);
    pump.waiting = 500..len;
    let rest = pump.outbox[500..len].to_vec();
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Ok(Progress::Moved));
    assert_eq!(pump.stream.written[0], rest);
}

fn session(reads: &[Result<Vec<u8>, StreamError>]) -> (Pump<Scripted, 512>, Small) {
    let scripted = Scripted { reads: reads.iter().cloned().collect(), ..Scripted::default() };
    (Pump::begin(scripted).unwrap(), engine(Side::Responder))
}

#[test]
fn the_peers_finish_is_the_orderly_end() {
    let (mut pump, mut engine) = session(&[Ok(wire(&open(1, "n"), &[])), Ok(vec![])]);
    pump.finish().unwrap();
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Err(End::Finished));
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Err(End::Finished));
    assert_eq!((pump.stream.finished, pump.stream.aborted), (true, false));
    assert_eq!(pump.stream.written, Vec::<Vec<u8>>::new(), "nothing is written behind the end");
    let mut cut = wire(&open(1, "n"), &[]);
    cut.pop();
    let (mut pump, mut engine) = session(&[Ok(cut), Ok(vec![])]);
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Err(End::Truncated));
    assert!(pump.stream.aborted);
}

#[test]
fn a_violation_and_a_lost_stream_end_the_session_and_reset_its_streams() {
    let lost = CloseReason::IdleTimeout;
    let ways = [
        (Ok(data(3, 1)), End::Rejected(MuxReject::UnknownStreamFrame)),
        (Err(StreamError::Closed(lost)), End::Closed(lost)),
    ];
    for (last, end) in ways {
        let (mut pump, mut engine) = session(&[Ok(wire(&open(1, "n"), &[])), last]);
        assert_eq!(pump.run(&mut engine, Instant::ZERO), Err(end));
        assert!(pump.stream.aborted);
        let stream = crate::mux::StreamId::new(1).unwrap();
        let told: Vec<_> = std::iter::from_fn(|| engine.poll_event()).collect();
        let reset = Event::Reset(stream, crate::mux::ResetCode::SESSION_ENDED);
        let opened = Event::Opened { stream, priority: PriorityClass::HIGHEST, name: name("n") };
        assert_eq!(told, [opened, reset]);
    }
}

#[test]
fn an_engine_that_has_ended_ends_its_stream() {
    let (mut pump, mut engine) = session(&[]);
    for _ in 0..9 {
        engine.tick().ok();
    }
    assert_eq!(pump.run(&mut engine, Instant::ZERO), Err(End::Silent));
    assert!(pump.stream.aborted);
}
