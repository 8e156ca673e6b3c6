//! Which socket is whose, and what becomes of those that are nobody's any more.
//!
//! smoltcp's sockets live as long as their memory. In use they are lent: to a handle, to a listener whose next
//! connection they will be, or to nobody while what a dropped handle left behind is still on its way out.

use heapless::Vec;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::IpListenEndpoint;
use udp_sec::time::{Duration, Instant};

use super::{LISTENERS_MAX, SOCKETS_MAX};
use crate::net::{NetError, NetInstant};

/// A caller that does not complete TCP's handshake in this time gives its place in the backlog back.
const HALF_OPEN_MAX: Duration = Duration::from_secs(10);
/// So long may a closed connection without an owner go on, until it is aborted.
const LINGER: Duration = Duration::from_secs(60);
/// Datagrams and resets that have not left for so long, mostly for want of the neighbour's address, are dropped.
const STUCK_MAX: Duration = Duration::from_secs(3);
/// Any port, to listen at for no time at all.
const FORGOTTEN: u16 = 1;

/// The sockets, and the ports that are listened at.
#[derive(Debug)]
pub(super) struct Table<'s> {
    pub(super) set: SocketSet<'s>,
    pub(super) slots: Vec<Slot, SOCKETS_MAX>,
    listeners: Vec<Listener, LISTENERS_MAX>,
    /// The time of the last poll, in the stack's ticks and in ours.
    pub(super) now: NetInstant,
    pub(super) time: Instant,
    /// Something was asked of a socket that the next poll has to do.
    pub(super) unpolled: bool,
    /// The longest packet of the link, in bytes of IP; 0 before there is one.
    pub(super) mtu: usize,
}

/// A socket and who has it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) handle: SocketHandle,
    pub(super) usage: Use,
    /// Since when it is as it is: half open, connected, lingering; for UDP, when its queue last moved or was empty.
    pub(super) since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    FreeUdp,
    /// A handle has it. How much is queued tells whether anything leaves.
    Udp {
        queued: usize,
    },
    /// Its handle is gone; what is queued still leaves.
    UdpLingering,
    FreeTcp,
    /// It waits for the next peer of the listener at this port.
    Listening {
        port: u16,
    },
    /// A peer of that listener is about to be connected.
    HalfOpen {
        port: u16,
    },
    /// A peer of that listener is connected, and waits to be accepted.
    Waiting {
        port: u16,
    },
    /// A handle has it, and it is not connected yet; given up behind the deadline.
    Connecting {
        deadline: Option<NetInstant>,
    },
    /// A handle has it, and it was connected once.
    Stream,
    /// Its handle is gone; the connection ends by itself.
    TcpLingering,
}

#[derive(Debug)]
struct Listener {
    endpoint: IpListenEndpoint,
    backlog: usize,
}

impl<'s> Table<'s> {
    pub(super) const fn new(set: SocketSet<'s>) -> Self {
        Self {
            set,
            slots: Vec::new(),
            listeners: Vec::new(),
            now: 0,
            time: Instant::ZERO,
            unpolled: false,
            mtu: 0,
        }
    }

    /// The socket of `slot`.
    pub(super) fn udp(&mut self, slot: usize) -> Option<&mut udp::Socket<'s>> {
        let slot = self.slots.get(slot)?;
        match slot.usage {
            Use::FreeUdp | Use::Udp { .. } | Use::UdpLingering => Some(self.set.get_mut(slot.handle)),
            _ => None,
        }
    }

    /// The socket of `slot`.
    pub(super) fn tcp(&mut self, slot: usize) -> Option<&mut tcp::Socket<'s>> {
        let slot = self.slots.get(slot)?;
        match slot.usage {
            Use::FreeUdp | Use::Udp { .. } | Use::UdpLingering => None,
            _ => Some(self.set.get_mut(slot.handle)),
        }
    }

    pub(super) fn assign(&mut self, slot: usize, usage: Use) {
        if let Some(slot) = self.slots.get_mut(slot) {
            (slot.usage, slot.since) = (usage, self.time);
        }
        self.unpolled = true;
    }

    pub(super) fn free_udp(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.usage == Use::FreeUdp)
    }

    /// A TCP socket to use. One that still answers for its last connection (TIME-WAIT) only if there is no other.
    pub(super) fn free_tcp(&self) -> Option<usize> {
        let free = || self.slots.iter().enumerate().filter(|(_, slot)| slot.usage == Use::FreeTcp);
        let at_rest =
            |slot: &Slot| self.set.get::<tcp::Socket<'_>>(slot.handle).state() == tcp::State::Closed;
        let (index, _) = free().find(|(_, slot)| at_rest(slot)).or_else(|| free().next())?;
        Some(index)
    }

    /// Whether a datagram socket has `endpoint`, or a part of what it stands for.
    pub(super) fn udp_taken(&self, endpoint: IpListenEndpoint) -> bool {
        let mut used =
            self.slots.iter().filter(|slot| matches!(slot.usage, Use::Udp { .. } | Use::UdpLingering));
        used.any(|slot| overlap(self.set.get::<udp::Socket<'_>>(slot.handle).endpoint(), endpoint))
    }

    /// Whether a listener has `endpoint`, or a part of what it stands for.
    pub(super) fn listener_taken(&self, endpoint: IpListenEndpoint) -> bool {
        // One listener a port: a connection that waits is known by it.
        self.listeners.iter().any(|listener| listener.endpoint.port == endpoint.port)
    }

    /// Whether any TCP socket uses the local port.
    pub(super) fn tcp_port_taken(&self, port: u16) -> bool {
        let connections = self.set.iter().filter_map(|(_, socket)| match socket {
            smoltcp::socket::Socket::Tcp(socket) => socket.local_endpoint(),
            _ => None,
        });
        connections.map(|local| local.port).any(|local| local == port)
            || self.listeners.iter().any(|listener| listener.endpoint.port == port)
    }

    pub(super) fn listen(&mut self, endpoint: IpListenEndpoint, backlog: usize) -> Result<(), NetError> {
        self.free_tcp().ok_or(NetError::NoBufs)?;
        self.listeners.push(Listener { endpoint, backlog }).map_err(|_| NetError::NoBufs)?;
        self.refill_backlogs();
        Ok(())
    }

    pub(super) fn stop_listening(&mut self, port: u16) {
        self.listeners.retain(|listener| listener.endpoint.port != port);
        for index in 0..self.slots.len() {
            let usage = self.slots.get(index).map(|slot| slot.usage);
            if usage.and_then(Use::listener) == Some(port) {
                self.let_go(index, Parting::Abort);
            }
        }
    }

    /// The connection to `port` that has waited longest, now a stream.
    pub(super) fn accept(&mut self, port: u16) -> Option<usize> {
        let slots = self.slots.iter().enumerate();
        let waiting = slots.filter(|(_, slot)| slot.usage == Use::Waiting { port });
        let (index, _) = waiting.min_by_key(|(_, slot)| slot.since)?;
        self.assign(index, Use::Stream);
        self.refill_backlogs();
        Some(index)
    }

    /// The handle of `slot` is gone.
    pub(super) fn let_go(&mut self, slot: usize, parting: Parting) {
        if let Some(socket) = self.tcp(slot) {
            if parting == Parting::Abort {
                socket.abort();
            }
            self.assign(slot, Use::TcpLingering);
        } else {
            self.assign(slot, Use::UdpLingering);
        }
    }

    /// What time and the last frames have changed: connections made and lost, places given back, backlogs refilled.
    pub(super) fn tend(&mut self) {
        for index in 0..self.slots.len() {
            let Some(Slot { usage, since, .. }) = self.slots.get(index) else { continue };
            let (usage, age) = (*usage, self.time.saturating_since(*since));
            let next = match usage {
                Use::FreeUdp | Use::FreeTcp => usage,
                Use::Udp { .. } | Use::UdpLingering => self.tend_udp(index, usage, age),
                _ => self.tend_tcp(index, usage, age),
            };
            if let Some(slot) = self.slots.get_mut(index).filter(|_| next != usage) {
                slot.usage = next;
                if !next.only_grew(usage) {
                    slot.since = self.time;
                }
            }
        }
        self.refill_backlogs();
    }

    fn tend_udp(&mut self, index: usize, usage: Use, age: Duration) -> Use {
        let Some(socket) = self.udp(index) else { return usage };
        let left = socket.send_queue();
        let stuck = left > 0 && age >= STUCK_MAX;
        match usage {
            Use::UdpLingering if left == 0 || stuck => {
                socket.close();
                Use::FreeUdp
            }
            Use::Udp { .. } if stuck => {
                // The one way to empty the queue; what has arrived is worth less than a socket that sends again.
                let endpoint = socket.endpoint();
                socket.close();
                _ = socket.bind(endpoint);
                Use::Udp { queued: 0 }
            }
            Use::Udp { .. } => Use::Udp { queued: left },
            _ => usage,
        }
    }

    fn tend_tcp(&mut self, index: usize, usage: Use, age: Duration) -> Use {
        let now = self.now;
        let Some(socket) = self.tcp(index) else { return usage };
        let (state, quiet) = (socket.state(), socket.local_endpoint().is_none());
        match (usage, state) {
            // Over, and its reset, if any, has left.
            (Use::TcpLingering, tcp::State::Closed) if quiet => Use::FreeTcp,
            (Use::TcpLingering, tcp::State::TimeWait) => Use::FreeTcp,
            (Use::TcpLingering, tcp::State::Closed) if age >= STUCK_MAX => {
                // The reset has nowhere to go. To listen forgets the connection, and to close then forgets that.
                _ = socket.listen(FORGOTTEN);
                socket.close();
                Use::FreeTcp
            }
            (Use::TcpLingering, _) if age >= LINGER => {
                socket.abort();
                usage
            }
            (Use::Listening { port } | Use::HalfOpen { port }, tcp::State::Listen) => Use::Listening { port },
            (Use::Listening { port }, tcp::State::SynReceived) => Use::HalfOpen { port },
            (Use::HalfOpen { .. }, tcp::State::SynReceived) if age >= HALF_OPEN_MAX => {
                socket.abort();
                Use::TcpLingering
            }
            (Use::HalfOpen { .. }, tcp::State::SynReceived) => usage,
            (Use::Listening { .. } | Use::HalfOpen { .. } | Use::Waiting { .. }, tcp::State::Closed) => {
                Use::TcpLingering
            }
            (Use::Listening { port } | Use::HalfOpen { port }, _) => Use::Waiting { port },
            (Use::Connecting { deadline }, tcp::State::SynSent) => {
                if deadline.is_some_and(|deadline| now > deadline) {
                    socket.abort();
                }
                usage
            }
            (Use::Connecting { .. }, tcp::State::Closed | tcp::State::SynReceived) => usage,
            (Use::Connecting { .. }, _) => Use::Stream,
            _ => usage,
        }
    }

    /// Each listener has one socket that listens, as long as its backlog and the sockets last.
    fn refill_backlogs(&mut self) {
        for index in 0..self.listeners.len() {
            let Some(Listener { endpoint, backlog }) = self.listeners.get(index) else { continue };
            let (endpoint, backlog, port) = (*endpoint, *backlog, endpoint.port);
            let places = self.slots.iter().filter(|slot| slot.usage.listener() == Some(port)).count();
            let listens = self.slots.iter().any(|slot| slot.usage == Use::Listening { port });
            if listens || places >= backlog {
                continue;
            }
            let Some(slot) = self.free_tcp() else { continue };
            if self.tcp(slot).is_some_and(|socket| socket.listen(endpoint).is_ok()) {
                self.assign(slot, Use::Listening { port });
            }
        }
    }

    /// When [`tend`](Self::tend) has something to do that no socket knows of.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let due = self.slots.iter().filter_map(|slot| match slot.usage {
            Use::Udp { queued } if queued > 0 => Some(slot.since + STUCK_MAX),
            Use::UdpLingering => Some(slot.since + STUCK_MAX),
            Use::HalfOpen { .. } => Some(slot.since + HALF_OPEN_MAX),
            Use::TcpLingering => Some(slot.since + LINGER),
            _ => None,
        });
        due.min()
    }

    /// The first deadline of a connection that is being made, in the stack's ticks.
    pub(super) fn connect_deadline(&self) -> Option<NetInstant> {
        let deadlines = self.slots.iter().filter_map(|slot| match slot.usage {
            Use::Connecting { deadline } => deadline,
            _ => None,
        });
        // Behind the deadline is when something happens.
        deadlines.min().map(|deadline| deadline.saturating_add(1)).filter(|due| *due > self.now)
    }
}

impl Use {
    /// Whether this is the queue `before`, of which nothing has left.
    const fn only_grew(self, before: Self) -> bool {
        matches!((before, self), (Self::Udp { queued: before @ 1.. }, Self::Udp { queued }) if queued > before)
    }

    /// The port of the listener for whom it waits.
    const fn listener(self) -> Option<u16> {
        match self {
            Self::Listening { port } | Self::HalfOpen { port } | Self::Waiting { port } => Some(port),
            _ => None,
        }
    }
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Parting {
    /// As it is: the end was already announced.
    Closed,
    Abort,
}

/// Whether a packet could be for both.
fn overlap(one: IpListenEndpoint, other: IpListenEndpoint) -> bool {
    one.port == other.port && one.addr.zip(other.addr).is_none_or(|(one, other)| one == other)
}
