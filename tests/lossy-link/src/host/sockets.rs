//! UDP sockets that lose nothing on their own, and the kernel's word on whether they did.

use std::format;
use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::vec::Vec;

use rustix::net::sockopt;

/// Enough for a quarter of a second at 100 Mbit/s, however the kernel accounts for small datagrams.
const BUFFER_BYTES: usize = 8 << 20;

/// A non-blocking socket with large buffers.
///
/// # Errors
/// Where the address cannot be bound (the message names it), or the buffers cannot be set.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot bind {address}: {error}")))?;
    socket.set_nonblocking(true)?;
    // Beyond the system's limit where we may, else as far as it goes: the drops, if any, are reported.
    if sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER_BYTES).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, BUFFER_BYTES)?;
    }
    if sockopt::set_socket_send_buffer_size_force(&socket, BUFFER_BYTES).is_err() {
        sockopt::set_socket_send_buffer_size(&socket, BUFFER_BYTES)?;
    }
    Ok(socket)
}

/// Datagrams the kernel dropped because this socket's receive buffer was full; `None` where it does not say.
#[must_use]
pub fn kernel_drops(socket: &UdpSocket) -> Option<u64> {
    Some(kernel_queue(socket.local_addr().ok()?)?.drops)
}

/// What the kernel says of the receive buffers of all sockets of a port, whichever process has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Bytes that wait to be received, as the kernel accounts for them.
    pub waiting: u64,
    /// Datagrams dropped because the buffer was full.
    pub drops: u64,
}

/// The receive buffers at the port of `address`; `None` where the kernel shows no such socket.
#[must_use]
pub fn kernel_queue(address: SocketAddr) -> Option<Queue> {
    let table = if address.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    queue_of_port(&fs::read_to_string(table).ok()?, address.port())
}

/// Adds up the fifth column (`tx_queue:rx_queue`) and the last (drops) over the lines whose second column (local
/// address) ends in `port`.
fn queue_of_port(table: &str, port: u16) -> Option<Queue> {
    let port = format!(":{port:04X}");
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let queues = lines.filter_map(|columns| {
        columns.get(1).filter(|local| local.ends_with(&port))?;
        let (_, waiting) = columns.get(4)?.split_once(':')?;
        let waiting = u64::from_str_radix(waiting, 16).ok()?;
        Some(Queue { waiting, drops: columns.last()?.parse().ok()? })
    });
    queues.reduce(|sum, queue| Queue {
        waiting: sum.waiting.saturating_add(queue.waiting),
        drops: sum.drops.saturating_add(queue.drops),
    })
}

#[cfg(test)]
mod tests;
