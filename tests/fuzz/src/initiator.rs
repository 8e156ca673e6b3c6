//! The calling side of a handshake: a changed answer is refused and the true one still completes; and whatever the
//! called puts into its answer, only what was offered comes of it.

use udp_sec::error::Reject;
use udp_sec::handshake::{Accepted, Answer, Cookies, Initiator, Responder};
use udp_sec::time::Instant;
use udp_sec::wire::{self, Datagram};

use crate::input::Input;
use crate::keys::{ALICE, BOB, allow, keys, parameters, rng};
use crate::parameters::check;
use crate::{Outcome, log, noise};

/// The first byte of `data` chooses: changes to a genuine answer, or the payload of one.
pub(crate) fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    let initiator = Initiator::new(&keys(ALICE), keys(BOB).public(), 5, &parameters(), &mut rng(1));
    let initiator = initiator.expect("keys that work");
    if input.flag() { changed(initiator, &mut input) } else { hostile(initiator, input.rest()) }
}

fn changed(initiator: Initiator, input: &mut Input<'_>) -> Outcome {
    let responder = Responder::new(keys(BOB));
    let source = ([192, 0, 2, 1], 40_000).into();
    let mut cookies = Cookies::new(responder.public());
    let checked = responder.check_mac1(initiator.datagram()).expect("a genuine message");
    let reply = cookies.reply(Instant::ZERO, source, &checked, &mut rng(3)).expect("entropy");
    let incoming = responder.read(checked, &mut rng(2)).expect("a genuine message");
    let authorized = incoming.authorize(&allow(keys(ALICE).public())).expect("a peer");
    let Ok(Accepted::HalfOpen { response, session: mut bobs, .. }) = authorized.accept(7, &parameters())
    else {
        panic!("refused")
    };

    let cookie_comes_first = input.flag();
    let mut initiator = initiator;
    let before = *initiator.datagram();
    let genuine: &[u8] = if cookie_comes_first { &reply } else { &response };
    let mutant = input.mutated(genuine);
    let mut refused = Ok(());
    if mutant != genuine {
        refused = initiator.on_cookie(&mutant);
        refused.expect_err("a changed cookie is taken");
        assert_eq!(*initiator.datagram(), before, "a changed cookie left a trace");
        initiator = match initiator.read_response(&mutant) {
            Answer::Rejected(initiator, reject) => {
                refused = Err(reject);
                initiator
            }
            other => panic!("a changed Response is taken: {other:?}"),
        };
    }
    if cookie_comes_first {
        initiator.on_cookie(&reply).expect("the true cookie");
        let again = responder.check_mac1(initiator.datagram()).expect("the same initiation");
        assert!(cookies.verify(Instant::ZERO, source, &again));
    }
    let Answer::Established { mut session, parameters } = initiator.read_response(&response) else {
        panic!("the true one is refused")
    };
    check(&parameters);
    let mut packet = [&[0; 16][..], b"\x01", &[0; 16]].concat();
    session.seal(&mut packet).expect("a packet of legal size");
    assert_eq!(bobs.open(&mut [0; 4], &mut packet).expect("the same keys").frames(), b"\x01");
    refused.map_or_else(Reject::label, |()| "genuine")
}

fn hostile(initiator: Initiator, payload: &[u8]) -> Outcome {
    let Ok(Datagram::Initiation(initiation)) = wire::decode(initiator.datagram()) else {
        panic!("no initiation")
    };
    let response = noise::response(&keys(BOB), &initiation, payload);
    let answer = initiator.read_response(&response);
    log::state(&answer);
    match answer {
        Answer::Established { session, parameters: theirs } => {
            let offered = parameters();
            assert_eq!(theirs.application, offered.application);
            assert!(
                theirs.aeads.iter().count() == 1 && theirs.aeads.iter().all(|it| offered.aeads.contains(it))
            );
            assert_eq!(session.peer(), keys(BOB).public());
            check(&theirs);
            "established"
        }
        Answer::Refused(code) => {
            log::line(code);
            "refused"
        }
        Answer::Unproven => panic!("no proof is demanded"),
        Answer::Rejected(_, reject) => {
            assert_eq!(reject, Reject::MalformedParameters);
            reject.label()
        }
    }
}
