//! What a link does to its packets: every parameter with its unit.

use alloc::vec::Vec;
use core::num::NonZeroU64;
use core::ops::Range;

use udp_sec::time::{Duration, Instant};

/// One in a million: the unit of every probability. 1 % is 10 000.
pub const PPM: u32 = 1_000_000;

/// Bytes of IPv4 and UDP header that a datagram costs on the wire besides its payload.
pub const IPV4_UDP_OVERHEAD: u32 = 28;

/// How errors (losses, or corruptions) are spread over the packets of a link.
///
/// Probabilities are in parts per million; a value above [`PPM`] counts as certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ErrorModel {
    /// No packet is hit.
    #[default]
    None,
    /// Every packet is hit with probability `ppm`, except that a packet behind `burst_max` hits in a row
    /// passes.
    ///
    /// With a bound the long-run rate is below `ppm`: p (1 - pⁿ) / (1 - pⁿ⁺¹) for p the probability and
    /// n the bound (30 % with runs of at most 3 is 29.4 %).
    Random {
        /// Probability of a hit, in parts per million.
        ppm: u32,
        /// The longest run of hits; `u32::MAX` for no bound.
        burst_max: u32,
    },
    /// The Gilbert-Elliott channel: a two-state Markov chain that moves before every packet, with a hit
    /// rate of its own in each state. It starts in the good state.
    ///
    /// The mean stay in the bad state is 10⁶ / `to_good_ppm` packets, and the share of packets that meet
    /// it is `to_bad_ppm` / (`to_bad_ppm` + `to_good_ppm`).
    GilbertElliott {
        /// Probability to move from the good state to the bad one, per packet.
        to_bad_ppm: u32,
        /// Probability to move from the bad state to the good one, per packet.
        to_good_ppm: u32,
        /// Probability of a hit in the good state.
        good_ppm: u32,
        /// Probability of a hit in the bad state.
        bad_ppm: u32,
    },
}

impl ErrorModel {
    /// Independent hits with probability `ppm` parts per million.
    #[must_use]
    pub const fn random(ppm: u32) -> Self {
        Self::Random { ppm, burst_max: u32::MAX }
    }

    /// Random hits, never more than `burst_max` in a row.
    #[must_use]
    pub const fn bursts(ppm: u32, burst_max: u32) -> Self {
        Self::Random { ppm, burst_max }
    }
}

/// The parameters of one direction. The default is a perfect link: nothing lost, no delay, no rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    pub(crate) rate: Option<NonZeroU64>,
    pub(crate) overhead: u32,
    pub(crate) queue: usize,
    pub(crate) loss: ErrorModel,
    pub(crate) corruption: ErrorModel,
    pub(crate) corrupt_offsets: Range<usize>,
    pub(crate) duplication_ppm: u32,
    pub(crate) reordering_ppm: u32,
    pub(crate) reordering_delay: Duration,
    pub(crate) blackouts: Vec<Range<Instant>>,
    pub(crate) drop_list: Vec<u64>,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            rate: None,
            overhead: IPV4_UDP_OVERHEAD,
            queue: usize::MAX,
            loss: ErrorModel::None,
            corruption: ErrorModel::None,
            corrupt_offsets: 0..usize::MAX,
            duplication_ppm: 0,
            reordering_ppm: 0,
            reordering_delay: Duration::ZERO,
            blackouts: Vec::new(),
            drop_list: Vec::new(),
        }
    }
}

impl LinkConfig {
    /// One-way propagation delay (half the round-trip time of a symmetric path).
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// A further delay, uniform in `0..=jitter`, drawn for each packet: packets overtake each other.
    #[must_use]
    pub fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Rate of the link in bits per second, headers included (see [`overhead`](Self::overhead)).
    /// Zero means no limit, and then no queue either.
    #[must_use]
    pub fn rate(mut self, bits_per_second: u64) -> Self {
        self.rate = NonZeroU64::new(bits_per_second);
        self
    }

    /// Bytes each datagram costs on the link beyond its own length; 28 (IPv4 and UDP) unless set.
    #[must_use]
    pub fn overhead(mut self, bytes: u32) -> Self {
        self.overhead = bytes;
        self
    }

    /// Packets that may wait for the link, not counting the one being serialised. One that finds the
    /// queue full is dropped (drop-tail). No bound unless set; of no effect without a rate.
    #[must_use]
    pub fn queue(mut self, packets: usize) -> Self {
        self.queue = packets;
        self
    }

    /// Losses on the wire.
    #[must_use]
    pub fn loss(mut self, model: ErrorModel) -> Self {
        self.loss = model;
        self
    }

    /// Corruption on the wire: in each packet hit, one byte is replaced by another value.
    #[must_use]
    pub fn corruption(mut self, model: ErrorModel) -> Self {
        self.corruption = model;
        self
    }

    /// The offsets at which corruption strikes, each as likely as the next; anywhere unless set.
    /// A packet too short to have such an offset passes whole.
    #[must_use]
    pub fn corrupt_offsets(mut self, offsets: Range<usize>) -> Self {
        self.corrupt_offsets = offsets;
        self
    }

    /// Probability, in parts per million, that a packet arrives twice. The copy has a jitter of its own.
    #[must_use]
    pub fn duplication(mut self, ppm: u32) -> Self {
        self.duplication_ppm = ppm;
        self
    }

    /// Holds back packets with probability `ppm` parts per million by `extra`, so that those sent up to
    /// `extra` later overtake them.
    #[must_use]
    pub fn reordering(mut self, ppm: u32, extra: Duration) -> Self {
        self.reordering_ppm = ppm;
        self.reordering_delay = extra;
        self
    }

    /// Everything that would go on the wire in `period` is lost. May be called several times.
    #[must_use]
    pub fn blackout(mut self, period: Range<Instant>) -> Self {
        self.blackouts.push(period);
        self
    }

    /// Loses the packets with these indices, where 0 is the first packet ever sent into the link.
    /// May be called several times.
    #[must_use]
    pub fn drop_indices(mut self, indices: impl IntoIterator<Item = u64>) -> Self {
        self.drop_list.extend(indices);
        self
    }
}
