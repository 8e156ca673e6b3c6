//! An endpoint under test, and raw peers that talk to it with whatever bytes they like.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use blake2::digest::{Digest, KeyInit, Mac, consts::U16};
use blake2::{Blake2s256, Blake2sMac};
use chacha20::ChaCha8Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::session::Session;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Connection, Path};
use udp_sec_recovery::endpoint::{Config, Endpoint, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::frame::{Frame, FrameWriter, Frames};
use udp_sec_recovery::memory::Small;
use udp_sec_recovery::recv::ranges::ReceivedNumbers;

use crate::pool::HeapPool;

/// Sessions that the endpoint's table holds.
pub const SESSIONS: usize = 8;
/// Handshakes in each role: two keys' worth.
pub const HANDSHAKES: usize = 8;

/// Static keys, the same for the same `seed`.
pub fn keys(seed: u64) -> StaticKeypair {
    StaticKeypair::generate(&mut ChaCha8Rng::seed_from_u64(seed)).expect("a generator that cannot fail")
}

/// Parameters with more credit than any test uses; an endpoint sets its own.
pub fn parameters() -> Parameters {
    Parameters::new(ApplicationProtocol::new(b"harness/1").expect("a short name"), 1 << 30)
}

/// Where the peer with number `host` is.
pub fn address(host: u8) -> Path {
    Path::to(([192, 0, 2, host], 40_000).into())
}

/// A random source that fails at one of its calls, and at all after that.
#[derive(Debug)]
pub struct Entropy {
    rng: ChaCha8Rng,
    /// Calls that still succeed.
    pub calls_left: u64,
}

/// What a random source says that has no more to give.
#[derive(Debug, PartialEq, Eq)]
pub struct Exhausted;

impl core::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the random source failed")
    }
}

impl core::error::Error for Exhausted {}

impl Entropy {
    /// A source that does not fail, the same for the same `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), calls_left: u64::MAX }
    }

    fn call(&mut self) -> Result<&mut ChaCha8Rng, Exhausted> {
        self.calls_left = self.calls_left.checked_sub(1).ok_or(Exhausted)?;
        Ok(&mut self.rng)
    }
}

impl TryRng for Entropy {
    type Error = Exhausted;

    fn try_next_u32(&mut self) -> Result<u32, Exhausted> {
        self.call().map(rand_core::Rng::next_u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Exhausted> {
        self.call().map(rand_core::Rng::next_u64)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Exhausted> {
        self.call().map(|rng| rand_core::Rng::fill_bytes(rng, bytes))
    }
}

impl TryCryptoRng for Entropy {}

/// What an endpoint did: datagrams with the address they go to, and events.
#[derive(Debug, Default)]
pub struct Done {
    /// Datagrams, each with the path it leaves by.
    pub datagrams: Vec<(Path, Vec<u8>)>,
    /// Events, each with its session.
    pub events: Vec<(SessionId, Event)>,
}

impl Done {
    /// Bytes that leave for `to`.
    #[must_use]
    pub fn bytes_to(&self, to: Path) -> usize {
        self.datagrams.iter().filter(|(path, _)| *path == to).map(|(_, datagram)| datagram.len()).sum()
    }

    /// Bytes that leave.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.datagrams.iter().map(|(_, datagram)| datagram.len()).sum()
    }
}

/// The endpoint under test.
#[derive(Debug)]
pub struct Lab {
    /// Its static keys.
    pub keys: StaticKeypair,
    /// The endpoint.
    pub endpoint: Endpoint<HeapPool<Small>, AllowList<8>, SESSIONS, HANDSHAKES>,
    /// Its random source.
    pub entropy: Entropy,
    /// The time; it stands still but for [`wait`](Self::wait).
    pub now: Instant,
    /// When the endpoint wants to be woken.
    wake_at: Option<Instant>,
    /// The session that began last.
    established: Option<SessionId>,
}

impl Lab {
    /// An endpoint that allows `peers`.
    pub fn new(peers: &[&PublicKey]) -> Self {
        Self::with(peers, SESSIONS, |_| {})
    }

    /// The same with a pool of `slots`, and `change` made to its configuration.
    pub fn with(peers: &[&PublicKey], slots: usize, change: impl FnOnce(&mut Config)) -> Self {
        let keys = keys(1);
        let mut allowed = AllowList::new();
        for peer in peers {
            allowed.add(**peer).expect("a short list");
        }
        let mut config = Config::new(keys.clone(), parameters());
        // Time stands still in most labs, and a budget would not fill up: `cookies` looks into that.
        config.unproven_per_second = u16::MAX;
        change(&mut config);
        let entropy = Entropy::new(2);
        let endpoint = Endpoint::new(config, Box::default(), HeapPool::new(slots), allowed);
        Self { keys, endpoint, entropy, now: Instant::ZERO, wake_at: None, established: None }
    }

    /// Hands a copy of `datagram` to the endpoint, as coming from `from`.
    pub fn deliver(&mut self, from: Path, datagram: &[u8]) {
        let mut copy = datagram.to_vec();
        self.endpoint.handle_datagram(self.now, &mut self.entropy, from, &mut copy);
        self.endpoint.check();
    }

    /// Everything the endpoint wants to do now.
    pub fn drain(&mut self) -> Done {
        let mut done = Done::default();
        let mut out = [0; 1200];
        loop {
            match self.endpoint.poll_output(self.now, &mut out) {
                Output::Transmit(transmit) => {
                    done.datagrams.push((transmit.path, out[..transmit.len].to_vec()));
                }
                Output::Event(id, event) => {
                    if event == Event::Established {
                        self.established = Some(id);
                    }
                    done.events.push((id, event));
                }
                Output::Wait(at) => {
                    self.wake_at = at;
                    return done;
                }
            }
        }
    }

    /// Lets time pass up to `until`, from one instant at which the endpoint wants to be woken to the next: what it did, and
    /// when.
    pub fn run_until(&mut self, until: Instant) -> Vec<(Instant, Done)> {
        let mut all = vec![(self.now, self.drain())];
        while let Some(at) = self.wake_at.filter(|at| *at <= until) {
            let done = self.wait(at.saturating_since(self.now));
            all.push((self.now, done));
            assert!(all.len() < 100_000, "a timer spins at {:?}", self.now);
        }
        self.now = until;
        all
    }

    /// Lets time pass.
    pub fn wait(&mut self, span: Duration) -> Done {
        self.now += span;
        self.endpoint.handle_timeout(self.now);
        self.drain()
    }

    /// Everything there is to see of the endpoint, but what counts: its rejects, and the initiations of this second.
    pub fn fingerprint(&self) -> String {
        let counters = format!("rejects: {:?}", self.endpoint.rejects());
        let all = format!("{:?}", self.endpoint).replace(&counters, "");
        let (before, rest) = all.split_once("load: Load").expect("a field of the endpoint");
        let (_, after) = rest.split_once("cookies:").expect("the field behind it");
        format!("{before}{after}")
    }

    /// Delivers `datagram`, which must be dropped: counted once under `label`, nothing changed, nobody told.
    #[track_caller]
    pub fn assert_rejects(&mut self, label: Reject, from: Path, datagram: &[u8]) {
        let before = self.fingerprint();
        let counts = self.endpoint.rejects().clone();
        self.deliver(from, datagram);
        let done = self.drain();
        assert_eq!(self.endpoint.rejects().get(label), counts.get(label) + 1, "{label}, not counted");
        assert_eq!(self.endpoint.rejects().total(), counts.total() + 1, "{:?}", self.endpoint.rejects());
        assert!(done.datagrams.is_empty(), "{label}: answered");
        assert!(done.events.is_empty(), "{label}: {:?}", done.events);
        assert!(self.fingerprint() == before, "{label}: the state changed");
    }

    /// The session that began last, as the application was told.
    pub fn last_session(&self) -> SessionId {
        self.established.expect("a session")
    }

    /// The session `id`, which there must be.
    pub fn connection(&mut self, id: SessionId) -> &mut Connection<Small> {
        self.endpoint.session(id).expect("a session")
    }
}

/// A peer that makes its own packets.
#[derive(Debug)]
pub struct Peer {
    /// Its end of the session.
    pub session: Session,
    /// Where it sends from.
    pub path: Path,
    replay: [u64; 128],
}

/// The initiation of `keys` to the holder of `to`; another for each `nth`.
pub fn initiation(keys: &StaticKeypair, to: &PublicKey, nth: u64) -> Initiator {
    let mut rng = ChaCha8Rng::seed_from_u64(nth ^ 0x5eed_0000);
    Initiator::new(keys, to, nth + 1, &parameters(), &mut rng).expect("a generator that cannot fail")
}

impl Peer {
    /// The session that `response` completes.
    pub fn established(initiator: Initiator, path: Path, response: &[u8]) -> Self {
        match initiator.read_response(response) {
            Answer::Established { session, .. } => Self { session, path, replay: [0; 128] },
            other => panic!("no session: {other:?}"),
        }
    }

    /// The holder of `keys` at `path` answers `call`, an initiation of the endpoint's: its end of the session, and the
    /// Response.
    pub fn answering(lab: &Lab, keys: &StaticKeypair, path: Path, call: &[u8]) -> (Self, Vec<u8>) {
        let mut allowed = AllowList::<1>::new();
        allowed.add(*lab.keys.public()).expect("room for one");
        let responder = Responder::new(keys.clone());
        let mut rng = ChaCha8Rng::seed_from_u64(77);
        let checked = responder.check_mac1(call).expect("a right mac1");
        let caller = responder.read(checked, &mut rng).and_then(|incoming| incoming.authorize(&allowed));
        match caller.expect("the endpoint").accept(1_234, &parameters()).expect("good parameters") {
            Accepted::HalfOpen { response, session, .. } => {
                (Self { session, path, replay: [0; 128] }, response.to_vec())
            }
            Accepted::Refused { code, .. } => panic!("refused: {code}"),
        }
    }

    /// Opens a session with the endpoint from `path`, up to its Response: half-open there.
    pub fn half_open(lab: &mut Lab, keys: &StaticKeypair, path: Path, nth: u64) -> Self {
        let initiator = initiation(keys, lab.keys.public(), nth);
        lab.deliver(path, initiator.datagram());
        let done = lab.drain();
        let [(to, response)] = &done.datagrams[..] else { panic!("no Response: {done:?}") };
        assert_eq!(*to, path);
        Self::established(initiator, path, response)
    }

    /// Opens a session with the endpoint, confirms it, and acknowledges what it says; the endpoint's name for it.
    pub fn connect(lab: &mut Lab, keys: &StaticKeypair, path: Path, nth: u64) -> (Self, SessionId) {
        let mut peer = Self::half_open(lab, keys, path, nth);
        let done = peer.send(lab, |frames| frames.ping().expect("room"));
        let established = done.events.iter().find(|(_, event)| *event == Event::Established);
        let id = established.expect("the endpoint's session").0;
        let mut received = ReceivedNumbers::new();
        for (_, datagram) in done.datagrams {
            received.insert(peer.open(&datagram).0);
        }
        let done = peer.send(lab, |frames| {
            frames.ack(&received, Duration::ZERO).expect("room");
        });
        assert!(done.datagrams.is_empty() && done.events.is_empty(), "an ACK is not answered: {done:?}");
        (peer, id)
    }

    /// A packet of the frames that `write` writes.
    pub fn seal(&mut self, write: impl FnOnce(&mut FrameWriter<'_>)) -> Vec<u8> {
        let mut datagram = vec![0; 1200];
        let mut writer = FrameWriter::new(&mut datagram[16..1184]);
        write(&mut writer);
        let len = 16 + writer.len() + 16;
        datagram.truncate(len);
        self.session.seal(&mut datagram).expect("a packet of legal size");
        datagram
    }

    /// A packet of `frames`, which need not be legal.
    pub fn seal_bytes(&mut self, frames: &[u8]) -> Vec<u8> {
        let mut datagram = [&[0; 16], frames, &[0; 16]].concat();
        self.session.seal(&mut datagram).expect("a packet of legal size");
        datagram
    }

    /// Sends a packet to the endpoint, and gives what it did.
    pub fn send(&mut self, lab: &mut Lab, write: impl FnOnce(&mut FrameWriter<'_>)) -> Done {
        let datagram = self.seal(write);
        lab.deliver(self.path, &datagram);
        lab.endpoint.end_of_batch();
        lab.drain()
    }

    /// Opens one of the endpoint's packets: its number and its frames.
    pub fn open(&mut self, datagram: &[u8]) -> (u64, Vec<u8>) {
        let mut copy = datagram.to_vec();
        let packet = self.session.open(&mut self.replay, &mut copy).expect("a packet of the endpoint");
        let (number, frames) = (packet.packet_number(), packet.frames().to_vec());
        // These peers acknowledge what they open, or might: the endpoint may move to its next key.
        self.session.on_ack_sealed(number);
        (number, frames)
    }

    /// The challenge in `datagram`, if it carries one.
    pub fn challenge(&mut self, datagram: &[u8]) -> Option<[u8; 8]> {
        challenge_in(&self.open(datagram).1)
    }

    /// The code of the CLOSE in `datagram`, if it is one.
    pub fn close_code(&mut self, datagram: &[u8]) -> Option<CloseCode> {
        let (_, frames) = self.open(datagram);
        Frames::new(&frames).find_map(|frame| match frame.expect("a legal frame") {
            Frame::Close(close) => Some(close.code),
            _ => None,
        })
    }
}

/// The first challenge among `frames`, if there is one.
#[must_use]
pub fn challenge_in(frames: &[u8]) -> Option<[u8; 8]> {
    Frames::new(frames).find_map(|frame| match frame.expect("a legal frame") {
        Frame::PathChallenge(challenge) => Some(challenge),
        _ => None,
    })
}

/// Puts a right `mac1` on an initiation to the holder of `responder`, computed from the text of the protocol.
pub fn fix_mac1(initiation: &mut [u8], responder: &PublicKey) {
    let mut hash = Blake2s256::new();
    hash.update(b"udp-sec v1 mac1");
    hash.update(responder.as_bytes());
    let mut mac = <Blake2sMac<U16> as KeyInit>::new_from_slice(&hash.finalize()).expect("a key of 32 bytes");
    let (before, macs) = initiation.split_at_mut(1200 - 32);
    mac.update(before);
    macs[..16].copy_from_slice(&mac.finalize().into_bytes());
}
