//! Every secret that a handshake makes, computed from outside: Noise IK's key schedule (Noise sections 4.3, 5.2 and
//! 7.5) over the Diffie-Hellman results, which either end's secrets suffice for.

use blake2::{Blake2s256, Digest};
use udp_sec::crypto::aead::{Aead, PacketKey, rekey};
use udp_sec::crypto::dh;

const NAME: &[u8] = b"Noise_IK_25519_ChaChaPoly_BLAKE2s";

/// A secret with what it is called.
#[derive(Clone, Debug)]
pub struct Needle {
    /// Its name.
    pub name: String,
    /// The secret.
    pub secret: [u8; 32],
}

impl Needle {
    /// `secret`, called `name`.
    #[must_use]
    pub fn new(name: &str, secret: [u8; 32]) -> Self {
        Self { name: name.to_owned(), secret }
    }
}

/// One end's secret keys and the other's public ones.
#[derive(Clone, Debug)]
pub struct Known {
    /// Our static secret.
    pub secret: [u8; 32],
    /// Our ephemeral secret.
    pub ephemeral: [u8; 32],
    /// Their static public key.
    pub peer: [u8; 32],
    /// Their ephemeral public key.
    pub peer_ephemeral: [u8; 32],
    /// Whether we sent message 1.
    pub is_initiator: bool,
}

/// The two session keys, and everything on the way to them.
#[derive(Debug)]
pub struct Schedule {
    /// What the initiator seals with, and what the responder seals with.
    pub session: [Needle; 2],
    /// Diffie-Hellman results, chaining keys, keys of the handshake's messages.
    pub handshake: Vec<Needle>,
}

/// The schedule that `known` leads to.
///
/// # Panics
/// If a key is of low order.
#[must_use]
pub fn schedule(known: &Known) -> Schedule {
    let dh = |secret: &[u8; 32], public: &[u8; 32]| *dh::shared_secret(secret, public).expect("honest keys");
    let Known { secret, ephemeral, peer, peer_ephemeral, is_initiator } = known;
    let (mine, theirs) = (dh(ephemeral, peer), dh(secret, peer_ephemeral));
    let (es, se) = if *is_initiator { (mine, theirs) } else { (theirs, mine) };
    let steps = [("es", es), ("ss", dh(secret, peer)), ("ee", dh(ephemeral, peer_ephemeral)), ("se", se)];
    let mut handshake = Vec::new();
    // The name is longer than a hash, so the first chaining key is its hash.
    let mut chaining: [u8; 32] = Blake2s256::digest(NAME).into();
    for (token, result) in steps {
        let [next, key] = hkdf(&chaining, &result);
        handshake.push(Needle::new(&format!("result of {token}"), result));
        handshake.push(Needle::new(&format!("chaining key after {token}"), next));
        handshake.push(Needle::new(&format!("message key after {token}"), key));
        chaining = next;
    }
    let [first, second] = hkdf(&chaining, &[]);
    let session =
        [Needle::new("initiator's session key", first), Needle::new("responder's session key", second)];
    Schedule { session, handshake }
}

/// The keys of `direction` in its first `count` phases, the first of which it is (Noise section 4.2, `REKEY`).
///
/// # Panics
/// Never: a key seals as many packets.
#[must_use]
pub fn phases(direction: &Needle, count: usize) -> Vec<Needle> {
    let keys = std::iter::successors(Some(direction.secret), |key| {
        Some(*rekey(&PacketKey::new(Aead::ChaCha20Poly1305, key)).expect("a key that is new"))
    });
    let named = |(phase, key)| Needle::new(&format!("{}, phase {phase}", direction.name), key);
    keys.take(count).enumerate().map(named).collect()
}

/// Noise section 4.3, `HKDF` with two outputs.
fn hkdf(chaining: &[u8; 32], input: &[u8]) -> [[u8; 32]; 2] {
    let temporary = hmac(chaining, &[input]);
    let first = hmac(&temporary, &[&[1]]);
    let second = hmac(&temporary, &[&first, &[2]]);
    [first, second]
}

/// RFC 2104 with BLAKE2s, whose block has 64 bytes.
fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let mut inner = Blake2s256::new_with_prefix(pad(0x36));
    parts.iter().for_each(|part| inner.update(part));
    Blake2s256::new_with_prefix(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
}
