//! SecureTcp: the handshake and the keys of udp-sec over a byte stream, for where datagrams do not get through.
//!
//! ```text
//! SecureTcpStream: ReliableStream        waits, by the byte stream's own clock
//!        │
//!        ▼
//! SecureTcp ── Outbox, Inbox             bytes in, bytes out, time in: no socket, no clock
//!        │     sealed and opened where they lie
//!        ▼
//! ByteStream                             TCP of the system, a pipe in memory, anything in order
//! ```
//! Everything on the wire is a record: its length (`u16`, little-endian), then so many bytes. The first record of
//! each side is the Initiation or the Response of `docs/protocol.md` section 3, unchanged, so that who is let in,
//! which parameters meet, and who is refused are decided by the same code; only the Noise prologue differs. Every
//! later record is sealed. What it says, how a session ends, and what is refused stands in `docs/tcp.md`.
//!
//! A byte stream is a [`ReliableStream`](crate::stream::ReliableStream) only behind this handshake. One without it is none:
//!
//! ```compile_fail,E0277
//! fn multiplex(_: impl nexus_net_adapter::stream::ReliableStream) {}
//! # use nexus_net_adapter::backend::pipe::Pipe;
//! let pipe = Pipe::<4096>::new();
//! let (plain, _) = pipe.ends();
//! multiplex(plain); // a byte stream, but whose?
//! ```
//!
#![cfg_attr(
    feature = "mux",
    doc = "
So a multiplexer does not begin on one, and on a session it begins when the peer has proven itself:

```
use nexus_net_adapter::mux::Pump;
# use nexus_net_adapter::backend::pipe::PipeEnd;
# use nexus_net_adapter::tcp::SecureTcpStream;
fn begin(session: SecureTcpStream<PipeEnd<'_, 4096>, Vec<u8>>) {
    let _ = Pump::<_, 4096>::begin(session);
}
```
```compile_fail,E0277
use nexus_net_adapter::mux::Pump;
# use nexus_net_adapter::backend::pipe::PipeEnd;
fn begin(plain: PipeEnd<'_, 4096>) {
    let _ = Pump::<_, 4096>::begin(plain);
}
```
"
)]
//! Reading order: [`Config`] and [`SecureTcpStream`], then `session` (what happens), `record` (the bytes).

mod bytes;
mod inbox;
mod liveness;
mod memory;
mod outbox;
mod record;
mod session;
mod stream;

pub use bytes::{ByteStream, ByteStreamError, Readiness};
pub use memory::{Buffer, INBOUND_MIN, Memory, OUTBOUND_MIN, TooSmall};
pub use session::SecureTcp;
pub use stream::SecureTcpStream;

use udp_sec::handshake::Credentials;
use udp_sec::handshake::params::Parameters;
use udp_sec::keys::StaticKeypair;
use udp_sec::limits::HANDSHAKE_BUDGET;
use udp_sec::time::Duration;

/// What an endpoint is, and what it wants of its sessions.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who it is.
    pub keypair: StaticKeypair,
    /// What comes with that: identity proofs, a judge of the peers' proofs, pre-shared keys.
    pub credentials: Credentials,
    /// What it tells its peers. Credit, acknowledgement delay and step mean nothing here: TCP has its own.
    pub parameters: Parameters,
    /// From the first byte until the peer has proven itself.
    pub handshake_budget: Duration,
    /// Whether a session without anything to say is kept from its idle timeout.
    pub keepalive: bool,
}

impl Config {
    /// The full handshake budget, and no keepalive.
    #[must_use]
    pub const fn new(keypair: StaticKeypair, parameters: Parameters) -> Self {
        let credentials = Credentials::NONE;
        Self { keypair, credentials, parameters, handshake_budget: HANDSHAKE_BUDGET, keepalive: false }
    }
}

#[cfg(feature = "udp")]
impl From<&udp_sec_recovery::endpoint::Config> for Config {
    /// The same identity, parameters and bounds as over datagrams.
    fn from(datagrams: &udp_sec_recovery::endpoint::Config) -> Self {
        Self {
            keypair: datagrams.keypair.clone(),
            credentials: datagrams.credentials,
            parameters: datagrams.parameters.clone(),
            handshake_budget: datagrams.handshake_budget,
            keepalive: datagrams.keepalive,
        }
    }
}

#[cfg(test)]
mod tests;
