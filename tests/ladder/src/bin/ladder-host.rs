//! `ladder-host`: a host's end of a QEMU run, `ladder-host listen|connect [name=value...]` with the words of a guest's
//! boot arguments. Says what a guest says, and exits with 0 when all of it was proven.

use std::net::SocketAddr;
use std::process::ExitCode;

use ladder::settings::Unknown;
use ladder::{APPLICATION, Broken, Connector, Listener, MUX_MEMORY, Session, Settings, markers};
use nexus_net_adapter::backend::host::{
    Destination, HostClock, HostConnector, HostEndpoint, HostSelected, HostTcpListener, Peers, UdpSec, config,
};
use nexus_net_adapter::mux::Side;
use nexus_net_adapter::select::{Event, Happened, Mode, SelectedStream, Transport};
use nexus_net_adapter::stream::ReliableStream as _;
use nexus_net_adapter::tcp;
use udp_sec::handshake::params::ApplicationProtocol;
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::Config;
use udp_sec_recovery::stats::Stats;

/// Bulk transfers more, at most, until the link has lost something that mattered.
const ROUNDS_MAX: u32 = 16;
/// How long the end of a session may take.
const PARTING: Duration = Duration::from_secs(5);
/// Between two looks at what else could happen.
const LOOK: Duration = Duration::from_millis(2);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((role, rest)) =
        words.split_first().filter(|(role, _)| matches!(role.as_str(), "listen" | "connect"))
    else {
        eprintln!("usage: ladder-host listen|connect [name=value...]");
        return ExitCode::from(2);
    };
    let role_word = if role == "listen" { "role=listener" } else { "role=connector" };
    let arguments = format!("{role_word} {}", rest.join(" "));
    let settings = match Settings::parse(&arguments) {
        Ok(settings) => settings,
        Err(Unknown(word)) => {
            eprintln!("ladder-host: '{word}' means nothing here");
            return ExitCode::from(2);
        }
    };
    let outcome = if role == "listen" { listen(&settings) } else { connect(&settings) };
    match outcome {
        Ok(()) => {
            println!("{}", markers::END);
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What both ends say of themselves.
fn identity(settings: &Settings) -> Config {
    let application = ApplicationProtocol::new(APPLICATION).expect("a short name");
    let mut config = config(settings.keypair(), application);
    config.parameters.idle_timeout = Duration::from_secs(10);
    config.key_life.packets = settings.key_life;
    config
}

fn connect(settings: &Settings) -> Result<(), Broken> {
    let remote = SocketAddr::new(settings.address, settings.port);
    let to = Destination { peer: *settings.peer_keypair().public(), udp_sec: remote, tcp: remote };
    let udp_sec = if settings.udp { UdpSec::Anywhere } else { UdpSec::Disabled };
    let mut fell_back = false;
    let selected = HostConnector::new(identity(settings), udp_sec).connect(&to, settings.mode, |event| {
        fell_back |= matches!(event, Event::FellBack(_));
        tell(&event);
    });
    let stream = match selected {
        Ok(stream) => stream,
        Err(end) => return judge(end.why.mode, end.why.reason),
    };
    let transport = stream.transport();
    let mut memory = vec![0; MUX_MEMORY];
    let mut session = Session::begin(stream, Side::Initiator, &mut memory)?;
    let outcome = climb(settings, &mut session, transport);
    report(session.stream());
    outcome?;
    part(session);
    if fell_back {
        println!("{}", markers::FALLBACK_OK);
    }
    Ok(())
}

fn climb(
    settings: &Settings,
    session: &mut Session<'_, HostSelected>,
    transport: Transport,
) -> Result<(), Broken> {
    let deadline = session.stream().now() + settings.limit;
    let mut connector = Connector::new(settings.plan);
    let mut rounds = 0;
    loop {
        let now = session.stream().now();
        if now > deadline {
            return Err(Broken::TooLate);
        }
        while let Some(rung) = connector.step(now, session.mux()).map_err(Broken::Program)? {
            if rounds == 0 {
                let mut lines = String::new();
                markers::rung(&rung, transport, &mut lines).expect("memory takes everything");
                print!("{lines}");
            }
        }
        if connector.is_done() && session.is_done() {
            let wanting = settings.loss && transport == Transport::UdpSec;
            if !wanting || was_sent_again(&stats(session.stream())) {
                break;
            }
            rounds += 1;
            if rounds > ROUNDS_MAX {
                return Err(Broken::NoLoss);
            }
            connector.once_more(now, session.mux()).map_err(Broken::Program)?;
        }
        session.turn(deadline)?;
    }
    if settings.loss && transport == Transport::UdpSec {
        println!("{}", markers::RECOVERY_OK);
    }
    session.finish()?;
    while !session.turn(deadline)? {
        if session.stream().now() > deadline {
            return Err(Broken::TooLate);
        }
    }
    Ok(())
}

fn listen(settings: &Settings) -> Result<(), Broken> {
    let local = SocketAddr::new(settings.address, settings.port);
    let peers = Peers::Only(vec![*settings.peer_keypair().public()]);
    let identity = identity(settings);
    let endpoint = settings.udp.then(|| {
        let endpoint = HostEndpoint::bind(local, identity.clone(), peers.clone()).expect("a free UDP port");
        println!("{} {}", markers::LISTENER_UP, settings.port);
        endpoint
    });
    let clock = HostClock::start();
    let config = tcp::Config::from(&identity);
    let mut listener = HostTcpListener::bind(local, config, peers, clock).expect("a free TCP port");
    let deadline = listener.now() + settings.limit;
    let stream = loop {
        if let Some(Ok(stream)) = endpoint.as_ref().map(|endpoint| endpoint.accept(endpoint.now() + LOOK)) {
            break HostSelected::UdpSec(stream);
        }
        if let Ok(stream) = listener.accept(listener.now() + LOOK) {
            break HostSelected::Tcp(stream);
        }
        if listener.now() > deadline {
            return Err(Broken::TooLate);
        }
    };
    println!("{}", markers::AUTH_OK);
    if stream.transport() == Transport::UdpSec {
        println!("{}", markers::SESSION_OK);
    }
    let mut memory = vec![0; MUX_MEMORY];
    let mut session = Session::begin(stream, Side::Responder, &mut memory)?;
    let outcome = serve(&mut session, settings.limit);
    report(session.stream());
    println!("FIGURE received_bytes {}", outcome?);
    part(session);
    if let Some(endpoint) = endpoint {
        // Not in time only means that the peer learns of the end by its own timeout.
        _ = endpoint.linger(endpoint.now() + PARTING);
    }
    Ok(())
}

fn serve(session: &mut Session<'_, HostSelected>, limit: Duration) -> Result<u64, Broken> {
    let deadline = session.stream().now() + limit;
    let mut listener = Listener::new();
    loop {
        if session.stream().now() > deadline {
            return Err(Broken::TooLate);
        }
        listener.step(session.mux()).map_err(Broken::Program)?;
        if session.turn(deadline)? {
            session.finish()?;
            return Ok(listener.receipts().0);
        }
    }
}

/// Waits until both directions are complete. Whoever is gone before has said that it was done.
fn part(mut session: Session<'_, HostSelected>) {
    let until = session.stream().now() + PARTING;
    match session.stream_mut() {
        SelectedStream::UdpSec(stream) => {
            _ = stream.close(until);
            let endpoint = stream.endpoint();
            drop(session);
            _ = endpoint.linger(endpoint.now() + PARTING);
        }
        SelectedStream::Tcp(stream) => _ = stream.close(until),
        SelectedStream::Quic(never) => match *never {},
    }
}

/// Says what was decided, and over what a session is now open.
fn tell(event: &Event) {
    if *event == Event::Selected(Transport::UdpSec) {
        println!("{}\n{}", markers::AUTH_OK, markers::SESSION_OK);
    }
    match event.marker() {
        Some(marker) => println!("{marker}"),
        None => println!("select: {event}"),
    }
    if *event == Event::Selected(Transport::Tcp) {
        println!("{}", markers::AUTH_OK);
    }
}

/// Some ways of not getting a session are what was to be shown.
fn judge(mode: Mode, reason: Happened) -> Result<(), Broken> {
    match (mode, reason) {
        (Mode::UdpSec, Happened::Disabled | Happened::Silence | Happened::NoPath | Happened::CannotBind) => {
            println!("{}", markers::STRICT_OK);
            Ok(())
        }
        (Mode::Quic, Happened::Disabled) => Ok(()),
        _ => Err(Broken::NoPeer),
    }
}

fn stats(stream: &HostSelected) -> Stats {
    match stream {
        SelectedStream::UdpSec(stream) => stream.stats(),
        _ => Stats::default(),
    }
}

const fn was_sent_again(stats: &Stats) -> bool {
    stats.stream_bytes_retransmitted > 0 || stats.stream_bytes_probed > 0
}

/// Says what the session has counted.
fn report(stream: &HostSelected) {
    if stream.transport() == Transport::UdpSec {
        let stats = stats(stream);
        println!("STAT datagrams_sent {}", stats.datagrams_sent);
        println!("STAT packets_lost {}", stats.packets_lost);
        println!("STAT stream_bytes_retransmitted {}", stats.stream_bytes_retransmitted);
        println!("STAT stream_bytes_probed {}", stats.stream_bytes_probed);
        println!("STAT probe_timeouts {}", stats.probe_timeouts);
    }
}
