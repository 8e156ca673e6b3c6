//! The tool's memory after a session: it goes on waiting for others, and has forgotten the keys of the last.

use std::net::UdpSocket;
use std::time::Duration;

use nexus_net_adapter::backend::host::HostClock;
use secrets::end::{Side, endpoint};
use secrets::needles::{Known, Needle, schedule};
use secrets::recorder::Recorder;
use secrets::search::search;
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Output, SessionId};
use udp_sec_recovery::event::Event;

use crate::process::{Folder, PATIENCE, Running};

/// A caller that shows what nobody else would: the secrets of its session.
struct Caller {
    endpoint: Box<Side>,
    random: Recorder,
    socket: UdpSocket,
    clock: HostClock,
    path: Path,
    session: Option<SessionId>,
    /// The listener's ephemeral key.
    theirs: Option<[u8; 32]>,
}

impl Caller {
    fn call(address: &str, listener: &PublicKey, keys: StaticKeypair, mut random: Recorder) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a socket");
        let path = Path::to(address.parse().expect("an address"));
        let mut endpoint = endpoint(keys, *listener, b"udpsec-file/1");
        endpoint.connect(Instant::ZERO, &mut random, path, listener).expect("an empty endpoint");
        let clock = HostClock::start();
        Self { endpoint, random, socket, clock, path, session: None, theirs: None }
    }

    /// Sends and receives what there is at the moment.
    fn turn(&mut self) {
        let now = self.clock.now();
        let mut room = [0; 1_500];
        if let Ok(len) = self.socket.recv(&mut room) {
            if room[1] == 2 {
                self.theirs = room[12..44].try_into().ok();
            }
            self.endpoint.handle_datagram(now, &mut self.random, self.path, &mut room[..len]);
            self.endpoint.end_of_batch();
        }
        self.endpoint.handle_timeout(now);
        loop {
            match self.endpoint.poll_output(now, &mut room[..1_200]) {
                Output::Transmit(transmit) => {
                    self.socket.send_to(&room[..transmit.len], self.path.remote).expect("loopback");
                }
                Output::Event(id, Event::Established) => self.session = Some(id),
                Output::Event(..) => {}
                Output::Wait(_) => return,
            }
        }
    }

    fn turn_until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        let limit = self.clock.now() + udp_sec::time::Duration::from_secs(PATIENCE.as_secs());
        while !done(self) {
            assert!(self.clock.now() < limit);
            self.turn();
        }
    }
}

#[test]
fn a_listener_forgets_the_keys_of_a_session_that_has_ended() {
    let folder = Folder::new("memory");
    let listener_key = folder.key("listener");
    let mut random = Recorder::new(u64::from(std::process::id()));
    let caller = StaticKeypair::generate(&mut random).expect("infallible");
    let [listener_public, caller_public] =
        [text(&listener_key), *caller.public().as_bytes()].map(PublicKey::from_bytes);
    let (key, allowed) = (folder.path("listener"), base64(caller_public.as_bytes()));
    let mut listener = Running::start(&[
        "recv",
        "--listen",
        "127.0.0.1:0",
        "--key",
        &key,
        "--allow",
        &allowed,
        "--keep",
        "--out",
        &folder.path(""),
    ]);
    let address = listener.address();
    let mut caller = Caller::call(&address, &listener_public, caller, random);
    caller.turn_until(|caller| caller.session.is_some());

    let [secret, ephemeral, ..] = caller.random.drawn[..] else { panic!("a handshake draws") };
    let peer_ephemeral = caller.theirs.expect("a Response");
    let peer = *listener_public.as_bytes();
    let known = Known { secret, ephemeral, peer, peer_ephemeral, is_initiator: true };
    let schedule = schedule(&known);
    let session_keys = schedule.session.clone();
    let needles: Vec<Needle> = schedule.session.into_iter().chain(schedule.handshake).collect();
    let id = caller.session.expect("established");
    caller.endpoint.session(id).expect("open").write(b"no file begins like this").expect("open");
    caller.turn_until(|caller| caller.endpoint.session(id).is_some_and(|session| session.is_delivered()));
    let during = search(listener.id(), &needles).expect("our own child");
    println!("during: {during:?}");
    for key in &session_keys {
        assert!(during.contains_key(&key.name), "{}: the search must be able to find it", key.name);
    }

    let now = caller.clock.now();
    caller.endpoint.release(now, id);
    caller.turn();
    listener.line("udpsec: ");
    let mut left = during;
    caller.turn_until(|_| {
        left = search(listener.id(), &needles).expect("our own child");
        println!("after: {left:?}");
        left.is_empty()
    });
    assert_eq!(left.len(), 0);
}

fn text(base64: &str) -> [u8; 32] {
    data_encoding::BASE64.decode(base64.as_bytes()).expect("a key").try_into().expect("32 bytes")
}

fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}
