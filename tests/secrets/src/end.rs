//! One end of a session, over datagrams or over a byte stream: what victim and observer have in common.

use nexus_net_adapter::tcp::{self, INBOUND_MIN, Memory, SecureTcp};
use rand_core::TryCryptoRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Small;

/// An endpoint with room for two sessions, all of it in one piece of memory.
pub type Side = Endpoint<InlinePool<Small, 2>, AllowList<1>, 2, 2>;

/// What both ends speak.
pub const APPLICATION: &[u8] = b"secrets/1";
/// Bytes that an end gives at once, at most.
pub const PIECE: usize = 1_200;
/// Packets that a key seals, in sessions whose keys are updated.
pub const KEY_LIFE: u64 = 2;

/// What carries a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// Datagrams, with keys of the usual life.
    Datagrams,
    /// Datagrams, with keys that seal [`KEY_LIFE`] packets.
    Updating,
    /// A byte stream, as TCP is one.
    Records,
}

impl Carrier {
    /// All of them, numbered.
    pub const ALL: [Self; 3] = [Self::Datagrams, Self::Updating, Self::Records];
}

/// Where either end believes that the other is.
#[must_use]
pub fn path() -> Path {
    Path::to(([192, 0, 2, 1], 4_433).into())
}

/// The endpoint of `own` that allows `peer` and speaks `application`.
///
/// # Panics
/// If `application` is longer than 32 bytes.
#[must_use]
pub fn endpoint(own: StaticKeypair, peer: PublicKey, application: &[u8]) -> Box<Side> {
    side(config(own, application), peer)
}

fn config(own: StaticKeypair, application: &[u8]) -> Config {
    let application = ApplicationProtocol::new(application).expect("a short name");
    Config::new(own, Parameters::new(application, 0))
}

fn side(config: Config, peer: PublicKey) -> Box<Side> {
    Box::new(Endpoint::new(config, Box::default(), InlinePool::new(), only(peer)))
}

fn only(peer: PublicKey) -> AllowList<1> {
    let mut allowed = AllowList::new();
    allowed.add(peer).expect("room for one");
    allowed
}

/// One end.
#[derive(Debug)]
pub enum End {
    /// Over datagrams.
    Datagrams(Datagrams),
    /// Over a byte stream.
    Records(Records),
}

/// An endpoint and its session.
#[derive(Debug)]
pub struct Datagrams {
    endpoint: Box<Side>,
    peer: PublicKey,
    session: Option<SessionId>,
}

/// Who an end of a byte stream is, and its session.
#[derive(Debug)]
pub struct Records {
    config: Box<tcp::Config>,
    peer: PublicKey,
    session: Option<Box<SecureTcp<Vec<u8>>>>,
}

impl End {
    /// The end of `own` that talks with `peer`.
    #[must_use]
    pub fn new(carrier: Carrier, own: StaticKeypair, peer: PublicKey) -> Self {
        let mut config = config(own, APPLICATION);
        if carrier == Carrier::Updating {
            config.key_life.packets = KEY_LIFE;
        }
        if carrier == Carrier::Records {
            let config = Box::new(tcp::Config::new(config.keypair, config.parameters));
            Self::Records(Records { config, peer, session: None })
        } else {
            Self::Datagrams(Datagrams { endpoint: side(config, peer), peer, session: None })
        }
    }

    /// Calls the peer.
    ///
    /// # Panics
    /// If that is refused.
    pub fn call<R: TryCryptoRng>(&mut self, now: Instant, random: &mut R) {
        match self {
            Self::Datagrams(Datagrams { endpoint, peer, .. }) => {
                endpoint.connect(now, random, path(), peer).expect("an empty endpoint");
            }
            Self::Records(Records { config, peer, session }) => {
                let called = SecureTcp::connect(now, memory(), config, peer, random).expect("good keys");
                *session = Some(Box::new(called));
            }
        }
    }

    /// Bytes of the peer have come.
    ///
    /// # Panics
    /// If they are refused.
    pub fn receive<R: TryCryptoRng>(&mut self, now: Instant, random: &mut R, bytes: &mut [u8]) {
        match self {
            Self::Datagrams(Datagrams { endpoint, .. }) => {
                endpoint.handle_datagram(now, random, path(), bytes);
                endpoint.end_of_batch();
            }
            Self::Records(Records { config, peer, session }) => {
                let session =
                    session.get_or_insert_with(|| Box::new(SecureTcp::accept(now, memory(), config)));
                // There is room for the largest record, and what has come is read at once.
                session.room()[..bytes.len()].copy_from_slice(bytes);
                session.received(now, bytes.len());
                // Until the Initiation is whole there is nothing to answer.
                _ = session.answer(config, &only(*peer), random);
                while session.read(now, &mut [0; PIECE]).is_ok_and(|count| count > 0) {}
            }
        }
    }

    /// What is to leave now; `None` when there is nothing.
    pub fn transmit(&mut self, now: Instant, out: &mut [u8; PIECE]) -> Option<usize> {
        match self {
            Self::Datagrams(datagrams) => datagrams.transmit(now, out),
            Self::Records(Records { session, .. }) => {
                let session = session.as_mut()?;
                let ready = session.transmit();
                let count = ready.len().min(PIECE);
                out[..count].copy_from_slice(&ready[..count]);
                session.sent(now, count);
                (count > 0).then_some(count)
            }
        }
    }

    /// Gives `bytes` to the session.
    ///
    /// # Panics
    /// If there is none.
    pub fn write(&mut self, now: Instant, bytes: &[u8]) {
        match self {
            Self::Datagrams(Datagrams { endpoint, session, .. }) => {
                let session = session.and_then(|id| endpoint.session(id)).expect("a session");
                session.write(bytes).expect("open");
            }
            Self::Records(Records { session, .. }) => {
                session.as_mut().expect("a session").write(now, bytes).expect("open");
            }
        }
    }

    /// Does what time has made due.
    pub fn pass(&mut self, now: Instant) {
        match self {
            Self::Datagrams(Datagrams { endpoint, .. }) => endpoint.handle_timeout(now),
            Self::Records(Records { session, .. }) => {
                session.iter_mut().for_each(|session| session.handle_timeout(now));
            }
        }
    }

    /// Gives the session up. Over a byte stream what has it stays until the end is dropped.
    ///
    /// # Panics
    /// If there is none.
    pub fn end_session(&mut self, now: Instant) {
        match self {
            Self::Datagrams(Datagrams { endpoint, session, .. }) => {
                endpoint.release(now, session.expect("a session"));
            }
            Self::Records(Records { session, .. }) => session.as_mut().expect("a session").abort(now),
        }
    }
}

impl Datagrams {
    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> Option<usize> {
        loop {
            match self.endpoint.poll_output(now, out) {
                Output::Transmit(transmit) => return Some(transmit.len),
                Output::Event(id, Event::Established) => self.session = Some(id),
                Output::Event(id, Event::Readable) => {
                    while self
                        .endpoint
                        .session(id)
                        .is_some_and(|session| session.read(out).is_ok_and(|count| count > 0))
                    {
                    }
                }
                Output::Event(..) => {}
                Output::Wait(_) => return None,
            }
        }
    }
}

/// Room for one session over a byte stream.
fn memory() -> Memory<Vec<u8>> {
    Memory::new(vec![0; INBOUND_MIN], vec![0; 1 << 14]).expect("large enough")
}
