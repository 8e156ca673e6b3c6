//! Handshakes that others began and that we have answered, until their first data packet confirms them
//! (`docs/protocol.md` section 3, "Half-open entry").

use core::net::SocketAddr;

use heapless::Vec;
use udp_sec::error::Reject;
use udp_sec::handshake::InitiationId;
use udp_sec::handshake::params::Parameters;
use udp_sec::keys::PublicKey;
use udp_sec::limits::{HALF_OPEN_LIFE, HALF_OPEN_PER_KEY, HALF_OPEN_REPLACE_AGE, RESPONSE_LEN};
use udp_sec::session::Session;
use udp_sec::time::{Duration, Instant};

use crate::connection::Path;

/// What is known of the address an initiation came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// Anybody may have written it.
    Unproven,
    /// It has answered a cookie: its owner receives there.
    Proven,
}

/// Where the answer to an initiation has gone.
#[derive(Clone, Copy, Debug)]
enum Answered {
    /// Nowhere yet.
    Nobody,
    /// To this address, once or more often.
    One(SocketAddr),
    /// To different addresses, as copies of the initiation came from there.
    Several,
}

/// One answered initiation: keys and the cached answer, but no buffers.
#[derive(Debug)]
pub(super) struct HalfOpen {
    pub(super) initiation: InitiationId,
    pub(super) session: Session,
    pub(super) parameters: Parameters,
    source: Source,
    created: Instant,
    response: [u8; RESPONSE_LEN],
    /// Where the answer is to go next, until it has left.
    answer_to: Option<Path>,
    answered: Answered,
    answers: u32,
    first_answered: Option<Instant>,
}

impl HalfOpen {
    /// An entry whose answer leaves at once to `path`.
    pub(super) fn new(
        now: Instant,
        (path, source): (Path, Source),
        initiation: InitiationId,
        response: [u8; RESPONSE_LEN],
        session: Session,
        parameters: Parameters,
    ) -> Self {
        Self {
            initiation,
            session,
            parameters,
            source,
            created: now,
            response,
            answer_to: Some(path),
            answered: Answered::Nobody,
            answers: 0,
            first_answered: None,
        }
    }

    /// A repeat of the same initiation arrived from `path`: it gets the identical answer.
    pub(super) fn answer_again(&mut self, path: Path) {
        self.answer_to = Some(path);
    }

    /// The answer, if it is to leave, and where to.
    pub(super) fn take_answer(&mut self, now: Instant) -> Option<(Path, &[u8; RESPONSE_LEN])> {
        let path = self.answer_to.take()?;
        self.answers = self.answers.saturating_add(1);
        self.answered = match self.answered {
            Answered::Nobody => Answered::One(path.remote),
            Answered::One(remote) if path.leads_to(&remote) => self.answered,
            Answered::One(_) | Answered::Several => Answered::Several,
        };
        self.first_answered.get_or_insert(now);
        Some((path, &self.response))
    }

    /// Whether an answer waits to leave.
    pub(super) fn has_answer(&self) -> bool {
        self.answer_to.is_some()
    }

    /// The handshake's round trip, unless a repeat makes it ambiguous which answer was heard.
    pub(super) fn round_trip(&self, now: Instant) -> Option<Duration> {
        self.first_answered.filter(|_| self.answers == 1).map(|sent| now.saturating_since(sent))
    }

    /// Whether who confirms this from `path` receives there: the keys follow from the answer, and it went nowhere else.
    pub(super) fn proves(&self, path: Path) -> bool {
        matches!(&self.answered, Answered::One(remote) if path.leads_to(remote))
    }

    /// When the entry is forgotten; repeats do not extend it.
    pub(super) fn expires(&self) -> Instant {
        self.created + HALF_OPEN_LIFE
    }
}

/// The half-open entries of one endpoint.
#[derive(Debug)]
pub(super) struct HalfOpenTable<const N: usize> {
    entries: Vec<HalfOpen, N>,
}

impl<const N: usize> HalfOpenTable<N> {
    /// No entries.
    #[inline(always)]
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Whether there is room for one more, judged before any Diffie-Hellman.
    pub(super) fn is_full(&self) -> bool {
        self.entries.is_full()
    }

    /// The oldest entry whose source has proven nothing: at the bound, it gives way to one whose source has.
    pub(super) fn oldest_unproven(&self) -> Option<InitiationId> {
        let unproven = self.entries.iter().filter(|entry| entry.source == Source::Unproven);
        unproven.min_by_key(|entry| entry.created).map(|entry| entry.initiation)
    }

    /// The entry that `initiation` made.
    pub(super) fn find_initiation(&mut self, initiation: &InitiationId) -> Option<&mut HalfOpen> {
        self.entries.iter_mut().find(|entry| entry.initiation == *initiation)
    }

    /// Position of the entry whose local id is `id`.
    pub(super) fn find_id(&self, id: u64) -> Option<usize> {
        self.entries.iter().position(|entry| entry.session.local_id() == id)
    }

    /// The entry at `position`.
    pub(super) fn get_mut(&mut self, position: usize) -> Option<&mut HalfOpen> {
        self.entries.get_mut(position)
    }

    /// Takes the entry at `position` out.
    pub(super) fn take(&mut self, position: usize) -> Option<HalfOpen> {
        (position < self.entries.len()).then(|| self.entries.swap_remove(position))
    }

    /// Entries that one static key may have: four, but never the whole table, so that replayed initiations of one
    /// peer cannot keep the others out.
    const PER_KEY: usize = if N > HALF_OPEN_PER_KEY { HALF_OPEN_PER_KEY } else { N.saturating_sub(1) };

    /// The entry that has to give way for a new one of `peer`, if any: at its share, the oldest, once it is old
    /// enough.
    pub(super) fn admit(&self, now: Instant, peer: &PublicKey) -> Result<Option<InitiationId>, Reject> {
        let of_peer = || self.entries.iter().filter(|entry| entry.session.peer() == peer);
        if of_peer().count() < Self::PER_KEY.max(1) {
            return Ok(None);
        }
        match of_peer().min_by_key(|entry| entry.created) {
            Some(oldest) if oldest.created + HALF_OPEN_REPLACE_AGE <= now => Ok(Some(oldest.initiation)),
            _ => Err(Reject::HalfOpenLimit),
        }
    }

    /// Adds `entry`, in place of the one that `replaced` made.
    pub(super) fn insert(&mut self, entry: HalfOpen, replaced: Option<InitiationId>) -> Result<(), Reject> {
        self.entries.retain(|known| Some(known.initiation) != replaced);
        self.entries.push(entry).map_err(|_| Reject::HalfOpenLimit)
    }

    /// Forgets what has expired.
    pub(super) fn expire(&mut self, now: Instant) {
        self.entries.retain(|entry| entry.expires() > now);
    }

    /// When the next entry expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.entries.iter().map(HalfOpen::expires).min()
    }

    /// An entry whose answer waits to leave.
    pub(super) fn next_answer(&mut self) -> Option<&mut HalfOpen> {
        self.entries.iter_mut().find(|entry| entry.has_answer())
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
