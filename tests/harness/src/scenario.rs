//! What a simulation does: the two ends, the link between them, and how long it may take.

use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::KeyLife;

/// Capacities of both ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// 8 KiB each way.
    Small,
    /// 64 KiB each way.
    Medium,
    /// 4 MiB each way.
    Host,
}

/// One run. Public fields, so that a scenario reads like its description; start from [`Scenario::new`].
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Seeds everything random: keys, link, data.
    pub seed: u64,
    /// Capacities of both ends.
    pub profile: Profile,
    /// Bytes that the initiator sends before it finishes its direction.
    pub client_bytes: u64,
    /// Bytes that the responder sends before it finishes its direction.
    pub server_bytes: u64,
    /// The link toward the responder.
    pub to_server: LinkConfig,
    /// The link toward the initiator.
    pub to_client: LinkConfig,
    /// What the clock says at the start: 0 on bare metal, but it may be anything.
    pub start: Instant,
    /// How long the handshake may take.
    pub handshake_budget: Duration,
    /// Idle timeout of both ends.
    pub idle_timeout: Duration,
    /// Whether both ends keep an idle session alive.
    pub keepalive: bool,
    /// How long both ends use a key.
    pub key_life: KeyLife,
    /// Acknowledgement delay of both ends.
    pub ack_delay: Duration,
    /// Acknowledgement step that both ends ask for.
    pub ack_step: u8,
    /// The run must have ended by then, in success or in a named error; later is a hang.
    pub limit: Duration,
    /// The initiator opens its session, sends and receives nothing, and the run ends when the responder has it.
    pub handshake_only: bool,
    /// Every so often, note the state of congestion control; `None` for no trace.
    pub sample_every: Option<Duration>,
}

impl Scenario {
    /// `client_bytes` from initiator to responder over a perfect link, with the Host profile.
    #[must_use]
    pub fn new(seed: u64, client_bytes: u64) -> Self {
        Self {
            seed,
            profile: Profile::Host,
            client_bytes,
            server_bytes: 0,
            to_server: LinkConfig::default(),
            to_client: LinkConfig::default(),
            start: Instant::from_micros(0),
            handshake_budget: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
            keepalive: false,
            key_life: KeyLife::LONGEST,
            ack_delay: Duration::from_millis(25),
            ack_step: 2,
            limit: Duration::from_secs(3_600),
            handshake_only: false,
            sample_every: None,
        }
    }

    /// The same link in both directions; losses are independent all the same.
    #[must_use]
    pub fn link(mut self, link: LinkConfig) -> Self {
        self.to_server = link.clone();
        self.to_client = link;
        self
    }

    /// Capacities of both ends.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Nothing but the handshake and its confirmation.
    #[must_use]
    pub fn handshake_only(mut self) -> Self {
        self.handshake_only = true;
        self
    }
}
