//! Whoever violates the contract loses its session, by the label of what it did; the other sessions of the endpoint do
//! not notice. One server and three clients, over udp-sec at 2 % loss, in virtual time.

use lossy_link::{ErrorModel, LinkConfig};
use nexus_net_adapter::mux::frame::{About, Frame, HEAD_MAX};
use nexus_net_adapter::mux::limits::FRAME_PAYLOAD_MAX;
use nexus_net_adapter::mux::{
    End, Event, MuxReject, PriorityClass, Pump, ResetCode, Side, StreamId, StreamName, StreamState,
    WindowCredit,
};
use nexus_net_adapter::stream::{CloseReason, Interest, ReliableStream, StreamError};
use nexus_net_adapter::udp::Clock;
use udp_sec::error::CloseCode;
use udp_sec::time::{Duration, Instant};

use crate::network::{Device, Network, Session, key, path};
use crate::session::{Peer, pattern, until};

const SERVER: usize = 0;
const VIOLATOR: usize = 3;
/// Places for streams that the server has for each client.
const PLACES: usize = 2;

fn about(stream: u32) -> About {
    About { stream: StreamId::new(stream).expect("not 0"), priority: PriorityClass::HIGHEST }
}

fn wire(frame: &Frame, payload: usize) -> Vec<u8> {
    let mut head = [0; HEAD_MAX];
    let len = frame.encode(&mut head).expect("legal").expect("room");
    [&head[..len], &vec![0xda; payload]].concat()
}

fn open(stream: u32, name: &str) -> Vec<u8> {
    let credit = WindowCredit::new(u32::MAX);
    wire(&Frame::Open { about: about(stream), credit, name: StreamName::new(name).expect("short") }, 0)
}

fn data(stream: u32, len: usize) -> Vec<u8> {
    wire(&Frame::Data { about: about(stream), len }, len)
}

/// Every violation that bytes can make, with its label.
fn violations() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let close = || wire(&Frame::Close(about(1)), 0);
    let rst = || wire(&Frame::Rst { about: about(1), code: ResetCode::CANCELLED }, 0);
    let ack = |stream| wire(&Frame::OpenAck { about: about(stream), credit: WindowCredit::NONE }, 0);
    let grant = wire(&Frame::WindowUpdate { about: about(1), delta: WindowCredit::new(1) }, 0);
    let mut oversize = data(1, FRAME_PAYLOAD_MAX);
    oversize[8..12].copy_from_slice(&(FRAME_PAYLOAD_MAX as u32 + 1).to_le_bytes());
    let mut nameless = open(1, "n");
    *nameless.last_mut().expect("a name") = 0xff;
    let transition = "mux.reject.invalid_stream_state_transition";
    let credit = "mux.reject.window_credit_overflow_or_underflow";
    let unknown = "mux.reject.unknown_stream_frame";
    vec![
        ("mux.reject.frame_oversize", vec![open(1, "n"), oversize]),
        (transition, vec![open(1, "n"), close(), close()]),
        (transition, vec![open(1, "n"), close(), data(1, 1)]),
        (transition, vec![open(1, "n"), rst(), close()]),
        (transition, vec![open(1, "n"), open(1, "other")]),
        (transition, vec![ack(2)]),
        (credit, vec![open(1, "n"), data(1, 32768), data(1, 32768), data(1, 1)]),
        (credit, vec![open(1, "n"), grant]),
        (unknown, vec![data(9, 4)]),
        (unknown, vec![vec![0x17; 12]]),
        (
            "mux.reject.stream_limit_exceeded",
            (0..PLACES as u32 + 129).map(|at| open(1 + at, &at.to_string())).collect(),
        ),
        ("mux.reject.duplicate_stream_name", vec![open(1, "n"), open(3, "n")]),
        ("mux.reject.invalid_stream_name", vec![nameless]),
    ]
}

/// A server with three sessions, of which two have a long transfer under way.
struct Scene {
    network: &'static Network,
    violator: Session,
    /// The server's side of the violator's session.
    victim: Peer<Session>,
    others: Vec<Other>,
}

/// A client that keeps to the contract, and its transfer.
struct Other {
    near: Peer<Session>,
    far: Peer<Session>,
    stream: StreamId,
    left: Vec<u8>,
    got: Vec<u8>,
    sent: Vec<u8>,
}

impl Other {
    fn begin(near: Session, far: Session, seed: u32) -> Self {
        let mut near = Peer::begin(near, Side::Initiator, 4, 0);
        let far = Peer::begin(far, Side::Responder, PLACES, 0);
        let sent = pattern(seed, 1 << 20);
        Self { stream: near.open(3, "transfer"), near, far, left: sent.clone(), got: Vec::new(), sent }
    }

    /// A moment of the transfer.
    fn go_on(&mut self) {
        let mut left = &self.left[..];
        self.near.write(self.stream, &mut left);
        let written = self.left.len() - left.len();
        self.left.drain(..written);
        self.near.run().expect("the session goes on");
        self.far.run().expect("the session goes on");
        self.far.read(self.stream, &mut self.got);
    }

    /// The rest of the transfer, and one more stream.
    fn finish(&mut self) {
        while self.got.len() < self.sent.len() {
            self.go_on();
        }
        assert!(self.got == self.sent, "every byte has come");
        let more = self.near.open(0, "one more");
        until(&mut self.near, &mut self.far, |_, far| far.engine.state(more) == Some(StreamState::Open));
        let resets = |event: &Event| matches!(event, Event::Reset(..));
        assert!(!self.near.events().iter().any(resets) && !self.far.events().iter().any(resets));
        assert_eq!((self.near.engine.ended(), self.far.engine.ended()), (None, None));
    }
}

impl Scene {
    fn new(seed: u64) -> Self {
        let config = LinkConfig::default()
            .delay(Duration::from_millis(5))
            .rate(10_000_000)
            .queue(50)
            .loss(ErrorModel::random(20_000));
        let network = Network::new(&config, 4, seed);
        let devices: Vec<&'static Device> = (0..4).map(|at| network.endpoint(at)).collect();
        let session = |client: usize| network.session([client, SERVER], [devices[client], devices[SERVER]]);
        let others = [1, 2].map(|client| {
            let (near, far) = session(client);
            Other::begin(near, far, client as u32)
        });
        let (violator, victim) = session(VIOLATOR);
        let victim = Peer::begin(victim, Side::Responder, PLACES, 0);
        Self { network, violator, victim, others: others.into() }
    }

    fn go_on(&mut self) {
        self.others.iter_mut().for_each(Other::go_on);
        // Nobody else drives the violator's endpoint.
        self.violator.wait(Interest::Readable, Instant::ZERO).ok();
    }

    fn go_on_for(&mut self, span: Duration) {
        let end = self.network.now() + span;
        while self.network.now() < end {
            self.go_on();
        }
    }

    /// What `attempt` comes to, while the others go on.
    fn until<T>(&mut self, mut attempt: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        let end = self.network.now() + Duration::from_secs(60);
        while self.network.now() < end {
            self.go_on();
            if let Some(outcome) = attempt(self) {
                return Some(outcome);
            }
        }
        None
    }
}

#[test]
fn each_violation_costs_its_session_by_its_label_and_no_other() {
    let mut labels: Vec<_> = Vec::new();
    for (seed, (label, frames)) in (0..).zip(violations()) {
        let mut scene = Scene::new(seed);
        scene.go_on_for(Duration::from_millis(50));
        let bytes = frames.concat();
        let mut left = &bytes[..];
        let written = scene.until(|scene| {
            let taken = scene.violator.write(left, Instant::ZERO).unwrap_or(0);
            left = &left[taken..];
            left.is_empty().then_some(())
        });
        assert_eq!(written, Some(()));
        // The server looks when all has come: what it has answered meanwhile would change what is legal.
        scene.go_on_for(Duration::from_millis(500));
        assert!(scene.others.iter().all(|other| other.got.len() < other.sent.len()), "others are at work");
        let end = scene.until(|scene| scene.victim.run().err());
        let Some(End::Rejected(reject)) = end else { panic!("{label}: {end:?}") };
        assert_eq!(reject.label(), label);
        labels.push(label);

        let closed = StreamError::Closed(CloseReason::ByPeer(CloseCode::AppAbort));
        let told = scene.until(|scene| {
            let outcome = scene.violator.read(&mut [0; 4096], Instant::ZERO);
            outcome.err().filter(|error| matches!(error, StreamError::Closed(_)))
        });
        assert_eq!(told, Some(closed), "{label}");
        scene.others.iter_mut().for_each(Other::finish);
    }
    let on_the_wire = MuxReject::ALL.iter().filter(|reject| **reject != MuxReject::UnauthenticatedSession);
    for reject in on_the_wire {
        assert!(labels.contains(&reject.label()), "nobody tried {reject}");
    }
}

#[test]
fn a_session_that_is_not_confirmed_carries_no_mux_and_the_others_do_not_notice() {
    let mut scene = Scene::new(99);
    let client = scene.network.endpoint(VIOLATOR);
    let unconfirmed = client.connect(path(SERVER), &key(SERVER)).expect("room");
    let reject = Pump::<_, 512>::begin(unconfirmed).map(|_| ()).expect_err("nobody has proven anything");
    assert_eq!(reject.label(), "mux.reject.unauthenticated_session");
    scene.go_on_for(Duration::from_millis(100));
    scene.others.iter_mut().for_each(Other::finish);
}
