//! An endpoint of ours as the system's `NetStack`: services connect and listen as before, and speak to proven peers.

use core::cell::Cell;

use nexus_net_adapter::net::{NetStack as _, PolledStack, Secured, SecuredListener, StackDatagrams, Ticker};
use nexus_net_adapter::udp::{UdpSecEndpoint, UdpSecStream};
use rand_core::TryCryptoRng;
use udp_sec::handshake::identity::Policy;
use udp_sec::keys::PublicKey;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::Pool;

use super::net::{Inward, Outward};
use crate::os::net::{NetError, NetInstant, NetSocketAddrV4, NetStack, UdpSocket};

/// The time that the system polls by: services poll, so nobody here ever sleeps.
#[derive(Debug, Default)]
pub struct PollTime(Cell<NetInstant>);

impl PollTime {
    /// It is `now`; never earlier than it was.
    pub fn advance_to(&self, now: NetInstant) {
        self.0.set(self.0.get().max(now));
    }
}

impl Ticker for &PollTime {
    fn now(&self) -> NetInstant {
        self.0.get()
    }

    fn sleep(&self, _: NetInstant) {}
}

/// The system's stack, where our endpoint finds it.
pub type Below<'e, N> = PolledStack<Inward<N>, &'e PollTime>;

/// A socket of it.
type Socket<'e, N> = StackDatagrams<
    'e,
    Inward<N>,
    &'e PollTime,
    Inward<<N as NetStack>::Udp>,
    nexus_net_adapter::net::NetSocketAddrV4,
>;

/// An endpoint over it.
pub type Endpoint<'e, N, R, P, A, const SESSIONS: usize, const HANDSHAKES: usize> =
    UdpSecEndpoint<Socket<'e, N>, R, P, A, &'e Below<'e, N>, SESSIONS, HANDSHAKES>;

/// A session of that endpoint.
pub type Session<'e, N, R, P, A, const SESSIONS: usize, const HANDSHAKES: usize> =
    UdpSecStream<'e, Socket<'e, N>, R, P, A, &'e Below<'e, N>, SESSIONS, HANDSHAKES>;

/// Where sessions of that endpoint come in.
type Listener<'e, N, R, P, A, const SESSIONS: usize, const HANDSHAKES: usize> = SecuredListener<
    'e,
    Socket<'e, N>,
    R,
    P,
    A,
    &'e Below<'e, N>,
    nexus_net_adapter::net::NetSocketAddrV4,
    SESSIONS,
    HANDSHAKES,
>;

/// An endpoint, for services.
pub struct SecureStack<
    'e,
    N: NetStack,
    R,
    P: Pool,
    A: Policy,
    K,
    const SESSIONS: usize,
    const HANDSHAKES: usize,
> {
    /// The endpoint.
    pub endpoint: &'e Endpoint<'e, N, R, P, A, SESSIONS, HANDSHAKES>,
    /// The stack below it.
    pub below: &'e Below<'e, N>,
    /// Where its socket is bound.
    pub local: NetSocketAddrV4,
    /// Who is meant by an address: what discovery has announced.
    pub key_of: K,
}

impl<'e, N, R, P, A, K, const SESSIONS: usize, const HANDSHAKES: usize> NetStack
    for SecureStack<'e, N, R, P, A, K, SESSIONS, HANDSHAKES>
where
    N: NetStack,
    R: TryCryptoRng,
    P: Pool,
    A: Policy,
    K: Fn(NetSocketAddrV4) -> Option<PublicKey>,
{
    type Udp = NoDatagrams;
    type TcpListener = Outward<Listener<'e, N, R, P, A, SESSIONS, HANDSHAKES>>;
    type TcpStream = Outward<Secured<Session<'e, N, R, P, A, SESSIONS, HANDSHAKES>>>;

    fn poll(&mut self, now: NetInstant) {
        self.below.ticker().advance_to(now);
        self.endpoint.drive();
    }

    fn next_wake(&self) -> Option<NetInstant> {
        let session = self.endpoint.drive().wake_at.map(|wake_at| self.below.rate().ticks(wake_at));
        let frame = self.below.look(|stack| stack.next_wake());
        session.into_iter().chain(frame).min()
    }

    fn udp_bind(&mut self, _: NetSocketAddrV4) -> Result<NoDatagrams, NetError> {
        Err(NetError::Unsupported)
    }

    fn tcp_listen(&mut self, local: NetSocketAddrV4, _: usize) -> Result<Self::TcpListener, NetError> {
        if local.port != self.local.port {
            return Err(NetError::InvalidInput("the endpoint is bound to another port"));
        }
        Ok(Outward(SecuredListener::new(self.endpoint, self.below, local.into(), self.below.rate())))
    }

    fn tcp_connect(
        &mut self,
        remote: NetSocketAddrV4,
        _: Option<NetInstant>,
    ) -> Result<Self::TcpStream, NetError> {
        let peer = (self.key_of)(remote).ok_or(NetError::InvalidInput("nobody is known at this address"))?;
        let remote = nexus_net_adapter::net::NetSocketAddrV4::from(remote);
        // The handshake has a budget of its own, and the service its deadline on the first read or write.
        let stream = self.endpoint.connect(Path::to(remote.into()), &peer).map_err(|_| NetError::NoBufs)?;
        Ok(Outward(Secured::new(stream, self.below.rate())))
    }
}

/// The endpoint's socket is its own: there are no others to be had here, and so there is never one of these.
#[derive(Debug)]
pub enum NoDatagrams {}

impl UdpSocket for NoDatagrams {
    fn local_addr(&self) -> NetSocketAddrV4 {
        match *self {}
    }

    fn send_to(&mut self, _: &[u8], _: NetSocketAddrV4) -> Result<usize, NetError> {
        match *self {}
    }

    fn recv_from(&mut self, _: &mut [u8]) -> Result<(usize, NetSocketAddrV4), NetError> {
        match *self {}
    }
}
