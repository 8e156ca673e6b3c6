//! [`Session`]: a stream by whichever transport, with what a file transfer wants of it.

use std::sync::Arc;

use anyhow::{Context, Result};
use nexus_net_adapter::backend::host::{Attendant, HostSelected};
use nexus_net_adapter::select::SelectedStream;
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use udp_sec::time::{Duration, Instant};

/// How long a closing session is given to tell the peer.
const LINGER: Duration = Duration::from_secs(5);

/// A stream to a peer.
pub(crate) struct Session {
    pub(crate) stream: HostSelected,
    /// Keeps its datagrams going, if somebody does while no thread waits for any.
    pub(super) attendant: Option<Arc<Attendant>>,
}

impl Session {
    /// The peer's address.
    pub(crate) fn peer_addr(&self) -> Result<String> {
        let address = match &self.stream {
            SelectedStream::UdpSec(stream) => stream.peer_addr(),
            SelectedStream::Tcp(stream) => stream.transport().peer_addr(),
            SelectedStream::Quic(stream) => match *stream {},
        };
        Ok(address.context("the peer is gone")?.to_string())
    }

    /// Writes all of `data`.
    pub(crate) fn write_all(&mut self, mut data: &[u8]) -> Result<(), StreamError> {
        while !data.is_empty() {
            let count = self.stream.write(data, Instant::MAX)?;
            data = data.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads until `buf` is full or the stream ends, and returns how many bytes that were.
    pub(crate) fn read_full(&mut self, buf: &mut [u8]) -> Result<usize, StreamError> {
        let mut filled = 0;
        while let Some(room) = buf.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.stream.read(room, Instant::MAX)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    /// Finishes our direction and waits until both are complete.
    pub(crate) fn close(&mut self) -> Result<(), StreamError> {
        match &mut self.stream {
            SelectedStream::UdpSec(stream) => stream.close(Instant::MAX),
            SelectedStream::Tcp(stream) => stream.close(Instant::MAX),
            SelectedStream::Quic(stream) => match *stream {},
        }
    }

    /// Drops the stream, and gives it the time to tell the peer.
    pub(crate) fn end(self) {
        if let SelectedStream::UdpSec(stream) = self.stream {
            let endpoint = stream.endpoint();
            drop(stream);
            // Not in time only means that a peer learns of the end by its own timeout.
            _ = endpoint.linger(endpoint.now() + LINGER);
        }
    }
}
