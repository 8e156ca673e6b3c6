//! rustls asks traits of the caller's for the date and for randomness.

use rustls::crypto::{CryptoProvider, GetRandomFailed, SecureRandom};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

fn main() {
    let _: fn(&dyn TimeProvider) -> Option<UnixTime> = |provider| provider.current_time();
    let _: fn(&CryptoProvider) -> &'static dyn SecureRandom = |provider| provider.secure_random;
    let _: fn(&dyn SecureRandom, &mut [u8]) -> Result<(), GetRandomFailed> = |random, out| random.fill(out);
}
