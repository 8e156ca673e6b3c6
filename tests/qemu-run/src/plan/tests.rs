//! The words that guests and relay are started with.

use super::*;

fn plan(profile: Profile) -> Plan {
    Plan {
        profile,
        scene: Scene::TwoGuests,
        link: LinkPlan { loss: 5.0, delay: 20.0, reorder: 0.0, rate: 10.0, queue: 25 },
        seed: 7,
        bytes: 1_000,
        mtu: 1_228,
        without: Without::Blocked,
        trouble: Trouble::None,
        secrets: false,
        limit: Duration::from_secs(120),
    }
}

#[test]
fn guests_are_told_their_part() {
    let plan = plan(Profile::UdpSec);
    assert_eq!(
        plan.boot_arguments(Role::Connector, 4_433),
        "role=connector port=4433 mtu=1228 DSOFTBUS_TRANSPORT=auto bytes=1000 seed=7 loss=1 limit=120"
    );
    assert_eq!(plan.boot_arguments(Role::Listener, 4_433), "role=listener port=4433 mtu=1228 limit=120");
}

#[test]
fn udp_is_blocked_or_switched_off_where_the_profile_wants_that() {
    for (profile, mode) in [(Profile::Fallback, "auto"), (Profile::Strict, "udp-sec")] {
        let mut plan = plan(profile);
        assert!(plan.relay_options().contains(&"--block=udp".to_owned()));
        assert!(!plan.boot_arguments(Role::Connector, 1).contains("udp=off"));
        plan.without = Without::Off;
        assert!(!plan.relay_options().contains(&"--block=udp".to_owned()));
        let arguments = plan.boot_arguments(Role::Connector, 1);
        assert!(
            arguments.contains("udp=off") && arguments.contains(&format!("TRANSPORT={mode} ")),
            "{arguments}"
        );
        assert!(!plan.boot_arguments(Role::Listener, 1).contains("udp=off"));
    }
    assert!(!plan(Profile::UdpSec).relay_options().contains(&"--block=udp".to_owned()));
}

#[test]
fn the_relay_gets_the_link() {
    let mut plan = plan(Profile::UdpSec);
    plan.trouble = Trouble::Fuzz(9);
    let expected = [
        "--seed=7",
        "--loss=5",
        "--rtt=20",
        "--reorder=0",
        "--rate=10",
        "--queue=25",
        "--fuzz=9",
        "--fuzz-to=b",
    ];
    assert_eq!(plan.relay_options(), expected);
    assert_eq!(plan.name(), "udp-sec-two-guests-loss5-seed7-fuzz");
}
