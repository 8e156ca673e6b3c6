//! One type for the stream of whichever transport was selected, so that what is built on it does not care.

use core::task::{Context, Poll};

use udp_sec::time::Instant;

use super::Transport;
use crate::stream::{Interest, PeerIdentity, PollReady, ReliableStream, StreamError};

/// The stream of the selected transport.
#[derive(Clone, Debug)]
pub enum SelectedStream<U, T, Q = NoStream> {
    /// Over udp-sec.
    UdpSec(U),
    /// Over secured TCP.
    Tcp(T),
    /// The caller's own.
    Quic(Q),
}

impl<U, T, Q> SelectedStream<U, T, Q> {
    /// Which transport it is.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match self {
            Self::UdpSec(_) => Transport::UdpSec,
            Self::Tcp(_) => Transport::Tcp,
            Self::Quic(_) => Transport::Quic,
        }
    }
}

/// The same call on whichever stream it is.
macro_rules! each {
    ($selected:expr, $stream:ident => $call:expr) => {
        match $selected {
            SelectedStream::UdpSec($stream) => $call,
            SelectedStream::Tcp($stream) => $call,
            SelectedStream::Quic($stream) => $call,
        }
    };
}

impl<U: ReliableStream, T: ReliableStream, Q: ReliableStream> ReliableStream for SelectedStream<U, T, Q> {
    fn now(&self) -> Instant {
        each!(self, stream => stream.now())
    }

    fn peer(&self) -> Option<PeerIdentity> {
        each!(self, stream => stream.peer())
    }

    fn read(&mut self, buf: &mut [u8], deadline: Instant) -> Result<usize, StreamError> {
        each!(self, stream => stream.read(buf, deadline))
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> Result<usize, StreamError> {
        each!(self, stream => stream.write(data, deadline))
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        each!(self, stream => stream.finish())
    }

    fn abort(&mut self) {
        each!(self, stream => stream.abort());
    }

    fn unsent(&self) -> u64 {
        each!(self, stream => stream.unsent())
    }

    fn set_low_water(&mut self, mark: u64) {
        each!(self, stream => stream.set_low_water(mark));
    }

    fn wait(&mut self, interest: Interest, deadline: Instant) -> Result<(), StreamError> {
        each!(self, stream => stream.wait(interest, deadline))
    }
}

impl<U: PollReady, T: PollReady, Q: PollReady> PollReady for SelectedStream<U, T, Q> {
    fn poll_ready(&mut self, interest: Interest, context: &mut Context<'_>) -> Poll<()> {
        each!(self, stream => stream.poll_ready(interest, context))
    }
}

/// The stream of a transport that there is not: no value of it exists.
#[derive(Clone, Copy, Debug)]
pub enum NoStream {}

impl ReliableStream for NoStream {
    fn now(&self) -> Instant {
        match *self {}
    }

    fn peer(&self) -> Option<PeerIdentity> {
        match *self {}
    }

    fn read(&mut self, _: &mut [u8], _: Instant) -> Result<usize, StreamError> {
        match *self {}
    }

    fn write(&mut self, _: &[u8], _: Instant) -> Result<usize, StreamError> {
        match *self {}
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        match *self {}
    }

    fn abort(&mut self) {
        match *self {}
    }

    fn unsent(&self) -> u64 {
        match *self {}
    }

    fn set_low_water(&mut self, _: u64) {
        match *self {}
    }

    fn wait(&mut self, _: Interest, _: Instant) -> Result<(), StreamError> {
        match *self {}
    }
}

impl PollReady for NoStream {
    fn poll_ready(&mut self, _: Interest, _: &mut Context<'_>) -> Poll<()> {
        match *self {}
    }
}
