//! Two processes, two UDP sockets, one handshake, one sealed message: `cargo run -p udp-sec --example one_message`.
//!
//! The first process answers; it starts the second, hands it the keys through a pipe, and waits for its message.

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::error::Error;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::Duration;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::limits::{DATA_HEADER_LEN, DATAGRAM_MAX, TAG_LEN};
use udp_sec::session::Session;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Repeats of the Initiation, 250 ms apart, before the client gives up.
const TRIES: u32 = 20;

fn main() -> Result<()> {
    match std::env::args().nth(1) {
        Some(address) => connect(&address),
        None => listen(),
    }
}

fn listen() -> Result<()> {
    let mut rng = system_rng()?;
    let (server, client) = (StaticKeypair::generate(&mut rng)?, StaticKeypair::generate(&mut rng)?);
    let mut allowed = AllowList::<1>::new();
    allowed.add(*client.public())?;

    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_millis(250) * TRIES))?;
    let program = std::env::current_exe()?;
    let mut child =
        Command::new(program).arg(socket.local_addr()?.to_string()).stdin(Stdio::piped()).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(client.secret())?;
        pipe.write_all(server.public().as_bytes())?;
    }

    let responder = Responder::new(server);
    let mut buffer = [0; DATAGRAM_MAX + 1];
    let (mut session, mut replay_window): (Option<Session>, _) = (None, [0; 128]);
    loop {
        let (len, from) = socket.recv_from(&mut buffer)?;
        let datagram = &mut buffer[..len];
        if let Ok(checked) = responder.check_mac1(datagram) {
            // A real endpoint recognises a repeat and answers it with the cached Response.
            let authorized = responder.read(checked, &mut rng)?.authorize(&allowed)?;
            if let Accepted::HalfOpen { response, session: new, .. } =
                authorized.accept(rng.next_u64(), &parameters()?)?
            {
                socket.send_to(&response, from)?;
                session = Some(new);
            }
        } else if let Some(Ok(opened)) =
            session.as_mut().map(|session| session.open(&mut replay_window, datagram))
        {
            let text = String::from_utf8_lossy(opened.frames());
            println!("{:?} says, in packet {}: {text}", client.public(), opened.packet_number());
            child.wait()?;
            return Ok(());
        }
    }
}

fn connect(address: &str) -> Result<()> {
    let mut rng = system_rng()?;
    let (mut secret, mut server) = ([0; 32], [0; 32]);
    std::io::stdin().read_exact(&mut secret)?;
    std::io::stdin().read_exact(&mut server)?;
    let client = StaticKeypair::from_secret(secret);
    let server = PublicKey::from_bytes(server);

    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(Duration::from_millis(250)))?;
    let mut initiator = Initiator::new(&client, &server, rng.next_u64(), &parameters()?, &mut rng)?;
    let mut buffer = [0; DATAGRAM_MAX + 1];
    for _ in 0..TRIES {
        socket.send(initiator.datagram())?;
        let len = match socket.recv(&mut buffer) {
            Ok(len) => len,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) => return Err(error.into()),
        };
        match initiator.read_response(&buffer[..len]) {
            Answer::Established { mut session, .. } => {
                let mut datagram = [&[0; DATA_HEADER_LEN][..], b"one sealed message", &[0; TAG_LEN]].concat();
                session.seal(&mut datagram)?;
                socket.send(&datagram)?;
                return Ok(());
            }
            Answer::Refused(code) => return Err(code.to_string().into()),
            // Only for who demands a proof: this example does not.
            Answer::Unproven => return Err("no proof of identity".into()),
            Answer::Rejected(unchanged, _) => initiator = unchanged,
        }
    }
    Err("no answer".into())
}

fn parameters() -> Result<Parameters> {
    Ok(Parameters::new(ApplicationProtocol::new(b"one-message/1")?, 65_536))
}

/// A generator seeded by the system.
fn system_rng() -> Result<ChaCha20Rng> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(ChaCha20Rng::from_seed(seed))
}
