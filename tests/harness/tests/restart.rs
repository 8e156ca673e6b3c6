//! A host that loses power and comes back with its keys and nothing else: its streams end by name, the next session has
//! nothing of the last one, and there is one.
//!
//! `RESTART_SEEDS=10000` plays as many of either kind.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{interop_link, on_two_threads, random};
use harness::network::{Access, Action, Ended, Network, Plan};
use harness::world::ms;
use harness::{Profile, network};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::memory::Medium;

const SERVER: usize = 0;
const CLIENT: usize = 1;
/// The link's round trip when its queue is empty.
const RTT: Duration = ms(30);
/// A full queue of 25 packets at 10 Mbit/s on top, each way.
const QUEUES: Duration = ms(2 * 25);
const UPLOAD: u64 = 300 << 10;
const DOWNLOAD: u64 = 100 << 10;
/// When the session has begun, whatever is lost.
const BEGUN: u64 = 20;
/// The transfer takes so long, without a loss.
const UNDER_WAY: u64 = 350;

fn seeds() -> Vec<u64> {
    let count = std::env::var("RESTART_SEEDS").map_or(200, |count| count.parse().expect("a number"));
    (0..count).collect()
}

/// The client calls at once. Even seeds lose nothing, odd ones 5 % of the datagrams.
fn plan(seed: u64) -> Plan {
    let link = interop_link().loss(random(if seed.is_multiple_of(2) { 0 } else { 5 }));
    let mut plan = Plan::new(seed, Profile::Medium, vec![Access::both(link)]);
    plan.at(Duration::ZERO, call());
    plan
}

fn call() -> Action {
    Action::Call { from: CLIENT, to: SERVER, upload: UPLOAD, download: DOWNLOAD }
}

/// Somewhere in the transfer, or shortly before it begins or after it ends.
fn moment(seed: u64) -> u64 {
    BEGUN + seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) % UNDER_WAY
}

/// The ends at `host`, in the order in which they came.
fn at(ended: &[Ended], host: usize) -> Vec<Ended> {
    ended.iter().filter(|end| end.host == host).copied().collect()
}

/// A client that was restarted calls again, up to a quarter of a second later. The server's old session gives way to the
/// new one when that is confirmed, three round trips after the call at the latest.
#[test]
fn a_caller_that_begins_anew_has_one_session_at_once() {
    let cut = AtomicUsize::new(0);
    let seeds = seeds();
    on_two_threads(&seeds, |&seed| {
        let mut plan = plan(seed);
        let (restarted, called) = (moment(seed), moment(seed) + 1 + seed % 250);
        plan.at(ms(restarted), Action::Restart { host: CLIENT });
        plan.at(ms(called), call());
        // One that loses its confirmation has to be repeated, and one that loses its message waits for a second.
        let mut world = Network::<Medium>::new(&plan);
        if seed.is_multiple_of(2) {
            world.advance(Instant::ZERO + ms(called) + RTT * 3 + QUEUES);
            assert_eq!(world.sessions(), [1, 1], "seed {seed}: sessions of server and client");
        }
        let report = world.play();
        let (server, client) = (at(&report.ended, SERVER), at(&report.ended, CLIENT));
        assert_eq!(client.len(), 2, "seed {seed}: {client:#?}");
        // What it was doing is over, without a claim that it succeeded, unless it had.
        assert!(client[0].why.is_none() || client[0].done, "seed {seed}: {:?}", client[0]);
        let last = server.iter().find(|end| end.name == client[1].name).expect("it was heard");
        assert!(client[1].done && last.done, "seed {seed}: the second talk is whole: {client:#?}");
        for end in server.iter().filter(|end| end.name != client[1].name) {
            let by_name = matches!(end.why, Some(Closure::Superseded)) && !end.done;
            let over_before = end.why == Some(Closure::Complete) && end.done;
            // A session that was not confirmed yet, or that ends with the CLOSE of the first client lost.
            assert!(by_name || over_before || end.done, "seed {seed}: {end:?}");
            cut.fetch_add(usize::from(by_name), Ordering::Relaxed);
        }
    });
    let cut = cut.into_inner();
    println!("{} restarts of a caller, {cut} of them in the middle of a stream", seeds.len());
    assert!(cut * 10 >= seeds.len() * 6, "most of them must have met a stream");
}

/// A server that was restarted knows nothing of the session: the client hears no more, is told so within its idle
/// timeout, and the next call has one session.
#[test]
fn a_caller_is_told_that_the_other_side_began_anew() {
    const IDLE: Duration = Duration::from_secs(5);
    let cut = AtomicUsize::new(0);
    let seeds = seeds();
    on_two_threads(&seeds, |&seed| {
        let mut plan = plan(seed);
        plan.hosts.iter_mut().for_each(|host| host.idle_timeout = IDLE);
        plan.redials = 1;
        let restarted = ms(moment(seed));
        plan.at(restarted, Action::Restart { host: SERVER });
        let report = network::run(&plan);
        let (server, client) = (at(&report.ended, SERVER), at(&report.ended, CLIENT));
        let last = client.last().expect("a call");
        assert!(last.done, "seed {seed}: {client:#?}");
        match &client[..] {
            // It was over before, or it began after.
            [_] => {}
            [first, second] => {
                // It may have read all that it wanted: what it sent was not confirmed.
                assert_eq!(first.why, Some(Closure::TimedOut), "seed {seed}");
                // The idle timeout runs from the last packet heard, or the first one sent after it; then half a second
                // until the call, and its round trips, or the repeats that losses cost.
                let again = second.established_at.expect("established");
                let latest = restarted + IDLE + Duration::from_secs(1) + ms(500) + RTT * 3 + QUEUES;
                assert!(!seed.is_multiple_of(2) || again <= latest, "seed {seed}: {again:?}");
                let heard = server.iter().filter(|end| end.name == second.name).count();
                assert_eq!(heard, 1, "seed {seed}: {server:#?}");
                cut.fetch_add(1, Ordering::Relaxed);
            }
            more => panic!("seed {seed}: {more:#?}"),
        }
    });
    let cut = cut.into_inner();
    println!("{} restarts of the other side, {cut} of them in the middle of a stream", seeds.len());
    assert!(cut * 10 >= seeds.len() * 6, "most of them must have met a stream");
}
