//! What happens in a simulation of many: the hosts, the network between them, and everything that befalls both.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::KeyLife;

use crate::scenario::Profile;

/// One run. Start from [`Plan::new`]; public fields, so that a plan reads like its description.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seeds everything random: keys, links, data.
    pub seed: u64,
    /// Capacities of every host.
    pub profile: Profile,
    /// The server, then its clients.
    pub hosts: Vec<HostPlan>,
    /// How each client reaches the network, in the order of the clients.
    pub access: Vec<Access>,
    /// Links that all clients share, toward the server and from it.
    pub shared: Option<[LinkConfig; 2]>,
    /// What happens, and when, counted from the start.
    pub events: Vec<(Duration, Action)>,
    /// How many times a client calls again when its session ended for any reason but completion.
    pub redials: u32,
    /// The run must have ended by then; later is a hang.
    pub limit: Duration,
}

/// One host: what its endpoint is told.
#[derive(Clone, Debug)]
pub struct HostPlan {
    /// What its clock says at the start.
    pub clock: Instant,
    /// Its idle timeout.
    pub idle_timeout: Duration,
    /// Its acknowledgement delay.
    pub ack_delay: Duration,
    /// The acknowledgement step that it asks for.
    pub ack_step: u8,
    /// Whether it keeps idle sessions alive.
    pub keepalive: bool,
    /// How long it uses a key.
    pub key_life: KeyLife,
    /// How long its handshakes may take.
    pub handshake_budget: Duration,
    /// Sessions that each peer may have.
    pub sessions_per_peer: usize,
}

impl Default for HostPlan {
    fn default() -> Self {
        Self {
            clock: Instant::ZERO,
            idle_timeout: Duration::from_secs(30),
            ack_delay: Duration::from_millis(25),
            ack_step: 2,
            keepalive: false,
            key_life: KeyLife::LONGEST,
            handshake_budget: Duration::from_secs(30),
            sessions_per_peer: 1,
        }
    }
}

/// The way of one client to the network.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The link toward the server.
    pub to_server: LinkConfig,
    /// The link from it.
    pub to_client: LinkConfig,
    /// Silence of the client after which its NAT forgets it; `None`: never.
    pub forgets_after: Option<Duration>,
}

impl Access {
    /// The same link in both directions.
    #[must_use]
    pub fn both(link: LinkConfig) -> Self {
        Self { to_server: link.clone(), to_client: link, forgets_after: None }
    }
}

/// Something that happens. Hosts are numbers: 0 is the server, its clients follow.
#[derive(Clone, Debug)]
pub enum Action {
    /// `from` opens a session with `to`, and says how many bytes go each way.
    Call {
        /// Who calls.
        from: usize,
        /// Who is called.
        to: usize,
        /// Bytes from the caller.
        upload: u64,
        /// Bytes to the caller.
        download: u64,
    },
    /// The applications of `host` that talk with `peer` may have written and read so many bytes each, from now on.
    Allow {
        /// Whose applications.
        host: usize,
        /// With whom they talk.
        peer: usize,
        /// Bytes written, at most.
        write: u64,
        /// Bytes read, at most.
        read: u64,
    },
    /// `host` stands still: it neither receives nor ticks.
    Freeze {
        /// Who.
        host: usize,
        /// Whether its clock goes on meanwhile.
        clock_runs: bool,
        /// Datagrams that wait for it; the rest is lost.
        room: usize,
    },
    /// `host` goes on.
    Thaw {
        /// Who.
        host: usize,
    },
    /// The clock of `host` leaps forward.
    Leap {
        /// Who.
        host: usize,
        /// How far.
        by: Duration,
    },
    /// The client `host` is seen under another address: of the same NAT, or of another network.
    Move {
        /// Who.
        host: usize,
        /// The second half of its address.
        place: u16,
        /// Its port.
        port: u16,
    },
    /// The access of the client `host` changes.
    Relink {
        /// Who.
        host: usize,
        /// Toward the server, and from it.
        links: Box<[LinkConfig; 2]>,
    },
    /// `host` begins anew with the same keys, and knows nothing of what was before.
    Restart {
        /// Who.
        host: usize,
    },
}

impl Plan {
    /// A server and as many clients as there are ways to it, where nothing happens yet.
    #[must_use]
    pub fn new(seed: u64, profile: Profile, access: Vec<Access>) -> Self {
        Self {
            seed,
            profile,
            hosts: alloc::vec![HostPlan::default(); 1 + access.len()],
            access,
            shared: None,
            events: Vec::new(),
            redials: 0,
            limit: Duration::from_secs(4 * 3_600),
        }
    }

    /// `action` happens `at` so long after the start.
    pub fn at(&mut self, at: Duration, action: Action) {
        self.events.push((at, action));
    }

    /// The same with every clock starting at `clock`.
    #[must_use]
    pub fn with_clocks_at(mut self, clock: Instant) -> Self {
        self.hosts.iter_mut().for_each(|host| host.clock = clock);
        self
    }
}

/// The address of the client `host` at `place`: its number is in it, so that routers know where it lives.
#[must_use]
pub fn client_address(host: usize, place: u16, port: u16) -> SocketAddr {
    let [high, low] = place.to_be_bytes();
    ([10, host as u8, high, low], port).into()
}
