//! What two applications say to each other in one session: the caller names the talk and how much goes each way, then
//! both send known bytes.

use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Connection, ReadError};
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::memory::Storage;

use crate::application::Application;

/// Bytes before those of the application: the talk's name, bytes up, bytes down.
const HEADER_LEN: usize = 24;

/// One end of a talk.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) id: SessionId,
    /// The host at the other end.
    pub(super) peer: usize,
    role: Role,
    /// When the call was made or taken, by the host's clock.
    pub(super) began: Instant,
    /// Since the start of the run.
    pub(super) established_at: Option<Duration>,
    /// Likewise: when everything had been read.
    pub(super) done_at: Option<Duration>,
    pub(super) closed: Option<Closure>,
}

#[derive(Debug)]
enum Role {
    Caller { header: [u8; HEADER_LEN], sent: usize, application: Application },
    Answerer { header: [u8; HEADER_LEN], received: usize, application: Option<Application> },
}

/// How far the applications of one host may have come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) write: u64,
    pub(super) read: u64,
}

impl Talk {
    /// A call to `peer`; `name` is even and of no other talk.
    pub(super) fn call(
        id: SessionId,
        now: Instant,
        peer: usize,
        name: u64,
        upload: u64,
        download: u64,
    ) -> Self {
        let mut header = [0; HEADER_LEN];
        for (place, number) in header.chunks_exact_mut(8).zip([name, upload, download]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let role = Role::Caller { header, sent: 0, application: Application::new(name, upload, download) };
        Self { id, peer, role, began: now, established_at: None, done_at: None, closed: None }
    }

    /// A call of `peer`'s, taken.
    pub(super) fn answer(id: SessionId, (now, since_start): (Instant, Duration), peer: usize) -> Self {
        let role = Role::Answerer { header: [0; HEADER_LEN], received: 0, application: None };
        Self { id, peer, role, began: now, established_at: Some(since_start), done_at: None, closed: None }
    }

    /// Whether this end made the call.
    pub(super) fn is_caller(&self) -> bool {
        matches!(self.role, Role::Caller { .. })
    }

    /// Its name, once known.
    pub(super) fn name(&self) -> Option<u64> {
        match &self.role {
            Role::Caller { header, .. } => Some(number(header, 0)),
            Role::Answerer { header, application, .. } => application.as_ref().map(|_| number(header, 0)),
        }
    }

    /// Bytes up and bytes down, as called for; nothing at the other end.
    pub(super) fn sizes(&self) -> (u64, u64) {
        match &self.role {
            Role::Caller { header, .. } => (number(header, 1), number(header, 2)),
            Role::Answerer { .. } => (0, 0),
        }
    }

    /// The application, once there is one.
    pub(super) fn application(&self) -> Option<&Application> {
        match &self.role {
            Role::Caller { application, .. } => Some(application),
            Role::Answerer { application, .. } => application.as_ref(),
        }
    }

    /// Writes and reads what can be.
    ///
    /// # Panics
    /// As [`Application::run`].
    pub(super) fn run<S: Storage>(&mut self, connection: &mut Connection<S>, allowance: Allowance) {
        let application = match &mut self.role {
            Role::Caller { header, sent, application } => {
                while *sent < HEADER_LEN {
                    match connection.write(&header[*sent..]) {
                        Ok(taken @ 1..) => *sent += taken,
                        _ => return,
                    }
                }
                application
            }
            Role::Answerer { header, received, application } => {
                while *received < HEADER_LEN {
                    match connection.read(&mut header[*received..]) {
                        Ok(count @ 1..) => *received += count,
                        Err(ReadError::Finished) => panic!("I1: the stream ended within its header"),
                        Ok(0) | Err(ReadError::Closed(_)) => return,
                    }
                }
                application.get_or_insert_with(|| {
                    Application::new(number(header, 0) ^ 1, number(header, 2), number(header, 1))
                })
            }
        };
        application.write_limit = allowance.write;
        application.read_limit = allowance.read;
        application.run(connection);
    }
}

/// The number at `place` of a header.
fn number(header: &[u8; HEADER_LEN], place: usize) -> u64 {
    let bytes = header[8 * place..8 * place + 8].try_into().expect("eight bytes");
    u64::from_le_bytes(bytes)
}
