//! Published vectors of `Noise_IK_25519_ChaChaPoly_BLAKE2s`, byte for byte, through the resolver that udp-sec's
//! handshake uses.

use interop::{Bytes, Vector, load, package_directory};
use snow::{Builder, HandshakeState, TransportState};
use std::path::Path;
use udp_sec::crypto::resolver::Resolver;
use zeroize::Zeroizing;

const PROTOCOL: &str = "Noise_IK_25519_ChaChaPoly_BLAKE2s";

fn bytes(field: &Option<Bytes>) -> &[u8] {
    &field.as_ref().expect("an IK vector has this field").0
}

/// The ephemeral secret comes the way it comes in udp-sec: out of the resolver's one-shot source.
fn builder<'v>(
    ephemeral: &Option<Bytes>,
    prologue: &'v Option<Bytes>,
    own: &'v Option<Bytes>,
) -> Builder<'v> {
    let ephemeral = bytes(ephemeral).try_into().expect("32 bytes");
    let resolver = Box::new(Resolver::new(Zeroizing::new(ephemeral)));
    Builder::with_resolver(PROTOCOL.parse().unwrap(), resolver)
        .prologue(bytes(prologue))
        .unwrap()
        .local_private_key(bytes(own))
        .unwrap()
}

fn handshake(from: &mut HandshakeState, to: &mut HandshakeState, payload: &[u8], expected: &[u8]) {
    let mut buffer = [0; 65_535];
    let len = from.write_message(payload, &mut buffer).unwrap();
    assert_eq!(&buffer[..len], expected);
    let len = to.read_message(expected, &mut buffer).unwrap();
    assert_eq!(&buffer[..len], payload);
}

fn transport(from: &mut TransportState, to: &mut TransportState, payload: &[u8], expected: &[u8]) {
    let mut buffer = [0; 65_535];
    let len = from.write_message(payload, &mut buffer).unwrap();
    assert_eq!(&buffer[..len], expected);
    let len = to.read_message(expected, &mut buffer).unwrap();
    assert_eq!(&buffer[..len], payload);
}

fn check(vector: &Vector) {
    let mut initiator = builder(&vector.init_ephemeral, &vector.init_prologue, &vector.init_static)
        .remote_public_key(bytes(&vector.init_remote_static))
        .unwrap()
        .build_initiator()
        .unwrap();
    let mut responder = builder(&vector.resp_ephemeral, &vector.resp_prologue, &vector.resp_static)
        .build_responder()
        .unwrap();
    let [first, second, rest @ ..] = &vector.messages[..] else { panic!("two handshake messages") };
    handshake(&mut initiator, &mut responder, &first.payload.0, &first.ciphertext.0);
    handshake(&mut responder, &mut initiator, &second.payload.0, &second.ciphertext.0);
    let mut sides = [initiator.into_transport_mode().unwrap(), responder.into_transport_mode().unwrap()];
    assert!(!rest.is_empty());
    for (turn, message) in rest.iter().enumerate() {
        let [initiator, responder] = &mut sides;
        let (from, to) = if turn % 2 == 0 { (initiator, responder) } else { (responder, initiator) };
        transport(from, to, &message.payload.0, &message.ciphertext.0);
    }
}

fn check_file(path: &Path) -> usize {
    let vectors = load(path).into_iter().filter(|vector| vector.protocol_name == PROTOCOL);
    let checked = vectors.inspect(check).count();
    println!("{}: {checked} vectors of {PROTOCOL}", path.display());
    checked
}

/// `snow.txt` and `cacophony.txt` come with the snow package and hold one each.
#[test]
fn vectors_that_ship_with_snow() {
    let directory = package_directory("snow").join("tests/vectors");
    let mut checked = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        checked += check_file(&entry.unwrap().path());
    }
    assert_eq!(checked, 2);
}

/// cacophony, snow, noise-c and flynn/noise; sources and licences are named in the file.
#[test]
fn vectors_of_other_implementations() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/noise_ik_25519_chachapoly_blake2s.json");
    assert_eq!(check_file(Path::new(path)), 7);
}
