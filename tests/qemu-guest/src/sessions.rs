//! The memory of udp-sec sessions: static, lent to a session for its life.

use udp_sec_recovery::connection::Connection;
use udp_sec_recovery::endpoint::Pool;
#[cfg(feature = "medium")]
use udp_sec_recovery::memory::Medium as Profile;
#[cfg(not(feature = "medium"))]
use udp_sec_recovery::memory::Small as Profile;
use udp_sec_recovery::memory::{Memory, Storage};

use crate::platform::lent::{Lease, Place};

/// What one session takes: its state, and the memory lent to it. Bytes.
pub const SESSION_BYTES: usize = size_of::<Profile>() + size_of::<Connection<Lent>>();

/// Each end of a run has one session, and the selftest has both ends.
static SESSIONS: [Place<Profile>; 2] = [const { Place::new(Profile::new()) }; 2];

/// A session's memory.
pub struct Lent(Lease<Profile>);

impl Storage for Lent {
    const RECEIVE_CAPACITY: usize = Profile::RECEIVE_CAPACITY;

    fn memory(&mut self) -> Memory<'_> {
        self.0.memory()
    }
}

/// The place of one endpoint's only session.
pub struct OneSession(Option<Connection<Lent>>);

impl OneSession {
    /// An empty place.
    pub const fn new() -> Self {
        Self(None)
    }
}

impl Default for OneSession {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool for OneSession {
    type Storage = Lent;

    fn reserve(&mut self) -> Option<(usize, Lent)> {
        if self.0.is_some() {
            return None;
        }
        let mut lease = SESSIONS.iter().find_map(Place::take)?;
        clear(&mut lease);
        Some((0, Lent(lease)))
    }

    fn fill(&mut self, _: usize, connection: Connection<Lent>) {
        self.0 = Some(connection);
    }

    fn get(&self, _: usize) -> Option<&Connection<Lent>> {
        self.0.as_ref()
    }

    fn get_mut(&mut self, _: usize) -> Option<&mut Connection<Lent>> {
        self.0.as_mut()
    }

    fn take(&mut self, _: usize) -> Option<Connection<Lent>> {
        self.0.take()
    }
}

/// Forgets the last session, where it lies: a fresh `Profile` would be made on the stack first.
fn clear(memory: &mut Profile) {
    let Memory { send, acked, lost, sent, recv, reorder, replay } = memory.memory();
    send.fill(0);
    acked.clear();
    lost.clear();
    sent.clear();
    recv.fill(0);
    reorder.clear();
    replay.fill(0);
}
