//! `Noise_IK_25519_ChaChaPoly_BLAKE2s` and its variant with a pre-shared key, as far as udp-sec needs them: two messages,
//! then two keys.
//!
//! Sizes are fixed by types, because snow takes wrong ones for bugs and panics.

use super::resolver::Resolver;
use crate::error::Reject;
use crate::keys::{PreSharedKey, PublicKey, StaticKeypair};
use crate::limits::{KEY_LEN, PREFIX_LEN};
use crate::wire::Pattern;
use alloc::boxed::Box;
use alloc::vec::Vec;
use snow::params::{
    BaseChoice, CipherChoice, DHChoice, HandshakeChoice, HandshakeModifier, HandshakeModifierList,
    HandshakePattern, HashChoice, NoiseParams,
};
use snow::{Builder, Error, HandshakeState};
use zeroize::{Zeroize, Zeroizing};

/// Where the variant's pre-shared key goes in: behind message 2.
const PSK_PLACE: u8 = 2;

/// A Noise handshake in progress. In a box: it has a kilobyte, and one that moves would leave its chaining key wherever it
/// has been.
pub(crate) struct Noise(Box<HandshakeState>);

/// The two keys that a completed handshake leaves (Noise section 5.2, `Split`).
pub(crate) struct Split {
    pub(crate) initiator_to_responder: Zeroizing<[u8; KEY_LEN]>,
    pub(crate) responder_to_initiator: Zeroizing<[u8; KEY_LEN]>,
}

impl Noise {
    /// The side that knows `peer` and writes first.
    pub(crate) fn initiator(
        local: &StaticKeypair,
        peer: &PublicKey,
        bound_to: (Pattern, &[u8]),
        ephemeral: Zeroizing<[u8; KEY_LEN]>,
    ) -> Result<Self, Reject> {
        Self::new(local, Some(peer), bound_to, ephemeral)
    }

    /// The side that reads first.
    pub(crate) fn responder(
        local: &StaticKeypair,
        bound_to: (Pattern, &[u8]),
        ephemeral: Zeroizing<[u8; KEY_LEN]>,
    ) -> Result<Self, Reject> {
        Self::new(local, None, bound_to, ephemeral)
    }

    /// Who knows its peer at the beginning, calls it. The pattern, and the prologue.
    #[inline(never)] // Once for both roles: it is the largest part of the handshake's code.
    fn new(
        local: &StaticKeypair,
        peer: Option<&PublicKey>,
        (pattern, prologue): (Pattern, &[u8]),
        ephemeral: Zeroizing<[u8; KEY_LEN]>,
    ) -> Result<Self, Reject> {
        let build = || {
            let builder = Builder::with_resolver(params(pattern), Box::new(Resolver::of(local, ephemeral)))
                .prologue(prologue)?
                .local_private_key(local.secret())?;
            match peer {
                Some(peer) => builder.remote_public_key(peer.as_bytes())?.build_initiator(),
                None => builder.build_responder(),
            }
        };
        build().map(|state| Self(Box::new(state))).map_err(|_: Error| Reject::HandshakeFailed)
    }

    /// The key of [`Pattern::IkPsk2`]; without one message 2 is neither written nor read.
    pub(crate) fn set_pre_shared_key(&mut self, key: &PreSharedKey) -> Result<(), Reject> {
        self.0.set_psk(PSK_PLACE.into(), key.as_bytes()).map_err(|_| Reject::HandshakeFailed)
    }

    /// Writes the next message, which has exactly the length `M`, around `payload`.
    pub(crate) fn write<const P: usize, const M: usize>(
        &mut self,
        payload: &[u8; P],
    ) -> Result<[u8; M], Reject> {
        let mut message = [0; M];
        self.write_to(payload, &mut message)?;
        Ok(message)
    }

    /// As [`write`](Self::write), to where the message will lie: on a small stack a copy counts.
    pub(crate) fn write_to(&mut self, payload: &[u8], message: &mut [u8]) -> Result<(), Reject> {
        match self.0.write_message(payload, message) {
            Ok(written) if written == message.len() => Ok(()),
            _ => Err(Reject::HandshakeFailed),
        }
    }

    /// Reads the next message and gives its payload, which has exactly the length `P`. After an error the handshake
    /// stands where it stood before: snow goes back, and every key of its cipher is set anew before it is used.
    pub(crate) fn read<const P: usize, const M: usize>(
        &mut self,
        message: &[u8; M],
    ) -> Result<[u8; P], Reject> {
        let mut payload = [0; P];
        self.read_to(message, &mut payload)?;
        Ok(payload)
    }

    /// As [`read`](Self::read), to where the payload will lie.
    pub(crate) fn read_to(&mut self, message: &[u8], payload: &mut [u8]) -> Result<(), Reject> {
        match self.0.read_message(message, payload) {
            Ok(read) if read == payload.len() => Ok(()),
            _ => Err(Reject::HandshakeFailed),
        }
    }

    /// The peer's static key, once it is known.
    pub(crate) fn peer(&self) -> Option<PublicKey> {
        self.0.get_remote_static()?.try_into().ok().map(PublicKey::from_bytes)
    }

    /// The keys for both directions. Only for a handshake whose two messages are done.
    pub(crate) fn split(&mut self) -> Split {
        let (mut first, mut second) = self.0.dangerously_get_raw_split();
        let split = Split {
            initiator_to_responder: Zeroizing::new(first),
            responder_to_initiator: Zeroizing::new(second),
        };
        first.zeroize();
        second.zeroize();
        split
    }
}

/// What snow is to do for `pattern`. Not parsed from the name: that would be more code than the whole handshake.
fn params(pattern: Pattern) -> NoiseParams {
    let (name, list) = match pattern {
        Pattern::Ik => ("Noise_IK_25519_ChaChaPoly_BLAKE2s", Vec::new()),
        Pattern::IkPsk2 => {
            ("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s", Vec::from([HandshakeModifier::Psk(PSK_PLACE)]))
        }
    };
    let handshake =
        HandshakeChoice { pattern: HandshakePattern::IK, modifiers: HandshakeModifierList { list } };
    let (cipher, hash) = (CipherChoice::ChaChaPoly, HashChoice::Blake2s);
    NoiseParams::new(name.into(), BaseChoice::Noise, handshake, DHChoice::Curve25519, cipher, hash)
}

/// What both sides bind the handshake to: the label of what carries it, and the first twelve bytes of the Initiation.
pub(crate) fn prologue(label: &[u8], prefix: &[u8; PREFIX_LEN]) -> Vec<u8> {
    [label, prefix].concat()
}
