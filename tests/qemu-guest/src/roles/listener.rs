//! The side that is called: over udp-sec, or over TCP, whichever comes first; then serves the ladder.

use ladder::{Broken, Listener, MUX_MEMORY, Session, Settings, markers};
use nexus_net_adapter::mux::Side;
use nexus_net_adapter::net::{NetSocketAddrV4, NetStack as _};
use nexus_net_adapter::select::{Event, Happened, Mode, SelectedStream, Transport};
use nexus_net_adapter::stream::{ReliableStream as _, StreamError};
use nexus_net_adapter::tcp::{self, SecureTcpStream};
use rand_core::TryRng as _;
use udp_sec::limits::HANDSHAKE_BUDGET;
use udp_sec::time::Instant;

use qemu_guest::devices::{Entropy, frames_sent};
use qemu_guest::endpoint;
use qemu_guest::endpoint::UdpSecDevice;
use qemu_guest::link::Time;
use qemu_guest::network::{self, LINGER, Net, PARTING, Stream, TcpStream};
use qemu_guest::platform::lent::{Held, Later};
use qemu_guest::platform::stack::Gauge;
use qemu_guest::platform::statics::Once;
use qemu_guest::report;
use qemu_guest::say;
use qemu_guest::trace::Trace;

/// Connections that wait to be looked at.
const BACKLOG: usize = 1;

static MEMORY: Once<endpoint::Memory> = Once::new(endpoint::Memory::new());
static DEVICE: Later<UdpSecDevice> = Later::new();
static SESSION: Later<Session<'static, Stream>> = Later::new();
static MUX: Once<[u8; MUX_MEMORY]> = Once::new([0; MUX_MEMORY]);

/// Waits to be called, serves one session, reports.
#[inline(never)]
pub fn run(net: &'static Net, settings: &Settings) -> Result<(), Broken> {
    if Entropy.try_next_u64().is_err() {
        return refuse();
    }
    let deadline = net.now() + settings.limit;
    let device = if settings.udp { Some(udp_sec(net, settings)?) } else { None };
    let mut trace = Trace::default();
    let stream = wait(net, settings, device, &mut trace, deadline)?;
    let id = match &stream {
        SelectedStream::UdpSec(stream) => Some(stream.id()),
        _ => None,
    };
    say!("{}", markers::AUTH_OK);
    if stream.transport() == Transport::UdpSec {
        say!("{}", markers::SESSION_OK);
    }
    let mut session = begin(stream)?;
    if let Some(id) = id {
        trace.follow(id);
    }
    let outcome = serve(&mut session, device, &mut trace, deadline);
    if let Some((device, id)) = device.zip(id) {
        trace.update(device);
        report::session(device, id);
    }
    let receipts = outcome?;
    say!("FIGURE received_bytes {}", receipts.0);
    network::part(net, device, session.stream_mut(), net.now() + PARTING);
    drop(session);
    network::linger(net, device, net.now() + LINGER);
    Ok(())
}

/// Without entropy nobody could be answered, so nobody is asked to call.
fn refuse() -> Result<(), Broken> {
    let (transport, reason) = (Transport::UdpSec, Happened::EntropyUnavailable);
    let refusal = Event::Failed { mode: Mode::UdpSec, transport, reason };
    if let Some(marker) = refusal.marker() {
        say!("{marker}");
    }
    assert!(frames_sent() == 0, "something has left");
    Ok(())
}

#[inline(never)] // The multiplexer passes through the stack once.
fn begin(stream: Stream) -> Result<Held<Session<'static, Stream>>, Broken> {
    SESSION.try_fill(|| Session::begin(stream, Side::Responder, MUX.take()))
}

#[inline(never)]
fn serve(
    session: &mut Session<'static, Stream>,
    device: Option<&'static UdpSecDevice>,
    trace: &mut Trace,
    deadline: Instant,
) -> Result<(u64, u64), Broken> {
    let mut listener = Listener::new();
    let gauge = Gauge::begin();
    loop {
        if session.stream().now() > deadline {
            return Err(Broken::TooLate);
        }
        listener.step(session.mux()).map_err(Broken::Program)?;
        if let Some(device) = device {
            trace.update(device);
        }
        if session.turn(deadline)? {
            session.finish()?;
            say!("FIGURE stack_transfer_bytes {}", gauge.used());
            return Ok(listener.receipts());
        }
    }
}

#[inline(never)]
fn udp_sec(net: &'static Net, settings: &Settings) -> Result<&'static UdpSecDevice, Broken> {
    let local = NetSocketAddrV4::new([0; 4], settings.port);
    let peer = *settings.peer_keypair().public();
    let link = network::bind(net, local).map_err(|_| Broken::NoPeer)?;
    let (keypair, key_life, time) = (settings.keypair(), settings.key_life, Time::Network(net));
    let make = || endpoint::device(MEMORY.take(), keypair, &peer, HANDSHAKE_BUDGET, key_life, link, time);
    let device = DEVICE.fill(make).leak();
    say!("{} {}", markers::LISTENER_UP, settings.port);
    Ok(device)
}

/// Waits for a peer that has proven itself.
#[inline(never)]
fn wait(
    net: &'static Net,
    settings: &Settings,
    device: Option<&'static UdpSecDevice>,
    trace: &mut Trace,
    deadline: Instant,
) -> Result<Stream, Broken> {
    let local = NetSocketAddrV4::new([0; 4], settings.port);
    let peers = endpoint::only(settings.peer_keypair().public());
    let config = network::tcp_config(settings, HANDSHAKE_BUDGET);
    let mut listener = net.open(|stack| stack.tcp_listen(local, BACKLOG)).map_err(|_| Broken::NoPeer)?;
    let mut called: Option<TcpStream> = None;
    let gauge = Gauge::begin();
    loop {
        if let Some(device) = device {
            trace.update(device);
            if let Ok(stream) = device.accept(Instant::ZERO) {
                say!("FIGURE stack_handshake_bytes {}", gauge.used());
                return Ok(SelectedStream::UdpSec(stream));
            }
        }
        if called.is_none() {
            called = net.accept(&mut listener, Instant::ZERO).ok().map(|connection| {
                let memory = network::tcp_memory().expect("nobody else has it");
                SecureTcpStream::accept(connection, memory, &config)
            });
        }
        if let Some(stream) = &mut called {
            match answer(stream, &config, &peers) {
                Ok(()) => break,
                Err(StreamError::WouldBlock) => {}
                // Whoever it was, it was not the peer.
                Err(why) => {
                    say!("tcp: {why}");
                    called = None;
                }
            }
        }
        if net.now() > deadline {
            return Err(Broken::TooLate);
        }
        let due = [
            device.and_then(|device| device.drive().wake_at),
            called.as_ref().and_then(SecureTcpStream::wake_at),
            Some(deadline),
        ];
        net.wait(due.into_iter().flatten().min().unwrap_or(deadline));
    }
    say!("FIGURE stack_handshake_bytes {}", gauge.used());
    called.map(SelectedStream::Tcp).ok_or(Broken::NoPeer)
}

/// The responder's part of a handshake over TCP, as far as it has come.
#[inline(never)] // Its frame is for that only.
fn answer(stream: &mut TcpStream, config: &tcp::Config, peers: &endpoint::Peer) -> Result<(), StreamError> {
    stream.answer(config, peers, &mut Entropy, Instant::ZERO)?;
    stream.established(Instant::ZERO).map(|_| ())
}
