//! A search that can fail: in memory made by hand.

use super::*;

/// Both ends' needles, of a session whose random bytes are `write_entropy`'s.
fn needles(role: Role) -> Needles {
    let of = |role: Role| {
        let path =
            std::env::temp_dir().join(format!("qemu-run-entropy-{}-{}", role.name(), std::process::id()));
        write_entropy(&path, 3, role).unwrap();
        let entropy = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        // A guest draws something else before.
        let secret: [u8; 32] = entropy[8..40].try_into().unwrap();
        (entropy, *StaticKeypair::from_secret(secret).public().as_bytes())
    };
    let [(connectors, initiation), (listeners, response)] = [of(Role::Connector), of(Role::Listener)];
    let entropy = if role == Role::Connector { connectors } else { listeners };
    let link = Ephemerals { initiation, response, given_up: None };
    Needles::of(role, &entropy, &link).unwrap()
}

fn memory(secrets: &[&Needle]) -> Vec<u8> {
    secrets.iter().fold(vec![0; 100], |memory, needle| [&memory[..], &needle.secret, &[0; 5]].concat())
}

#[test]
fn both_ends_have_the_same_session_keys() {
    let [connector, listener] = [Role::Connector, Role::Listener].map(needles);
    for phase in [0, 1, 255] {
        assert_eq!(connector.directions[0][phase].secret, listener.directions[1][phase].secret);
        assert_eq!(connector.directions[1][phase].secret, listener.directions[0][phase].secret);
    }
    assert_ne!(connector.directions[0][0].secret, connector.directions[0][1].secret);
    assert_eq!(connector.all().count(), 2 + 13 + 2 * PHASES);
}

#[test]
fn what_lives_must_be_found_and_nothing_else_may_be() {
    let needles = needles(Role::Connector);
    let [sends, receives] = &needles.directions;
    let alive =
        [&needles.lasting[0], &needles.lasting[1], &sends[4], &receives[3], &receives[4], &receives[5]];
    let missing = |secrets: &[&Needle]| needles.missing(&needles.search(&memory(secrets)), Profile::UdpSec);
    assert_eq!(missing(&alive), [""; 0]);
    for left_out in 0..3 {
        let rest: Vec<_> =
            alive.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, n)| *n).collect();
        assert_eq!(missing(&rest).len(), 1, "without {}", alive[left_out].name);
    }
    for too_much in [&sends[3], &sends[5], &receives[2], &receives[6], &needles.handshake[0]] {
        assert_eq!(missing(&[&alive[..], &[too_much]].concat()).len(), 1, "with {}", too_much.name);
    }
    let never_updated = [alive[0], alive[1], &sends[0], &receives[0], &receives[1]];
    assert_eq!(missing(&never_updated).len(), 2);
}

#[test]
fn afterwards_only_the_static_secret_may_be_there() {
    let needles = needles(Role::Listener);
    let left = |secrets: &[&Needle]| left_behind(&needles.search(&memory(secrets)));
    let own = &needles.lasting[0];
    assert_eq!(left(&[own, own]), [""; 0]);
    assert_eq!(left(&[own, own, own]).len(), 1);
    for secret in needles.all().filter(|needle| needle.name != STATIC) {
        assert_eq!(left(&[own, secret]).len(), 1, "{}", secret.name);
    }
}

#[test]
fn ephemeral_keys_are_read_from_the_link() {
    let message = |kind: u8, key: u8| [&[1, kind][..], &[0; 10], &[key; 32], &[0; 20]].concat();
    let packet = |protocol: u8, body: &[u8]| {
        let mut ip = [0; 20];
        (ip[0], ip[9]) = (0x45, protocol);
        [&[0; 14][..], &ip, body].concat()
    };
    let udp = |message: &[u8]| packet(17, &[&[0; 8], message].concat());
    let tcp = |message: &[u8]| {
        let mut header = [0; 24];
        header[12] = 6 << 4;
        packet(6, &[&header[..], &[76, 0], message].concat())
    };
    let pcap = |frames: &[Vec<u8>]| {
        frames.iter().fold(vec![0; 24], |file, frame| {
            let len = (frame.len() as u32).to_le_bytes();
            [&file[..], &[0; 8], &len, &len, frame].concat()
        })
    };
    for carrier in [&udp as &dyn Fn(&[u8]) -> Vec<u8>, &tcp] {
        let frames = [carrier(&message(1, 7)), vec![0; 60], carrier(&message(1, 7)), carrier(&message(2, 8))];
        let read = |frames: &[Vec<u8>]| Ephemerals::read(&pcap(frames));
        let one = Ephemerals { initiation: [7; 32], response: [8; 32], given_up: None };
        assert_eq!(read(&frames).unwrap(), one);
        let two = [&[carrier(&message(1, 6))], &frames[..]].concat();
        assert_eq!(read(&two).unwrap(), Ephemerals { given_up: Some([6; 32]), ..one });
        assert!(read(&frames[..3]).is_err(), "no Response");
        let three = [&[carrier(&message(1, 5))], &two[..]].concat();
        assert!(read(&three).is_err(), "one too many");
    }
}
