//! A live handshake with another implementation of Noise, in both roles, and one Data packet each way.
//!
//! The other side is `noise-protocol` with `noise-rust-crypto`, and what is around its messages is made by hand.

use blake2_before::{Blake2s256, Digest};
use chacha20::ChaCha20Rng;
use noise_protocol::patterns::noise_ik;
use noise_protocol::{CipherState, DH, U8Array};
use noise_rust_crypto::sensitive::Sensitive;
use noise_rust_crypto::{ChaCha20Poly1305, X25519};
use rand_core::SeedableRng;
use udp_sec::error::Reject;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::{Accepted, Answer, Initiator, Responder};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::session::Session;
use udp_sec::time::Duration;

use super::by_hand::{Noise, header, mac1, prologue, seal};

const OUR_ID: u64 = 0x0102_0304_0506_0708;
const THEIR_ID: u64 = 0xf1f2_f3f4_f5f6_f7f8;

/// Another implementation's view of its own key.
struct Peer {
    secret: [u8; 32],
    public: [u8; 32],
}

fn peer(fill: u8) -> Peer {
    let secret = [fill; 32];
    Peer { secret, public: X25519::pubkey(&Sensitive::from_slice(&secret)) }
}

fn parameters() -> Parameters {
    let mut parameters = Parameters::new(ApplicationProtocol::new(b"interop/1").unwrap(), 0x0a0b_0c0d);
    parameters.max_ack_delay = Duration::from_millis(0x0102);
    parameters.idle_timeout = Duration::from_millis(0x01_0203);
    parameters.ack_step = 9;
    parameters
}

/// The same parameters by hand, with what `more` adds, zeros up to `len`.
fn payload(more: &[u8], len: usize) -> Vec<u8> {
    let mut payload = [
        &[1, 8, 0, 0x0d, 0x0c, 0x0b, 0x0a, 0, 0, 0, 0][..], // initial credit
        &[2, 2, 0, 0x02, 0x01],                             // largest acknowledgement delay, ms
        &[3, 4, 0, 0x03, 0x02, 0x01, 0],                    // idle timeout, ms
        &[4, 9, 0],                                         // application protocol
        b"interop/1",
        &[5, 1, 0, 1], // ChaCha20-Poly1305
        &[7, 1, 0, 9], // acknowledgement step
        &[9, 1, 0, 1], // highest version
        more,
    ]
    .concat();
    payload.resize(len, 0);
    payload
}

fn open(cipher: &mut CipherState<ChaCha20Poly1305>, our_id: u64, number: u32, packet: &[u8]) -> Vec<u8> {
    let (associated, sealed) = packet.split_at(16);
    assert_eq!(associated, [&header(4, our_id)[..], &number.to_le_bytes()].concat());
    let mut frames = vec![0; sealed.len() - 16];
    cipher.decrypt_ad(associated, sealed, &mut frames).expect("opens");
    frames
}

/// One packet each way, twice, between our `session` and the other side's ciphers.
fn exchange(
    mut session: Session,
    mut to_us: CipherState<ChaCha20Poly1305>,
    mut from_us: CipherState<ChaCha20Poly1305>,
) {
    let mut window = [0; 4];
    for number in 0..2 {
        let mut datagram = [&[0; 16][..], b"from us", &[0; 16]].concat();
        assert_eq!(session.seal(&mut datagram), Ok(u64::from(number)));
        assert_eq!(open(&mut from_us, THEIR_ID, number, &datagram), b"from us");
        let mut datagram = seal(&mut to_us, 0, OUR_ID, number, b"from them");
        let opened = session.open(&mut window, &mut datagram).unwrap();
        assert_eq!((opened.packet_number(), opened.frames()), (u64::from(number), &b"from them"[..]));
    }
}

#[test]
fn we_call() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let (ours, theirs) = (StaticKeypair::generate(&mut rng).unwrap(), peer(2));
    let their_key = PublicKey::from_bytes(theirs.public);
    let initiator = Initiator::new(&ours, &their_key, OUR_ID, &parameters(), &mut rng).unwrap();
    let datagram = initiator.datagram();

    // What they see.
    let (covered, macs) = datagram.split_at(1168);
    assert_eq!(covered[..12], header(1, OUR_ID));
    assert_eq!(macs, [mac1(&theirs.public, covered), [0; 16]].concat());
    let mut noise = Noise::new(
        noise_ik(),
        false,
        prologue(OUR_ID),
        Some(Sensitive::from_slice(&theirs.secret)),
        Some(Sensitive::from_slice(&[3; 32])),
        None,
        None,
    );
    assert_eq!(noise.read_message_vec(&covered[12..]).expect("message 1 opens"), payload(&[], 1060));
    assert_eq!(noise.get_rs(), Some(*ours.public().as_bytes()));

    // What they answer: their session id is parameter 10.
    let session_id = [&[10, 8, 0][..], &THEIR_ID.to_le_bytes()].concat();
    let message = noise.write_message_vec(&payload(&session_id, 1140)).unwrap();
    let response = [header(2, OUR_ID), message].concat();
    let Answer::Established { session, parameters: seen } = initiator.read_response(&response) else {
        panic!("not established")
    };
    assert_eq!((seen, session.peer_id(), session.peer()), (parameters(), THEIR_ID, &their_key));
    let (initiator_to_responder, responder_to_initiator) = noise.get_ciphers();
    exchange(session, responder_to_initiator, initiator_to_responder);
}

#[test]
fn they_call() {
    let mut rng = ChaCha20Rng::from_seed([4; 32]);
    let (ours, theirs) = (StaticKeypair::generate(&mut rng).unwrap(), peer(5));
    let mut noise = Noise::new(
        noise_ik(),
        true,
        prologue(THEIR_ID),
        Some(Sensitive::from_slice(&theirs.secret)),
        Some(Sensitive::from_slice(&[6; 32])),
        Some(*ours.public().as_bytes()),
        None,
    );
    let message = noise.write_message_vec(&payload(&[], 1060)).unwrap();
    let covered = [header(1, THEIR_ID), message].concat();
    let mac = mac1(ours.public().as_bytes(), &covered);
    let datagram = [&covered[..], &mac, &[0; 16]].concat();

    let responder = Responder::new(ours);
    let checked = responder.check_mac1(&datagram).unwrap();
    let id: [u8; 32] = Blake2s256::digest(&covered).into();
    assert_eq!((checked.id(), checked.sender_id()), (id, THEIR_ID));
    let mut allowed = AllowList::<1>::new();
    allowed.add(PublicKey::from_bytes(theirs.public)).unwrap();
    let authorized = responder.read(checked, &mut rng).unwrap().authorize(&allowed).unwrap();
    assert_eq!(authorized.parameters(), &parameters());
    let Accepted::HalfOpen { response, session, .. } = authorized.accept(OUR_ID, &parameters()).unwrap()
    else {
        panic!("refused")
    };

    assert_eq!(response[..12], header(2, THEIR_ID));
    let session_id = [&[10, 8, 0][..], &OUR_ID.to_le_bytes()].concat();
    assert_eq!(noise.read_message_vec(&response[12..]).expect("message 2 opens"), payload(&session_id, 1140));
    let (initiator_to_responder, responder_to_initiator) = noise.get_ciphers();
    exchange(session, initiator_to_responder, responder_to_initiator);
}

/// Their Initiation under a prologue that differs in one bit, for each of its bits: its label, which is in no datagram, and
/// the header. Everything else about it is right, `mac1` included.
#[test]
fn every_bit_of_the_prologue_is_bound() {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let (ours, theirs) = (StaticKeypair::generate(&mut rng).unwrap(), peer(5));
    let call = |prologue: Vec<u8>| {
        let mut noise = Noise::new(
            noise_ik(),
            true,
            prologue,
            Some(Sensitive::from_slice(&theirs.secret)),
            Some(Sensitive::from_slice(&[6; 32])),
            Some(*ours.public().as_bytes()),
            None,
        );
        let message = noise.write_message_vec(&payload(&[], 1060)).unwrap();
        let covered = [header(1, THEIR_ID), message].concat();
        let mac = mac1(ours.public().as_bytes(), &covered);
        [&covered[..], &mac, &[0; 16]].concat()
    };
    let responder = Responder::new(ours.clone());
    let mut read =
        |datagram: &[u8]| responder.read(responder.check_mac1(datagram).unwrap(), &mut rng).map(drop);
    let right = prologue(THEIR_ID);
    assert_eq!(right.len(), 22);
    for bit in 0..8 * right.len() {
        let mut wrong = right.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read(&call(wrong)), Err(Reject::HandshakeFailed), "bit {bit}");
    }
    assert_eq!(read(&call(right)), Ok(()), "the true one, by the same hand");
}
