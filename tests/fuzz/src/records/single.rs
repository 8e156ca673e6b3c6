//! One session, called, whose peer is a test.

use nexus_net_adapter::stream::{CloseReason, StreamError};
use nexus_net_adapter::tcp::SecureTcp;
use udp_sec::handshake::{Answer, Initiator};
use udp_sec::session::record::RecordSession;
use udp_sec::time::Instant;

use super::{Host, config, feed, is_end, memory, take};
use crate::input::Input;
use crate::keys::{ALICE, BOB, allow, keys, rng};
use crate::{Outcome, log};

/// The session, the keys of its peer, and what both have said.
struct Called {
    host: Host,
    peer: RecordSession,
    /// What the peer has said in DATA records before anything else that matters.
    said: Vec<u8>,
    read: Vec<u8>,
    /// Whether what the peer says next is of its stream: no FIN, no CLOSE and no breach of the rules came before.
    goes_on: bool,
    /// Whether the peer has sent something that nobody sealed.
    forged: bool,
}

const NOW: Instant = Instant::from_micros(7);

/// Plays `input`: records of any text, bytes of any kind, and an application that reads.
pub(super) fn run(input: &mut Input<'_>) -> Outcome {
    let Some(mut called) = Called::new(input) else { return "no handshake" };
    while let Some(choice) = input.next() {
        match choice % 8 {
            0..=2 => {
                let len = usize::from(input.u8());
                let text = [&[2], input.bytes(len)].concat();
                called.say(&text);
            }
            3 | 4 => {
                let len = usize::from(input.u8() % 8);
                called.say(input.bytes(len));
            }
            5 => called.read(usize::from(input.u16() % 512)),
            6 => _ = called.host.write(NOW, input.bytes(30)),
            _ if choice < 0xe0 => _ = take(NOW, &mut called.host, input.u16().into()),
            _ => {
                let len = usize::from(input.u8());
                called.forge(input.bytes(len));
            }
        }
    }
    called.end()
}

impl Called {
    /// After a handshake; or, as the input says, what is fed instead of one.
    fn new(input: &mut Input<'_>) -> Option<Self> {
        let (alice, bob) = (config(ALICE), config(BOB));
        let initiator =
            Initiator::for_records(&alice.keypair, bob.keypair.public(), 5, &alice.parameters, &mut rng(1));
        let initiator = initiator.expect("keys that work");
        let mut host = SecureTcp::accept(NOW, memory(4_096), &bob);
        let genuine = [&1200_u16.to_le_bytes()[..], initiator.datagram()].concat();
        let first = if input.flag() { input.mutated(&genuine) } else { genuine.clone() };
        feed(NOW, &mut host, &first);
        let answer = host.answer(&bob, &allow(keys(ALICE).public()), &mut rng(2));
        // The last 16 bytes, `mac2`, nobody looks at here; and what is missing may yet come.
        let is_genuine = first.len() >= genuine.len() && first[..1186] == genuine[..1186];
        assert_eq!(answer.is_ok(), is_genuine, "{answer:?}");
        if !is_genuine {
            host.received_end(NOW);
            assert!(take(NOW, &mut host, 1).is_empty(), "a stranger is answered");
            assert_eq!(host.peer(), None);
            return None;
        }
        let response = take(NOW, &mut host, usize::MAX);
        let Answer::Established { session: peer, .. } = initiator.read_response(&response[2..]) else {
            panic!("no session")
        };
        let forged = first.len() > genuine.len();
        Some(Self { host, peer, said: Vec::new(), read: Vec::new(), goes_on: true, forged })
    }

    /// The peer seals `text` as its next record.
    fn say(&mut self, text: &[u8]) {
        let mut record = [text, &[0; 16]].concat();
        if self.peer.seal(&mut record).is_err() {
            assert!(text.is_empty(), "a record of legal size");
            return;
        }
        let counts = self.goes_on && !self.forged && !is_end(&self.host.ended());
        let bytes = [&(record.len() as u16).to_le_bytes()[..], &record].concat();
        let taken = feed(NOW, &mut self.host, &bytes);
        if taken < bytes.len() {
            // There was no room: the rest is lost, so what follows is not what was sealed.
            self.forged = true;
        } else if let (true, [2, data @ ..]) = (counts, text) {
            self.said.extend(data);
        }
        self.goes_on &= matches!(text, [0 | 1] | [2, _, ..]);
    }

    fn forge(&mut self, bytes: &[u8]) {
        self.forged |= feed(NOW, &mut self.host, bytes) > 0;
    }

    fn read(&mut self, len: usize) {
        let mut buffer = vec![0; len];
        match self.host.read(NOW, &mut buffer) {
            Ok(count) => self.read.extend(&buffer[..count]),
            Err(error) => log::line(error),
        }
        assert!(self.said.starts_with(&self.read), "read what was not said");
    }

    fn end(mut self) -> Outcome {
        for _ in 0..1_000 {
            let before = self.read.len();
            self.read(4_096);
            if self.read.len() == before {
                break;
            }
        }
        log::state(&self.host);
        self.host.received_end(NOW);
        let ended = self.host.ended();
        ended.err().into_iter().for_each(log::line);
        assert!(ended.is_ok() || is_end(&ended), "it goes on: {ended:?}");
        match (ended, self.host.reject()) {
            (_, Some(reject)) => {
                assert!(self.forged, "{reject}");
                reject.label()
            }
            (Ok(()), None) => "complete",
            (Err(StreamError::Closed(CloseReason::ByUs(code))), None) => code.text(),
            (Err(StreamError::Closed(CloseReason::ByPeer(_))), None) => "closed by the peer",
            (Err(_), None) => "connection lost",
        }
    }
}
