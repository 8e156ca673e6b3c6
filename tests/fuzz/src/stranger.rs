//! An endpoint with a session, a half-open entry and a call of its own, and somebody without keys who can read, change
//! and invent datagrams: nothing is answered, nothing changes but what counts, and everything genuine still works.

use std::cell::OnceCell;

use harness::pool::HeapPool;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::session::Session;
use udp_sec::time::Instant;
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, Output, SessionId};
use udp_sec_recovery::event::Event;
use udp_sec_recovery::memory::Inline;

use crate::input::Input;
use crate::keys::{ALICE, BOB, keys, parameters, rng};
use crate::{Outcome, log};

const CAROL: u8 = 3;
const DAVE: u8 = 4;
/// Knows whom she calls, and may not.
const EVE: u8 = 5;

const NOW: Instant = Instant::from_micros(1_000_000);

thread_local! {
    /// What Bob looks like before anything came.
    static UNTOUCHED: OnceCell<String> = const { OnceCell::new() };
}

/// Little memory: all of it is looked at.
type Little = Inline<512, 512, 8, 4, 4>;

/// Bob's endpoint: Alice has a session, Carol's waits for its confirmation, Dave is being called.
struct Bob {
    endpoint: Endpoint<HeapPool<Little>, AllowList<4>, 8, 8>,
    alice: Session,
    session: SessionId,
    /// Not delivered yet: Alice's bytes, Carol's confirmation, Dave's Response.
    genuine: [Vec<u8>; 3],
    /// An Initiation of Eve's.
    uninvited: Vec<u8>,
}

/// Plays `data`: datagrams of a stranger's.
///
/// # Panics
/// When the endpoint says anything, changes, or does not take what is genuine afterwards.
pub fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    let mut bob = Bob::new();
    let mut outcome = "silence";
    while let Some(choice) = input.next() {
        let genuine = bob.genuine.get(usize::from(choice % 6));
        let datagram = match genuine {
            Some(genuine) => input.mutated(genuine),
            None if choice % 6 == 3 => input.mutated(&bob.uninvited),
            None => {
                let len = usize::from(input.u16()) % 1_300;
                input.bytes(len).to_vec()
            }
        };
        if genuine.is_some_and(|genuine| *genuine == datagram) {
            continue;
        }
        outcome = bob.assert_rejects(path(input.u8()), datagram);
    }
    log::state(bob.endpoint.rejects());
    // Every Bob begins as the first one: his keys and random source are the same in each run.
    let unchanged =
        UNTOUCHED.with(|first| *first.get_or_init(|| Bob::new().fingerprint()) == bob.fingerprint());
    assert!(unchanged, "the state changed");
    bob.assert_works();
    outcome
}

fn path(host: u8) -> Path {
    Path::to(([192, 0, 2, host], 40_000).into())
}

/// A packet with the frames `frames`.
fn sealed(session: &mut Session, frames: &[u8]) -> Vec<u8> {
    let mut packet = [&[0; 16][..], frames, &[0; 16]].concat();
    session.seal(&mut packet).expect("a packet of legal size");
    packet
}

impl Bob {
    fn new() -> Self {
        let mut allowed = AllowList::new();
        for peer in [ALICE, CAROL, DAVE] {
            allowed.add(*keys(peer).public()).expect("a short list");
        }
        let mut config = Config::new(keys(BOB), parameters());
        // Beyond this, who knows whom they call is sent a cookie: an answer.
        config.unproven_per_second = u16::MAX;
        let mut endpoint = Endpoint::new(config, Box::default(), HeapPool::new(8), allowed);
        endpoint.connect(NOW, &mut rng(9), path(DAVE), keys(DAVE).public()).expect("room");
        let [initiation] = &drain(&mut endpoint).0[..] else { panic!("no Initiation") };
        let responder = Responder::new(keys(DAVE));
        let checked = responder.check_mac1(initiation).expect("a genuine message");
        let read = responder.read(checked, &mut rng(8)).expect("a genuine message");
        let mut knows_bob = AllowList::<1>::new();
        knows_bob.add(*keys(BOB).public()).expect("an empty list");
        let Ok(Accepted::HalfOpen { response: daves, .. }) =
            read.authorize(&knows_bob).and_then(|authorized| authorized.accept(7, &parameters()))
        else {
            panic!("refused")
        };

        let mut half_open = |who: u8| {
            let initiator = Initiator::new(
                &keys(who),
                keys(BOB).public(),
                who.into(),
                &parameters(),
                &mut rng(who.into()),
            )
            .expect("keys that work");
            endpoint.handle_datagram(
                NOW,
                &mut rng(7 + u64::from(who)),
                path(who),
                &mut initiator.datagram().clone(),
            );
            let [response] = &drain(&mut endpoint).0[..] else { panic!("no Response") };
            match initiator.read_response(response) {
                Answer::Established { session, .. } => session,
                other => panic!("no session: {other:?}"),
            }
        };
        let uninvited =
            Initiator::new(&keys(EVE), keys(BOB).public(), 5, &parameters(), &mut rng(EVE.into()));
        let uninvited = uninvited.expect("keys that work").datagram().to_vec();
        let (mut alice, mut carol) = (half_open(ALICE), half_open(CAROL));
        endpoint.handle_datagram(NOW, &mut rng(6), path(ALICE), &mut sealed(&mut alice, b"\x01"));
        let (_, events) = drain(&mut endpoint);
        let [(session, Event::Established)] = events[..] else { panic!("no session: {events:?}") };
        // STREAM, offset 0, five bytes.
        let hello = sealed(&mut alice, b"\x04\0\0\0\0\0\0\0\0\x05\0hello");
        let confirmation = sealed(&mut carol, b"\x01");
        Self { endpoint, alice, session, genuine: [hello, confirmation, daves.to_vec()], uninvited }
    }

    /// Everything there is to see of the endpoint, but what counts: its rejects, and the initiations of this second.
    fn fingerprint(&self) -> String {
        let counters = format!("rejects: {:?}", self.endpoint.rejects());
        let all = format!("{:?}", self.endpoint).replace(&counters, "");
        let (before, rest) = all.split_once("load: Load").expect("a field of the endpoint");
        let (_, after) = rest.split_once("cookies:").expect("the field behind it");
        format!("{before}{after}")
    }

    /// Delivers `datagram`, which must be dropped and counted once; the label it is counted under.
    fn assert_rejects(&mut self, from: Path, mut datagram: Vec<u8>) -> Outcome {
        let before = self.endpoint.rejects().clone();
        self.endpoint.handle_datagram(NOW, &mut rng(5), from, &mut datagram);
        let (datagrams, events) = drain(&mut self.endpoint);
        assert!(datagrams.is_empty() && events.is_empty(), "answered: {datagrams:?} {events:?}");
        let rejects = self.endpoint.rejects();
        assert_eq!(rejects.total(), before.total() + 1, "{rejects:?}");
        let (label, _) = rejects.iter().find(|(label, count)| before.get(*label) < *count).expect("one");
        log::line(label);
        label.label()
    }

    /// What is genuine arrives after all.
    fn assert_works(&mut self) {
        let from = [ALICE, CAROL, DAVE].map(path);
        let mut events = Vec::new();
        for (from, mut datagram) in from.into_iter().zip(self.genuine.clone()) {
            self.endpoint.handle_datagram(NOW, &mut rng(4), from, &mut datagram);
            self.endpoint.check();
            let (datagrams, heard) = drain(&mut self.endpoint);
            assert!(!datagrams.is_empty(), "what is genuine is answered");
            events.extend(heard);
            if from == path(ALICE) {
                let answer = self.alice.open(&mut [0; 4], &mut datagrams[0].clone()).map(|_| ());
                assert_eq!(answer, Ok(()), "an acknowledgement");
            }
        }
        let mut text = [0; 8];
        let read = self.endpoint.session(self.session).expect("a session").read(&mut text);
        assert_eq!((read, &text[..5]), (Ok(5), &b"hello"[..]));
        let established = events.iter().filter(|(_, event)| *event == Event::Established).count();
        assert_eq!(established, 2, "Carol and Dave: {events:?}");
    }
}

type Done = (Vec<Vec<u8>>, Vec<(SessionId, Event)>);

fn drain(endpoint: &mut Endpoint<HeapPool<Little>, AllowList<4>, 8, 8>) -> Done {
    let (mut datagrams, mut events) = (Vec::new(), Vec::new());
    let mut out = [0; 1200];
    loop {
        match endpoint.poll_output(NOW, &mut out) {
            Output::Transmit(transmit) => datagrams.push(out[..transmit.len].to_vec()),
            Output::Event(id, event) => events.push((id, event)),
            Output::Wait(_) => return (datagrams, events),
        }
    }
}
