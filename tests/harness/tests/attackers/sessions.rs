//! Many sessions at once and one after the other: nothing is left of those that are over.

use chacha20::ChaCha8Rng;
use harness::attacker::keyed::{Peer, initiation, keys, parameters};
use harness::pool::HeapPool;
use harness::world::ms;
use rand_core::SeedableRng;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Small;

use super::initiations::Anyone;
use super::{heap, times};

const SESSIONS: usize = 1_024;

/// An endpoint for as many sessions as a server may have.
struct Server {
    endpoint: Box<Endpoint<HeapPool<Small>, Anyone, SESSIONS, 32>>,
    keys: StaticKeypair,
    rng: ChaCha8Rng,
    now: Instant,
}

impl Server {
    fn new() -> Self {
        let keys = keys(1);
        let mut config = Config::new(keys.clone(), parameters());
        config.sessions_per_peer = SESSIONS;
        config.unproven_per_second = u16::MAX;
        let endpoint = Box::new(Endpoint::new(config, Box::default(), HeapPool::new(SESSIONS), Anyone));
        Self { endpoint, keys, rng: ChaCha8Rng::seed_from_u64(1), now: Instant::ZERO }
    }

    fn deliver(&mut self, from: Path, mut datagram: Vec<u8>) {
        self.endpoint.handle_datagram(self.now, &mut self.rng, from, &mut datagram);
        self.endpoint.end_of_batch();
    }

    /// The datagrams that are due, and the events.
    fn drain(&mut self) -> (Vec<Vec<u8>>, Vec<(SessionId, Event)>) {
        let (mut datagrams, mut events, mut out) = (Vec::new(), Vec::new(), [0; 1_200]);
        loop {
            match self.endpoint.poll_output(self.now, &mut out) {
                Output::Transmit(transmit) => datagrams.push(out[..transmit.len].to_vec()),
                Output::Event(id, event) => events.push((id, event)),
                Output::Wait(_) => return (datagrams, events),
            }
        }
    }

    /// A session for the `nth` caller, with one of 256 keys.
    fn session(&mut self, callers: &[StaticKeypair], nth: u64) -> (Peer, SessionId) {
        self.now += ms(10);
        self.endpoint.handle_timeout(self.now);
        let path = Path::to(([10, (nth >> 16) as u8, (nth >> 8) as u8, nth as u8], 9).into());
        let initiator = initiation(&callers[nth as usize % callers.len()], self.keys.public(), nth);
        self.deliver(path, initiator.datagram().to_vec());
        let response = self.drain().0.into_iter().find(|datagram| datagram[1] == 2).expect("a Response");
        let mut peer = Peer::established(initiator, path, &response);
        let ping = peer.seal(|frames| frames.ping().expect("room"));
        self.deliver(path, ping);
        let (_, events) = self.drain();
        let begun = events.iter().find(|(_, event)| *event == Event::Established);
        let (id, _) = *begun.unwrap_or_else(|| panic!("{nth}: {events:?}"));
        (peer, id)
    }

    /// What there is to be kept: entries of each kind.
    fn tables(&self) -> [usize; 3] {
        [self.endpoint.sessions(), self.endpoint.half_open(), self.endpoint.farewells()]
    }
}

fn callers() -> Vec<StaticKeypair> {
    (0..256).map(|nth| keys(7_000 + nth)).collect()
}

/// Row 69: as many at once as there is room for, each alive; and the memory of one is what the profile says.
#[test]
fn a_thousand_sessions_at_once() {
    let callers = callers();
    let mut server = Server::new();
    let before = heap::live();
    let mut ids = Vec::with_capacity(SESSIONS);
    for nth in 0..SESSIONS as u64 {
        let (peer, id) = server.session(&callers, nth);
        ids.push((id, peer));
    }
    let each = (heap::live() - before) / SESSIONS as i64;
    println!(
        "{SESSIONS} sessions, {each} bytes of heap for each, the peers' {} included",
        size_of::<(SessionId, Peer)>()
    );
    assert!(each <= (24 << 10) + size_of::<(SessionId, Peer)>() as i64, "{each}");
    assert_eq!(server.tables(), [SESSIONS, 0, 0]);
    // Each of them hears its own peer, in the opposite order.
    for (nth, (id, peer)) in ids.iter_mut().enumerate().rev() {
        let hello = peer.seal(|frames| frames.stream(0, false, 8).expect("room").fill(nth as u8));
        server.deliver(peer.path, hello);
        let (_, events) = server.drain();
        assert_eq!(events, [(*id, Event::Readable)]);
        let mut bytes = [0; 9];
        assert_eq!(server.endpoint.session(*id).expect("open").read(&mut bytes), Ok(8));
        assert_eq!(bytes[..8], [nth as u8; 8]);
    }
}

/// Row 69: one after the other, and when the last is over everything is as before the first.
#[test]
fn sessions_one_after_the_other_leave_nothing_behind() {
    let handshakes = times("ATTACK_HANDSHAKES", 2_000);
    let callers = callers();
    let mut server = Server::new();
    let mut settled = None;
    for nth in 0..handshakes {
        let (peer, id) = server.session(&callers, nth);
        server.endpoint.release(server.now, id);
        let (close, _) = server.drain();
        assert_eq!(close.len(), 1, "{nth}: CLOSE");
        drop((peer, close));
        if nth == handshakes / 10 || nth == handshakes - 1 {
            server.now += Duration::from_secs(60);
            server.endpoint.handle_timeout(server.now);
            server.drain();
            assert_eq!(server.tables(), [0, 0, 0]);
            assert_eq!(*settled.get_or_insert(heap::live()), heap::live(), "memory grew by {nth}");
        }
    }
    assert_eq!(server.endpoint.rejects().total(), 0);
    println!("{handshakes} handshakes one after the other");
}
