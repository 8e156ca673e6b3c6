//! An endpoint as a host has it, without a socket.

use chacha20::ChaCha20Rng;
use harness::attacker::keyed::{keys, parameters};
use nexus_net_adapter::backend::host::{HANDSHAKES_MAX, HostPool, Peers, SESSIONS_MAX};
use rand_core::SeedableRng;
use udp_sec::keys::StaticKeypair;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, Output, SessionId};
use udp_sec_recovery::event::Event;

/// Whoever knows its key may call it.
pub(crate) struct Responder {
    pub(crate) endpoint: Box<Endpoint<HostPool, Peers, SESSIONS_MAX, HANDSHAKES_MAX>>,
    pub(crate) keys: StaticKeypair,
    pub(crate) now: Instant,
    rng: ChaCha20Rng,
    out: Vec<u8>,
}

impl Responder {
    /// Looks at up to `unproven` initiations per second without a cookie.
    pub(crate) fn new(unproven: u16) -> Self {
        let keys = keys(1);
        let mut config = Config::new(keys.clone(), parameters());
        config.sessions_per_peer = SESSIONS_MAX;
        config.unproven_per_second = unproven;
        let endpoint =
            Box::new(Endpoint::new(config, Box::default(), HostPool::new(SESSIONS_MAX), Peers::Any));
        let rng = ChaCha20Rng::seed_from_u64(1);
        Self { endpoint, keys, now: Instant::ZERO, rng, out: vec![0; 1_200] }
    }

    /// A datagram from `from`, in place.
    pub(crate) fn take(&mut self, from: Path, datagram: &mut [u8]) {
        self.endpoint.handle_datagram(self.now, &mut self.rng, from, datagram);
        self.endpoint.end_of_batch();
    }

    /// The first datagram that is due, if any; and the session that was established, if any.
    pub(crate) fn drain(&mut self) -> (Option<Vec<u8>>, Option<SessionId>) {
        let (mut first, mut established) = (None, None);
        loop {
            match self.endpoint.poll_output(self.now, &mut self.out) {
                Output::Transmit(transmit) => {
                    first.get_or_insert_with(|| self.out[..transmit.len].to_vec());
                }
                Output::Event(id, Event::Established) => established = Some(id),
                Output::Event(..) => {}
                Output::Wait(_) => return (first, established),
            }
        }
    }
}
