//! A random source that remembers what it gave.

use chacha20::ChaCha20Rng;
use rand_core::{Infallible, Rng, SeedableRng, TryCryptoRng, TryRng};

/// Random bytes from a seed, and all 32-byte draws so far: ephemeral secrets and seeds.
#[derive(Debug)]
pub struct Recorder {
    rng: ChaCha20Rng,
    /// The draws, in their order.
    pub drawn: Vec<[u8; 32]>,
}

impl Recorder {
    /// The source that `seed` fixes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha20Rng::seed_from_u64(seed), drawn: Vec::new() }
    }

    /// Random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.rng.fill_bytes(bytes);
        self.drawn.extend(<[u8; 32]>::try_from(&*bytes).ok());
    }
}

impl TryRng for Recorder {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.rng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.rng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Recorder {}
