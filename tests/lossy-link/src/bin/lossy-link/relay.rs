//! The relay: one thread, one emulated link each way, a socket per client toward the server.
//!
//! 1. Deliver what has arrived by now at the far end of either link.
//! 2. Sleep until the next arrival, a datagram, or the end.
//! 3. Put what has come in into the links.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time;

use lossy_link::host::report::publish;
use lossy_link::host::sockets;
use lossy_link::{Link, direction_seeds};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use udp_sec::time::{Duration, Instant};

use crate::args::RelayArgs;

/// Datagrams taken from one socket before the links are looked at again.
const BATCH: usize = 32;
/// Clients served, well below a process's usual limit of open files.
const MAX_CLIENTS: usize = 512;
const MAX_DATAGRAM: usize = 65_535;

/// Relays until a signal comes (or standard input ends, where asked), then reports.
pub(crate) fn run(args: &RelayArgs) -> io::Result<()> {
    let mut relay = Relay::new(args)?;
    println!("relay ready {}", relay.listener.local_addr()?);
    io::stdout().flush()?;
    relay.run()?;
    publish(relay.report(), args.stats.as_deref())
}

struct Client {
    address: SocketAddr,
    /// The socket that stands for this client toward the server.
    upstream: UdpSocket,
}

struct Relay {
    clock: time::Instant,
    listener: UdpSocket,
    server: SocketAddr,
    clients: Vec<Client>,
    by_address: HashMap<SocketAddr, usize>,
    /// Both tagged with the client's place in `clients`.
    to_server: Link<usize>,
    to_client: Link<usize>,
    /// Where new upstream sockets are bound; its address moves with `--rebind-address`.
    local: IpAddr,
    /// Times of rebinding yet to come, latest first.
    rebinds: Vec<Instant>,
    rebind_address: bool,
    signal: UnixStream,
    until_eof: bool,
    buffer: Vec<u8>,
    refused_clients: u64,
    send_failures: u64,
    /// Drops of sockets closed since.
    closed_drops: u64,
}

impl Relay {
    fn new(args: &RelayArgs) -> io::Result<Self> {
        let (signal, signal_writer) = UnixStream::pair()?;
        signal.set_nonblocking(true)?;
        pipe::register(SIGTERM, signal_writer.try_clone()?)?;
        pipe::register(SIGINT, signal_writer)?;
        let [seed_to_server, seed_to_client] = direction_seeds(args.link.seed);
        let mut rebinds = args.rebinds();
        rebinds.reverse();
        Ok(Self {
            clock: start_clock(),
            listener: sockets::bind(args.listen)?,
            server: args.to,
            clients: Vec::new(),
            by_address: HashMap::new(),
            to_server: Link::new(args.link.link(), seed_to_server),
            to_client: Link::new(args.link.link(), seed_to_client),
            local: args.to.ip(),
            rebinds,
            rebind_address: args.rebind_address,
            signal,
            until_eof: args.until_eof,
            buffer: vec![0; MAX_DATAGRAM],
            refused_clients: 0,
            send_failures: 0,
            closed_drops: 0,
        })
    }

    fn run(&mut self) -> io::Result<()> {
        loop {
            self.rebind_if_due()?;
            self.deliver();
            let ready = self.wait()?;
            if ready.end {
                return Ok(());
            }
            if ready.listener {
                self.receive_from_clients()?;
            }
            for client in ready.clients {
                self.receive_from_server(client);
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.clock.elapsed().as_micros() as u64)
    }

    /// Sends out all that has come through the links by now.
    fn deliver(&mut self) {
        let now = self.now();
        while let Some(delivery) = self.to_server.poll(now) {
            let sent = self.clients[delivery.tag].upstream.send(&delivery.data);
            self.send_failures += u64::from(sent.is_err());
        }
        while let Some(delivery) = self.to_client.poll(now) {
            let sent = self.listener.send_to(&delivery.data, self.clients[delivery.tag].address);
            self.send_failures += u64::from(sent.is_err());
        }
    }

    /// Sleeps until there is something to do.
    fn wait(&self) -> io::Result<Ready> {
        let stdin = io::stdin();
        let mut fds =
            vec![PollFd::new(&self.signal, PollFlags::IN), PollFd::new(&self.listener, PollFlags::IN)];
        fds.extend(self.clients.iter().map(|client| PollFd::new(&client.upstream, PollFlags::IN)));
        if self.until_eof {
            fds.push(PollFd::new(&stdin, PollFlags::IN));
        }
        let deadlines =
            [self.to_server.next_delivery(), self.to_client.next_delivery(), self.rebinds.last().copied()];
        let span = deadlines.into_iter().flatten().min().map(|at| at.saturating_since(self.now()));
        match poll(&mut fds, span.map(timespec).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut woken = fds.iter().map(|fd| !fd.revents().is_empty());
        let signal = woken.next().unwrap_or(false);
        let listener = woken.next().unwrap_or(false);
        let clients = woken.by_ref().take(self.clients.len()).enumerate();
        let clients = clients.filter(|&(_, ready)| ready).map(|(client, _)| client).collect();
        let input = woken.next().unwrap_or(false);
        drop(fds);
        Ok(Ready { end: signal || (input && at_eof(stdin)?), listener, clients })
    }

    /// Puts waiting datagrams of clients into the link toward the server.
    fn receive_from_clients(&mut self) -> io::Result<()> {
        for _ in 0..BATCH {
            let Ok((length, address)) = self.listener.recv_from(&mut self.buffer) else { break };
            let Some(client) = self.client(address)? else {
                self.refused_clients += 1;
                continue;
            };
            let now = self.now();
            self.to_server.send(now, client, &self.buffer[..length]);
        }
        Ok(())
    }

    /// Puts waiting datagrams of the server for `client` into the link toward the clients.
    fn receive_from_server(&mut self, client: usize) {
        for _ in 0..BATCH {
            // An error is either "nothing there" or word that the server's port is closed, now or earlier:
            // either way there is nothing to forward.
            let Ok(length) = self.clients[client].upstream.recv(&mut self.buffer) else { break };
            let now = self.now();
            self.to_client.send(now, client, &self.buffer[..length]);
        }
    }

    /// The place of the client at `address`, made where it is new; `None` where there are too many.
    fn client(&mut self, address: SocketAddr) -> io::Result<Option<usize>> {
        if let Some(&client) = self.by_address.get(&address) {
            return Ok(Some(client));
        }
        if self.clients.len() == MAX_CLIENTS {
            return Ok(None);
        }
        let client = self.clients.len();
        self.clients.push(Client { address, upstream: self.upstream()? });
        self.by_address.insert(address, client);
        Ok(Some(client))
    }

    /// A new socket toward the server.
    fn upstream(&self) -> io::Result<UdpSocket> {
        let socket = sockets::bind(SocketAddr::new(self.local, 0))?;
        socket.connect(self.server)?;
        Ok(socket)
    }

    fn rebind_if_due(&mut self) -> io::Result<()> {
        let now = self.now();
        while self.rebinds.pop_if(|at| *at <= now).is_some() {
            if let (true, IpAddr::V4(address)) = (self.rebind_address, self.local) {
                self.local = next_loopback(address).into();
            }
            for client in 0..self.clients.len() {
                let upstream = self.upstream()?;
                let old = std::mem::replace(&mut self.clients[client].upstream, upstream);
                self.closed_drops += sockets::kernel_drops(&old).unwrap_or(0);
            }
        }
        Ok(())
    }

    /// The counters as one line of JSON.
    fn report(&self) -> String {
        let sockets = self.clients.iter().map(|client| &client.upstream).chain([&self.listener]);
        let drops =
            sockets.map(sockets::kernel_drops).try_fold(self.closed_drops, |sum, drops| Some(sum + drops?));
        format!(
            "{{\"to_server\":{},\"to_client\":{},\"clients\":{},\"refused_clients\":{},\"send_failures\":{},\
             \"socket_drops\":{}}}",
            self.to_server.counters(),
            self.to_client.counters(),
            self.clients.len(),
            self.refused_clients,
            self.send_failures,
            drops.map_or_else(|| String::from("null"), |drops| drops.to_string()),
        )
    }
}

/// What `wait` was woken for.
struct Ready {
    end: bool,
    listener: bool,
    clients: Vec<usize>,
}

#[expect(clippy::disallowed_methods, reason = "the relay lives in real time")]
fn start_clock() -> time::Instant {
    time::Instant::now()
}

fn timespec(span: Duration) -> Timespec {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timespec { tv_sec: micros / 1_000_000, tv_nsec: micros % 1_000_000 * 1_000 }
}

/// Takes what is there of standard input; true at its end.
fn at_eof(mut stdin: io::Stdin) -> io::Result<bool> {
    Ok(stdin.read(&mut [0; 1_024])? == 0)
}

/// Another address of 127.0.0.0/8.
fn next_loopback(address: Ipv4Addr) -> Ipv4Addr {
    let [net, a, b, host] = address.octets();
    Ipv4Addr::new(net, a, b, if host == u8::MAX - 1 { 1 } else { host + 1 })
}
