//! What an endpoint remembers besides its connections: large, and made where it will stay.

use heapless::Deque;

use super::SessionId;
use super::admission::{CookieReply, REPLIES_MAX, Reply};
use super::attempts::Attempts;
use super::half_open::HalfOpenTable;
use super::table::Table;
use crate::connection::Farewell;
use crate::event::Closure;

/// The tables of one endpoint: room for `SESSIONS` sessions, and for `HANDSHAKES` handshakes under way
/// in each role.
///
/// Kilobytes on a device, hundreds of them on a host: to be made in a static or on the heap, where it stays. The endpoint
/// itself is small and can be moved.
#[derive(Debug)]
pub struct Tables<const SESSIONS: usize, const HANDSHAKES: usize> {
    pub(super) sessions: Table<SESSIONS>,
    pub(super) attempts: Attempts<HANDSHAKES>,
    pub(super) half_open: HalfOpenTable<HANDSHAKES>,
    /// CookieReplies that wait to leave.
    pub(super) cookie_replies: Deque<CookieReply, HANDSHAKES>,
    /// Attempts that failed, until the application has heard of it.
    pub(super) ended: Deque<(SessionId, Closure), HANDSHAKES>,
    /// Sessions that lost their place to a newer one, likewise.
    pub(super) evicted: Deque<(SessionId, Closure), SESSIONS>,
    /// Sessions that have closed and been released, oldest first.
    pub(super) farewells: Deque<Farewell, HANDSHAKES>,
    /// Datagrams that belong to no live entry any more.
    pub(super) replies: Deque<Reply, REPLIES_MAX>,
}

impl<const SESSIONS: usize, const HANDSHAKES: usize> Tables<SESSIONS, HANDSHAKES> {
    /// Empty tables; `const`, so that they can be a static. Inlined with all it calls, so that an optimised build fills a
    /// box of it in place.
    #[must_use]
    #[inline(always)]
    pub const fn new() -> Self {
        Self {
            sessions: Table::new(),
            attempts: Attempts::new(),
            half_open: HalfOpenTable::new(),
            cookie_replies: Deque::new(),
            ended: Deque::new(),
            evicted: Deque::new(),
            farewells: Deque::new(),
            replies: Deque::new(),
        }
    }
}

impl<const SESSIONS: usize, const HANDSHAKES: usize> Default for Tables<SESSIONS, HANDSHAKES> {
    #[inline(always)]
    fn default() -> Self {
        Self::new()
    }
}
