//! What the tests of every module share: keys, configurations, and two sessions joined without a byte stream.

use std::vec;
use std::vec::Vec;

use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::session::record::RecordSession;
use udp_sec::time::{Duration, Instant};

use super::{Config, INBOUND_MIN, Memory, SecureTcp};
use crate::stream::StreamError;

pub(crate) type Host = SecureTcp<Vec<u8>>;

pub(crate) const IDLE: Duration = Duration::from_secs(30);

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn config(seed: u64) -> Config {
    let parameters = Parameters::new(ApplicationProtocol::new(b"test/1").unwrap(), 0);
    Config::new(StaticKeypair::generate(&mut rng(seed)).unwrap(), parameters)
}

pub(crate) fn allow(key: &PublicKey) -> AllowList<1> {
    let mut list = AllowList::new();
    list.add(*key).unwrap();
    list
}

pub(crate) fn memory(inbound: usize, outbound: usize) -> Memory<Vec<u8>> {
    Memory::new(vec![0; inbound], vec![0; outbound]).unwrap()
}

/// The keys of both sides of a handshake, for tests that seal and open by hand.
pub(crate) fn keys() -> (RecordSession, RecordSession) {
    let (client, server) = (config(1), config(2));
    let id = server.keypair.public();
    let initiator = Initiator::for_records(&client.keypair, id, 1, &client.parameters, &mut rng(3)).unwrap();
    let responder = Responder::new(server.keypair);
    let checked = responder.check_mac1(initiator.datagram()).unwrap();
    let incoming = responder.read_record(checked, &mut rng(4)).unwrap();
    let authorized = incoming.authorize(&allow(client.keypair.public())).unwrap();
    let Accepted::HalfOpen { response, session: theirs, .. } =
        authorized.accept(2, &server.parameters).unwrap()
    else {
        panic!("refused")
    };
    let Answer::Established { session: ours, .. } = initiator.read_response(&response) else {
        panic!("not established")
    };
    (ours, theirs)
}

/// A caller and a called, and the time. What one sends, the other receives when the test says so.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) client: Host,
    pub(crate) server: Host,
    client_config: Config,
    server_config: Config,
}

impl Pair {
    /// Before the first byte.
    pub(crate) fn new() -> Self {
        Self::with(config(1), config(2))
    }

    pub(crate) fn with(client_config: Config, server_config: Config) -> Self {
        let now = Instant::ZERO;
        let server_key = server_config.keypair.public();
        let room = || memory(1 << 16, 1 << 16);
        let client = SecureTcp::connect(now, room(), &client_config, server_key, &mut rng(3)).unwrap();
        let server = SecureTcp::accept(now, room(), &server_config);
        Self { now, client, server, client_config, server_config }
    }

    /// Both have proven themselves.
    pub(crate) fn established() -> Self {
        let mut pair = Self::new();
        pair.establish();
        pair
    }

    pub(crate) fn establish(&mut self) {
        self.carry_there();
        self.answer().unwrap();
        self.exchange();
        assert_eq!(self.client.established().unwrap().key(), self.server_config.keypair.public());
        assert_eq!(self.server.established().unwrap().key(), self.client_config.keypair.public());
    }

    pub(crate) fn answer(&mut self) -> Result<(), StreamError> {
        let policy = allow(self.client_config.keypair.public());
        self.server.answer(&self.server_config, &policy, &mut rng(4))
    }

    pub(crate) fn carry_there(&mut self) -> usize {
        carry(self.now, &mut self.client, &mut self.server)
    }

    pub(crate) fn carry_back(&mut self) -> usize {
        carry(self.now, &mut self.server, &mut self.client)
    }

    /// Until both have said all they have to say.
    pub(crate) fn exchange(&mut self) {
        while self.carry_there() + self.carry_back() > 0 {}
    }

    /// Time passes without anything on the wire.
    pub(crate) fn pass(&mut self, span: Duration) {
        self.now += span;
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
    }
}

/// Moves what `from` has to send and `to` has room for; how much that was.
pub(crate) fn carry(now: Instant, from: &mut Host, to: &mut Host) -> usize {
    let mut moved = 0;
    loop {
        let count = feed(now, to, from.transmit());
        if count == 0 {
            return moved;
        }
        from.sent(now, count);
        moved += count;
    }
}

/// Gives `to` what it has room for of `bytes`.
pub(crate) fn feed(now: Instant, to: &mut Host, bytes: &[u8]) -> usize {
    let room = to.room();
    let count = room.len().min(bytes.len());
    if count > 0 {
        room[..count].copy_from_slice(&bytes[..count]);
        to.received(now, count);
    }
    count
}

/// All that `from` has to send.
pub(crate) fn drain(now: Instant, from: &mut Host) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let next = from.transmit().to_vec();
        if next.is_empty() {
            return bytes;
        }
        from.sent(now, next.len());
        bytes.extend(next);
    }
}

/// All that there is to read, and what stopped it: the end as `Ok`.
pub(crate) fn read_all(now: Instant, from: &mut Host) -> (Vec<u8>, Result<(), StreamError>) {
    let (mut all, mut part) = (Vec::new(), [0; 777]);
    loop {
        match from.read(now, &mut part) {
            Ok(0) => return (all, Ok(())),
            Ok(count) => all.extend_from_slice(&part[..count]),
            Err(why) => return (all, Err(why)),
        }
    }
}

/// Bytes that are not the same anywhere.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn a_device_needs_no_more_than_it_says() {
    // A session without its buffers; of the handshake, which ends, the larger part.
    assert!(size_of::<SecureTcp<&mut [u8]>>() <= 4096, "{}", size_of::<SecureTcp<&mut [u8]>>());
    assert_eq!(INBOUND_MIN, 16_402);
    assert!(Memory::new(vec![0; INBOUND_MIN - 1], vec![0; 2048]).is_err());
    assert!(Memory::new(vec![0; INBOUND_MIN], vec![0; 2047]).is_err());
}
