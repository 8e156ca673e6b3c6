//! The ACK frame: which packet numbers a peer has received.
//!
//! ```text
//! largest:u32  delay:u16  count:u8  length:u16  (gap:u16 length:u16) × (count − 1)
//! ```
//! A run of more than 65 535 numbers is split: its pieces but the last are of that length, and gap 0 joins them. Any
//! other gap of 0 is malformed, so that every set of numbers has one encoding.

use core::ops::RangeInclusive;

use udp_sec::error::Reject;
use udp_sec::packet_number;
use udp_sec::time::Duration;

use super::Bytes;
use crate::limits::{ACK_DELAY_UNIT, ACK_RANGES_MAX};
use crate::recv::ranges::ReceivedNumbers;

/// A decoded ACK frame. Its structure is sound; whether the numbers in it are those of packets that were sent is
/// for [`ranges`](Self::ranges) to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AckFrame<'a> {
    largest: u32,
    delay: u16,
    first_length: u16,
    /// The runs after the first, four bytes each.
    further: &'a [u8],
    /// From the smallest acknowledged number to the largest.
    extent: u64,
}

/// Numbers in a row, all received, and how many above them are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) gap: u16,
    pub(super) length: u16,
}

impl<'a> AckFrame<'a> {
    /// How long the peer held the acknowledgement of its largest number back, up to about half a second.
    #[must_use]
    pub fn delay(&self) -> Duration {
        ACK_DELAY_UNIT * u64::from(self.delay)
    }

    /// The acknowledged numbers, newest first; `largest_sent` is the largest number used so far, around which the
    /// numbers of the frame are completed. A run that was split comes as several ranges that touch.
    ///
    /// # Errors
    /// Decided before the first range is given out, so that a bad frame is not half applied:
    /// - [`Reject::AckOfUnsentPacket`]: the largest number is above `largest_sent`, or nothing was sent.
    /// - [`Reject::MalformedFrame`]: the smallest would be below 0.
    pub fn ranges(&self, largest_sent: Option<u64>) -> Result<AckRanges<'a>, Reject> {
        let largest = packet_number::expand(largest_sent, self.largest);
        // The end of the number space is never sent, so neither is a number without a successor.
        let end = largest.checked_add(1).filter(|_| largest_sent.is_some_and(|sent| largest <= sent));
        let end = end.ok_or(Reject::AckOfUnsentPacket)?;
        if self.extent > end {
            return Err(Reject::MalformedFrame);
        }
        Ok(AckRanges { end, first_length: Some(self.first_length), further: Bytes(self.further) })
    }
}

/// The acknowledged numbers of one frame, newest first.
#[derive(Clone, Debug)]
pub struct AckRanges<'a> {
    /// One past the numbers not yet accounted for.
    end: u64,
    first_length: Option<u16>,
    further: Bytes<'a>,
}

impl Iterator for AckRanges<'_> {
    type Item = RangeInclusive<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        let run = match self.first_length.take() {
            Some(length) => Run { gap: 0, length },
            None => self.further.run()?,
        };
        // The frame's extent was checked against its largest number: nothing here saturates.
        let end = self.end.saturating_sub(u64::from(run.gap));
        self.end = end.saturating_sub(u64::from(run.length));
        Some(self.end..=end.saturating_sub(1))
    }
}

impl<'a> Bytes<'a> {
    pub(super) fn ack(&mut self) -> Option<AckFrame<'a>> {
        let largest = self.u32()?;
        let delay = self.u16()?;
        let [count] = self.array()?;
        let first_length = self.u16()?;
        let further_count = usize::from(count).checked_sub(1).filter(|further| *further < ACK_RANGES_MAX)?;
        let further = self.slice(further_count.checked_mul(Run::SIZE)?)?;

        let mut extent = u64::from(first_length);
        let mut length_above = first_length;
        let mut runs = Bytes(further);
        while let Some(run) = runs.run() {
            if run.gap == 0 && length_above != u16::MAX {
                return None;
            }
            // At most 32 runs of 2 × 65 535.
            extent = extent.saturating_add(u64::from(run.gap)).saturating_add(u64::from(run.length));
            if run.length == 0 {
                return None;
            }
            length_above = run.length;
        }
        (first_length > 0).then_some(AckFrame { largest, delay, first_length, further, extent })
    }

    fn run(&mut self) -> Option<Run> {
        let gap = self.u16()?;
        let length = self.u16()?;
        Some(Run { gap, length })
    }
}

impl Run {
    /// Bytes on the wire.
    pub(super) const SIZE: usize = 4;
}

/// `received` as runs, newest first, the first with gap 0. Ends where a gap is too wide for its field: the numbers
/// below are so old that the peer has sent their content again.
pub(super) fn runs(received: &ReceivedNumbers) -> impl Iterator<Item = Run> + Clone + '_ {
    let mut above: Option<u64> = None;
    received
        .iter()
        .map_while(move |range| {
            let gap = match above {
                Some(first_above) => range.end().checked_add(1).and_then(|end| first_above.checked_sub(end)),
                None => Some(0_u64),
            };
            above = Some(*range.start());
            u16::try_from(gap?).ok().map(|gap| (gap, range))
        })
        .flat_map(|(gap, range)| split(gap, range.end().saturating_sub(*range.start()).saturating_add(1)))
}

/// `length` numbers below `gap` missing ones, as runs that fit their fields.
fn split(gap: u16, length: u64) -> impl Iterator<Item = Run> + Clone {
    let full = u64::from(u16::MAX);
    let pieces = core::iter::successors(Some((gap, length)), move |(_, left)| {
        left.checked_sub(full).filter(|left| *left > 0).map(|left| (0, left))
    });
    pieces.map(move |(gap, left)| Run { gap, length: u16::try_from(left).unwrap_or(u16::MAX) })
}
