//! Texts and hashes.

use std::time::Duration;

use super::*;
use crate::judge::Verdict;
use crate::plan::{LinkPlan, Scene, Trouble, Without};

#[test]
fn sizes_are_told_in_the_largest_unit_that_divides_them() {
    for (bytes, words) in
        [(0, "0 bytes"), (1_000, "1000 bytes"), (262_144, "256 KiB"), (2 << 20, "2 MiB"), (1 << 11, "2 KiB")]
    {
        assert_eq!(size(bytes), words);
    }
}

#[test]
fn the_hash_of_a_file_is_its_sha_256() {
    let path = std::env::temp_dir().join(format!("qemu-run-hash-{}", std::process::id()));
    fs::write(&path, "abc").unwrap();
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1
    assert_eq!(hash(&path).unwrap(), expected);
    fs::remove_file(path).unwrap();
}

#[test]
fn a_program_that_is_not_there_has_no_version() {
    assert_eq!(version(&mut Command::new("/nonexistent/program")), None);
    assert_eq!(version(Command::new("echo").arg("name 1.2")).as_deref(), Some("name 1.2"));
}

/// A run whose connector has told `log`, and nothing else.
fn outcome(log: &str) -> Outcome {
    let connector = EndResult {
        role: Role::Connector,
        log: "connector.log".into(),
        console: None,
        verdict: Verdict { reached: Vec::new(), faults: Vec::new() },
        output: Output::parse(log),
        fate: Fate::Killed,
    };
    Outcome { ends: vec![connector], wire: None, secrets: None, faults: Vec::new(), elapsed: Duration::ZERO }
}

#[test]
fn both_ends_may_agree_on_the_wrong_bytes() {
    let plan = Plan {
        profile: Profile::UdpSec,
        scene: Scene::TwoGuests,
        link: LinkPlan { loss: 0.0, delay: 20.0, reorder: 0.0, rate: 10.0, queue: 25 },
        seed: 1,
        bytes: 2 << 20,
        mtu: 1_228,
        without: Without::Blocked,
        trouble: Trouble::None,
        secrets: false,
        limit: Duration::from_secs(1),
    };
    // What two guests have told of this plan.
    let told = "FIGURE bulk_sha256 2f7483452655fa6604b2556326a2a0c6868f7dad2c6b4909772d68f3a6ba0562";
    assert_eq!(wrong_bytes(&plan, &outcome(told)), None);
    assert_eq!(wrong_bytes(&plan, &outcome("")), None, "a run that did not come so far");
    for other in [Plan { seed: 2, ..plan.clone() }, Plan { bytes: 1 << 20, ..plan }] {
        assert!(wrong_bytes(&other, &outcome(told)).is_some_and(|fault| fault.contains("2f748345")));
    }
}
