//! Rules of `docs/protocol.md` that no test of another kind is named after: one test for each, in a file for each part of
//! the protocol. `docs/conformance.md` says which test is whose.

mod answers;
mod calls;
mod credit;
mod ends;
mod idle;
mod keys;
mod moves;
mod places;
mod unproven;

use harness::attacker::keyed::{self as lab, Lab, Peer, address, initiation};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::frame::{Frame, Frames};
use udp_sec_recovery::recv::ranges::ReceivedNumbers;
use udp_sec_recovery::stats::PathState;

/// The finest step of time there is.
const MOMENT: Duration = Duration::from_micros(1);
/// The acknowledgement delay that the lab's peers announce.
const ACK_DELAY: Duration = Duration::from_millis(25);

/// An endpoint, and a peer that has a session with it.
fn session() -> (Lab, Peer, SessionId) {
    let keys = lab::keys(10);
    let mut lab = Lab::new(&[keys.public()]);
    let (peer, id) = Peer::connect(&mut lab, &keys, address(1), 0);
    (lab, peer, id)
}

/// The probe timeout of `path`, without doubling (`docs/protocol.md` section 5).
fn probe_timeout(path: PathState) -> Duration {
    path.smoothed_rtt + (path.rtt_variation * 4).max(Duration::from_millis(1)) + ACK_DELAY
}

/// The names of the frames in `frames`, and where it matters what they say.
fn named(frames: &[u8]) -> Vec<String> {
    let name = |frame| match frame {
        Frame::Padding => "PADDING".into(),
        Frame::Ping => "PING".into(),
        Frame::Ack(_) => "ACK".into(),
        Frame::Stream(stream) => if stream.fin { "STREAM with FIN" } else { "STREAM" }.into(),
        Frame::MaxData(credit) => format!("MAX_DATA {credit}"),
        Frame::DataBlocked(offset) => format!("DATA_BLOCKED {offset}"),
        Frame::PathChallenge(_) => "PATH_CHALLENGE".into(),
        Frame::PathResponse(_) => "PATH_RESPONSE".into(),
        Frame::Close(close) => format!("CLOSE {}", close.code.to_wire()),
    };
    Frames::new(frames).map(|frame| name(frame.expect("a legal frame"))).collect()
}

/// The frames of each of the endpoint's packets.
fn frames_of(peer: &mut Peer, datagrams: &[(Path, Vec<u8>)]) -> Vec<Vec<String>> {
    datagrams.iter().map(|(_, datagram)| named(&peer.open(datagram).1)).collect()
}

/// Acknowledges everything in `datagrams`; the frames of each.
fn acknowledge(lab: &mut Lab, peer: &mut Peer, datagrams: &[(Path, Vec<u8>)]) -> Vec<Vec<String>> {
    let mut received = ReceivedNumbers::new();
    let mut all = Vec::new();
    for (_, datagram) in datagrams {
        let (number, frames) = peer.open(datagram);
        received.insert(number);
        all.push(named(&frames));
    }
    if !received.is_empty() {
        peer.send(lab, |frames| {
            frames.ack(&received, Duration::ZERO).expect("room");
        });
    }
    all
}

/// The `seconds`-th second.
fn second(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// A moment before `at`.
fn before(at: Instant) -> Instant {
    at.checked_sub(MOMENT).expect("later than the first moment")
}
