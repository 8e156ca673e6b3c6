//! A UDP socket as the system does it best: many datagrams per call where it has segment offload (GSO, GRO), one by
//! one where not, and never fragmented.

use core::array;
use core::net::{IpAddr, SocketAddr};
use std::boxed::Box;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::UdpSocket;
use std::sync::Arc;
use std::vec;

use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use udp_sec::limits::DATAGRAM_MAX;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::{Path, Transmit};

use super::narrow::look_again;
use crate::udp::{Datagrams, Received, SendError};

/// The largest UDP payload over IPv4, in bytes: what one call can send or receive, in segments or not.
const UDP_PAYLOAD_MAX: usize = 65_507;
/// Segments of full size in one call.
const SEGMENTS_MAX: usize = UDP_PAYLOAD_MAX / DATAGRAM_MAX;
/// Buffers filled by one receiving call.
const BATCH: usize = 4;
/// Bytes of each.
const RECEIVE_LEN: usize = 65_536;
/// What is asked of the system for its own queues, in bytes; it may give less.
const SYSTEM_BUFFER: usize = 4 << 20;

/// A bound socket and its buffers.
#[derive(Debug)]
pub struct HostSocket {
    socket: Arc<UdpSocket>,
    state: UdpSocketState,
    /// Whether it speaks IPv6, and so wants IPv4 addresses mapped (RFC 4291 section 2.5.5.2).
    is_v6: bool,
    outgoing: Box<[u8]>,
    /// Bytes of the transmit under way that have left.
    left: usize,
    incoming: Box<[u8]>,
}

impl HostSocket {
    /// Binds to `address`; port 0 lets the system choose.
    ///
    /// # Errors
    /// Those of the system: the port is taken, the address is not ours.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // Larger queues help, but nothing depends on them.
        _ = state.set_send_buffer_size(UdpSockRef::from(&socket), SYSTEM_BUFFER);
        _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), SYSTEM_BUFFER);
        Ok(Self {
            socket: Arc::new(socket),
            state,
            is_v6: address.is_ipv6(),
            outgoing: vec![0; SEGMENTS_MAX * DATAGRAM_MAX].into(),
            left: 0,
            incoming: vec![0; BATCH * RECEIVE_LEN].into(),
        })
    }

    /// The system's socket, to wait for.
    #[must_use]
    pub fn system_socket(&self) -> Arc<UdpSocket> {
        Arc::clone(&self.socket)
    }

    /// Segments that one call takes: fewer once a network card has turned out not to do it.
    fn segments(&self) -> usize {
        self.state.max_gso_segments().clamp(1, SEGMENTS_MAX)
    }

    /// Sends as much of `rest` as one call takes, and returns how much that was.
    fn send_once(&self, rest: &[u8], transmit: &Transmit) -> io::Result<usize> {
        let len = rest.len().min(self.segments().saturating_mul(transmit.segment));
        let remote = match (self.is_v6, transmit.path.remote) {
            (true, SocketAddr::V4(v4)) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            (_, remote) => remote,
        };
        let transmit = quinn_udp::Transmit {
            destination: remote,
            ecn: None,
            contents: rest.get(..len).unwrap_or_default(),
            segment_size: Some(transmit.segment),
            src_ip: transmit.path.local,
        };
        look_again(|| self.state.try_send(UdpSockRef::from(&*self.socket), &transmit))?;
        Ok(len)
    }
}

impl Datagrams for HostSocket {
    fn buffer(&mut self) -> &mut [u8] {
        let len = self.segments().saturating_mul(DATAGRAM_MAX);
        self.outgoing.get_mut(..len).unwrap_or_default()
    }

    fn send(&mut self, _now: Instant, transmit: &Transmit) -> Result<(), SendError> {
        while let Some(rest) = self.outgoing.get(self.left..transmit.len).filter(|rest| !rest.is_empty()) {
            let segments = self.segments();
            let failure = match self.send_once(rest, transmit) {
                Ok(len) => {
                    self.left = self.left.saturating_add(len);
                    continue;
                }
                // Offload has just been found not to work: the same again, one by one.
                Err(_) if self.segments() < segments => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(SendError::WouldBlock),
                Err(error) if quinn_udp::is_msg_size_err(&error) => SendError::TooLarge,
                Err(_) => SendError::Failed,
            };
            self.left = 0;
            return Err(failure);
        }
        self.left = 0;
        Ok(())
    }

    fn receive(&mut self, _now: Instant, mut deliver: impl FnMut(Path, &mut [u8])) -> Received {
        let mut rooms = self.incoming.chunks_exact_mut(RECEIVE_LEN);
        let mut buffers: [_; BATCH] = array::from_fn(|_| IoSliceMut::new(rooms.next().unwrap_or_default()));
        let mut metas = [RecvMeta::default(); BATCH];
        // An error here is about a datagram that was sent earlier (ICMP), and changes nothing.
        let count = self.state.recv(UdpSockRef::from(&*self.socket), &mut buffers, &mut metas).unwrap_or(0);
        for (buffer, meta) in buffers.iter_mut().zip(&metas).take(count) {
            let remote = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
            let path = Path { remote, local: meta.dst_ip.filter(|ip| is_specific(*ip)) };
            let datagrams = buffer.get_mut(..meta.len).unwrap_or_default();
            for datagram in datagrams.chunks_mut(meta.stride.max(1)) {
                deliver(path, datagram);
            }
        }
        match count {
            0 => Received::Nothing,
            BATCH => Received::More,
            _ => Received::All,
        }
    }
}

/// Whether a reply can leave from `ip`: not from a multicast or broadcast address that the datagram was sent to.
fn is_specific(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    !(ip.is_unspecified() || ip.is_multicast() || broadcast)
}
