//! The side that calls: chooses a transport, climbs the ladder, and says what it cost.

use ladder::{Broken, Connector, MUX_MEMORY, Rung, Session, Settings, markers};
use nexus_net_adapter::mux::Side;
use nexus_net_adapter::net::NetSocketAddrV4;
use nexus_net_adapter::select::{
    Attempts, Event, Happened, Mode, NoStream, SelectedStream, Transport, select,
};
use nexus_net_adapter::stream::{CloseReason, Interest, ReliableStream as _, StreamError};
use nexus_net_adapter::tcp::SecureTcpStream;
use udp_sec::keys::PublicKey;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;

use qemu_guest::devices::{Entropy, frames_sent};
use qemu_guest::endpoint;
use qemu_guest::endpoint::{UdpSecDevice, UdpSecStream};
use qemu_guest::link::Time;
use qemu_guest::network::{self, LINGER, Net, PARTING, Stream, TcpStream};
use qemu_guest::platform::lent::{Held, Later};
use qemu_guest::platform::stack::Gauge;
use qemu_guest::platform::statics::Once;
use qemu_guest::report::{self, Plot};
use qemu_guest::say;
use qemu_guest::trace::Trace;

/// Bulk transfers more, at most, until the link has lost something that mattered.
const ROUNDS_MAX: u32 = 16;
/// Farther than any handshake's budget: what waits for one waits for its end.
const PATIENCE: Duration = Duration::from_secs(60);

static MEMORY: Once<endpoint::Memory> = Once::new(endpoint::Memory::new());
static DEVICE: Later<UdpSecDevice> = Later::new();
static SESSION: Later<Climb> = Later::new();
static MUX: Once<[u8; MUX_MEMORY]> = Once::new([0; MUX_MEMORY]);

type Climb = Session<'static, Stream>;

/// How this guest calls.
struct Dialer<'s> {
    net: &'static Net,
    settings: &'s Settings,
    /// Where udp-sec was tried.
    device: Option<&'static UdpSecDevice>,
    trace: Trace,
    tcp_attempts: u32,
}

/// Calls, climbs, reports.
#[inline(never)]
pub fn run(net: &'static Net, settings: &Settings) -> Result<(), Broken> {
    let mut dialer = Dialer { net, settings, device: None, trace: Trace::default(), tcp_attempts: 0 };
    let mut fell_back = false;
    let selected = select(settings.mode, &mut dialer, |event| {
        fell_back |= matches!(event, Event::FellBack(_));
        tell(event);
    });
    let stream = match selected {
        Ok(stream) => stream,
        Err(end) => return dialer.judge(&Event::from(end)),
    };
    let transport = stream.transport();
    let mut session = begin(stream)?;
    let outcome = climb(&mut dialer, &mut session, transport, fell_back);
    if let Some((device, id)) = dialer.device.zip(udp_sec_id(&session)) {
        dialer.trace.update(device);
        report::session(device, id);
    }
    outcome?;
    network::part(net, dialer.device, session.stream_mut(), net.now() + PARTING);
    drop(session);
    network::linger(net, dialer.device, net.now() + LINGER);
    Ok(())
}

#[inline(never)] // The multiplexer passes through the stack once.
fn begin(stream: Stream) -> Result<Held<Climb>, Broken> {
    SESSION.try_fill(|| Session::begin(stream, Side::Initiator, MUX.take()))
}

#[inline(never)]
fn climb(
    dialer: &mut Dialer<'_>,
    session: &mut Climb,
    transport: Transport,
    fell_back: bool,
) -> Result<(), Broken> {
    let settings = dialer.settings;
    let deadline = session.stream().now() + settings.limit;
    let mut connector = Connector::new(settings.plan);
    let mut plot = Plot::default();
    let mut rounds = 0;
    let gauge = Gauge::begin();
    loop {
        let now = session.stream().now();
        if now > deadline {
            return Err(Broken::TooLate);
        }
        while let Some(rung) = connector.step(now, session.mux()).map_err(Broken::Program)? {
            let is_bulk = matches!(rung, Rung::Bulk { .. });
            if is_bulk && rounds > 0 {
                continue;
            }
            report::rung(&rung, transport);
            match rung {
                Rung::Control(_) => plot.begin(now, settings.plan.bulk),
                Rung::Bulk { .. } => plot.end(),
                _ => {}
            }
        }
        if let Some((device, id)) = dialer.device.zip(udp_sec_id(session)) {
            dialer.trace.update(device);
            plot.sample(now, device, id);
        }
        if connector.is_done() && session.is_done() {
            if settings.loss && transport == Transport::UdpSec && !dialer.recovered(session) {
                rounds += 1;
                if rounds > ROUNDS_MAX {
                    return Err(Broken::NoLoss);
                }
                connector.once_more(now, session.mux()).map_err(Broken::Program)?;
            } else {
                break;
            }
        }
        session.turn(deadline)?;
    }
    if settings.loss && transport == Transport::UdpSec {
        say!("{}", markers::RECOVERY_OK);
    }
    session.finish()?;
    while !session.turn(deadline)? {
        if session.stream().now() > deadline {
            return Err(Broken::TooLate);
        }
    }
    say!("FIGURE stack_transfer_bytes {}", gauge.used());
    plot.print();
    if fell_back {
        say!("{}", markers::FALLBACK_OK);
    }
    Ok(())
}

/// Says what was decided, and over what a session is now open.
fn tell(event: Event) {
    let over_udp_sec = event == Event::Selected(Transport::UdpSec);
    if over_udp_sec {
        say!("{}", markers::AUTH_OK);
        say!("{}", markers::SESSION_OK);
    }
    match event.marker() {
        Some(marker) => say!("{marker}"),
        None => say!("select: {event}"),
    }
    if event == Event::Selected(Transport::Tcp) {
        say!("{}", markers::AUTH_OK);
    }
}

fn udp_sec_id(session: &Climb) -> Option<udp_sec_recovery::endpoint::SessionId> {
    match session.stream() {
        SelectedStream::UdpSec(stream) => Some(stream.id()),
        _ => None,
    }
}

impl Dialer<'_> {
    /// An endpoint for a session with `peer`.
    #[inline(never)]
    fn device(&mut self, peer: &PublicKey, budget: Duration) -> Result<&'static UdpSecDevice, Happened> {
        let any = NetSocketAddrV4::new([0; 4], 0);
        let link = network::bind(self.net, any).map_err(|_| Happened::CannotBind)?;
        let Settings { key_life, .. } = *self.settings;
        let (keypair, time) = (self.settings.keypair(), Time::Network(self.net));
        let make = || endpoint::device(MEMORY.take(), keypair, peer, budget, key_life, link, time);
        let device = DEVICE.fill(make).leak();
        self.device = Some(device);
        Ok(device)
    }

    fn remote(&self) -> NetSocketAddrV4 {
        NetSocketAddrV4::new(self.settings.peer.octets(), self.settings.port)
    }

    /// Whether something had to be sent again.
    fn recovered(&self, session: &Climb) -> bool {
        let session = self.device.zip(udp_sec_id(session));
        session.is_some_and(|(device, id)| {
            let stats = report::stats(device, id);
            stats.stream_bytes_retransmitted + stats.stream_bytes_probed > 0
        })
    }

    /// Some ways of not getting a session are what was to be shown.
    fn judge(&self, end: &Event) -> Result<(), Broken> {
        match end {
            Event::Failed {
                mode: Mode::UdpSec,
                reason: Happened::Silence | Happened::Disabled | Happened::NoPath | Happened::CannotBind,
                ..
            } => {
                assert!(self.tcp_attempts == 0, "TCP was tried");
                say!("{}", markers::STRICT_OK);
                Ok(())
            }
            Event::Failed { transport: Transport::Quic, reason: Happened::Disabled, .. }
            | Event::Failed { reason: Happened::EntropyUnavailable, .. } => {
                assert!(frames_sent() == 0, "something has left");
                Ok(())
            }
            _ => Err(Broken::NoPeer),
        }
    }
}

impl Attempts for Dialer<'_> {
    type UdpSec = UdpSecStream;
    type Tcp = TcpStream;
    type Quic = NoStream;

    #[inline(never)]
    fn udp_sec(&mut self, budget: Duration) -> Result<UdpSecStream, Happened> {
        if !self.settings.udp {
            return Err(Happened::Disabled);
        }
        let peer = *self.settings.peer_keypair().public();
        let device = self.device(&peer, budget)?;
        let gauge = Gauge::begin();
        let mut stream = device.connect(Path::to(self.remote().into()), &peer).map_err(Happened::from)?;
        self.trace.follow(stream.id());
        while stream.peer().is_none() {
            // The end of the handshake, either way, is what this waits for.
            _ = stream.wait(Interest::Either, self.net.now() + PATIENCE);
            self.trace.update(device);
            if let Err(StreamError::Closed(reason)) = stream.read(&mut [0], Instant::ZERO) {
                return Err(reason.into());
            }
        }
        say!("FIGURE stack_handshake_bytes {}", gauge.used());
        Ok(stream)
    }

    #[inline(never)]
    fn tcp(&mut self, budget: Duration) -> Result<TcpStream, Happened> {
        self.tcp_attempts += 1;
        let peer = *self.settings.peer_keypair().public();
        let deadline = self.net.now() + budget;
        let config = network::tcp_config(self.settings, budget);
        let memory = network::tcp_memory().ok_or(Happened::LocalLimit)?;
        let connection = self.net.connect(self.remote(), deadline).map_err(|_| Happened::ConnectionFailed)?;
        let gauge = Gauge::begin();
        let mut stream = SecureTcpStream::connect(connection, memory, &config, &peer, &mut Entropy)?;
        let established = stream.established(deadline);
        say!("FIGURE stack_handshake_bytes {}", gauge.used());
        match established {
            Ok(_) => Ok(stream),
            Err(StreamError::Closed(CloseReason::HandshakeTimeout)) => Err(Happened::ConnectionFailed),
            Err(StreamError::Closed(reason)) => Err(reason.into()),
            Err(_) => Err(Happened::Silence),
        }
    }
}
