//! The facade's time, and its relation to the time of sessions.

use core::num::NonZeroU64;

use udp_sec::time::Instant;

/// A point in time: ticks since an epoch, both of the stack's choice; a [`TickRate`] tells how many make a second.
pub type NetInstant = u64;

/// One second, in the unit of [`Instant`].
const MICROS: u128 = 1_000_000;

/// How fast a [`NetInstant`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickRate {
    per_second: NonZeroU64,
}

impl TickRate {
    /// A tick is a millisecond.
    pub const MILLIS: Self = Self::of(1_000);
    /// A tick is a microsecond.
    pub const MICROS: Self = Self::of(1_000_000);
    /// A tick is a nanosecond.
    pub const NANOS: Self = Self::of(1_000_000_000);

    /// So many ticks per second.
    #[must_use]
    pub const fn new(per_second: NonZeroU64) -> Self {
        Self { per_second }
    }

    const fn of(per_second: u64) -> Self {
        match NonZeroU64::new(per_second) {
            Some(per_second) => Self { per_second },
            None => Self { per_second: NonZeroU64::MIN },
        }
    }

    /// The microsecond in which the tick `ticks` begins; saturates.
    #[must_use]
    pub fn instant(self, ticks: NetInstant) -> Instant {
        if self == Self::MICROS {
            return Instant::from_micros(ticks);
        }
        let per_second = u128::from(self.per_second.get());
        let micros = u128::from(ticks).saturating_mul(MICROS).checked_div(per_second);
        Instant::from_micros(micros.and_then(|micros| u64::try_from(micros).ok()).unwrap_or(u64::MAX))
    }

    /// The first tick that does not begin before `instant`; saturates. Who waits for it never wakes too early.
    #[must_use]
    pub fn ticks(self, instant: Instant) -> NetInstant {
        if self == Self::MICROS || instant == Instant::MAX {
            return instant.as_micros();
        }
        let per_second = u128::from(self.per_second.get());
        let ticks = u128::from(instant.as_micros()).saturating_mul(per_second).div_ceil(MICROS);
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}
