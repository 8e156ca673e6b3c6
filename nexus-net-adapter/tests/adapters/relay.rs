//! A relay between real sockets that loses datagrams as the emulated link does, one thread for each direction.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lossy_link::{Counters, ErrorModel, Link, LinkConfig};
use udp_sec::time::Instant;

/// Queues of the sockets in bytes, so that the link is all that loses anything.
const QUEUE: usize = 4 << 20;

/// A path to a server that loses 5 % of the datagrams each way. One client at a time.
pub(crate) struct Relay {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    directions: [JoinHandle<Counters>; 2],
}

impl Relay {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let [front, back] = [socket(), socket()];
        let address = front.local_addr().expect("bound");
        let client = Arc::new(Mutex::new(address));
        let over = Arc::new(AtomicBool::new(false));
        let there = {
            let (front, back, over) = (clone(&front), clone(&back), Arc::clone(&over));
            let client = Arc::clone(&client);
            thread::spawn(move || {
                let heard = |from| *client.lock().expect("no panic") = from;
                forward(&front, heard, |datagram| back.send_to(datagram, server), 1, &over)
            })
        };
        let back_again = {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                let reply = |datagram: &[u8]| front.send_to(datagram, *client.lock().expect("no panic"));
                forward(&back, |_| (), reply, 2, &over)
            })
        };
        Self { address, over, directions: [there, back_again] }
    }

    /// Where the client finds the server.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, and checks that it has lost what it should.
    pub(crate) fn finish(self) {
        self.over.store(true, Ordering::Relaxed);
        let counters = self.directions.map(|direction| direction.join().expect("no panic"));
        let (sent, lost) =
            counters.iter().fold((0, 0), |(sent, lost), one| (sent + one.sent, lost + one.lost));
        assert!(sent > 9_000, "{sent} datagrams passed by here");
        assert!((40..=60).contains(&(lost * 1000 / sent)), "{lost} of {sent} lost");
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
    let queues = socket2::SockRef::from(&socket);
    queues.set_recv_buffer_size(QUEUE).expect("a queue");
    queues.set_send_buffer_size(QUEUE).expect("a queue");
    socket
}

fn clone(socket: &UdpSocket) -> UdpSocket {
    socket.try_clone().expect("a descriptor")
}

fn forward(
    from: &UdpSocket,
    mut heard: impl FnMut(SocketAddr),
    to: impl Fn(&[u8]) -> io::Result<usize>,
    seed: u64,
    over: &AtomicBool,
) -> Counters {
    let mut link = Link::new(LinkConfig::default().loss(ErrorModel::random(50_000)), seed);
    let mut buffer = [0; 2048];
    while !over.load(Ordering::Relaxed) {
        let Ok((len, source)) = from.recv_from(&mut buffer) else { continue };
        heard(source);
        link.send(Instant::ZERO, (), &buffer[..len]);
        while let Some(delivery) = link.poll(Instant::ZERO) {
            // Towards somebody who is gone there is nothing to do.
            _ = to(&delivery.data);
        }
    }
    *link.counters()
}
