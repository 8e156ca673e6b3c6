//! What QEMU is told.

use super::*;

fn words(machine: &Machine<'_>) -> Vec<String> {
    let command = machine.command(Path::new("serial.txt"), Path::new("console.bin"));
    command.get_args().map(|word| word.to_string_lossy().into_owned()).collect()
}

fn machine(profile: Profile) -> Machine<'static> {
    Machine {
        qemu: Path::new("qemu"),
        image: Path::new("image"),
        arguments: "role=listener port=7",
        role: Role::Listener,
        profile,
        cable: Some(Cable { own: 1, relay: 2 }),
        host: None,
        watched: None,
    }
}

#[test]
fn a_guest_has_its_cable_its_arguments_and_entropy() {
    let words = words(&machine(Profile::UdpSec));
    assert!(words.contains(&"role=listener port=7".to_owned()), "{words:?}");
    assert!(words.contains(&"virtio-rng-device".to_owned()), "{words:?}");
    assert!(
        words.iter().any(|word| word.contains("local.port=1,") && word.ends_with("remote.port=2")),
        "{words:?}"
    );
    assert!(words.iter().any(|word| word.ends_with("mac=52:54:00:00:00:01")), "{words:?}");
}

#[test]
fn without_entropy_there_is_no_such_device() {
    let words = words(&machine(Profile::NoEntropy));
    assert!(!words.iter().any(|word| word.contains("rng")), "{words:?}");
}

#[test]
fn a_guest_that_is_watched_draws_from_a_file() {
    let words = words(&Machine { watched: Some(Path::new("a/file")), ..machine(Profile::UdpSec) });
    let has = |pair: [&str; 2]| words.windows(2).any(|words| words == pair);
    assert!(has(["-object", "rng-random,id=r0,filename=a/file"]) && has(["-qmp", "stdio"]), "{words:?}");
    assert!(!words.contains(&"virtio-rng-device".to_owned()), "no other source: {words:?}");
}

#[test]
fn a_guest_on_its_own_has_no_card() {
    let words = words(&Machine { cable: None, ..machine(Profile::Selftest) });
    assert!(words.windows(2).any(|pair| pair == ["-nic", "none"]), "{words:?}");
    assert!(!words.iter().any(|word| word.contains("netdev")), "{words:?}");
}

#[test]
fn the_host_has_the_address_of_its_part_and_reaches_a_guest_that_listens() {
    let with_host = |host_role| {
        let host = HostNetwork { cable: Cable { own: 3, relay: 4 }, host_role, port: 7 };
        words(&Machine { host: Some(host), ..machine(Profile::UdpSec) }).join(" ")
    };
    let calls = with_host(Role::Connector);
    assert!(
        calls.contains("host=10.0.0.2,") && calls.contains("hostfwd=udp:127.0.0.1:7-10.0.0.1:7,"),
        "{calls}"
    );
    let listens = with_host(Role::Listener);
    assert!(listens.contains("host=10.0.0.1,") && !listens.contains("hostfwd"), "{listens}");
    assert!(listens.contains("hubid=0,netdev=u0") && listens.contains("hubid=0,netdev=d0"), "{listens}");
}
