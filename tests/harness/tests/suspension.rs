//! Hosts that stand still and NATs that forget: short pauses go unnoticed, long ones end with a name.

mod common;

use common::{CLIENT, SERVER, interop_link, random, stats};
use harness::network::{Access, Action, Network, Plan};
use harness::pool::HostStorage;
use harness::world::{World, ms};
use harness::{Profile, Scenario};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::memory::{Medium, Small};

/// Datagrams that a socket keeps for a host that stands still.
const SOCKET: usize = 256;
const MEBIBYTES: u64 = 1 << 20;

/// The client sends `bytes` to the server over the link that most figures are stated for.
fn upload(seed: u64, bytes: u64) -> Plan {
    let mut plan = Plan::new(seed, Profile::Host, vec![Access::both(interop_link())]);
    plan.at(Duration::ZERO, Action::Call { from: 1, to: 0, upload: bytes, download: 0 });
    plan
}

/// `host` stands still from `at` for `span`.
fn pause(plan: &mut Plan, host: usize, at: Duration, span: Duration, clock_runs: bool) {
    plan.at(at, Action::Freeze { host, clock_runs, room: SOCKET });
    plan.at(at + span, Action::Thaw { host });
}

/// Six pauses of 250 ms: nothing is lost by them, so none may cost more than one reduction of the window.
#[test]
fn short_pauses_do_not_collapse_the_window() {
    for (seed, (host, clock_runs)) in (1..).zip([(0, true), (0, false), (1, true), (1, false)]) {
        let mut plan = upload(seed, 20 * MEBIBYTES);
        for nth in 0..6 {
            pause(&mut plan, host, ms(4_000 + 1_500 * nth), ms(250), clock_runs);
        }
        let mut network = Network::<HostStorage>::new(&plan);
        network.advance(Instant::ZERO + ms(3_999));
        let before = network.path_state(1).expect("it is sending").window;
        let mut least = u64::MAX;
        for step in 0..1_000 {
            network.advance(Instant::ZERO + ms(4_000 + 10 * step));
            least = least.min(network.path_state(1).expect("it is sending").window);
        }
        println!("host {host}, clock runs {clock_runs}: window {before}, then never below {least}");
        assert!(least >= before / 2, "host {host}, clock runs {clock_runs}: {before}, then {least}");
        let report = network.play();
        assert!(report.ended.iter().all(|end| end.done && end.why == Some(Closure::Complete)));
    }
}

/// Half a minute, with a longer idle timeout: the session goes on where it was.
#[test]
fn a_session_outlives_a_pause_shorter_than_its_idle_timeout() {
    for (seed, (host, clock_runs)) in (1..).zip([(0, true), (0, false), (1, true), (1, false)]) {
        let mut plan = upload(seed, 4 * MEBIBYTES);
        plan.hosts.iter_mut().for_each(|host| host.idle_timeout = Duration::from_secs(60));
        pause(&mut plan, host, ms(1_000), Duration::from_secs(30), clock_runs);
        let report = Network::<HostStorage>::new(&plan).play();
        assert_eq!(report.ended.len(), 2, "one session");
        assert!(report.ended.iter().all(|end| end.done), "{:#?}", report.ended);
        let done = report.ended.iter().filter_map(|end| end.done_at).max().expect("done");
        println!("host {host}, clock runs {clock_runs}: done after {done:?}");
        // A probe timeout may have doubled up to an eighth of the idle timeout; then 4 MiB at 10 Mbit/s.
        assert!(done <= Duration::from_secs(31) + Duration::from_secs(60) / 8 + ms(5_000), "{done:?}");
    }
}

/// The pause is no round trip: what is left is sent at once and not at the pace of seconds, though one packet in ten is
/// lost and many an end of a flight has to wait for a probe.
#[test]
fn a_pause_does_not_slow_what_comes_after_it() {
    const PAUSE: Duration = Duration::from_secs(17);
    const LEFT: u64 = 256 << 10;
    /// About 1.25 MiB at 10 % loss, and a probe timeout that has doubled up to an eighth of the idle timeout.
    const BOUND: Duration = Duration::from_secs(16);
    let lossy = interop_link().loss(random(10));
    for (seed, (host, room)) in (1..).zip([(0, 2), (0, SOCKET), (1, 2), (1, SOCKET)].repeat(4)) {
        let mut plan = upload(seed, MEBIBYTES + LEFT);
        plan.profile = Profile::Medium;
        plan.at(Duration::ZERO, Action::Allow { host: 1, peer: 0, write: MEBIBYTES, read: u64::MAX });
        // In the middle of it, a window is under way.
        plan.at(ms(400), Action::Freeze { host, clock_runs: true, room });
        plan.at(ms(400) + PAUSE, Action::Relink { host: 1, links: Box::new([lossy.clone(), lossy.clone()]) });
        plan.at(ms(400) + PAUSE, Action::Thaw { host });
        plan.at(ms(400) + PAUSE, Action::Allow { host: 1, peer: 0, write: u64::MAX, read: u64::MAX });
        let report = Network::<Medium>::new(&plan).play();
        let done = report.ended.iter().filter_map(|end| end.done_at).max().expect("done");
        let after = done.saturating_sub(ms(400) + PAUSE);
        println!("host {host}, room {room}, seed {seed}: {after:?} after the pause");
        assert!(report.ended.iter().all(|end| end.done), "{:#?}", report.ended);
        assert!(after <= BOUND, "host {host}, room {room}, seed {seed}: {after:?}");
    }
}

/// Ten minutes: both ends name it, and a new session is there within two seconds.
#[test]
fn a_pause_longer_than_the_idle_timeout_ends_both_sessions_and_the_next_one_is_quick() {
    const TEN_MINUTES: Duration = Duration::from_secs(600);
    for (seed, clock_runs) in (1..).zip([true, false]) {
        let mut plan = upload(seed, 4 * MEBIBYTES);
        plan.redials = 1;
        pause(&mut plan, 1, ms(1_000), TEN_MINUTES, clock_runs);
        let report = Network::<HostStorage>::new(&plan).play();
        let ends: Vec<_> =
            report.ended.iter().map(|end| (end.host, end.why.expect("nobody restarts"))).collect();
        let timed_out = |host| ends.iter().filter(|end| **end == (host, Closure::TimedOut)).count();
        assert_eq!((timed_out(0), timed_out(1)), (1, 1), "{ends:?}");
        let last: Vec<_> = report.ended.iter().filter(|end| end.why == Some(Closure::Complete)).collect();
        assert!(last.len() == 2 && last.iter().all(|end| end.done), "the second try succeeded: {ends:?}");
        let began = last.iter().filter_map(|end| end.established_at).max().expect("established");
        // The client's clock may have stood still, too: then its own timeout has just begun to run.
        let noticed = if clock_runs { TEN_MINUTES } else { TEN_MINUTES + Duration::from_secs(30) };
        println!("clock runs {clock_runs}: established again after {began:?}");
        assert!(began <= ms(1_000) + noticed + ms(2_000), "established again only after {began:?}");
    }
}

/// A NAT that forgets after two seconds of silence; keepalives every second keep it open for ten minutes.
#[test]
fn keepalives_hold_a_forgetful_nat_open() {
    let mut scenario = Scenario::new(1, 1).profile(Profile::Small).link(interop_link());
    scenario.idle_timeout = Duration::from_secs(3);
    scenario.keepalive = true;
    let mut world = World::<Small>::new(&scenario);
    world.path.forget_after(Duration::from_secs(2));
    world.sides[CLIENT].application.write_limit = 0;
    world.advance(Instant::ZERO + Duration::from_secs(600));
    assert!(world.sides.iter().all(|side| side.closure().is_none()), "both sessions are open");
    assert_eq!((stats(&world, SERVER).path_changes, world.path.unreachable()), (0, 0));
}

/// The same without keepalives: what the server sends is lost in the NAT, and it finds out in time.
#[test]
fn a_server_behind_whose_back_a_nat_forgets_is_told_in_time() {
    let mut scenario = Scenario::new(1, 1).profile(Profile::Small).link(interop_link());
    scenario.server_bytes = 1;
    scenario.idle_timeout = Duration::from_secs(30);
    let mut world = World::<Small>::new(&scenario);
    world.path.forget_after(Duration::from_secs(2));
    world.sides.iter_mut().for_each(|side| side.application.write_limit = 0);
    world.advance(Instant::ZERO + Duration::from_secs(10));
    world.sides[SERVER].application.write_limit = 1;
    world.advance(world.now);
    world.advance(Instant::ZERO + Duration::from_secs(42));
    assert_eq!([0, 1].map(|side: usize| world.sides[side].closure()), [Some(Closure::TimedOut); 2]);
    assert!(world.path.unreachable() > 0);
}
