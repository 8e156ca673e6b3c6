//! The relay: one thread, one emulated link each way.
//!
//! 1. Deliver what has come through either link by now, and hostile frames where asked.
//! 2. Sleep until the next arrival, a frame, or the end.
//! 3. Count, record and judge what has come in, and put it into the links.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time;

use lossy_link::host::report::publish;
use lossy_link::host::sockets;
use lossy_link::{Counters, Link, LinkConfig, direction_seeds};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use udp_sec::time::{Duration, Instant};

use crate::args::{Args, Block};
use crate::frame::{self, ETHERNET_HEADER, Kind};
use crate::fuzz::Fuzzer;
use crate::record::{Drop, Log, Pcap};
use crate::side::Side;
use crate::traffic::Traffic;

/// Frames taken from one socket, or made by the fuzzer, before the links are looked at again.
const BATCH: usize = 64;
const MAX_FRAME: usize = 65_535;
/// The fuzzer rests while the machine has this many bytes to receive yet: the kernel must drop none.
const FUZZ_QUEUE_BYTES: u64 = 64 << 10;
/// How long it rests.
const FUZZ_REST: Duration = Duration::from_micros(200);

/// Relays until a signal comes (or standard input ends, where asked), then reports.
pub(crate) fn run(args: &Args) -> io::Result<()> {
    let mut relay = Relay::new(args)?;
    let [a, b] = &relay.machines;
    println!("relay ready {} {}", a.socket.local_addr()?, b.socket.local_addr()?);
    io::stdout().flush()?;
    relay.run()?;
    relay.finish(args)?;
    publish(relay.report(), args.stats.as_deref())
}

/// One machine, and the link for what it sends.
struct Machine {
    socket: UdpSocket,
    /// Where the machine receives.
    peer: SocketAddr,
    /// Its Ethernet address, as its latest frame said.
    address: Option<[u8; 6]>,
    /// Carries IP packets, each tagged with the Ethernet header before it.
    link: Link<[u8; ETHERNET_HEADER]>,
    /// Carries what `--spare-control` spares: the same delay, and no harm.
    spared: Link<[u8; ETHERNET_HEADER]>,
    traffic: Traffic,
}

impl Machine {
    fn new(
        listen: SocketAddr,
        peer: SocketAddr,
        link: LinkConfig,
        spared: LinkConfig,
        seed: u64,
    ) -> io::Result<Self> {
        Ok(Self {
            socket: sockets::bind(listen)?,
            peer,
            address: None,
            link: Link::new(link.overhead(0), seed),
            spared: Link::new(spared, seed),
            traffic: Traffic::default(),
        })
    }

    fn next_delivery(&self) -> Option<Instant> {
        self.link.next_delivery().into_iter().chain(self.spared.next_delivery()).min()
    }
}

struct Relay {
    clock: time::Instant,
    /// When the clock began, since 1970.
    epoch: time::Duration,
    machines: [Machine; 2],
    spare_control: bool,
    block: Vec<Block>,
    pcap: Option<Pcap<BufWriter<File>>>,
    log: Option<Log>,
    fuzzer: Fuzzer,
    fuzz_to: Side,
    fuzzed: u64,
    frames: u64,
    signal: UnixStream,
    until_eof: bool,
    buffer: Vec<u8>,
    send_failures: u64,
}

impl Relay {
    fn new(args: &Args) -> io::Result<Self> {
        let (signal, signal_writer) = UnixStream::pair()?;
        signal.set_nonblocking(true)?;
        pipe::register(SIGTERM, signal_writer.try_clone()?)?;
        pipe::register(SIGINT, signal_writer)?;
        let [seed_from_a, seed_from_b] = direction_seeds(args.link.seed);
        let (link, spared) = (args.link.link(), args.link.delay_only());
        let a = Machine::new(args.a, args.a_peer, link.clone(), spared.clone(), seed_from_a)?;
        let b = Machine::new(args.b, args.b_peer, link, spared, seed_from_b)?;
        let (clock, epoch) = start_clock();
        Ok(Self {
            clock,
            epoch,
            machines: [a, b],
            spare_control: args.spare_control,
            block: args.block.clone(),
            pcap: args.pcap.as_deref().map(Pcap::create).transpose()?,
            log: args.log.as_deref().map(Log::create).transpose()?,
            fuzzer: Fuzzer::new(args.fuzz, args.link.seed),
            fuzz_to: args.fuzz_to,
            fuzzed: 0,
            frames: 0,
            signal,
            until_eof: args.until_eof,
            buffer: vec![0; MAX_FRAME],
            send_failures: 0,
        })
    }

    fn run(&mut self) -> io::Result<()> {
        loop {
            for from in Side::BOTH {
                self.deliver(from);
            }
            let rest = self.fuzz()?;
            let ready = self.wait(rest)?;
            if ready.end {
                return Ok(());
            }
            for (from, ready) in Side::BOTH.into_iter().zip(ready.machines) {
                if ready {
                    self.receive(from)?;
                }
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.clock.elapsed().as_micros() as u64)
    }

    /// Sends out all of one machine's frames that have come through by now.
    fn deliver(&mut self, from: Side) {
        let now = self.now();
        let [sender, receiver] = [from, from.other()].map(Side::index);
        let mut frame = Vec::with_capacity(2_048);
        loop {
            let machine = &mut self.machines[sender];
            let Some(delivery) = machine.link.poll(now).or_else(|| machine.spared.poll(now)) else { break };
            frame.clear();
            frame.extend_from_slice(&delivery.tag);
            frame.extend_from_slice(&delivery.data);
            if from.other() == self.fuzz_to {
                self.fuzzer.learn(&frame);
            }
            self.send(receiver, &frame);
        }
    }

    fn send(&mut self, receiver: usize, frame: &[u8]) {
        let machine = &self.machines[receiver];
        let sent = machine.socket.send_to(frame, machine.peer);
        self.send_failures += u64::from(sent.is_err());
    }

    /// Sends some hostile frames, if their turn has come. Returns when to look again, `None` where there is no need.
    fn fuzz(&mut self) -> io::Result<Option<Duration>> {
        let target = &self.machines[self.fuzz_to.index()];
        let (Some(address), 1..) = (target.address, self.fuzzer.left()) else { return Ok(None) };
        // A machine that is gone takes no more: what is left then shows in the report.
        if sockets::kernel_queue(target.peer).is_none_or(|queue| queue.waiting > FUZZ_QUEUE_BYTES) {
            return Ok(Some(FUZZ_REST));
        }
        for _ in 0..BATCH {
            let Some(frame) = self.fuzzer.next(address) else { break };
            self.send(self.fuzz_to.index(), &frame);
            self.fuzzed += 1;
        }
        if self.fuzzer.left() == 0 {
            println!("fuzz done {}", self.fuzzed);
            io::stdout().flush()?;
        }
        Ok(Some(Duration::ZERO))
    }

    /// Sleeps until there is something to do, at most for `rest`.
    fn wait(&self, rest: Option<Duration>) -> io::Result<Ready> {
        let stdin = io::stdin();
        let sockets = [&self.machines[0].socket, &self.machines[1].socket];
        let mut fds = vec![PollFd::new(&self.signal, PollFlags::IN)];
        fds.extend(sockets.map(|socket| PollFd::new(socket, PollFlags::IN)));
        if self.until_eof {
            fds.push(PollFd::new(&stdin, PollFlags::IN));
        }
        let arrivals = self.machines.iter().filter_map(Machine::next_delivery);
        let now = self.now();
        let span = arrivals.map(|at| at.saturating_since(now)).chain(rest).min();
        match poll(&mut fds, span.map(timespec).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let woken: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let input = woken.get(3).is_some_and(|&ready| ready);
        Ok(Ready { end: woken[0] || (input && at_eof(stdin)?), machines: [woken[1], woken[2]] })
    }

    /// Takes waiting frames of one machine.
    fn receive(&mut self, from: Side) -> io::Result<()> {
        for _ in 0..BATCH {
            let machine = &mut self.machines[from.index()];
            let Ok((length, source)) = machine.socket.recv_from(&mut self.buffer) else { break };
            if source == machine.peer {
                self.accept(from, length)?;
            } else {
                machine.traffic.strangers += 1;
            }
        }
        Ok(())
    }

    /// Counts and records the frame of `length` bytes in the buffer, and puts it into a link if it may pass.
    fn accept(&mut self, from: Side, length: usize) -> io::Result<()> {
        let now = self.now();
        let frame = &self.buffer[..length];
        let kind = frame::kind(frame);
        self.frames += 1;
        if let Some(pcap) = &mut self.pcap {
            pcap.write(self.epoch + time::Duration::from_micros(now.as_micros()), frame)?;
        }
        let machine = &mut self.machines[from.index()];
        machine.traffic.count(kind, length);
        let drop = match frame.split_first_chunk::<ETHERNET_HEADER>() {
            None => Some(Drop::Runt),
            Some((header, packet)) => {
                machine.address = header[6..12].try_into().ok();
                if is_blocked(&self.block, kind) {
                    machine.traffic.blocked += 1;
                    Some(Drop::Blocked)
                } else if self.spare_control && !matches!(kind, Kind::Udp { .. } | Kind::Tcp { .. }) {
                    machine.spared.send(now, *header, packet);
                    None
                } else {
                    let before = *machine.link.counters();
                    machine.link.send(now, *header, packet);
                    fate(&before, machine.link.counters())
                }
            }
        };
        if let (Some(log), Some(why)) = (&mut self.log, drop) {
            log.note(now.as_micros(), self.frames, from.direction(), kind.name(), length, why)?;
        }
        Ok(())
    }

    /// Completes the files.
    fn finish(&mut self, args: &Args) -> io::Result<()> {
        if let Some(pcap) = &mut self.pcap {
            pcap.flush()?;
        }
        if let Some(log) = &mut self.log {
            log.flush()?;
        }
        if let Some(path) = &args.fuzz_pcap {
            let mut pcap = Pcap::create(path)?;
            for frame in self.fuzzer.tail() {
                pcap.write(self.epoch, frame)?;
            }
            pcap.flush()?;
        }
        Ok(())
    }

    /// The counts as one line of JSON.
    fn report(&self) -> String {
        let mut text = String::from("{");
        for (side, machine) in Side::BOTH.into_iter().zip(&self.machines) {
            text += &format!(
                "\"{}\":{{\"sent\":{},\"link\":{},\"spared\":{}}},",
                side.direction(),
                machine.traffic,
                machine.link.counters(),
                machine.spared.counters().sent,
            );
        }
        let drops = self.machines.iter().map(|machine| sockets::kernel_drops(&machine.socket));
        let drops =
            drops.sum::<Option<u64>>().map_or_else(|| String::from("null"), |drops| drops.to_string());
        text + &format!(
            "\"fuzzed\":{},\"send_failures\":{},\"socket_drops\":{drops}}}",
            self.fuzzed, self.send_failures
        )
    }
}

/// What `wait` was woken for.
struct Ready {
    end: bool,
    machines: [bool; 2],
}

fn is_blocked(block: &[Block], kind: Kind) -> bool {
    match kind {
        Kind::Udp { .. } => block.contains(&Block::Udp),
        Kind::Tcp { .. } => block.contains(&Block::Tcp),
        _ => false,
    }
}

/// What became of the packet between the two counts; `None` where it passed.
fn fate(before: &Counters, after: &Counters) -> Option<Drop> {
    if after.queue_dropped > before.queue_dropped {
        Some(Drop::Queue)
    } else if after.blacked_out > before.blacked_out {
        Some(Drop::Blackout)
    } else if after.lost > before.lost {
        Some(Drop::Lost)
    } else {
        None
    }
}

#[expect(clippy::disallowed_methods, reason = "the relay lives in real time, and pcap files hold the date")]
fn start_clock() -> (time::Instant, time::Duration) {
    let epoch = time::SystemTime::now().duration_since(time::UNIX_EPOCH).unwrap_or_default();
    (time::Instant::now(), epoch)
}

fn timespec(span: Duration) -> Timespec {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timespec { tv_sec: micros / 1_000_000, tv_nsec: micros % 1_000_000 * 1_000 }
}

/// Takes what is there of standard input; true at its end.
fn at_eof(mut stdin: io::Stdin) -> io::Result<bool> {
    Ok(stdin.read(&mut [0; 1_024])? == 0)
}
