//! A stream under observation: which frames are handed to it, and that the pump keeps to its low-water mark.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use nexus_net_adapter::mux::frame::{self, Frame};
use nexus_net_adapter::mux::pump::{BATCH_MIN, FRAME_MAX, LOW_WATER};
use nexus_net_adapter::stream::{Interest, PeerIdentity, ReliableStream, StreamError};
use udp_sec::time::Instant;

/// What was seen, and what is let through.
#[derive(Clone, Default)]
pub(crate) struct Observed(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// DATA frames by class.
    frames: Cell<[usize; 8]>,
    /// Bytes that may still be handed over; no limit if there is none.
    allowance: Cell<Option<usize>>,
    parser: RefCell<Parser>,
}

/// Where in the sequence of frames the observer is.
#[derive(Default)]
struct Parser {
    head: Vec<u8>,
    payload_left: usize,
}

impl Observed {
    /// DATA frames by class, since this was asked last.
    pub(crate) fn frames(&self) -> [usize; 8] {
        self.0.frames.take()
    }

    /// From now on no more than `bytes` are let through.
    pub(crate) fn allow(&self, bytes: usize) {
        self.0.allowance.set(Some(bytes));
    }

    fn note(&self, mut bytes: &[u8]) {
        let parser = &mut *self.0.parser.borrow_mut();
        while let Some((first, rest)) = bytes.split_first() {
            if parser.payload_left > 0 {
                let skipped = parser.payload_left.min(bytes.len());
                parser.payload_left -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            parser.head.push(*first);
            bytes = rest;
            if let Some((frame, _)) = frame::decode(&parser.head).expect("frames of ours") {
                parser.head.clear();
                if let Frame::Data { about, len } = frame {
                    assert!(len <= FRAME_MAX, "a frame of {len} bytes");
                    parser.payload_left = len;
                    let mut frames = self.0.frames.get();
                    frames[usize::from(about.priority.get())] += 1;
                    self.0.frames.set(frames);
                }
            }
        }
    }
}

/// The stream `S`, watched.
pub(crate) struct Tap<S> {
    stream: S,
    observed: Observed,
    /// Whether the last write took all it was given, so that the next one begins a batch.
    batch_is_over: bool,
}

impl<S: ReliableStream> Tap<S> {
    pub(crate) fn new(stream: S) -> (Self, Observed) {
        let observed = Observed::default();
        (Self { stream, observed: observed.clone(), batch_is_over: true }, observed)
    }
}

impl<S: ReliableStream> ReliableStream for Tap<S> {
    fn now(&self) -> Instant {
        self.stream.now()
    }

    fn peer(&self) -> Option<PeerIdentity> {
        self.stream.peer()
    }

    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        self.stream.read(buf, deadline)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError> {
        if self.batch_is_over {
            let unsent = self.stream.unsent();
            assert!(unsent <= LOW_WATER, "{unsent} bytes were waiting");
            assert!(unsent == 0 || data.len() <= BATCH_MIN, "{} bytes more on top of {unsent}", data.len());
        }
        let allowance = &self.observed.0.allowance;
        let most = allowance.get().map_or(data.len(), |allowed| allowed.min(data.len()));
        self.batch_is_over = false;
        if most == 0 {
            return Err(StreamError::WouldBlock);
        }
        let len = self.stream.write(&data[..most], deadline)?;
        allowance.set(allowance.get().map(|allowed| allowed - len));
        self.batch_is_over = len == data.len();
        self.observed.note(&data[..len]);
        Ok(len)
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.stream.finish()
    }

    fn abort(&mut self) {
        self.stream.abort();
    }

    fn unsent(&self) -> u64 {
        self.stream.unsent()
    }

    fn set_low_water(&mut self, mark: u64) {
        self.stream.set_low_water(mark);
    }

    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError> {
        // Where nothing is let through, nothing can be written, however much room there is.
        let closed = self.observed.0.allowance.get() == Some(0);
        self.stream.wait(if closed { Interest::Readable } else { interest }, deadline)
    }
}
