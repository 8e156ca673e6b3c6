//! What `Debug` shows of every public type that holds a secret, or something that does: never a piece of it.
#![cfg(target_os = "linux")]

use secrets::debug::{Shown, shown};
use secrets::end::{APPLICATION, endpoint, path};
use secrets::needles::{Known, Needle, schedule};
use secrets::recorder::Recorder;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Answer, Cookies, Initiator, Responder};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::Instant;
use udp_sec_recovery::endpoint::{Config, Output};
use udp_sec_recovery::event::Event;

fn keys(random: &mut Recorder) -> StaticKeypair {
    StaticKeypair::generate(random).expect("infallible")
}

fn parameters() -> Parameters {
    Parameters::new(ApplicationProtocol::new(APPLICATION).expect("a short name"), 1 << 16)
}

/// Every 32 bytes that `random` has given.
fn drawn(random: &Recorder) -> impl Iterator<Item = Needle> + '_ {
    random.drawn.iter().map(|secret| Needle::new("drawn", *secret))
}

#[test]
fn the_search_finds_what_is_shown() {
    let needles = [Needle::new("secret", std::array::from_fn(|nth| nth as u8 * 7 + 3))];
    assert_eq!(shown(&format!("{:?}", needles[0].secret), &needles), Some("secret"));
    assert_eq!(shown(&format!("{:#?}", needles[0].secret), &needles), Some("secret"));
    assert_eq!(shown("key: 0x1118_1f26".replace('_', "").as_str(), &needles), Some("secret"));
    assert_eq!(shown("nothing of it", &needles), None);
}

#[test]
fn no_type_of_the_packet_layer_shows_a_secret() {
    let [mut ours, mut theirs] = [1, 2].map(Recorder::new);
    let (client, server) = (keys(&mut ours), keys(&mut theirs));
    let mut shown = Shown::default();
    let initiator = Initiator::new(&client, server.public(), 1, &parameters(), &mut ours).expect("good keys");
    let message = *initiator.datagram();
    let mut cookies = Cookies::new(server.public());
    let responder = Responder::new(server.clone());
    let checked = responder.check_mac1(&message).expect("a right mac1");
    cookies.reply(Instant::ZERO, path().remote, &checked, &mut theirs).expect("entropy");
    shown.add("StaticKeypair", &client);
    shown.add("Initiator", &initiator);
    shown.add("Responder", &responder);
    shown.add("Cookies", &cookies);
    shown.add("CheckedInitiation", &checked);
    let incoming = responder.read(checked, &mut theirs).expect("entropy");
    shown.add("Incoming", &incoming);
    let mut allowed = AllowList::<1>::new();
    allowed.add(*client.public()).expect("room for one");
    let authorized = incoming.authorize(&allowed).expect("allowed");
    shown.add("Authorized", &authorized);
    let accepted = authorized.accept(2, &parameters()).expect("good parameters");
    shown.add("Accepted", &accepted);
    let Accepted::HalfOpen { response, session, .. } = accepted else { panic!("refused") };
    shown.add("Session", &session);
    let answer = initiator.read_response(&response);
    shown.add("Answer", &answer);
    assert!(matches!(answer, Answer::Established { .. }));
    records(&client, &server, &mut shown, &mut ours, &mut theirs);

    let peer_ephemeral = response[12..44].try_into().expect("32 bytes");
    let [secret, ephemeral] = [ours.drawn[0], ours.drawn[1]];
    let peer = *server.public().as_bytes();
    let schedule = schedule(&Known { secret, ephemeral, peer, peer_ephemeral, is_initiator: true });
    let needles: Vec<_> =
        drawn(&ours).chain(drawn(&theirs)).chain(schedule.session).chain(schedule.handshake).collect();
    assert!(needles.len() > 20);
    shown.assert_hide(&needles);
}

/// The same over a byte stream.
fn records(
    client: &StaticKeypair,
    server: &StaticKeypair,
    shown: &mut Shown,
    ours: &mut Recorder,
    theirs: &mut Recorder,
) {
    let initiator =
        Initiator::for_records(client, server.public(), 1, &parameters(), ours).expect("good keys");
    shown.add("Initiator of records", &initiator);
    let responder = Responder::new(server.clone());
    let checked = responder.check_mac1(initiator.datagram()).expect("a right mac1");
    let incoming = responder.read_record(checked, theirs).expect("entropy");
    let mut allowed = AllowList::<1>::new();
    allowed.add(*client.public()).expect("room for one");
    let accepted = incoming.authorize(&allowed).expect("allowed").accept(2, &parameters());
    let Ok(Accepted::HalfOpen { session, .. }) = accepted else { panic!("refused") };
    shown.add("RecordSession", &session);
}

/// Endpoints, which hold all of the above, at each stage of a handshake, and their sessions.
#[test]
fn no_endpoint_and_no_connection_shows_a_secret() {
    let [mut ours, mut theirs] = [3, 4].map(Recorder::new);
    let (client, server) = (keys(&mut ours), keys(&mut theirs));
    let mut shown = Shown::default();
    shown.add("Config", &Config::new(client.clone(), parameters()));
    let publics: [PublicKey; 2] = [*client.public(), *server.public()];
    let mut sides = [endpoint(client, publics[1], APPLICATION), endpoint(server, publics[0], APPLICATION)];
    sides[0].connect(Instant::ZERO, &mut ours, path(), &publics[1]).expect("an empty endpoint");
    let (mut out, mut quiet, mut at, mut sessions) = ([0; 1200], 0, 0, 0);
    let mut response = None;
    while quiet < 2 {
        match sides[at].poll_output(Instant::ZERO, &mut out) {
            Output::Transmit(transmit) => {
                quiet = 0;
                if out[1] == 2 {
                    response = Some(out);
                }
                let random = if at == 0 { &mut theirs } else { &mut ours };
                sides[1 - at].handle_datagram(Instant::ZERO, random, path(), &mut out[..transmit.len]);
                sides[1 - at].end_of_batch();
                sides.iter().for_each(|side| shown.add("Endpoint", side));
            }
            Output::Event(id, Event::Established) => {
                sessions += 1;
                shown.add("Connection", sides[at].peek(id).expect("established"));
            }
            Output::Event(..) => {}
            Output::Wait(_) => (at, quiet) = (1 - at, quiet + 1),
        }
    }
    assert_eq!(sessions, 2);
    let known = Known {
        secret: ours.drawn[0],
        ephemeral: ours.drawn[1],
        peer: *publics[1].as_bytes(),
        peer_ephemeral: response.expect("sent")[12..44].try_into().expect("32 bytes"),
        is_initiator: true,
    };
    let schedule = schedule(&known);
    let needles: Vec<_> =
        drawn(&ours).chain(drawn(&theirs)).chain(schedule.session).chain(schedule.handshake).collect();
    assert!(needles.len() > 17);
    shown.assert_hide(&needles);
}
