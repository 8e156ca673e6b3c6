//! The called side of a handshake: a changed Initiation is refused and the true one still completes; and whatever the
//! holder of a key puts into one, what is accepted is in range.

use udp_sec::error::Reject;
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::limits::MAC_LEN;

use crate::input::Input;
use crate::keys::{ALICE, BOB, allow, keys, parameters, rng};
use crate::parameters::check;
use crate::{Outcome, log, noise};

/// The first byte of `data` chooses: changes to a genuine Initiation, or the payload of one.
pub(crate) fn run(data: &[u8]) -> Outcome {
    let mut input = Input::new(data);
    if input.flag() { changed(&mut input) } else { hostile(input.rest()) }
}

fn accept(datagram: &[u8]) -> Result<Accepted, Reject> {
    let (responder, mut rng) = (Responder::new(keys(BOB)), rng(2));
    let checked = responder.check_mac1(datagram)?;
    log::state(&checked);
    let incoming = responder.read(checked, &mut rng)?;
    assert_eq!(incoming.peer(), keys(ALICE).public());
    let authorized = incoming.authorize(&allow(keys(ALICE).public()))?;
    log::state(&authorized);
    check(authorized.parameters());
    authorized.accept(7, &parameters())
}

fn changed(input: &mut Input<'_>) -> Outcome {
    let initiator = Initiator::new(&keys(ALICE), keys(BOB).public(), 5, &parameters(), &mut rng(1));
    let initiator = initiator.expect("keys that work");
    let genuine = initiator.datagram();
    let mutant = input.mutated(genuine);
    // `mac2` is for the endpoint under load to look at.
    let before_mac2 = genuine.len() - MAC_LEN;
    let same = mutant.len() == genuine.len() && mutant[..before_mac2] == genuine[..before_mac2];
    let refused = accept(&mutant).err();
    assert_eq!(refused.is_none(), same, "{refused:?}");

    let Ok(Accepted::HalfOpen { response, session: mut bobs, .. }) = accept(genuine) else {
        panic!("the true one is refused")
    };
    let Answer::Established { session: mut alices, .. } = initiator.read_response(&response) else {
        panic!("no session")
    };
    let mut packet = [&[0; 16][..], b"\x01", &[0; 16]].concat();
    alices.seal(&mut packet).expect("a packet of legal size");
    let opened = bobs.open(&mut [0; 4], &mut packet).expect("the same keys");
    assert_eq!(opened.frames(), b"\x01");
    refused.map_or("genuine", Reject::label)
}

fn hostile(payload: &[u8]) -> Outcome {
    let initiation = noise::initiation(&keys(ALICE), keys(BOB).public(), payload);
    match accept(&initiation) {
        Ok(Accepted::HalfOpen { parameters, .. }) => {
            assert_eq!(parameters.application, crate::keys::parameters().application);
            "accepted"
        }
        Ok(Accepted::Refused { code, .. }) => {
            log::line(code);
            code.text()
        }
        Err(reject) => {
            assert_eq!(reject, Reject::MalformedParameters);
            reject.label()
        }
    }
}
