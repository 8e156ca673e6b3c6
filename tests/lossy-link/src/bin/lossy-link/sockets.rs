//! UDP sockets that lose nothing on their own, and the kernel's word on whether they did.

use std::fs;
use std::io;
use std::net::{SocketAddr, UdpSocket};

use rustix::net::sockopt;

/// Enough for a quarter of a second at 100 Mbit/s, however the kernel accounts for small datagrams.
const BUFFER_BYTES: usize = 8 << 20;

/// A non-blocking socket with large buffers.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
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
pub(crate) fn kernel_drops(socket: &UdpSocket) -> Option<u64> {
    let address = socket.local_addr().ok()?;
    let table = if address.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    drops_of_port(&fs::read_to_string(table).ok()?, address.port())
}

/// Sums the last column (drops) over the lines whose second column (local address) ends in `port`.
fn drops_of_port(table: &str, port: u16) -> Option<u64> {
    let port = format!(":{port:04X}");
    let lines = table.lines().skip(1).map(str::split_whitespace);
    let drops = lines.filter_map(|mut line| {
        line.nth(1).filter(|local| local.ends_with(&port))?;
        line.last()?.parse::<u64>().ok()
    });
    drops.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests;
