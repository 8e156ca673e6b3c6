//! Three copies of message 1 and three of message 2, delivered in every order, with and without pauses: one session on
//! each side, under the same keys, and nothing left behind.

use chacha20::ChaCha8Rng;
use harness::pool::HeapPool;
use rand_core::SeedableRng;
use udp_sec::error::Reject;
use udp_sec::handshake::identity::AllowList;
use udp_sec::limits::HALF_OPEN_LIFE;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::endpoint::{Config, Endpoint, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Small;

use crate::lab::{HANDSHAKES, SESSIONS, address, keys, parameters};

type Side = Endpoint<HeapPool<Small>, AllowList<1>, SESSIONS, HANDSHAKES>;

const INITIATOR: usize = 0;
const RESPONDER: usize = 1;
/// Longer than the first retry, shorter than the budget.
const PAUSE: Duration = Duration::from_millis(400);

/// What arrives next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Arrival {
    /// A copy of message 1 at the responder.
    First,
    /// A copy of message 2 at the initiator.
    Second,
    /// What the initiator has said since, at the responder.
    Data,
}

struct Pair {
    sides: [Side; 2],
    rng: ChaCha8Rng,
    now: Instant,
    established: [Vec<SessionId>; 2],
    /// The handshake's messages, once they have been seen.
    messages: [Option<Vec<u8>>; 2],
    /// Data packets under way to each side.
    under_way: [Vec<Vec<u8>>; 2],
}

impl Pair {
    fn new() -> Self {
        let sides = [(1, 2), (2, 1)].map(|(own, peer)| {
            let mut allowed = AllowList::new();
            allowed.add(*keys(peer).public()).expect("room for one");
            Side::new(Config::new(keys(own), parameters()), Box::default(), HeapPool::new(SESSIONS), allowed)
        });
        let mut pair = Self {
            sides,
            now: Instant::ZERO,
            established: Default::default(),
            messages: [None, None],
            under_way: Default::default(),
            rng: ChaCha8Rng::seed_from_u64(7),
        };
        pair.sides[INITIATOR].connect(pair.now, &mut pair.rng, address(2), keys(2).public()).expect("room");
        pair.drain();
        pair
    }

    fn drain(&mut self) {
        let mut out = [0; 1200];
        for side in [INITIATOR, RESPONDER] {
            loop {
                match self.sides[side].poll_output(self.now, &mut out) {
                    Output::Transmit(transmit) => self.on_sent(side, &out[..transmit.len]),
                    Output::Event(id, Event::Established) => self.established[side].push(id),
                    Output::Event(..) => {}
                    Output::Wait(_) => break,
                }
            }
            self.sides[side].check();
        }
    }

    /// Handshake messages are kept, to be delivered as the order says: every repeat must be the same.
    fn on_sent(&mut self, side: usize, datagram: &[u8]) {
        if datagram[1] == side as u8 + 1 {
            let message = self.messages[side].get_or_insert_with(|| datagram.to_vec());
            assert!(message == datagram, "a repeat is the same message");
        } else {
            assert_eq!(datagram[1], 4);
            self.under_way[1 - side].push(datagram.to_vec());
        }
    }

    fn deliver(&mut self, side: usize, mut datagram: Vec<u8>) {
        let from = address(2 - side as u8);
        self.sides[side].handle_datagram(self.now, &mut self.rng, from, &mut datagram);
        self.sides[side].end_of_batch();
        self.drain();
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::First => self.deliver(RESPONDER, self.messages[0].clone().expect("sent")),
            Arrival::Second => self.deliver(INITIATOR, self.messages[1].clone().expect("sent")),
            Arrival::Data => self.deliver_data(RESPONDER),
        }
    }

    fn deliver_data(&mut self, side: usize) {
        for datagram in std::mem::take(&mut self.under_way[side]) {
            self.deliver(side, datagram);
        }
    }

    fn wait(&mut self, span: Duration) {
        self.now += span;
        self.sides.iter_mut().for_each(|side| side.handle_timeout(self.now));
        self.drain();
    }

    /// Everything under way arrives, for `span`.
    fn settle(&mut self, span: Duration) {
        let until = self.now + span;
        while self.now < until {
            self.deliver_data(RESPONDER);
            self.deliver_data(INITIATOR);
            self.wait(Duration::from_millis(50));
        }
    }

    /// One session on each side; what one seals the other opens.
    fn assert_one_session(&mut self) {
        let [[of_initiator], [of_responder]] = [&self.established[0][..], &self.established[1][..]] else {
            panic!("{:?}", self.established)
        };
        let ids = [*of_initiator, *of_responder];
        for side in [INITIATOR, RESPONDER] {
            assert_eq!(self.sides[side].sessions(), 1);
            let session = self.sides[side].session(ids[side]).expect("open");
            assert_eq!(session.write(&[side as u8; 5]), Ok(5));
        }
        self.settle(Duration::from_secs(1));
        for side in [INITIATOR, RESPONDER] {
            let mut bytes = [9; 8];
            let session = self.sides[side].session(ids[side]).expect("open");
            assert_eq!(session.read(&mut bytes), Ok(5));
            assert_eq!(bytes[..5], [1 - side as u8; 5]);
            for label in [Reject::DecryptFailed, Reject::HandshakeFailed, Reject::HalfOpenLimit] {
                assert_eq!(self.sides[side].rejects().get(label), 0, "{label}");
            }
        }
    }

    /// After the session, copies that come late make no other, and leave nothing.
    fn assert_nothing_is_left(&mut self) {
        for side in [INITIATOR, RESPONDER] {
            let id = self.established[side][0];
            self.sides[side].release(self.now, id);
        }
        self.drain();
        self.settle(Duration::from_secs(5));
        // The session that knew message 1 is gone, so it gets another answer, as any initiation does.
        let second = self.messages[1].take().expect("sent");
        self.arrive(Arrival::First);
        self.deliver(INITIATOR, second);
        assert_eq!(self.sides.each_ref().map(Side::half_open), [0, 1]);
        self.wait(HALF_OPEN_LIFE);
        for side in &self.sides {
            assert_eq!((side.sessions(), side.half_open(), side.farewells()), (0, 0, 0));
        }
        assert_eq!(self.established.each_ref().map(Vec::len), [1, 1], "no other session");
    }
}

/// All orders of three copies of each message in which message 2 does not come before there is one, each with the
/// initiator's data arriving at each later moment.
fn orders() -> Vec<Vec<Arrival>> {
    let mut orders = Vec::new();
    for firsts in (0_u32..64).filter(|firsts| firsts.count_ones() == 3 && firsts & 1 == 1) {
        let copies: Vec<_> =
            (0..6).map(|nth| if firsts >> nth & 1 == 1 { Arrival::First } else { Arrival::Second }).collect();
        let second = copies.iter().position(|arrival| *arrival == Arrival::Second).expect("three");
        for at in second + 1..=copies.len() {
            let mut order = copies.clone();
            order.insert(at, Arrival::Data);
            orders.push(order);
        }
    }
    orders
}

/// Plays every order with each set of `pauses`, a bit for each arrival behind which there is one.
fn assert_orders_end_in_one_session(pauses: &[u32]) {
    let orders = orders();
    assert_eq!(orders.len(), 10 + 9 + 9 + 9 + 8, "ten orders, and the places for data in each");
    for order in &orders {
        for pauses in pauses {
            println!("{order:?}, pauses {pauses:07b}");
            let mut pair = Pair::new();
            for (nth, arrival) in order.iter().enumerate() {
                pair.arrive(*arrival);
                if pauses >> nth & 1 == 1 {
                    pair.wait(PAUSE);
                }
            }
            pair.settle(Duration::from_secs(1));
            pair.assert_one_session();
            pair.assert_nothing_is_left();
        }
    }
}

#[test]
fn every_order_of_repeats_ends_in_one_session() {
    assert_orders_end_in_one_session(&[0, 0b111_1111, 0b001_0100]);
}

#[test]
#[ignore = "5 760 runs"]
fn every_order_with_all_pauses_ends_in_one_session() {
    assert_orders_end_in_one_session(&(0..128).collect::<Vec<_>>());
}
