//! `docs/protocol-example.md`: one session, byte by byte. udp-sec makes its datagrams, another implementation makes them
//! again, and what both agree on is what stands there. `HARNESS_UPDATE=1` rewrites the file.

use std::fmt::Write as _;
use std::net::SocketAddr;

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use ed25519_dalek::{Signer, SigningKey};
use noise_protocol::patterns::{noise_ik, noise_ik_psk2};
use noise_protocol::{CipherState, DH, U8Array};
use noise_rust_crypto::sensitive::Sensitive;
use noise_rust_crypto::{ChaCha20Poly1305, X25519};
use rand_core::{TryCryptoRng, TryRng};
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::handshake::proof::{Claim, IdentityProof, IdentityProofs};
use udp_sec::handshake::{
    Accepted, Answer, Caller, Cookies, Credentials, Initiator, PreSharedKeys, Responder,
};
use udp_sec::keys::{PreSharedKey, PublicKey, StaticKeypair};
use udp_sec::session::{Role, Session};
use udp_sec::time::Instant;
use udp_sec_recovery::frame::Frames;

use super::by_hand::{Noise, header, keyed, labelled_key, mac1, prologue, seal};

const INITIATOR_ID: u64 = 0x0807_0605_0403_0201;
const RESPONDER_ID: u64 = 0x1817_1615_1413_1211;
const SOURCE: &str = "192.0.2.1:40000";

/// 32 bytes that count up from `first`.
const fn counting(first: u8) -> [u8; 32] {
    let mut bytes = [first; 32];
    let mut i = 0;
    while i < 32 {
        bytes[i] += i as u8;
        i += 1;
    }
    bytes
}

const INITIATOR: [u8; 32] = counting(0x00);
const RESPONDER: [u8; 32] = counting(0x20);
const INITIATOR_EPHEMERAL: [u8; 32] = counting(0x40);
const RESPONDER_EPHEMERAL: [u8; 32] = counting(0x60);
const DEVICE_KEY: [u8; 32] = counting(0x80);
const SHARED: [u8; 32] = counting(0xa0);
const COOKIE_SECRET: [u8; 32] = counting(0xc0);
const COOKIE_NONCE: [u8; 24] = [0xe0; 24];

/// A random source that gives what the example says, and zeros for what never shows on the wire.
struct Script(Vec<u8>);

impl TryRng for Script {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("keys and nonces are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("ids are arguments here")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let rest = self.0.split_off(bytes.len().min(self.0.len()));
        bytes.fill(0);
        bytes[..self.0.len()].copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Script {}

struct Shared;

impl PreSharedKeys for Shared {
    fn shared_with(&self, _: &PublicKey) -> Option<PreSharedKey> {
        Some(PreSharedKey::from_bytes(SHARED))
    }
}

/// The document, as it grows.
struct Document(String);

impl Document {
    fn text(&mut self, text: &str) {
        writeln!(self.0, "{text}\n").unwrap();
    }

    /// A name, and bytes: 32 in a line.
    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        writeln!(self.0, "{name} ({} bytes):\n\n```text", bytes.len()).unwrap();
        for line in bytes.chunks(32) {
            line.iter().for_each(|byte| write!(self.0, "{byte:02x}").unwrap());
            self.0.push('\n');
        }
        self.0.push_str("```\n\n");
    }
}

fn public(secret: &[u8; 32]) -> [u8; 32] {
    X25519::pubkey(&Sensitive::from_slice(secret))
}

/// `bytes` without the zeros at the end.
fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..end]
}

/// What the payload of either message begins with.
fn common(credit: u32) -> Vec<u8> {
    [
        &[1, 8, 0][..],
        &u64::from(credit).to_le_bytes(),
        &[2, 2, 0, 25, 0],
        &[3, 4, 0, 0x30, 0x75, 0, 0],
        &[4, 9, 0],
        b"example/1",
        &[5, 1, 0, 1],
    ]
    .concat()
}

fn parameters(credit: u32) -> Parameters {
    Parameters::new(ApplicationProtocol::new(b"example/1").unwrap(), credit.into())
}

/// A handshake by udp-sec, and the same by the other implementation: both messages, and both states of the latter.
struct Handshake {
    initiation: Vec<u8>,
    response: Vec<u8>,
    ours: Session,
    theirs: Session,
    payloads: [Vec<u8>; 2],
    noise: Noise,
}

fn handshake(credentials: [Credentials; 2], proof: &[u8]) -> Handshake {
    let (client, server) = (StaticKeypair::from_secret(INITIATOR), StaticKeypair::from_secret(RESPONDER));
    let caller = Caller { keypair: &client, credentials: credentials[0] };
    let mut entropy = Script(INITIATOR_EPHEMERAL.to_vec());
    let initiator =
        Initiator::new(caller, server.public(), INITIATOR_ID, &parameters(65_536), &mut entropy).unwrap();
    let initiation = initiator.datagram().to_vec();
    let responder = Responder::with_credentials(server.clone(), credentials[1]);
    let mut allowed = AllowList::<1>::new();
    allowed.add(*client.public()).unwrap();
    let checked = responder.check_mac1(&initiation).unwrap();
    let incoming = responder.read(checked, &mut Script(RESPONDER_EPHEMERAL.to_vec())).unwrap();
    let authorized = incoming.authorize(&allowed).unwrap();
    let Accepted::HalfOpen { response, session: theirs, .. } =
        authorized.accept(RESPONDER_ID, &parameters(16_384)).unwrap()
    else {
        panic!("refused")
    };
    let Answer::Established { session: ours, .. } = initiator.read_response(&response) else {
        panic!("not established")
    };
    let (payloads, noise) =
        by_others(&initiation, &response, credentials[0].pre_shared_keys.is_some(), proof);
    Handshake { initiation, response: response.to_vec(), ours, theirs, payloads, noise }
}

/// Makes both datagrams again, and asserts that they are the same.
fn by_others(initiation: &[u8], response: &[u8], with_psk: bool, proof: &[u8]) -> ([Vec<u8>; 2], Noise) {
    let mut prologue = prologue(INITIATOR_ID);
    prologue[12] = u8::from(with_psk);
    let side = |is_initiator: bool, own: [u8; 32], ephemeral: [u8; 32]| {
        let peer = is_initiator.then(|| public(&RESPONDER));
        let pattern = if with_psk { noise_ik_psk2() } else { noise_ik() };
        let [own, ephemeral] = [own, ephemeral].map(|key| Some(Sensitive::from_slice(&key)));
        let mut noise = Noise::new(pattern, is_initiator, &prologue[..], own, ephemeral, peer, None);
        if with_psk {
            noise.push_psk(&SHARED);
        }
        noise
    };
    let mut calling = side(true, INITIATOR, INITIATOR_EPHEMERAL);
    let mut answering = side(false, RESPONDER, RESPONDER_EPHEMERAL);
    let mut payload1 = [&common(65_536)[..], proof, &[7, 1, 0, 2, 9, 1, 0, 1]].concat();
    payload1.resize(1060, 0);
    let id = [&[10, 8, 0][..], &RESPONDER_ID.to_le_bytes()].concat();
    let mut payload2 = [&common(16_384)[..], &[7, 1, 0, 2, 9, 1, 0, 1], &id].concat();
    payload2.resize(1140, 0);
    let message1 = calling.write_message_vec(&payload1).unwrap();
    let mut covered = [header(1, INITIATOR_ID), message1.clone()].concat();
    covered[2] = u8::from(with_psk);
    let mac = mac1(&public(&RESPONDER), &covered);
    assert_eq!(initiation, [&covered[..], &mac, &[0; 16]].concat());
    answering.read_message_vec(&message1).unwrap();
    let message2 = answering.write_message_vec(&payload2).unwrap();
    assert_eq!(response, [header(2, INITIATOR_ID), message2].concat());
    ([payload1, payload2], answering)
}

/// A packet by udp-sec, which must be the same by hand, and opens at the other side.
fn packet(
    [from, to]: [&mut Session; 2],
    cipher: &mut CipherState<ChaCha20Poly1305>,
    phase: u8,
    frames: &[u8],
) -> Vec<u8> {
    assert!(Frames::new(frames).all(|frame| frame.is_ok()));
    let mut datagram = [&[0; 16][..], frames, &[0; 16]].concat();
    let number = from.seal(&mut datagram).unwrap();
    assert_eq!(seal(cipher, phase, from.peer_id(), number as u32, frames), datagram);
    assert_eq!(to.open(&mut [0; 4], &mut datagram.clone()).unwrap().frames(), frames);
    // An acknowledgement of each packet comes with the next one.
    to.on_ack_sealed(number);
    from.on_acknowledged(number);
    datagram
}

fn key_of(cipher: &CipherState<ChaCha20Poly1305>) -> [u8; 32] {
    cipher.clone().extract().0.as_slice().try_into().unwrap()
}

fn keys(to: &mut Document) {
    to.text("## Keys and ids");
    for (name, secret) in [
        ("Initiator's static secret", &INITIATOR),
        ("Responder's static secret", &RESPONDER),
        ("Initiator's ephemeral secret", &INITIATOR_EPHEMERAL),
        ("Responder's ephemeral secret", &RESPONDER_EPHEMERAL),
    ] {
        to.bytes(name, secret);
        to.bytes(&name.replace("secret", "public key"), &public(secret));
    }
    to.text(&format!(
        "The initiator's id is `0x{INITIATOR_ID:016x}`, the responder's `0x{RESPONDER_ID:016x}`.\n\n\
         The application protocol is `example/1`; the initiator gives 65 536 bytes of credit, the responder 16 384."
    ));
}

/// The initiator's proof, and its credentials with it.
fn proof(to: &mut Document) -> (Vec<u8>, Credentials) {
    let key = PublicKey::from_bytes(public(&INITIATOR));
    let claim = Claim { role: Role::Initiator, key: &key, device: b"lamp" };
    let statement = claim.statement().unwrap();
    let by_hand = [b"udp-sec v1 identity", &[0][..], &public(&INITIATOR), &[4], b"lamp"].concat();
    assert_eq!(statement[..], by_hand);
    let signing = SigningKey::from_bytes(&DEVICE_KEY);
    let (signer, signature) = (signing.verifying_key().to_bytes(), signing.sign(&statement).to_bytes());
    to.text("## The initiator's identity proof\n\nIts device is called `lamp`. Nobody demands this proof here; it is shown.");
    to.bytes("Ed25519 secret", &DEVICE_KEY);
    to.bytes("Ed25519 public key", &signer);
    to.bytes("Statement", &statement);
    to.bytes("Signature", &signature);
    let value = [&[4][..], b"lamp", &signer, &signature].concat();
    let field = [&[6][..], &(value.len() as u16).to_le_bytes(), &value].concat();
    let proof = IdentityProof {
        device: b"lamp",
        signer: Box::leak(Box::new(signer)),
        signature: Box::leak(Box::new(signature)),
    };
    let proofs = Box::leak(Box::new(IdentityProofs { calling: proof, answering: proof }));
    (field, Credentials { proofs: Some(proofs), ..Credentials::NONE })
}

fn messages(to: &mut Document, done: &Handshake) {
    to.text("## Initiation");
    to.bytes("Noise prologue", &prologue(INITIATOR_ID));
    to.bytes("Payload, without the zeros that fill it up to 1060 bytes", unpadded(&done.payloads[0]));
    to.bytes("Key of `mac1`", &labelled_key("udp-sec v1 mac1", &public(&RESPONDER)));
    to.bytes("`mac1`", &done.initiation[1168..1184]);
    to.bytes("Datagram", &done.initiation);
    to.text("## Response");
    to.bytes("Payload, without the zeros that fill it up to 1140 bytes", unpadded(&done.payloads[1]));
    to.bytes("Datagram", &done.response);
    to.bytes("Handshake hash", done.noise.get_hash());
}

fn data(to: &mut Document, done: &mut Handshake) {
    let (mut there, mut back) = done.noise.get_ciphers();
    to.text("## Data\n\nThe keys of `Split()`:");
    to.bytes("Initiator to responder", &key_of(&there));
    to.bytes("Responder to initiator", &key_of(&back));
    let Handshake { ours, theirs, .. } = done;
    let show = |to: &mut Document, what: &str, frames: &[u8], datagram: &[u8]| {
        to.text(&format!("### {what}"));
        to.bytes("Frames", frames);
        to.bytes("Datagram", datagram);
    };
    let hello = [&[4][..], &[0; 8], &[5, 0], b"hello"].concat();
    let datagram = packet([ours, theirs], &mut there, 0, &hello);
    show(to, "Initiator, packet 0: STREAM at 0, `hello`", &hello, &datagram);
    let ack = [2, 0, 0, 0, 0, 0, 0, 1, 1, 0];
    let world = [&ack[..], &[5], &[0; 8], &[5, 0], b"world"].concat();
    let datagram = packet([theirs, ours], &mut back, 0, &world);
    show(to, "Responder, packet 0: ACK of 0, STREAM with FIN at 0, `world`", &world, &datagram);
    to.text("Packet 0 has been acknowledged, so the initiator may move to the next key.");
    assert!(ours.update_key());
    there.rekey();
    back.rekey();
    to.bytes("Initiator to responder, phase 1", &key_of(&there));
    to.bytes("Responder to initiator, phase 1", &key_of(&back));
    let fin = [&ack[..], &[5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let datagram = packet([ours, theirs], &mut there, 1, &fin);
    show(to, "Initiator, packet 1 in phase 1: ACK of 0, STREAM with FIN at 5, empty", &fin, &datagram);
    to.text("The responder's ACK of 0 has been acknowledged, so it names only 1 from now on.");
    let close = [&[2, 1, 0, 0, 0, 0, 0, 1, 1, 0][..], &[12, 0, 0, 0]].concat();
    let datagram = packet([theirs, ours], &mut back, 1, &close);
    show(to, "Responder, packet 1 in phase 1: ACK of 1, CLOSE(NO_ERROR)", &close, &datagram);
}

fn cookie(to: &mut Document, done: &Handshake) {
    let source: SocketAddr = SOURCE.parse().unwrap();
    let server = StaticKeypair::from_secret(RESPONDER);
    let mut cookies = Cookies::new(server.public());
    let responder = Responder::new(server);
    let checked = responder.check_mac1(&done.initiation).unwrap();
    let mut entropy = Script([&COOKIE_NONCE[..], &COOKIE_SECRET].concat());
    let reply = cookies.reply(Instant::ZERO, source, &checked, &mut entropy).unwrap();

    let made = keyed(&COOKIE_SECRET, &[&[192, 0, 2, 1], &40_000_u16.to_le_bytes()]);
    let travel_key = labelled_key("udp-sec v1 cookie", &public(&RESPONDER));
    let mut sealed = made;
    let mac1 = &done.initiation[1168..1184];
    let cipher = XChaCha20Poly1305::new(&travel_key.into());
    let tag =
        cipher.encrypt_inout_detached(&COOKIE_NONCE.into(), mac1, sealed.as_mut_slice().into()).unwrap();
    assert_eq!(reply[..], [&header(3, INITIATOR_ID)[..], &COOKIE_NONCE, &sealed, &tag].concat());

    let mac2 = keyed(&made, &[&done.initiation[..1184]]);
    to.text(&format!(
        "## A cookie\n\nWhat a responder under load would have answered to the Initiation above, from `{SOURCE}`."
    ));
    to.bytes("Cookie secret", &COOKIE_SECRET);
    to.bytes("Cookie", &made);
    to.bytes("Key it travels under", &travel_key);
    to.bytes("CookieReply", &reply);
    to.bytes("`mac2` of the Initiation that is sent again", &mac2);
    let again = [&done.initiation[..1184], &mac2].concat();
    let checked = responder.check_mac1(&again).unwrap();
    assert!(cookies.verify(Instant::ZERO, source, &checked));
}

fn pre_shared(to: &mut Document) {
    let shares = Credentials { pre_shared_keys: Some(&Shared), ..Credentials::NONE };
    let done = handshake([shares, shares], &[]);
    let (there, back) = done.noise.get_ciphers();
    to.text("## The same with a pre-shared key\n\nWithout the identity proof; keys and ids as above.");
    to.bytes("Pre-shared key", &SHARED);
    to.bytes("Initiation", &done.initiation);
    to.bytes("Response", &done.response);
    to.bytes("Handshake hash", done.noise.get_hash());
    to.bytes("Initiator to responder", &key_of(&there));
    to.bytes("Responder to initiator", &key_of(&back));
}

#[test]
fn the_document_says_what_both_implementations_do() {
    let mut document = Document(String::new());
    document.text(
        "# A session, byte by byte\n\n\
         What [protocol.md](protocol.md) describes, with fixed keys: to check another implementation against. Two\n\
         implementations of Noise agree on every byte here. Generated by `tests/interop/tests/wire/example.rs`, which also\n\
         checks that it is up to date.",
    );
    keys(&mut document);
    let (field, credentials) = proof(&mut document);
    let mut done = handshake([credentials, Credentials::NONE], &field);
    messages(&mut document, &done);
    data(&mut document, &mut done);
    cookie(&mut document, &done);
    pre_shared(&mut document);
    let text = format!("{}\n", document.0.trim_end());

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol-example.md");
    if std::env::var_os("HARNESS_UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == text,
        "docs/protocol-example.md is not what is generated; HARNESS_UPDATE=1 rewrites it"
    );
}
