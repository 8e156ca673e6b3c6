//! Handshakes one after the other, by the responder's processor time; and the memory of sessions that do nothing.

use std::fs;
use std::time::Duration;

use harness::attacker::keyed::{Peer, address, initiation, keys};
use nexus_net_adapter::backend::host::SESSIONS_MAX;
use udp_sec_recovery::endpoint::SessionId;

use crate::responder::Responder;
use crate::{cpu, figure};

/// Issue: at least so many per second of the responder's processor time.
const PER_SECOND_MIN: f64 = 1_000.0;

/// Prints the figures for `count` handshakes; whether all are within their bounds.
pub(crate) fn measure(count: u64) -> bool {
    let mut responder = Responder::new(u16::MAX);
    let (mut spent, mut settled) = (Duration::ZERO, 0);
    for nth in 0..count {
        let (id, cost) = session(&mut responder, nth);
        spent += cost;
        responder.endpoint.release(responder.now, id);
        responder.drain();
        if nth == count / 10 {
            settled = resident();
        }
    }
    let grown = resident().saturating_sub(settled);
    responder.now += udp_sec::time::Duration::from_secs(60);
    responder.endpoint.handle_timeout(responder.now);
    responder.drain();
    let left =
        responder.endpoint.sessions() + responder.endpoint.half_open() + responder.endpoint.farewells();
    println!(
        "{count} handshakes, {left} entries left, resident memory {grown} KiB more than after a tenth of them"
    );
    let rate = count as f64 / spent.as_secs_f64();
    let fast =
        figure("handshakes per second of responder CPU", rate, "1/s", PER_SECOND_MIN, rate >= PER_SECOND_MIN);
    let before = resident();
    for nth in 0..SESSIONS_MAX as u64 {
        session(&mut responder, count + nth);
    }
    let each = resident().saturating_sub(before) as f64 / SESSIONS_MAX as f64;
    println!("{} idle sessions: {each:.1} KiB resident each", responder.endpoint.sessions());
    fast && left == 0
}

/// A session, and what it cost the responder.
fn session(responder: &mut Responder, nth: u64) -> (SessionId, Duration) {
    responder.now += udp_sec::time::Duration::from_millis(20);
    let initiator = initiation(&keys(100 + nth % 256), responder.keys.public(), nth);
    let mut datagram = initiator.datagram().to_vec();
    let (answer, (response, _)) = cpu::of(|| {
        responder.endpoint.handle_timeout(responder.now);
        responder.take(address(9), &mut datagram);
        responder.drain()
    });
    let mut peer = Peer::established(initiator, address(9), &response.expect("a Response"));
    let mut ping = peer.seal(|frames| frames.ping().expect("room"));
    let (confirm, (_, id)) = cpu::of(|| {
        responder.take(address(9), &mut ping);
        responder.drain()
    });
    (id.expect("a session"), answer + confirm)
}

/// Resident memory of this process in KiB; 0 where the system does not tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
