//! [`SecuredListener`]: the sessions that peers open, where the facade's users expect connections.

use rand_core::TryCryptoRng;
use udp_sec::handshake::identity::Policy;
use udp_sec::time::Instant;
use udp_sec_recovery::endpoint::Pool;

use super::address::NetSocketAddr;
use super::error::NetError;
use super::not_now;
use super::secured::Secured;
use super::stack::TcpListener;
use super::ticks::{NetInstant, TickRate};
use crate::stream::StreamError;
use crate::udp::{Clock, Datagrams, UdpSecEndpoint, UdpSecStream};

/// A [`UdpSecEndpoint`] as a [`TcpListener`] of the facade: what it accepts are peers that have proven themselves.
#[derive(Debug)]
pub struct SecuredListener<'e, B, R, P: Pool, F: Policy, C, A, const SESSIONS: usize, const HANDSHAKES: usize>
{
    endpoint: &'e UdpSecEndpoint<B, R, P, F, C, SESSIONS, HANDSHAKES>,
    clock: C,
    local: A,
    rate: TickRate,
}

impl<'e, B, R, P, F, C, A, const SESSIONS: usize, const HANDSHAKES: usize>
    SecuredListener<'e, B, R, P, F, C, A, SESSIONS, HANDSHAKES>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    F: Policy,
    C: Clock,
{
    /// Accepts the sessions of `endpoint`, which goes by `clock` and whose socket is at `local`; deadlines count ticks of
    /// `rate` from the epoch of that clock.
    pub const fn new(
        endpoint: &'e UdpSecEndpoint<B, R, P, F, C, SESSIONS, HANDSHAKES>,
        clock: C,
        local: A,
        rate: TickRate,
    ) -> Self {
        Self { endpoint, clock, local, rate }
    }
}

impl<'e, B, R, P, F, C, A, const SESSIONS: usize, const HANDSHAKES: usize> TcpListener<A>
    for SecuredListener<'e, B, R, P, F, C, A, SESSIONS, HANDSHAKES>
where
    B: Datagrams,
    R: TryCryptoRng,
    P: Pool,
    F: Policy,
    C: Clock,
    A: NetSocketAddr,
{
    type Stream = Secured<UdpSecStream<'e, B, R, P, F, C, SESSIONS, HANDSHAKES>>;

    fn local_addr(&self) -> A {
        self.local
    }

    fn accept(&mut self, deadline: Option<NetInstant>) -> Result<Self::Stream, NetError> {
        match self.endpoint.accept(Instant::ZERO) {
            Ok(stream) => Ok(Secured::new(stream, self.rate)),
            Err(StreamError::WouldBlock | StreamError::TimedOut) => {
                Err(not_now(deadline, self.rate.ticks(self.clock.now())))
            }
            Err(why) => Err(why.into()),
        }
    }
}
