//! First inputs for each target: genuine messages, and short stories in which everything goes well. The fuzzer finds
//! the rest.

use udp_sec::handshake::{Accepted, Answer, Cookies, Initiator, Responder};
use udp_sec::time::Instant;

use crate::keys::{ALICE, BOB, allow, keys, parameters, rng};

/// Seeds of the target called `name`.
///
/// # Panics
/// When there is no such target.
#[must_use]
pub fn of(name: &str) -> Vec<Vec<u8>> {
    match name {
        "datagram" => datagrams(),
        "frames" => frames(),
        "parameters" => payloads(),
        "initiator" | "responder" => handshakes(),
        "stranger" => strangers(),
        "peer" => peers(),
        "session" => sessions(),
        "recovery" => (0..5).map(|part| [&[part][..], &noise(400)].concat()).collect(),
        "mux" => muxes(),
        "mux_peer" => mux_frames(),
        "records" => records(),
        _ => panic!("no target {name}"),
    }
}

/// Bytes without a meaning.
fn noise(len: usize) -> Vec<u8> {
    (0..len as u64).map(|at| (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[6]).collect()
}

/// One of each kind, as they really are.
fn datagrams() -> Vec<Vec<u8>> {
    let initiator = Initiator::new(&keys(ALICE), keys(BOB).public(), 5, &parameters(), &mut rng(1));
    let initiator = initiator.expect("keys that work");
    let initiation = initiator.datagram().to_vec();
    let responder = Responder::new(keys(BOB));
    let checked = responder.check_mac1(&initiation).expect("a genuine message");
    let source = ([192, 0, 2, 1], 40_000).into();
    let reply = Cookies::new(responder.public()).reply(Instant::ZERO, source, &checked, &mut rng(3));
    let incoming = responder.read(checked, &mut rng(2)).expect("a genuine message");
    let authorized = incoming.authorize(&allow(keys(ALICE).public())).expect("a peer");
    let Ok(Accepted::HalfOpen { response, .. }) = authorized.accept(7, &parameters()) else {
        panic!("refused")
    };
    let Answer::Established { mut session, .. } = initiator.read_response(&response) else {
        panic!("no session")
    };
    let mut data = [&[0; 16][..], b"\x01", &[0; 16]].concat();
    session.seal(&mut data).expect("a packet of legal size");
    vec![initiation, response.to_vec(), reply.expect("entropy").to_vec(), data]
}

fn frames() -> Vec<Vec<u8>> {
    let eight = [7; 8];
    let all = [
        &[0, 0, 0][..],
        &[1],
        &[2, 9, 0, 0, 0, 5, 0, 2, 3, 0, 1, 0, 2, 0],
        &[2, 0xff, 0xff, 3, 0, 5, 0, 2, 0xff, 0xff, 0, 0, 2, 0],
        &[4, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 8, 9],
        &[5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[&[6], &eight[..4], &[0; 4]].concat(),
        &[&[7], &eight[..4], &[0; 4]].concat(),
        &[&[8], &eight[..]].concat(),
        &[&[9], &eight[..]].concat(),
        &[12, 7, 0, 2, b'n', b'o'],
    ];
    all.iter().map(|frame| frame.to_vec()).chain([all.concat()]).collect()
}

/// Handshake parameters, and such as they must not be.
fn payloads() -> Vec<Vec<u8>> {
    let mut genuine = parameters().to_initiation(None).expect("in range").to_vec();
    while genuine.last() == Some(&0) {
        genuine.pop();
    }
    let with = |more: &[u8]| [&genuine[..], more].concat();
    let unknown = with(&[77, 2, 0, 1, 2]);
    vec![with(&[0]), with(&[8, 2, 0, 1, 0]), with(&[10, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0]), unknown, genuine]
}

fn handshakes() -> Vec<Vec<u8>> {
    let payloads = payloads().into_iter().map(|payload| [&[0][..], &payload].concat());
    let refusal = vec![0, 8, 2, 0, 2, 0];
    // A bit turned at a few places, in each kind of answer.
    let changes = [0_u16, 5, 40, 600, 1_170, 1_190].into_iter().flat_map(|at| {
        let [low, high] = at.to_le_bytes();
        [vec![1, 0, 0, 0, low, high, 1], vec![1, 1, 0, 0, low, high, 1]]
    });
    payloads.chain([refusal]).chain(changes).collect()
}

/// One datagram each: a byte turned in each kind, one that is as it was, and one made up.
fn strangers() -> Vec<Vec<u8>> {
    let turned = (0..4).map(|kind| vec![kind, 0, 0, 40, 0, 1, ALICE]);
    turned.chain([vec![3, 0, 0, 40, 0, 0, 9], vec![4, 4, 0, 1, 4, 0, 0, 9]]).collect()
}

/// A role, and a peer that keeps to the rules: it sends, receives, acknowledges, and finishes.
fn peers() -> Vec<Vec<u8>> {
    let round = |more: &[u8]| [&[0x00, 200, 0x03, 1, 0xb0, 0xbb, 0, 4, 0xba, 0, 2, 0xb9][..], more].concat();
    let stories: [&[u8]; 5] = [
        &[],
        // Another address; a challenge and its answer.
        &[0xbd, 2, 0x0e, 0xb0, 0x0a, 0xb0, 0x09, 5, 0xb0],
        // Another key.
        &[0xbe, 200, 0x0e, 0xb0],
        // Credit, and time.
        &[0x06, 0, 200, 0xb0, 0xb7, 17, 0],
        // Everything twice, and late.
        &[0xb6, 0, 0xb6, 1, 0xb5, 0x01, 30, 0xb0],
    ];
    let end = [0xbc, 0xb0, 0x03, 0, 0xa0, 1, 0xb0, 0xb9, 0x03, 0, 0xb0];
    let header = |role: u8| [role, 29, 12, 12, 1, 0, 8, 0, 6];
    let tell = |(role, story): (u8, &[u8])| [&header(role)[..], &round(story).repeat(12), &end].concat();
    stories.into_iter().flat_map(|story| [(0, story), (1, story)]).map(tell).collect()
}

/// Transfers in both directions through a network that does something to them each round.
fn sessions() -> Vec<Vec<u8>> {
    let header = [0x00, 0x40, 0x00, 0x10, 29, 29, 12, 1, 9, 0];
    let stories: [&[u8]; 8] = [
        &[],
        // Lost, doubled, late, changed, from elsewhere, sent back, sent again.
        &[0x06, 0, 0x07, 1],
        &[0x08, 0, 0x09, 0],
        &[0x05, 1, 0x04, 1],
        &[0x0a, 0, 0, 0, 0, 1, 0x0c, 0, 1, 0],
        &[0x0e, 0, 0x0f, 0, 0x10, 3],
        // Another address.
        &[0x1a, 7],
        // Applications that stop and go on.
        &[0x16, 0, 1, 0, 1, 0x18],
    ];
    let round = |story: &[u8]| [story, &[0x01, 0x00, 0x14]].concat();
    let tell = |story: &[u8]| [&header[..], &round(story).repeat(20)].concat();
    let given_up = [&tell(&[])[..], &[0x1c, 1]].concat();
    stories.into_iter().map(tell).chain([given_up]).collect()
}

fn muxes() -> Vec<Vec<u8>> {
    let open = [0x00, 3, 0x01, 0];
    let carry =
        [0x12, 0xff, 0, 0xff, 0, 0x13, 0xff, 0, 0xff, 0, 0x18, 0xff, 0, 0, 0x19, 0xff, 0, 9, 0x1e, 0x1f];
    let talk = [0x02, 0, 100, 0, 0x03, 1, 200, 0, 0x08, 1, 50, 0, 0x09, 0, 90, 0];
    let whole =
        [&open[..], &carry, &[&talk[..], &carry].concat().repeat(8), &[0x0e, 0, 0x0f, 1], &carry].concat();
    let reset = [&open[..], &carry, &talk, &[0x10, 0], &carry, &open].concat();
    // A stream that is given up before the peer hears of it, and one that takes its place.
    let unheard = [&[0x00, 3].repeat(4)[..], &[0x10, 0, 0x00, 3], &carry].concat();
    vec![whole, reset, unheard]
}

fn mux_frames() -> Vec<Vec<u8>> {
    let open = [1, 0, 1, 50, 1, b'a'];
    let data = [3, 0, 1, 9];
    let act = [0xa1, 1, 5, 0xa5, 1, 80, 0xa2, 1, 20, 0xa7];
    let ours = [0xa0, 0, 3, 1, b'b', 0xa5, 0, 80, 2, 3, 2, 50];
    let rest = [4, 0, 1, 20, 6, 0, 9, 0, 7, 0, 9, 0, 8, 0, 1, 0, 5, 0, 2, 1];
    let raw = [&[10, 12, 2, 6, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], &[0xae; 40][..]].concat();
    vec![[&open[..], &data, &act, &ours, &rest].concat(), [&open[..], &open, &data.repeat(9)].concat(), raw]
}

fn records() -> Vec<Vec<u8>> {
    let carry = [0x00, 0xff, 0xff, 0x09, 0xff, 0xff, 0x01, 0xff, 0xff, 0x08, 0xff, 0xff];
    let talk = [0x10, 0, 4, 0x11, 0, 2, 0x14, 0, 3, 0x15, 0, 3];
    let whole = [&[1, 0, 8], &[&carry[..], &talk].concat().repeat(6)[..]].concat();
    let pieces = [0x00, 77, 0, 0x09, 50, 0, 0x01, 90, 0, 0x08, 60, 0].repeat(40);
    let in_pieces = [&[1, 0, 0], &pieces[..], &talk, &pieces].concat();
    let changed = [&whole[..], &[0x00, 0xff, 0xff, 0x1f, 50, 0, 1]].concat();
    let given_up = [&whole[..], &[0xfc]].concat();
    let said = vec![0, 0, 0, 5, 9, 9, 9, 9, 9, 5, 0, 1, 3, 1, 0, 3, 1, 3, 0, 1, 7];
    let closed = vec![0, 0, 0, 1, 7, 3, 3, 4, 0, 0];
    let stranger = [0, 1, 0, 0, 0, 0, 1];
    vec![
        whole,
        in_pieces,
        changed,
        given_up,
        said,
        closed,
        stranger.to_vec(),
        vec![0, 0, 0xef, 9, 1, 2, 3, 4],
    ]
}
