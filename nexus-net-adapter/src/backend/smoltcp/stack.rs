//! [`SmoltcpStack`]: the link, and opening sockets on it.

use core::net::SocketAddr;

use smoltcp::iface::{Interface, PollIngressSingleResult, PollResult};
use smoltcp::phy::Device;
use smoltcp::wire::IpListenEndpoint;

use super::listener::SmoltcpListener;
use super::ports::Ports;
use super::storage::Sockets;
use super::table::Use;
use super::tcp::SmoltcpTcp;
use super::udp::{SmoltcpUdp, endpoint, ip_address};
use crate::net::{NetError, NetInstant, NetSocketAddr, NetSocketAddrV4, NetStack, TickRate};
#[cfg(feature = "smoltcp-ipv6")]
use crate::net::{NetSocketAddrV6, NetStackV6};

/// Frames taken in one poll. What a socket cannot hold is lost, so they are few, and the stack asks to be polled again.
const FRAMES_PER_POLL: usize = 8;
/// Rounds of sending in one poll, in each of which every socket sends one packet.
const ROUNDS_PER_POLL: usize = 64;
/// The end of smoltcp's time, with room to add any timeout: a hundred thousand years.
const TIME_MAX: u64 = 1 << 62;

/// smoltcp on one link, as a [`NetStack`].
pub struct SmoltcpStack<'s, D> {
    device: D,
    interface: Interface,
    sockets: &'s Sockets<'s>,
    rate: TickRate,
    ports: Ports,
    wake: Option<NetInstant>,
}

impl<'s, D: Device> SmoltcpStack<'s, D> {
    /// Runs `interface` on `device` with `sockets`; `rate` tells what a tick of [`NetStack::poll`] is. Ports that
    /// nobody asked for by number are drawn from `seed`.
    ///
    /// The interface must have been made for this device, and with a random seed of its own: TCP's sequence numbers
    /// come from it (RFC 9293 section 3.4.1).
    pub fn new(device: D, interface: Interface, sockets: &'s Sockets<'s>, rate: TickRate, seed: u64) -> Self {
        sockets.table.borrow_mut().mtu = device.capabilities().ip_mtu();
        Self { device, interface, sockets, rate, ports: Ports::new(seed), wake: None }
    }

    /// The device.
    pub const fn device(&mut self) -> &mut D {
        &mut self.device
    }

    /// The interface: its addresses and routes may change at any time.
    pub const fn interface(&mut self) -> &mut Interface {
        &mut self.interface
    }

    /// smoltcp's form of a local address, port and all.
    fn local(&self, address: SocketAddr) -> Result<IpListenEndpoint, NetError> {
        let (ip, port) = (ip_address(address.ip())?, address.port());
        if ip.is_unspecified() {
            Ok(IpListenEndpoint { addr: None, port })
        } else if self.interface.has_ip_addr(ip) {
            Ok(IpListenEndpoint { addr: Some(ip), port })
        } else {
            Err(NetError::InvalidInput("not an address of this stack"))
        }
    }

    fn bind<A: NetSocketAddr>(&mut self, local: A) -> Result<SmoltcpUdp<'s, A>, NetError> {
        let mut address: SocketAddr = local.into();
        let mut endpoint = self.local(address)?;
        let table = &mut *self.sockets.table.borrow_mut();
        if endpoint.port == 0 {
            let taken = |port| table.udp_taken(IpListenEndpoint { port, ..endpoint });
            endpoint.port = self.ports.free(taken).ok_or(NetError::NoBufs)?;
            address.set_port(endpoint.port);
        } else if table.udp_taken(endpoint) {
            return Err(NetError::AddrInUse);
        }
        let local = A::try_from(address).unwrap_or(local);
        let slot = table.free_udp().ok_or(NetError::NoBufs)?;
        let socket = table.udp(slot).ok_or(NetError::Internal("not a UDP socket"))?;
        socket.bind(endpoint).map_err(|_| NetError::Internal("a free socket was bound"))?;
        table.assign(slot, Use::Udp { queued: 0 });
        Ok(SmoltcpUdp::new(self.sockets, slot, local))
    }

    fn listen<A: NetSocketAddr>(
        &mut self,
        local: A,
        backlog: usize,
    ) -> Result<SmoltcpListener<'s, A>, NetError> {
        if backlog == 0 {
            return Err(NetError::InvalidInput("a backlog of 0"));
        }
        let mut address: SocketAddr = local.into();
        let mut endpoint = self.local(address)?;
        let table = &mut *self.sockets.table.borrow_mut();
        if endpoint.port == 0 {
            endpoint.port = self.ports.free(|port| table.tcp_port_taken(port)).ok_or(NetError::NoBufs)?;
            address.set_port(endpoint.port);
        } else if table.listener_taken(endpoint) {
            return Err(NetError::AddrInUse);
        }
        table.listen(endpoint, backlog)?;
        Ok(SmoltcpListener::new(self.sockets, A::try_from(address).unwrap_or(local)))
    }

    fn connect(
        &mut self,
        remote: SocketAddr,
        deadline: Option<NetInstant>,
    ) -> Result<SmoltcpTcp<'s>, NetError> {
        let remote = endpoint(remote)?;
        if remote.port == 0 || !remote.addr.is_unicast() {
            return Err(NetError::InvalidInput("nobody has that address"));
        }
        let table = &mut *self.sockets.table.borrow_mut();
        if deadline.is_some_and(|deadline| table.now > deadline) {
            return Err(NetError::TimedOut);
        }
        let port = self.ports.free(|port| table.tcp_port_taken(port)).ok_or(NetError::NoBufs)?;
        let slot = table.free_tcp().ok_or(NetError::NoBufs)?;
        let socket = table.tcp(slot).ok_or(NetError::Internal("not a TCP socket"))?;
        let outcome = socket.connect(self.interface.context(), remote, port);
        outcome.map_err(|_| NetError::NotConnected)?;
        table.assign(slot, Use::Connecting { deadline });
        Ok(SmoltcpTcp::new(self.sockets, slot))
    }
}

impl<'s, D: Device> NetStack for SmoltcpStack<'s, D> {
    type Udp = SmoltcpUdp<'s>;
    type TcpListener = SmoltcpListener<'s>;
    type TcpStream = SmoltcpTcp<'s>;

    fn poll(&mut self, now: NetInstant) {
        let Self { device, interface, sockets, rate, .. } = self;
        let table = &mut *sockets.table.borrow_mut();
        (table.now, table.time, table.unpolled) = (now, rate.instant(now), false);
        let micros = table.time.as_micros().min(TIME_MAX);
        let time = smoltcp::time::Instant::from_micros_const(i64::try_from(micros).unwrap_or(i64::MAX));

        interface.poll_maintenance(time);
        let mut taken = 0;
        while taken < FRAMES_PER_POLL {
            match interface.poll_ingress_single(time, device, &mut table.set) {
                PollIngressSingleResult::None => break,
                PollIngressSingleResult::PacketProcessed => {}
                // A port that has just been called listens again before the next frame.
                PollIngressSingleResult::SocketStateChanged => table.tend(),
            }
            taken = taken.saturating_add(1);
        }
        table.tend();
        let mut rounds = 0;
        while rounds < ROUNDS_PER_POLL
            && interface.poll_egress(time, device, &mut table.set) == PollResult::SocketStateChanged
        {
            rounds = rounds.saturating_add(1);
        }
        table.tend();

        self.wake = if taken == FRAMES_PER_POLL || rounds == ROUNDS_PER_POLL || table.unpolled {
            Some(now)
        } else {
            let due = interface.poll_at(time, &table.set);
            let due = due.map(|due| u64::try_from(due.total_micros()).unwrap_or(0));
            let due = due.map(udp_sec::time::Instant::from_micros).into_iter().chain(table.wake_at()).min();
            let due = due.map(|due| rate.ticks(due)).into_iter().chain(table.connect_deadline());
            due.min().map(|due| due.max(now))
        };
    }

    fn next_wake(&self) -> Option<NetInstant> {
        let table = self.sockets.table.borrow();
        if table.unpolled { Some(table.now) } else { self.wake }
    }

    fn udp_bind(&mut self, local: NetSocketAddrV4) -> Result<Self::Udp, NetError> {
        self.bind(local)
    }

    fn tcp_listen(&mut self, local: NetSocketAddrV4, backlog: usize) -> Result<Self::TcpListener, NetError> {
        self.listen(local, backlog)
    }

    fn tcp_connect(
        &mut self,
        remote: NetSocketAddrV4,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStream, NetError> {
        self.connect(remote.into(), deadline)
    }
}

#[cfg(feature = "smoltcp-ipv6")]
impl<'s, D: Device> NetStackV6 for SmoltcpStack<'s, D> {
    type UdpV6 = SmoltcpUdp<'s, NetSocketAddrV6>;
    type TcpListenerV6 = SmoltcpListener<'s, NetSocketAddrV6>;
    type TcpStreamV6 = SmoltcpTcp<'s>;

    fn udp_bind_v6(&mut self, local: NetSocketAddrV6) -> Result<Self::UdpV6, NetError> {
        self.bind(local)
    }

    fn tcp_listen_v6(
        &mut self,
        local: NetSocketAddrV6,
        backlog: usize,
    ) -> Result<Self::TcpListenerV6, NetError> {
        self.listen(local, backlog)
    }

    fn tcp_connect_v6(
        &mut self,
        remote: NetSocketAddrV6,
        deadline: Option<NetInstant>,
    ) -> Result<Self::TcpStreamV6, NetError> {
        self.connect(remote.into(), deadline)
    }
}
