//! The sockets of the network and what is on its way between them.

use ::core::mem;

use heapless::{Deque, Vec};

use crate::net::{NetError, NetInstant, NetIpAddrV4, NetSocketAddrV4};

/// Datagrams that one socket can hold, however short.
const DATAGRAMS: usize = 16;
/// The first port for who asks for none by number (RFC 6335 section 6).
const EPHEMERAL: u16 = 49_152;

#[derive(Debug)]
pub(super) struct Core<const SOCKETS: usize, const QUEUE: usize> {
    sockets: Vec<Socket<QUEUE>, SOCKETS>,
    pub(super) now: NetInstant,
    pub(super) dropped: u64,
    next_port: u16,
    /// Connections begun so far: who waits in a backlog longest has the lowest number.
    begun: u64,
}

/// A socket of one stack.
#[derive(Debug)]
struct Socket<const QUEUE: usize> {
    local: NetSocketAddrV4,
    usage: Usage,
    /// What has been sent to it and not been read.
    bytes: Deque<u8, QUEUE>,
    /// For UDP, how that divides into datagrams, and their senders.
    datagrams: Deque<(NetSocketAddrV4, usize), DATAGRAMS>,
    /// How many bytes (for TCP) or datagrams (for UDP) had come by the last poll.
    arrived: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Usage {
    Free,
    Udp,
    Listener { backlog: usize },
    Stream { peer: Option<usize>, begun: u64, owner: Owner, fate: Fate },
}

/// Who has an end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner {
    /// The stack, for a listener to accept it once it has been polled.
    Backlog(Seen),
    /// A handle; the one of who called, before the next poll.
    Handle(Seen),
}

/// Whether the stack has been polled since.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
    NotYet,
    Yes,
}

/// What the other end has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Open,
    /// It sends no more.
    Closed,
    /// It is gone.
    Reset,
    /// It never was.
    Refused,
}

/// Which kind of port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Protocol {
    Udp,
    Tcp,
}

impl<const SOCKETS: usize, const QUEUE: usize> Core<SOCKETS, QUEUE> {
    pub(super) const fn new() -> Self {
        Self { sockets: Vec::new(), now: 0, dropped: 0, next_port: EPHEMERAL, begun: 0 }
    }

    /// What has been sent to the stack at `ip` has arrived.
    pub(super) fn poll(&mut self, ip: NetIpAddrV4, now: NetInstant) {
        self.now = self.now.max(now);
        for socket in self.sockets.iter_mut().filter(|socket| socket.local.ip == ip) {
            socket.arrived = match &mut socket.usage {
                Usage::Udp => socket.datagrams.len(),
                Usage::Stream { owner: Owner::Backlog(seen) | Owner::Handle(seen), .. } => {
                    *seen = Seen::Yes;
                    socket.bytes.len()
                }
                Usage::Free | Usage::Listener { .. } => 0,
            };
        }
    }

    /// Whether a poll of the stack at `ip` would bring anything: now, for there is no link to take time.
    pub(super) fn next_wake(&self, ip: NetIpAddrV4) -> Option<NetInstant> {
        let news = self.sockets.iter().filter(|socket| socket.local.ip == ip).any(Socket::has_news);
        news.then_some(self.now)
    }

    /// A port for `protocol` at `ip`, the one asked for or a free one.
    fn port(&mut self, ip: NetIpAddrV4, port: u16, protocol: Protocol) -> Result<u16, NetError> {
        let taken = |port| {
            let local = NetSocketAddrV4 { ip, port };
            self.sockets.iter().any(|socket| socket.local == local && socket.usage.occupies(protocol))
        };
        if port != 0 {
            return if taken(port) { Err(NetError::AddrInUse) } else { Ok(port) };
        }
        let port = (self.next_port..=u16::MAX).chain(EPHEMERAL..self.next_port).find(|port| !taken(*port));
        let port = port.ok_or(NetError::NoBufs)?;
        self.next_port = port.checked_add(1).unwrap_or(EPHEMERAL);
        Ok(port)
    }

    fn put(&mut self, local: NetSocketAddrV4, usage: Usage) -> Result<usize, NetError> {
        let socket = Socket { local, usage, bytes: Deque::new(), datagrams: Deque::new(), arrived: 0 };
        if let Some(free) = self.sockets.iter().position(|socket| socket.usage == Usage::Free) {
            if let Some(place) = self.sockets.get_mut(free) {
                *place = socket;
            }
            return Ok(free);
        }
        self.sockets.push(socket).map_err(|_| NetError::NoBufs)?;
        Ok(self.sockets.len().saturating_sub(1))
    }

    pub(super) fn bind(&mut self, ip: NetIpAddrV4, port: u16) -> Result<(usize, u16), NetError> {
        let port = self.port(ip, port, Protocol::Udp)?;
        Ok((self.put(NetSocketAddrV4 { ip, port }, Usage::Udp)?, port))
    }

    pub(super) fn listen(
        &mut self,
        ip: NetIpAddrV4,
        port: u16,
        backlog: usize,
    ) -> Result<(usize, u16), NetError> {
        let port = self.port(ip, port, Protocol::Tcp)?;
        Ok((self.put(NetSocketAddrV4 { ip, port }, Usage::Listener { backlog })?, port))
    }

    /// Both ends of a connection; the second in the backlog of who listens at `remote`, if anybody does.
    pub(super) fn connect(&mut self, ip: NetIpAddrV4, remote: NetSocketAddrV4) -> Result<usize, NetError> {
        let port = self.port(ip, 0, Protocol::Tcp)?;
        let local = NetSocketAddrV4 { ip, port };
        self.begun = self.begun.saturating_add(1);
        let begun = self.begun;
        let end = |peer, owner, fate| Usage::Stream { peer, begun, owner, fate };
        let ours = self.put(local, end(None, Owner::Handle(Seen::NotYet), Fate::Refused))?;
        let waiting =
            self.sockets.iter().filter(|socket| socket.local == remote && socket.usage.waits()).count();
        let called = self.sockets.iter().any(|socket| {
            socket.local == remote && matches!(socket.usage, Usage::Listener { backlog } if waiting < backlog)
        });
        if called {
            let theirs = end(Some(ours), Owner::Backlog(Seen::NotYet), Fate::Open);
            // No room for the other end is as good as nobody there.
            if let Ok(theirs) = self.put(remote, theirs) {
                let usage = end(Some(theirs), Owner::Handle(Seen::NotYet), Fate::Open);
                self.sockets.get_mut(ours).into_iter().for_each(|socket| socket.usage = usage);
            }
        }
        Ok(ours)
    }

    pub(super) fn accept(&mut self, local: NetSocketAddrV4) -> Option<usize> {
        let waiting = self.sockets.iter().enumerate().filter_map(|(index, socket)| match socket.usage {
            Usage::Stream { begun, owner: Owner::Backlog(Seen::Yes), .. } if socket.local == local => {
                Some((begun, index))
            }
            _ => None,
        });
        let (_, index) = waiting.min()?;
        if let Usage::Stream { owner, .. } = &mut self.sockets.get_mut(index)?.usage {
            *owner = Owner::Handle(Seen::Yes);
        }
        Some(index)
    }

    pub(super) fn send_to(&mut self, from: usize, buf: &[u8], remote: NetSocketAddrV4) {
        let Some(from) = self.sockets.get(from).map(|socket| socket.local) else { return };
        let receiver =
            self.sockets.iter_mut().find(|socket| socket.local == remote && socket.usage == Usage::Udp);
        let room = receiver.filter(|receiver| {
            QUEUE.saturating_sub(receiver.bytes.len()) >= buf.len() && !receiver.datagrams.is_full()
        });
        match room {
            Some(receiver) => {
                receiver.bytes.extend(buf.iter().copied());
                _ = receiver.datagrams.push_back((from, buf.len()));
            }
            None => self.dropped = self.dropped.saturating_add(1),
        }
    }

    pub(super) fn recv_from(
        &mut self,
        socket: usize,
        buf: &mut [u8],
    ) -> Result<(usize, NetSocketAddrV4), NetError> {
        let socket = self.sockets.get_mut(socket).ok_or(NetError::Internal("no such socket"))?;
        socket.arrived = socket.arrived.checked_sub(1).ok_or(NetError::WouldBlock)?;
        let (from, len) = socket.datagrams.pop_front().ok_or(NetError::WouldBlock)?;
        let Some(room) = buf.get_mut(..len) else {
            (0..len).for_each(|_| _ = socket.bytes.pop_front());
            return Err(NetError::NoBufs);
        };
        socket.drain_into(room);
        Ok((len, from))
    }

    /// How many bytes were read; 0 is the end.
    pub(super) fn read(&mut self, socket: usize, buf: &mut [u8]) -> Result<usize, NetError> {
        let socket = self.sockets.get_mut(socket).ok_or(NetError::Internal("no such socket"))?;
        let Usage::Stream { owner, fate, .. } = socket.usage else {
            return Err(NetError::Internal("no stream"));
        };
        let count = socket.arrived.min(buf.len());
        if let Some(room) = buf.get_mut(..count).filter(|room| !room.is_empty()) {
            socket.drain_into(room);
            socket.arrived = socket.arrived.saturating_sub(count);
            return Ok(count);
        }
        match (owner, fate) {
            (Owner::Handle(Seen::NotYet) | Owner::Backlog(_), _) => Err(NetError::WouldBlock),
            (_, Fate::Refused) => Err(NetError::NotConnected),
            _ if buf.is_empty() => Ok(0),
            // Something is on its way that a poll will bring.
            _ if !socket.bytes.is_empty() => Err(NetError::WouldBlock),
            (_, Fate::Open) => Err(NetError::WouldBlock),
            (_, Fate::Closed) => Ok(0),
            (_, Fate::Reset) => Err(NetError::Disconnected),
        }
    }

    pub(super) fn write(&mut self, socket: usize, buf: &[u8]) -> Result<usize, NetError> {
        let usage = self.sockets.get(socket).map(|socket| socket.usage);
        let Some(Usage::Stream { peer, owner, fate, .. }) = usage else {
            return Err(NetError::Internal("no stream"));
        };
        if owner == Owner::Handle(Seen::NotYet) {
            return Err(NetError::WouldBlock);
        }
        let peer = match fate {
            Fate::Refused => return Err(NetError::NotConnected),
            Fate::Reset => return Err(NetError::Disconnected),
            Fate::Open | Fate::Closed => peer.and_then(|peer| self.sockets.get_mut(peer)),
        };
        let peer = peer.ok_or(NetError::Disconnected)?;
        let room = QUEUE.saturating_sub(peer.bytes.len()).min(buf.len());
        peer.bytes.extend(buf.iter().take(room).copied());
        if room == 0 && !buf.is_empty() { Err(NetError::WouldBlock) } else { Ok(room) }
    }

    /// The other end learns what has become of this one.
    fn tell(&mut self, socket: usize, news: Fate) {
        let usage = self.sockets.get(socket).map(|socket| socket.usage);
        let Some(Usage::Stream { peer: Some(peer), .. }) = usage else { return };
        let Some(other) = self.sockets.get_mut(peer) else { return };
        if let Usage::Stream { peer, fate, .. } = &mut other.usage {
            if *fate == Fate::Open {
                *fate = news;
            }
            if news == Fate::Reset {
                *peer = None;
            }
        }
    }

    pub(super) fn close(&mut self, socket: usize) {
        self.tell(socket, Fate::Closed);
    }

    /// The handle of `socket` is gone.
    pub(super) fn release(&mut self, socket: usize) {
        let Some(Socket { local, usage, .. }) = self.sockets.get(socket) else { return };
        let (local, usage) = (*local, *usage);
        self.tell(socket, Fate::Reset);
        self.free(socket);
        if matches!(usage, Usage::Listener { .. }) {
            for index in 0..self.sockets.len() {
                let waits = |socket: &&Socket<QUEUE>| socket.local == local && socket.usage.waits();
                if self.sockets.get(index).filter(waits).is_some() {
                    self.tell(index, Fate::Reset);
                    self.free(index);
                }
            }
        }
    }

    fn free(&mut self, socket: usize) {
        if let Some(socket) = self.sockets.get_mut(socket) {
            socket.usage = Usage::Free;
            socket.bytes.clear();
            socket.datagrams.clear();
        }
    }
}

impl<const QUEUE: usize> Socket<QUEUE> {
    fn has_news(&self) -> bool {
        match self.usage {
            Usage::Udp => self.datagrams.len() > self.arrived,
            Usage::Stream { owner: Owner::Backlog(seen) | Owner::Handle(seen), .. } => {
                seen == Seen::NotYet || self.bytes.len() > self.arrived
            }
            Usage::Free | Usage::Listener { .. } => false,
        }
    }

    fn drain_into(&mut self, room: &mut [u8]) {
        for byte in room {
            *byte = self.bytes.pop_front().unwrap_or_default();
        }
    }
}

impl Usage {
    /// Whether it keeps others from its port: connections do not.
    const fn occupies(self, protocol: Protocol) -> bool {
        match self {
            Self::Udp => matches!(protocol, Protocol::Udp),
            Self::Listener { .. } => matches!(protocol, Protocol::Tcp),
            Self::Free | Self::Stream { .. } => false,
        }
    }

    /// Whether it waits to be accepted.
    const fn waits(self) -> bool {
        matches!(self, Self::Stream { owner: Owner::Backlog(_), .. })
    }
}

// The state of a socket is copied around in a few words.
const _: () = assert!(mem::size_of::<Usage>() <= 40);
