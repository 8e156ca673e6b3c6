//! Forging by trial: a session ends when more openings have failed than a key can bear.

use udp_sec::error::{CloseCode, Reject};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::limits::KEY_FAILED_MAX;
use udp_sec::session::Session;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::{Connection, KeyLife, Start};
use udp_sec_recovery::event::Closure;
use udp_sec_recovery::frame::{Frame, Frames};
use udp_sec_recovery::memory::Small;

use super::lab::{Entropy, address, keys, parameters};

const NOW: Instant = Instant::ZERO;

/// Both ends of a session.
fn sessions() -> [Session; 2] {
    let (ours, theirs) = (keys(1), keys(2));
    let [mut random, mut peers_random] = [1, 2].map(Entropy::new);
    let mut allowed = AllowList::<1>::new();
    allowed.add(*ours.public()).expect("room for one");
    let initiator = Initiator::new(&ours, theirs.public(), 1, &parameters(), &mut random).expect("good keys");
    let responder = Responder::new(theirs);
    let checked = responder.check_mac1(initiator.datagram()).expect("a right mac1");
    let authorized =
        responder.read(checked, &mut peers_random).and_then(|incoming| incoming.authorize(&allowed));
    let Ok(Accepted::HalfOpen { response, session: theirs, .. }) =
        authorized.and_then(|authorized| authorized.accept(2, &parameters()))
    else {
        panic!("refused")
    };
    let Answer::Established { session: ours, .. } = initiator.read_response(&response) else {
        panic!("refused")
    };
    [ours, theirs]
}

fn connection(session: Session) -> Connection<Small> {
    let parameters = parameters();
    let start = Start {
        now: NOW,
        path: address(1),
        local: &parameters,
        peer: &parameters,
        handshake_rtt: Some(Duration::from_millis(10)),
        path_proven: true,
        confirm_by: None,
        keepalive: false,
        key_life: KeyLife::LONGEST,
    };
    Connection::new(Small::new(), session, &start)
}

fn sealed(session: &mut Session, frames: &[u8]) -> Vec<u8> {
    let mut datagram = [&[0; 16][..], frames, &[0; 16]].concat();
    session.seal(&mut datagram).expect("a short packet");
    datagram
}

#[test]
fn the_last_failed_opening_that_a_session_bears_ends_it_with_key_limit() {
    let [mut session, mut peer] = sessions();
    session.count_failed_openings(KEY_FAILED_MAX - 2);
    let mut connection = connection(session);
    let mut deliver = |datagram: &[u8]| connection.handle_datagram(NOW, address(1), &mut datagram.to_vec());
    let ping = sealed(&mut peer, &[1]);
    let mut forged = ping.clone();
    forged[17] ^= 1;

    assert_eq!(deliver(&forged), Err(Reject::DecryptFailed));
    assert_eq!(deliver(&ping), Ok(()), "one more is borne, and what is genuine still opens");
    forged[12] += 1; // another number: this one has been opened
    assert_eq!(deliver(&forged), Err(Reject::DecryptFailed));
    assert_eq!(connection.closure(), Some(Closure::ByUs(CloseCode::KeyLimit)));

    let mut out = [0; 1_200];
    let transmit = connection.poll_transmit(NOW, &mut out).expect("it says so");
    let opened = peer.open(&mut [0; 4], &mut out[..transmit.len]).expect("the peer's own key is as it was");
    let code = Frames::new(opened.frames()).find_map(|frame| match frame.expect("legal") {
        Frame::Close(close) => Some(close.code),
        _ => None,
    });
    assert_eq!(code, Some(CloseCode::KeyLimit));

    // No trial is left: not even what is genuine opens any more.
    let mut genuine = sealed(&mut peer, &[1]);
    assert_eq!(connection.handle_datagram(NOW, address(1), &mut genuine), Err(Reject::DecryptFailed));
}
