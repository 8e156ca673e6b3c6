//! Cookies: under load, an initiation is worth a Diffie-Hellman only from who receives at the address it came from.
//!
//! `docs/protocol.md` section 3, "Under load". A cookie is a code over the source address under a secret that nobody else
//! has and that changes every two minutes, so nothing is remembered per source. It travels sealed under a key that
//! follows from our public key, and bound to the initiation that it answers: who does not know whom they call, or has
//! not seen the initiation, can neither read one nor make one up.

use crate::crypto::aead::XChaChaKey;
use crate::crypto::hash;
use crate::error::Reject;
use crate::handshake::CheckedInitiation;
use crate::keys::{PublicKey, draw};
use crate::limits::{COOKIE_LIFE, COOKIE_REPLY_LEN, KEY_LEN, MAC_LEN};
use crate::time::Instant;
use crate::wire::{CookieReply, Initiation};
use core::net::{IpAddr, SocketAddr};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

const LABEL: &[u8] = b"udp-sec v1 cookie";

/// A proof of receiving at an address.
pub(super) type Cookie = [u8; MAC_LEN];

/// The key under which the cookies of one responder travel. Not a secret: it follows from the public key.
fn travel_key(responder: &PublicKey) -> XChaChaKey {
    XChaChaKey::new(&hash::hash(&[LABEL, responder.as_bytes()]))
}

/// `mac2` over everything before it.
pub(super) fn mac2(cookie: &Cookie, initiation: &Initiation<'_>) -> [u8; MAC_LEN] {
    hash::keyed_hash(cookie, &[&initiation.prefix(), initiation.noise(), initiation.mac1()])
}

/// The cookie in `reply`, which answers an initiation with `mac1` to `responder`.
pub(super) fn open(responder: &PublicKey, mac1: &[u8; MAC_LEN], reply: &CookieReply<'_>) -> Option<Cookie> {
    let (sealed, tag) = reply.sealed().split_first_chunk::<MAC_LEN>()?;
    let mut cookie = *sealed;
    travel_key(responder).open(reply.nonce(), mac1, &mut cookie, tag.first_chunk()?)?;
    Some(cookie)
}

/// The secrets of one responder, and the key its cookies travel under.
pub struct Cookies {
    travel_key: XChaChaKey,
    /// The secret in use, and the one before it.
    secrets: [Option<Secret>; 2],
}

/// What cookies are made with for a while.
struct Secret {
    key: Zeroizing<[u8; KEY_LEN]>,
    made: Instant,
}

impl Secret {
    /// The cookie of a source.
    fn cookie(&self, source: SocketAddr) -> Cookie {
        let port = source.port().to_le_bytes();
        match source.ip() {
            IpAddr::V4(ip) => hash::keyed_hash(&self.key, &[&ip.octets(), &port]),
            IpAddr::V6(ip) => hash::keyed_hash(&self.key, &[&ip.octets(), &port]),
        }
    }
}

impl Cookies {
    /// For the responder known by `local`. No secret is drawn before the first reply.
    #[must_use]
    pub fn new(local: &PublicKey) -> Self {
        Self { travel_key: travel_key(local), secrets: [None, None] }
    }

    /// Whether `initiation` carries the `mac2` of a cookie that was sent to `source` and is still good: for 120 to 240 s.
    #[must_use]
    pub fn verify(&self, now: Instant, source: SocketAddr, initiation: &CheckedInitiation<'_>) -> bool {
        let initiation = initiation.wire();
        if *initiation.mac2() == [0; MAC_LEN] {
            return false;
        }
        let good = |secret: &&Secret| now.saturating_since(secret.made) < COOKIE_LIFE * 2;
        self.secrets.iter().flatten().filter(good).any(|secret| {
            let expected = mac2(&secret.cookie(source), &initiation);
            hash::constant_time_eq(&expected, initiation.mac2())
        })
    }

    /// The CookieReply to `initiation`, which came from `source`. Shorter than what it answers.
    ///
    /// # Errors
    /// [`Reject::EntropyUnavailable`] if `rng` fails.
    pub fn reply<R: TryCryptoRng + ?Sized>(
        &mut self,
        now: Instant,
        source: SocketAddr,
        initiation: &CheckedInitiation<'_>,
        rng: &mut R,
    ) -> Result<[u8; COOKIE_REPLY_LEN], Reject> {
        let mut nonce = [0; 24];
        rng.try_fill_bytes(&mut nonce).map_err(|_| Reject::EntropyUnavailable)?;
        let mut cookie = self.secret(now, rng)?.cookie(source);
        let initiation = initiation.wire();
        let tag =
            self.travel_key.seal(&nonce, initiation.mac1(), &mut cookie).ok_or(Reject::CookieRequired)?;
        let mut sealed = [0; 2 * MAC_LEN];
        let halves = cookie.iter().chain(&tag);
        sealed.iter_mut().zip(halves).for_each(|(byte, from)| *byte = *from);
        Ok(CookieReply::new(initiation.sender_id(), &nonce, &sealed).encode())
    }

    /// The secret in use; a new one if that is too old, or there is none.
    fn secret<R: TryCryptoRng + ?Sized>(&mut self, now: Instant, rng: &mut R) -> Result<&Secret, Reject> {
        let [current, previous] = &mut self.secrets;
        if current.as_ref().is_none_or(|secret| now.saturating_since(secret.made) >= COOKIE_LIFE) {
            let fresh = Secret { key: draw(rng)?, made: now };
            *previous = current.replace(fresh);
        }
        current.as_ref().ok_or(Reject::EntropyUnavailable)
    }
}

impl core::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let made = self.secrets.each_ref().map(|secret| secret.as_ref().map(|secret| secret.made));
        f.debug_struct("Cookies").field("made", &made).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
