//! Section 6, "Credit", and the rules of section 5 for acknowledgements that no other test is named after.

use rand_core::SeedableRng;
use udp_sec::handshake::Initiator;
use udp_sec::handshake::params::Parameters;
use udp_sec::time::Duration;
use udp_sec_recovery::endpoint::SessionId;
use udp_sec_recovery::frame::{Frame, Frames};

use super::lab::{Lab, Peer, address, keys, parameters};
use super::{acknowledge, frames_of, second};

/// A session with a peer that grants `credit` bytes.
fn granted(credit: u64) -> (Lab, Peer, SessionId) {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let parameters = Parameters { initial_credit: credit, ..parameters() };
    let mut rng = chacha20::ChaCha8Rng::seed_from_u64(4);
    let call = Initiator::new(&peer_keys, lab.keys.public(), 1, &parameters, &mut rng).expect("entropy");
    lab.deliver(address(1), call.datagram());
    let (_, response) = lab.drain().datagrams.remove(0);
    let mut peer = Peer::established(call, address(1), &response);
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    acknowledge(&mut lab, &mut peer, &done.datagrams);
    let id = lab.last_session();
    (lab, peer, id)
}

#[test]
fn blocked_is_said_once_for_an_offset_and_again_after_each_third_of_the_idle_timeout() {
    let (mut lab, mut peer, id) = granted(100);
    lab.connection(id).write(&[1; 500]).expect("open");
    let mut said = Vec::new();
    for seconds in 0..=25 {
        for (at, done) in lab.run_until(second(seconds)) {
            let frames = acknowledge(&mut lab, &mut peer, &done.datagrams).concat();
            said.extend(frames.into_iter().filter(|it| it.starts_with("DATA")).map(|it| (at, it)));
        }
        // The peer is there, and reads nothing.
        peer.send(&mut lab, |frames| frames.ping().expect("room"));
    }
    let at_100 = "DATA_BLOCKED 100".to_owned();
    assert_eq!(said, [(second(0), at_100.clone()), (second(10), at_100.clone()), (second(20), at_100)]);
    let done = peer.send(&mut lab, |frames| frames.max_data(300).expect("room"));
    let frames = frames_of(&mut peer, &done.datagrams).concat();
    assert!(
        frames.contains(&"DATA_BLOCKED 300".to_owned()) && frames.contains(&"STREAM".to_owned()),
        "{frames:?}"
    );
}

#[test]
fn credit_is_due_when_a_quarter_of_the_buffer_has_been_read() {
    let (mut lab, mut peer, id) = granted(1 << 30);
    for nth in 0..4 {
        peer.send(&mut lab, |frames| frames.stream(1_000 * nth, false, 1_000).expect("room").fill(1));
    }
    lab.run_until(second(1));
    let mut bytes = [0; 2_047];
    assert_eq!(lab.connection(id).read(&mut bytes), Ok(2_047));
    assert_eq!(frames_of(&mut peer, &lab.drain().datagrams), Vec::<Vec<String>>::new());
    assert_eq!(lab.connection(id).read(&mut bytes[..1]), Ok(1), "a quarter of 8192");
    assert_eq!(frames_of(&mut peer, &lab.drain().datagrams), [["MAX_DATA 10240"]]);
}

#[test]
fn until_a_packet_of_ours_is_acknowledged_an_ack_takes_a_ping_along() {
    let peer_keys = keys(10);
    let mut lab = Lab::new(&[peer_keys.public()]);
    let mut peer = Peer::half_open(&mut lab, &peer_keys, address(1), 0);
    for _ in 0..3 {
        let sent = peer.send(&mut lab, |frames| frames.ping().expect("room")).datagrams;
        assert_eq!(frames_of(&mut peer, &sent), [["ACK", "PING"]]);
    }
    let again = peer.send(&mut lab, |frames| frames.ping().expect("room")).datagrams;
    acknowledge(&mut lab, &mut peer, &again);
    let after = peer.send(&mut lab, |frames| frames.ping().expect("room")).datagrams;
    assert_eq!(frames_of(&mut peer, &after), [["ACK"]]);
}

/// Section 5, "Bounds": who cannot keep a packet's bytes does not acknowledge it, and its other frames count.
#[test]
fn a_packet_whose_bytes_find_no_place_is_not_acknowledged_and_its_other_frames_count() {
    let (mut lab, mut peer, id) = granted(100);
    lab.connection(id).write(&[1; 200]).expect("open");
    let sent = lab.drain().datagrams;
    acknowledge(&mut lab, &mut peer, &sent);
    for nth in 0..16 {
        peer.send(&mut lab, |frames| frames.stream(2 * nth + 1, false, 1).expect("room").fill(1));
    }
    lab.wait(Duration::from_millis(100));
    let done = peer.send(&mut lab, |frames| {
        frames.stream(101, false, 1).expect("room").fill(1);
        frames.max_data(200).expect("room");
    });
    assert_eq!(lab.connection(id).stats().reassembly_overflows, 1);
    let frames = frames_of(&mut peer, &done.datagrams).concat();
    assert_eq!(frames, ["STREAM"], "the credit counts, and nothing is acknowledged");
    // Nor is it later, with others.
    let refused = peer.session.next_packet_number() - 1;
    let done = peer.send(&mut lab, |frames| frames.ping().expect("room"));
    let (_, frames) = peer.open(&done.datagrams[0].1);
    let Some(Ok(Frame::Ack(ack))) = Frames::new(&frames).next() else { panic!("an ACK first") };
    let acknowledged: Vec<_> = ack.ranges(Some(refused + 1)).expect("legal").collect();
    assert!(acknowledged.contains(&(refused + 1..=refused + 1)), "{acknowledged:?}");
}
