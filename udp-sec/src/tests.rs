//! What the tests of every module share, and what concerns the crate as a whole.

use crate::error::Reject;
use crate::handshake::identity::AllowList;
use crate::handshake::params::{ApplicationProtocol, Parameters};
use crate::handshake::{Accepted, Answer, Authorized, Incoming, Initiator, Responder};
use crate::keys::{PublicKey, StaticKeypair};
use crate::session::Session;
use crate::session::record::RecordSession;
use chacha20::ChaCha20Rng;
use core::fmt;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};
use std::format;
use std::string::String;
use std::vec::Vec;

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn keypair(seed: u64) -> StaticKeypair {
    StaticKeypair::generate(&mut rng(seed)).unwrap()
}

pub(crate) fn parameters() -> Parameters {
    Parameters::new(ApplicationProtocol::new(b"test/1").unwrap(), 1 << 16)
}

pub(crate) fn allow(keys: &[PublicKey]) -> AllowList<4> {
    let mut list = AllowList::new();
    for key in keys {
        list.add(*key).unwrap();
    }
    list
}

pub(crate) const INITIATOR_ID: u64 = 0x1111_2222_3333_4444;
pub(crate) const RESPONDER_ID: u64 = 0xaaaa_bbbb_cccc_dddd;

/// Both ends of a completed handshake: the initiator's and the responder's session.
pub(crate) fn sessions(seed: u64) -> (Session, Session) {
    sessions_with(seed, [&parameters(), &parameters()])
}

/// The same, where the initiator and the responder want these parameters.
pub(crate) fn sessions_with(seed: u64, [calling, answering]: [&Parameters; 2]) -> (Session, Session) {
    let (client, server) = (keypair(seed), keypair(seed + 1));
    let mut rng = rng(seed + 2);
    let initiator = Initiator::new(&client, server.public(), INITIATOR_ID, calling, &mut rng).unwrap();
    let responder = Responder::new(server);
    let checked = responder.check_mac1(initiator.datagram()).unwrap();
    let authorized =
        responder.read(checked, &mut rng).unwrap().authorize(&allow(&[*client.public()])).unwrap();
    let Accepted::HalfOpen { response, session: ours, .. } =
        authorized.accept(RESPONDER_ID, answering).unwrap()
    else {
        panic!("refused")
    };
    let Answer::Established { session, .. } = initiator.read_response(&response) else {
        panic!("not established")
    };
    (session, ours)
}

/// A packet with `frames`, sealed by `session`.
pub(crate) fn seal(session: &mut Session, frames: &[u8]) -> Vec<u8> {
    let mut datagram = std::vec![0; 16];
    datagram.extend_from_slice(frames);
    datagram.extend_from_slice(&[0; 16]);
    session.seal(&mut datagram).unwrap();
    datagram
}

/// Works `left` times, then fails forever.
#[derive(Debug)]
pub(crate) struct FailingRng {
    pub(crate) left: usize,
    inner: ChaCha20Rng,
}

#[derive(Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl core::error::Error for Broken {}

impl FailingRng {
    pub(crate) fn after(calls: usize) -> Self {
        Self { left: calls, inner: rng(99) }
    }

    fn step(&mut self) -> Result<&mut ChaCha20Rng, Broken> {
        self.left = self.left.checked_sub(1).ok_or(Broken)?;
        Ok(&mut self.inner)
    }
}

impl TryRng for FailingRng {
    type Error = Broken;

    fn try_next_u32(&mut self) -> Result<u32, Broken> {
        self.step()?.try_next_u32().map_err(|_| Broken)
    }

    fn try_next_u64(&mut self) -> Result<u64, Broken> {
        self.step()?.try_next_u64().map_err(|_| Broken)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Broken> {
        self.step()?.try_fill_bytes(dst).map_err(|_| Broken)
    }
}

impl TryCryptoRng for FailingRng {}

/// Runs `draw` with a source that fails at its first call, at its second, and so on until it suffices; every failure
/// is `EntropyUnavailable`. Gives the number of calls that suffice.
fn calls_needed<T>(mut draw: impl FnMut(&mut FailingRng) -> Result<T, Reject>) -> usize {
    for calls in 0..16 {
        match draw(&mut FailingRng::after(calls)) {
            Ok(_) => return calls,
            Err(reject) => assert_eq!(reject, Reject::EntropyUnavailable),
        }
    }
    panic!("16 calls do not suffice")
}

#[test]
fn test_reject_entropy_unavailable() {
    let (client, server) = (keypair(1), keypair(2));
    assert_eq!(calls_needed(StaticKeypair::generate), 1);
    assert_eq!(calls_needed(|rng| Initiator::new(&client, server.public(), 1, &parameters(), rng)), 2);
    let initiator = Initiator::new(&client, server.public(), 1, &parameters(), &mut rng(3)).unwrap();
    let responder = Responder::new(server);
    let needed = calls_needed(|rng| responder.read(responder.check_mac1(initiator.datagram())?, rng));
    assert_eq!(needed, 2);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let run = |seed: u64| {
        let (mut initiator, mut responder) = sessions(seed);
        let packets = (seal(&mut initiator, b"to the responder"), seal(&mut responder, b"to the initiator"));
        (packets, initiator.random_u64(), responder.random_u64())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

/// Whether any four neighbouring bytes of `secret` appear in `text`, as hexadecimal or as a list of numbers.
fn shows(text: &str, secret: &[u8]) -> bool {
    secret.windows(4).any(|four| {
        let hex: String = four.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{four:?}");
        text.to_lowercase().contains(&hex) || text.contains(list.trim_matches(['[', ']']))
    })
}

#[test]
fn debug_shows_no_secret() {
    let keypair = keypair(5);
    assert!(
        shows(&format!("{:?}", keypair.secret()), keypair.secret()),
        "the check itself must be able to fail"
    );
    assert!(!shows(&format!("{keypair:?} {keypair:#?}"), keypair.secret()));
    let responder = Responder::new(keypair.clone());
    assert!(!shows(&format!("{responder:?}"), keypair.secret()));
    let initiator = Initiator::new(&keypair, keypair.public(), 1, &parameters(), &mut rng(1)).unwrap();
    assert!(!shows(&format!("{initiator:?}"), keypair.secret()));
    let incoming = responder.read(responder.check_mac1(initiator.datagram()).unwrap(), &mut rng(2)).unwrap();
    assert!(!shows(&format!("{incoming:?}"), keypair.secret()));
    // A public key is named by its first four bytes only.
    assert_eq!(format!("{:?}", PublicKey::from_bytes([0xab; 32])), "PublicKey(abababab…)");
    let names = format!("{:?}", sessions(1).0);
    assert!(names.starts_with("Session { role: Initiator, ") && names.ends_with(".. }"), "{names}");
}

/// Does not compile if a dependency is built without its wiping.
#[test]
fn secrets_are_wiped_when_dropped() {
    fn is_wiped<T: zeroize::ZeroizeOnDrop>() {}
    is_wiped::<zeroize::Zeroizing<[u8; 32]>>();
    is_wiped::<chacha20poly1305::ChaCha20Poly1305>();
    is_wiped::<x25519_dalek::StaticSecret>();
    is_wiped::<x25519_dalek::SharedSecret>();
    is_wiped::<blake2::Blake2sMac256>();
    #[cfg(feature = "aes-gcm")]
    is_wiped::<aes_gcm::Aes256Gcm>();
}

/// A change of these sizes is a change of what an endpoint costs for each session or handshake.
#[test]
fn sizes_are_pinned() {
    assert_eq!(size_of::<PublicKey>(), 32);
    assert_eq!(size_of::<StaticKeypair>(), 64);
    assert_eq!(size_of::<Session>(), 120);
    assert!(size_of::<Initiator>() <= 1536, "Initiator: {}", size_of::<Initiator>());
    assert!(size_of::<Incoming>() <= 1280, "Incoming: {}", size_of::<Incoming>());
    assert!(size_of::<Authorized>() <= 256, "Authorized: {}", size_of::<Authorized>());
}

#[test]
fn everything_can_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Initiator>();
    is_send::<Responder>();
    is_send::<Incoming>();
    is_send::<Authorized>();
    is_send::<Session>();
    is_send::<RecordSession>();
}
