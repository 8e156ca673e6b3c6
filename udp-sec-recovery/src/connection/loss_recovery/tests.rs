//! What acknowledgements and losses teach of the path, and that those of an earlier path teach nothing of this one.

use std::vec;
use std::vec::Vec;

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::keys::StaticKeypair;
use udp_sec::session::Session;
use udp_sec::time::{Duration, Instant};

use crate::connection::{Connection, KeyLife, Path, Start};
use crate::frame::{Frame, FrameWriter, Frames};
use crate::memory::Medium;
use crate::recv::ranges::ReceivedNumbers;

const FULL: usize = 10;

/// A connection that sends, and a peer that acknowledges what the test says.
struct Sender {
    connection: Connection<Medium>,
    peer: Session,
    replay: [u64; 128],
    now: Instant,
    path: Path,
}

/// The two ends of a session, the responder's first.
fn sessions(parameters: &Parameters) -> (Session, Session) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let [own, peer] = [(); 2].map(|()| StaticKeypair::generate(&mut rng).expect("entropy"));
    let initiator = Initiator::new(&peer, own.public(), 1, parameters, &mut rng).expect("entropy");
    let mut allowed = AllowList::<1>::new();
    allowed.add(*peer.public()).expect("room");
    let responder = Responder::new(own);
    let checked = responder.check_mac1(initiator.datagram()).expect("a right mac1");
    let authorized =
        responder.read(checked, &mut rng).and_then(|it| it.authorize(&allowed)).expect("allowed");
    match authorized.accept(2, parameters) {
        Ok(Accepted::HalfOpen { response, session, .. }) => match initiator.read_response(&response) {
            Answer::Established { session: peer, .. } => (session, peer),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn host(number: u8) -> Path {
    Path::to(([192, 0, 2, number], 40_000).into())
}

impl Sender {
    fn new() -> Self {
        let mut parameters = Parameters::new(ApplicationProtocol::new(b"test/1").expect("short"), 1 << 30);
        parameters.max_ack_delay = Duration::ZERO;
        let (session, peer) = sessions(&parameters);
        let start = Start {
            now: Instant::ZERO,
            path: host(1),
            local: &parameters,
            peer: &parameters,
            handshake_rtt: None,
            path_proven: true,
            confirm_by: None,
            keepalive: false,
            key_life: KeyLife::LONGEST,
        };
        let connection = Connection::new(Medium::new(), session, &start);
        Self { connection, peer, replay: [0; 128], now: Instant::ZERO, path: host(1) }
    }

    /// A packet of the peer's with what `write` writes.
    fn hear(&mut self, write: impl FnOnce(&mut FrameWriter<'_>)) {
        let mut datagram = vec![0; 1200];
        let mut writer = FrameWriter::new(&mut datagram[16..1184]);
        write(&mut writer);
        let len = 32 + writer.len();
        datagram.truncate(len);
        self.peer.seal(&mut datagram).expect("a packet of legal size");
        self.connection.handle_datagram(self.now, self.path, &mut datagram).expect("a good packet");
        self.connection.check();
    }

    /// Everything that leaves now: numbers, and where a challenge is in it, that.
    fn drain(&mut self) -> Vec<(u64, Option<[u8; 8]>)> {
        let mut out = [0; 1200];
        let mut sent = Vec::new();
        while let Some(transmit) = self.connection.poll_transmit(self.now, &mut out) {
            let packet =
                self.peer.open(&mut self.replay, &mut out[..transmit.len]).expect("a packet of ours");
            let challenge = Frames::new(packet.frames()).find_map(|frame| match frame {
                Ok(Frame::PathChallenge(challenge)) if transmit.path == self.path => Some(challenge),
                _ => None,
            });
            sent.push((packet.packet_number(), challenge));
            self.connection.check();
        }
        sent
    }

    /// Writes `len` bytes; the numbers of all that leaves.
    fn send(&mut self, len: usize) -> Vec<u64> {
        assert_eq!(self.connection.write(&vec![7; len]), Ok(len));
        self.drain().into_iter().map(|(number, _)| number).collect()
    }

    fn acknowledge(&mut self, numbers: &[u64]) {
        let mut received = ReceivedNumbers::new();
        for number in numbers {
            received.insert(*number);
        }
        self.hear(|frames| {
            frames.ack(&received, Duration::ZERO).expect("room");
        });
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// The peer moves to `to`, and answers the challenge there.
    fn move_to(&mut self, to: Path) {
        self.path = to;
        self.hear(|frames| frames.ping().expect("room"));
        let challenge = self.drain().into_iter().find_map(|(_, challenge)| challenge).expect("a challenge");
        self.hear(|frames| frames.path_response(challenge).expect("room"));
        assert_eq!(self.connection.path(), to);
    }
}

/// RFC 9002 section 5.1.
#[test]
fn a_round_trip_is_measured_by_the_largest_number_only_when_it_is_new() {
    let mut sender = Sender::new();
    let first = sender.send(10)[0];
    let second = sender.send(10)[0];
    sender.wait(100);
    sender.acknowledge(&[second]);
    let measured = sender.connection.path_state();
    assert_eq!(measured.smoothed_rtt, Duration::from_millis(100));

    // The other one comes late: it is new, the largest is not.
    sender.wait(300);
    sender.acknowledge(&[first, second]);
    assert_eq!(sender.connection.unacknowledged(), 0, "it counts");
    assert_eq!(sender.connection.path_state().smoothed_rtt, measured.smoothed_rtt, "but measures nothing");
    assert_eq!(sender.connection.path_state().rtt_variation, measured.rtt_variation);

    // The largest is new, but asked for no acknowledgement: when the peer got round to it says nothing.
    let third = sender.send(10)[0];
    sender.hear(|frames| frames.ping().expect("room"));
    let of_ack = sender.drain()[0].0;
    assert_eq!(sender.connection.path_state().in_flight, 53, "the packet of bytes alone");
    sender.wait(300);
    sender.acknowledge(&[third, of_ack]);
    assert_eq!(sender.connection.unacknowledged(), 0);
    assert_eq!(sender.connection.path_state().smoothed_rtt, measured.smoothed_rtt);
}

/// RFC 9000 section 9.4.
#[test]
fn packets_of_the_old_path_measure_no_round_trip_of_the_new_one() {
    let mut sender = Sender::new();
    let old = sender.send(5_000);
    sender.wait(200);
    sender.move_to(host(2));
    sender.acknowledge(&old);
    assert_eq!(sender.connection.unacknowledged(), 0, "they count as arrived");
    assert_eq!(sender.connection.path_state().min_rtt, Duration::ZERO, "no sample");
    assert_eq!(sender.connection.path_state().smoothed_rtt, Duration::from_millis(333), "an assumption");
    let new = sender.send(10);
    sender.wait(40);
    sender.acknowledge(&new);
    assert_eq!(sender.connection.path_state().smoothed_rtt, Duration::from_millis(40));
}

#[test]
fn acknowledgements_of_the_old_path_do_not_grow_the_window_of_the_new_one() {
    let mut sender = Sender::new();
    let old = sender.send(60_000);
    assert_eq!(old.len(), FULL, "the window is full");
    sender.wait(200);
    sender.move_to(host(2));
    let new = sender.drain();
    assert_eq!(new.len(), FULL, "the new window is empty at first, and full then");
    sender.acknowledge(&old);
    assert_eq!(sender.connection.path_state().window, 12_000);
    assert_eq!(sender.connection.path_state().in_flight, 12_000);
    sender.acknowledge(&new.iter().map(|(number, _)| *number).collect::<Vec<_>>());
    assert_eq!(sender.connection.path_state().window, 24_000, "those of the new one do");
}

#[test]
fn losses_of_the_old_path_do_not_reduce_the_window_of_the_new_one() {
    let mut sender = Sender::new();
    sender.send(60_000);
    sender.wait(200);
    sender.move_to(host(2));
    let new: Vec<_> = sender.drain().into_iter().map(|(number, _)| number).collect();
    sender.wait(40);
    sender.acknowledge(&new);
    let (stats, path) = (sender.connection.stats(), sender.connection.path_state());
    assert_eq!(stats.packets_lost, FULL as u64, "what went to the old address is sent again");
    assert_eq!((stats.window_reductions, path.ssthresh, path.window), (0, u64::MAX, 24_000));

    // A loss of the new path is one.
    let new = sender.drain();
    sender.wait(40);
    sender.acknowledge(&[new[3].0]);
    assert_eq!(sender.connection.stats().window_reductions, 1);
}

#[test]
fn a_late_acknowledgement_of_the_old_path_undoes_no_reduction_of_the_new_one() {
    let mut sender = Sender::new();
    let old = sender.send(60_000);
    sender.wait(100);
    sender.acknowledge(&[old[3]]);
    assert_eq!(sender.connection.stats().window_reductions, 1, "the first of them is lost");
    sender.move_to(host(2));
    let new: Vec<_> = sender.drain().into_iter().map(|(number, _)| number).collect();
    sender.wait(40);
    sender.acknowledge(&[new[3]]);
    assert_eq!(sender.connection.stats().window_reductions, 2);
    let window = sender.connection.path_state().window;
    sender.acknowledge(&[old[0], old[3], new[3]]);
    assert_eq!(sender.connection.stats().spurious_losses, 1);
    assert_eq!(sender.connection.stats().reductions_undone, 0);
    sender.acknowledge(&[new[0], new[3]]);
    assert_eq!(sender.connection.stats().reductions_undone, 1, "that of the new path does");
    assert!(sender.connection.path_state().window > window);
}

/// Nothing of it counts in the new window, but it is still missed: where there is nothing else to send, a probe finds out.
#[test]
fn what_is_under_way_on_the_old_path_is_probed_for() {
    let mut sender = Sender::new();
    let first = sender.send(10);
    sender.wait(40);
    sender.acknowledge(&first);
    sender.send(5_000);
    sender.move_to(host(2));
    sender.drain();
    assert_eq!(sender.connection.path_state().in_flight, 0, "nothing but an ACK has left");
    let probes_at = sender.connection.next_timeout().expect("a probe timeout");
    assert!(probes_at <= sender.now + Duration::from_secs(1), "{probes_at:?}");
    sender.now = probes_at;
    sender.connection.handle_timeout(probes_at).expect("no candidate");
    let probes: Vec<_> = sender.drain().into_iter().map(|(number, _)| number).collect();
    assert_eq!(probes.len(), 2);
    sender.acknowledge(&probes);
    let rest: Vec<_> = sender.drain().into_iter().map(|(number, _)| number).collect();
    sender.acknowledge(&rest);
    assert_eq!(sender.connection.unacknowledged(), 0);
}
