//! Two sessions, and a byte stream between them.

use std::collections::VecDeque;

use nexus_net_adapter::stream::{CloseReason, StreamError};
use nexus_net_adapter::tcp::{OUTBOUND_MIN, SecureTcp};
use udp_sec::time::{Duration, Instant};

use super::{Host, config, feed, is_end, memory, take};
use crate::input::Input;
use crate::keys::{ALICE, BOB, allow, keys, rng};
use crate::{Outcome, log};

/// Where `mac2` of the Initiation stands in the byte stream to the called.
const MAC2: core::ops::Range<usize> = 2 + 1200 - 16..2 + 1200;
/// Rounds until an undisturbed session is complete.
const ROUNDS: usize = 10_000;

struct Pair {
    now: Instant,
    hosts: [Host; 2],
    /// To each.
    wires: [VecDeque<u8>; 2],
    written: [u64; 2],
    read: [u64; 2],
    /// How many bytes have arrived at each.
    carried: [usize; 2],
    /// The byte stream to this side is not what was sent any more.
    changed: Option<usize>,
    aborted: bool,
    /// A side ran into its idle timeout while bytes were kept from it.
    waited_in_vain: bool,
}

fn byte(side: usize, at: u64) -> u8 {
    (at * 2 + side as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7]
}

/// Plays `input`: what is carried how far, what the applications do, and one change.
pub(super) fn run(input: &mut Input<'_>) -> Outcome {
    let now = Instant::ZERO;
    let outbound = OUTBOUND_MIN + usize::from(input.u16());
    let calling = SecureTcp::connect(now, memory(outbound), &config(ALICE), keys(BOB).public(), &mut rng(1));
    let called = SecureTcp::accept(now, memory(outbound), &config(BOB));
    let mut pair = Pair {
        now,
        hosts: [calling.expect("keys that work"), called],
        wires: Default::default(),
        written: [0; 2],
        read: [0; 2],
        carried: [0; 2],
        changed: None,
        aborted: false,
        waited_in_vain: false,
    };
    while let Some(choice) = input.next() {
        pair.play(choice, input);
    }
    log::state(&pair.hosts.each_ref().map(|host| (host.peer(), host.reject(), host.wake_at())));
    pair.waited_in_vain =
        pair.hosts.iter().any(|host| host.ended() == Err(StreamError::Closed(CloseReason::IdleTimeout)));
    pair.finish()
}

impl Pair {
    fn play(&mut self, choice: u8, input: &mut Input<'_>) {
        let side = usize::from(choice & 1);
        match (choice >> 1) % 16 {
            0..=3 => self.transmit(side, input.u16().into()),
            4..=7 => self.deliver(side, input.u16().into()),
            8 | 9 => self.write(side, input.u16().into()),
            10 | 11 => self.read(side, input.u16().into()),
            12 => _ = self.hosts[side].finish(self.now),
            13 => self.pass(input.span()),
            14 if choice >= 0xf0 => {
                self.hosts[side].abort(self.now);
                self.aborted = true;
            }
            14 => self.answer(),
            _ => {
                let (at, change) = (usize::from(input.u16()), input.u8());
                self.change(side, at, change);
            }
        }
    }

    /// Turns one byte under way to `side`, if nothing has been changed yet.
    fn change(&mut self, side: usize, at: usize, change: u8) {
        let wire = &mut self.wires[side];
        let Some(at) = at.checked_rem(wire.len()).filter(|_| change != 0 && self.changed.is_none()) else {
            return;
        };
        // A cookie has no meaning over a byte stream: `mac2` is the one field that nobody looks at.
        let is_mac2 = side == 1 && MAC2.contains(&(self.carried[side] + at));
        wire[at] ^= change;
        self.changed = (!is_mac2).then_some(side);
    }

    fn transmit(&mut self, from: usize, len: usize) {
        let bytes = take(self.now, &mut self.hosts[from], len);
        self.wires[1 - from].extend(bytes);
    }

    fn deliver(&mut self, to: usize, len: usize) {
        let wire = &mut self.wires[to];
        let len = len.min(wire.len());
        let count = feed(self.now, &mut self.hosts[to], &wire.make_contiguous()[..len]);
        wire.drain(..count);
        self.carried[to] += count;
        self.answer();
    }

    fn answer(&mut self) {
        let answer = self.hosts[1].answer(&config(BOB), &allow(keys(ALICE).public()), &mut rng(2));
        answer.err().into_iter().for_each(log::line);
    }

    fn write(&mut self, side: usize, len: usize) {
        let from = self.written[side];
        let data: Vec<u8> = (from..).take(len).map(|at| byte(side, at)).collect();
        match self.hosts[side].write(self.now, &data) {
            Ok(taken) => self.written[side] += taken as u64,
            Err(error) => log::line(error),
        }
    }

    fn read(&mut self, side: usize, len: usize) {
        let mut buffer = vec![0; len];
        let (from, writer) = (self.read[side], 1 - side);
        match self.hosts[side].read(self.now, &mut buffer) {
            Ok(0) if len > 0 => assert_eq!(from, self.written[writer], "the stream ends early"),
            Ok(count) => {
                let right = buffer[..count].iter().zip(from..).all(|(it, at)| *it == byte(writer, at));
                assert!(right, "wrong bytes from {from}");
                self.read[side] += count as u64;
                assert!(self.read[side] <= self.written[writer]);
            }
            Err(error) => log::line(error),
        }
    }

    /// A session ends only when what came before its end has been read.
    fn read_all(&mut self, side: usize) {
        loop {
            let before = self.read[side];
            self.read(side, usize::from(u16::MAX));
            if self.read[side] == before {
                return;
            }
        }
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
        self.hosts.iter_mut().for_each(|host| host.handle_timeout(self.now));
    }

    /// Both applications finish and read all, and the stream carries everything.
    fn finish(&mut self) -> Outcome {
        for _ in 0..ROUNDS {
            for side in [0, 1] {
                _ = self.hosts[side].finish(self.now);
                self.transmit(side, usize::MAX);
                self.deliver(side, usize::MAX);
                self.read(side, 20_000);
            }
            if self.hosts.iter().all(|host| host.ended() == Ok(())) {
                assert_eq!(self.changed, None, "a changed stream is complete");
                assert_eq!(self.read, [self.written[1], self.written[0]]);
                return "complete";
            }
            // A length that was made longer is waited for: then it is for the timeout to end it.
            let stuck = self.wires.iter().all(VecDeque::is_empty)
                || self.hosts.iter().any(|host| is_end(&host.ended()));
            if stuck && (self.changed.is_some() || self.aborted || self.waited_in_vain || self.is_late()) {
                return self.broken();
            }
            self.pass(Duration::from_millis(1));
        }
        panic!("it is never complete: {:?}", self.hosts.each_ref().map(SecureTcp::ended));
    }

    /// The handshake was kept waiting for its whole budget, and has ended for that.
    fn is_late(&self) -> bool {
        let late = Err(StreamError::Closed(CloseReason::HandshakeTimeout));
        self.now >= Instant::ZERO + config(ALICE).handshake_budget
            && self.hosts.iter().any(|host| host.ended() == late)
    }

    /// The stream was changed, a side has given up, or it was too late: the side that is still there comes to an end by
    /// name, in time.
    fn broken(&mut self) -> Outcome {
        for _ in 0..4 {
            self.pass(Duration::from_secs(120));
            for side in [0, 1] {
                self.transmit(side, usize::MAX);
                self.deliver(side, usize::MAX);
                self.hosts[side].received_end(self.now);
                self.read_all(side);
            }
        }
        for host in &mut self.hosts {
            let ended = host.ended();
            assert!(ended == Ok(()) || is_end(&ended), "it goes on: {ended:?}");
            ended.err().into_iter().for_each(log::line);
            host.send_failed();
            assert!(host.is_silent() && host.wake_at().is_none());
        }
        let victim = self.changed.map(|side| self.hosts[side].ended());
        if let (Some(side), Some(Ok(()))) = (self.changed, victim) {
            // An abort behind the end of the stream is read by nobody who has had it all.
            let whole = self.read[side] == self.written[1 - side];
            assert!(self.aborted && whole, "a changed stream is complete");
        }
        match victim {
            Some(Err(StreamError::Closed(CloseReason::ConnectionLost))) => "connection lost",
            Some(_) => "changed",
            None if self.aborted => "aborted",
            None if self.waited_in_vain => "idle timeout",
            None => "handshake timeout",
        }
    }
}
