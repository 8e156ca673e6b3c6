//! The side that is called: serves every stream by its name.

use nexus_net_adapter::mux::{Event, StreamId};
use sha2::{Digest, Sha256};

use crate::{
    ANSWER_LEN, CONTROL, Failure, Mux, RECEIPT_LEN, REQUEST_LEN, RESUME, STALLED, STREAMS, receipt,
    unless_blocked,
};

/// The listener's program.
#[derive(Debug, Default)]
pub struct Listener {
    served: [Option<Served>; STREAMS],
    /// Whether the stalled stream may be read.
    resumed: bool,
    /// Bytes received on streams that get a receipt.
    received: u64,
    /// Receipts given.
    receipts: u64,
}

/// A stream that the peer has opened.
#[derive(Debug)]
struct Served {
    stream: StreamId,
    service: Service,
}

#[derive(Debug)]
enum Service {
    /// Counts and hashes, to the end.
    Digest { hasher: Sha256, count: u64, stalls: bool },
    /// Says what was counted.
    Receipt { bytes: [u8; RECEIPT_LEN], written: usize },
    /// Answers each request.
    Control { request: [u8; REQUEST_LEN], received: usize, answer: [u8; ANSWER_LEN], written: usize },
}

impl Listener {
    /// Nothing is served yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that receipts were given for, and how many receipts.
    #[must_use]
    pub const fn receipts(&self) -> (u64, u64) {
        (self.received, self.receipts)
    }

    /// Does what can be done now. To be called again when bytes have moved.
    ///
    /// # Errors
    /// [`Failure`]: the peer does something else than to climb.
    pub fn step(&mut self, mux: &mut Mux<'_>) -> Result<(), Failure> {
        while let Some(event) = mux.poll_event() {
            match event {
                Event::Opened { stream, name, .. } => self.accept(stream, name.as_str())?,
                Event::Reset(_, code) => return Err(Failure::Reset(code)),
                _ => {}
            }
        }
        for place in &mut self.served {
            let Some(served) = place else { continue };
            if let Service::Digest { hasher, count, stalls } = &mut served.service {
                if *stalls && !self.resumed {
                    continue;
                }
                let Some(total) = digest(mux, served.stream, hasher, count)? else { continue };
                self.received = self.received.saturating_add(total);
                self.receipts = self.receipts.saturating_add(1);
                served.service = Service::Receipt { bytes: receipt(total, hasher.clone()), written: 0 };
            }
            let done = match &mut served.service {
                Service::Digest { .. } => false,
                Service::Receipt { bytes, written } => write_all(mux, served.stream, bytes, written)?,
                control @ Service::Control { .. } => {
                    answer_requests(mux, served.stream, control, &mut self.resumed)?
                }
            };
            if done {
                mux.close(served.stream)?;
                *place = None;
            }
        }
        Ok(())
    }

    fn accept(&mut self, stream: StreamId, name: &str) -> Result<(), Failure> {
        let service = match name {
            CONTROL => Service::Control {
                request: [0; REQUEST_LEN],
                received: 0,
                answer: [0; ANSWER_LEN],
                written: ANSWER_LEN,
            },
            _ => Service::Digest { hasher: Sha256::new(), count: 0, stalls: name == STALLED },
        };
        let place = self.served.iter_mut().find(|place| place.is_none()).ok_or(Failure::UnknownStream)?;
        *place = Some(Served { stream, service });
        Ok(())
    }
}

/// Takes in what has come; returns how much it was at the end of the stream.
fn digest(
    mux: &mut Mux<'_>,
    stream: StreamId,
    hasher: &mut Sha256,
    count: &mut u64,
) -> Result<Option<u64>, Failure> {
    loop {
        let Some((first, second)) = unless_blocked(mux.peek(stream))? else { return Ok(None) };
        if first.is_empty() && second.is_empty() {
            return Ok(Some(*count));
        }
        hasher.update(first);
        hasher.update(second);
        let len = first.len().saturating_add(second.len());
        *count = count.saturating_add(len as u64);
        mux.consume(stream, len);
    }
}

/// Writes what is left of `bytes`; `true` once nothing is.
fn write_all(
    mux: &mut Mux<'_>,
    stream: StreamId,
    bytes: &[u8],
    written: &mut usize,
) -> Result<bool, Failure> {
    while *written < bytes.len() {
        let rest = bytes.get(*written..).unwrap_or_default();
        let Some(count) = unless_blocked(mux.write(stream, rest))? else { return Ok(false) };
        *written = written.saturating_add(count);
    }
    Ok(true)
}

/// Answers requests as they come; `true` at the end of them.
fn answer_requests(
    mux: &mut Mux<'_>,
    stream: StreamId,
    control: &mut Service,
    resumed: &mut bool,
) -> Result<bool, Failure> {
    let Service::Control { request, received, answer, written } = control else { return Ok(false) };
    loop {
        if !write_all(mux, stream, &*answer, written)? {
            return Ok(false);
        }
        let room = request.get_mut(*received..).unwrap_or_default();
        match unless_blocked(mux.read(stream, room))? {
            None => return Ok(false),
            Some(0) => return Ok(true),
            Some(count) => *received = received.saturating_add(count),
        }
        if *received == REQUEST_LEN {
            *resumed |= request.starts_with(RESUME);
            *answer = Sha256::digest(*request).into();
            (*received, *written) = (0, 0);
        }
    }
}
