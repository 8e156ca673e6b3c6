//! Our primitives behind snow's traits: one generation of crates, and no entropy but what the caller brought.
//!
//! snow asks for a random source and draws the ephemeral secret from it. Ours is a box with exactly that secret in it,
//! drawn from the caller's source before the handshake began: a source that fails, fails before anything is sent.

use super::aead::{ChaChaKey, nonce};
use super::dh;
use crate::keys::{PublicKey, StaticKeypair};
use crate::limits::{KEY_LEN, TAG_LEN};
use alloc::boxed::Box;
use blake2::Blake2s256;
use blake2::digest::{FixedOutput, Update};
use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::CryptoResolver;
use snow::types::{Cipher, Dh, Hash, Random};
use zeroize::Zeroizing;

/// Resolves `25519`, `ChaChaPoly` and `BLAKE2s`, and nothing else.
pub struct Resolver {
    ephemeral: Zeroizing<[u8; KEY_LEN]>,
    /// The public key of the secret that snow is given, where it is known.
    local: Option<PublicKey>,
}

impl Resolver {
    /// A resolver for one handshake, whose ephemeral secret is `ephemeral`.
    #[must_use]
    pub const fn new(ephemeral: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self { ephemeral, local: None }
    }

    /// The same for a handshake of `local`, whose public key snow would compute once more: a sixth of the work.
    #[must_use]
    pub const fn of(local: &StaticKeypair, ephemeral: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self { ephemeral, local: Some(*local.public()) }
    }
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(OneShot(Some(self.ephemeral.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        matches!(choice, DHChoice::Curve25519).then(|| Box::new(X25519::new(self.local)) as Box<dyn Dh>)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        matches!(choice, HashChoice::Blake2s).then(|| Box::new(Blake2s::default()) as Box<dyn Hash>)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        matches!(choice, CipherChoice::ChaChaPoly).then(|| Box::new(ChaChaPoly::default()) as Box<dyn Cipher>)
    }
}

/// Gives its bytes once, and only to a request of exactly their length.
struct OneShot(Option<Zeroizing<[u8; KEY_LEN]>>);

impl Random for OneShot {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        let dest: &mut [u8; KEY_LEN] = dest.try_into().map_err(|_| Error::Rng)?;
        *dest = *self.0.take().ok_or(Error::Rng)?;
        Ok(())
    }
}

/// Our static key, once snow has set its secret, or the ephemeral one, once it is generated.
struct X25519 {
    secret: Zeroizing<[u8; KEY_LEN]>,
    public: [u8; KEY_LEN],
    /// What belongs to the secret that will be set.
    known: Option<PublicKey>,
}

impl X25519 {
    fn new(known: Option<PublicKey>) -> Self {
        Self { secret: Zeroizing::default(), public: [0; KEY_LEN], known }
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        KEY_LEN
    }

    fn priv_len(&self) -> usize {
        KEY_LEN
    }

    fn set(&mut self, privkey: &[u8]) {
        // snow hands through what it was given, and we give it nothing but arrays of this length.
        if let Some(secret) = privkey.first_chunk() {
            self.secret = Zeroizing::new(*secret);
            self.public = self.known.map_or_else(|| dh::public_key(secret), |public| *public.as_bytes());
        }
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        rng.try_fill_bytes(self.secret.as_mut_slice())?;
        self.public = dh::public_key(&self.secret);
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        self.secret.as_slice()
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let pubkey = pubkey.first_chunk().ok_or(Error::Dh)?;
        let out: &mut [u8; KEY_LEN] = out.first_chunk_mut().ok_or(Error::Dh)?;
        *out = *dh::shared_secret(&self.secret, pubkey).ok_or(Error::Dh)?;
        Ok(())
    }
}

#[derive(Default)]
struct Blake2s(Blake2s256);

impl Hash for Blake2s {
    fn name(&self) -> &'static str {
        "BLAKE2s"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0 = Blake2s256::default();
    }

    fn input(&mut self, data: &[u8]) {
        Update::update(&mut self.0, data);
    }

    fn result(&mut self, out: &mut [u8]) {
        if let Some(out) = out.first_chunk_mut::<32>() {
            *out = core::mem::take(&mut self.0).finalize_fixed().into();
        }
    }
}

/// The key is set before the first use; until then nothing is sealed and nothing opens.
#[derive(Default)]
struct ChaChaPoly(Option<ChaChaKey>);

impl ChaChaPoly {
    /// Encrypts `plaintext` into the front of `out`; `None` if it does not fit.
    fn try_encrypt(&self, number: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> Option<usize> {
        let (text, rest) = out.split_at_mut_checked(plaintext.len())?;
        let tag_room = rest.first_chunk_mut::<TAG_LEN>()?;
        text.copy_from_slice(plaintext);
        *tag_room = self.0.as_ref()?.seal(&nonce(number), authtext, text)?;
        plaintext.len().checked_add(TAG_LEN)
    }

    /// Decrypts `ciphertext` into the front of `out`; `None` if it does not open or does not fit.
    fn try_decrypt(&self, number: u64, authtext: &[u8], ciphertext: &[u8], out: &mut [u8]) -> Option<usize> {
        let (sealed, tag) = ciphertext.split_last_chunk()?;
        let text = out.get_mut(..sealed.len())?;
        text.copy_from_slice(sealed);
        self.0.as_ref()?.open(&nonce(number), authtext, text, tag)?;
        Some(sealed.len())
    }
}

impl Cipher for ChaChaPoly {
    fn name(&self) -> &'static str {
        "ChaChaPoly"
    }

    fn set(&mut self, key: &[u8; KEY_LEN]) {
        self.0 = Some(ChaChaKey::new(key));
    }

    /// The trait leaves no room for an error. A message that is not written has length 0, and the handshake refuses to
    /// send a message that is not exactly as long as it must be.
    fn encrypt(&self, number: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        self.try_encrypt(number, authtext, plaintext, out).unwrap_or(0)
    }

    fn decrypt(
        &self,
        number: u64,
        authtext: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Error> {
        self.try_decrypt(number, authtext, ciphertext, out).ok_or(Error::Decrypt)
    }
}

#[cfg(test)]
mod tests;
