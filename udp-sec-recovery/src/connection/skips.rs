//! Packet numbers left out on purpose, so that a peer that acknowledges what it never received is found out
//! (`docs/protocol.md` section 2, RFC 9000 section 21.4).

use heapless::HistoryBuf;

/// The first skip happens within this many numbers.
const FIRST_PERIOD: u64 = 1 << 8;
/// The period doubles after each skip, up to this.
const LAST_PERIOD: u64 = 1 << 17;
/// Skips remembered. Periods double, so the newest eight span more numbers than any sent queue holds.
const REMEMBERED: usize = 8;

/// Which numbers were skipped, and which comes next.
#[derive(Debug)]
pub(super) struct Skips {
    next: u64,
    period: u64,
    skipped: HistoryBuf<u64, REMEMBERED>,
}

impl Skips {
    /// Chooses the first number to skip; never number 0.
    pub(super) fn new(random: u64) -> Self {
        Self { next: 1 + random % (FIRST_PERIOD - 1), period: FIRST_PERIOD, skipped: HistoryBuf::new() }
    }

    /// Whether `number`, about to be used, is to be skipped.
    pub(super) fn is_due(&self, number: u64) -> bool {
        number == self.next
    }

    /// `number` was skipped; `random` chooses the next one, within the following period.
    pub(super) fn on_skipped(&mut self, number: u64, random: u64) {
        self.skipped.write(number);
        let period_end = number.saturating_add(self.period);
        self.period = self.period.saturating_mul(2).min(LAST_PERIOD);
        self.next = period_end.saturating_add(random % self.period.max(1));
    }

    /// How many remembered skips lie strictly between `low` and `high`.
    pub(super) fn between(&self, low: u64, high: u64) -> u64 {
        self.skipped.iter().filter(|skip| low < **skip && **skip < high).count() as u64
    }

    /// Whether `numbers` holds a skipped number.
    pub(super) fn any_in(&self, numbers: &core::ops::RangeInclusive<u64>) -> bool {
        self.skipped.iter().any(|skip| numbers.contains(skip))
    }
}

#[cfg(test)]
mod tests;
