//! Transfers over the standard link: goodput, moderate loss, corruption, outages, tail loss.

mod common;

use common::{bursty, interop_link, random, secs, succeed};
use harness::Scenario;
use harness::world::ms;
use lossy_link::LinkConfig;
use udp_sec::time::{Duration, Instant};

const MIB: u64 = 1 << 20;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Issue: 10 MiB, no random loss: mean goodput at least 9.0 Mbit/s over five seeds.
#[test]
fn fills_the_link() {
    let goodputs: Vec<f64> = (0..5)
        .map(|seed| {
            succeed(&Scenario::new(seed, 10 * MIB).link(interop_link())).goodput(10 * MIB) as f64 / 1e6
        })
        .collect();
    println!("goodput, Mbit/s: {goodputs:.3?}");
    assert!(mean(&goodputs) >= 9.0);
}

/// Issue: 2 MiB at 2 % loss both ways, 20 seeds: mean at most 7.5 s, each at most 9.5 s.
#[test]
fn moderate_loss() {
    let link = interop_link().loss(random(2));
    let times: Vec<f64> = (0..20)
        .map(|seed| secs(succeed(&Scenario::new(seed, 2 * MIB).link(link.clone())).done.expect("done")))
        .collect();
    println!("2 % loss: mean {:.3} s of {times:.2?}", mean(&times));
    assert!(mean(&times) <= 7.5);
    assert!(times.iter().all(|time| *time <= 9.5));
}

#[test]
fn moderate_corruption() {
    let link = interop_link().corruption(bursty(2));
    let times: Vec<f64> = (0..20)
        .map(|seed| secs(succeed(&Scenario::new(seed, 2 * MIB).link(link.clone())).done.expect("done")))
        .collect();
    println!("2 % corruption: mean {:.3} s of {times:.2?}", mean(&times));
    assert!(mean(&times) <= 8.0);
}

fn outage(bytes: u64, length: Duration, both: [bool; 2]) -> f64 {
    let start = Instant::ZERO + Duration::from_secs(5);
    let dark = interop_link().blackout(start..start + length);
    let pick = |dark_here: bool| if dark_here { dark.clone() } else { interop_link() };
    let mut scenario = Scenario::new(1, bytes);
    scenario.to_server = pick(both[0]);
    scenario.to_client = pick(both[1]);
    secs(succeed(&scenario).done.expect("done"))
}

/// Issue: a 2 s blackout 5 s into 10 MiB costs at most 14 s in all; 10 s and 25 s resume within the idle timeout.
#[test]
fn outages() {
    for directions in [[true, true], [true, false], [false, true]] {
        let time = outage(10 * MIB, Duration::from_secs(2), directions);
        println!("2 s outage {directions:?}: {time:.2} s");
        assert!(time <= 14.0);
    }
    for length in [10, 25] {
        let time = outage(10 * MIB, Duration::from_secs(length), [true, true]);
        println!("{length} s outage: {time:.2} s");
    }
}

/// Issue: every non-empty subset of the last ten packets lost once: done within 2 PTO + 1 RTT of the ideal.
#[test]
fn tail_loss() {
    let link = || LinkConfig::default().delay(ms(15));
    let scenario = |to_server: LinkConfig| {
        let mut scenario = Scenario::new(3, 100 << 10);
        scenario.to_server = to_server;
        scenario.to_client = link();
        scenario
    };
    let ideal = succeed(&scenario(link()));
    // Every datagram toward the server but the CLOSE at the end carries data or the handshake.
    let sent = ideal.to_server.sent - 1;
    let rtt = ms(30);
    // 2 PTO: smoothed + max(4 var, 1 ms) + the peer's ack delay, with the variation of a steady path.
    let pto = rtt + ms(8) + ms(25);
    let mut worst = Duration::ZERO;
    for subset in 1..1024u64 {
        let lost = (0..10).filter(|bit| subset >> bit & 1 == 1).map(|bit| sent - 10 + bit);
        let report = succeed(&scenario(link().drop_indices(lost)));
        let late = report.done.expect("done") - ideal.done.expect("done");
        worst = worst.max(late);
        assert!(late <= pto * 2 + rtt, "subset {subset:#b}: {late:?} late");
    }
    println!("ideal {:?}, worst {worst:?} later", ideal.done);
}
