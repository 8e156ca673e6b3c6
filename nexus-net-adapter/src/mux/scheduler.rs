//! Whose frame goes next: strict priority with bounded starvation, round robin among equals.
//!
//! The highest class that waits goes first. After [`HIGH_PRIORITY_BURST`] of its frames in a row, while a lower
//! class waits, one frame of a lower class goes; the lower classes take such turns in a circle. So with all eight
//! classes busy each of the seven lower ones has at least 1 frame of 63, and one lower class alone has 1 of 9.

use super::id::PriorityClass;
use super::limits::{CLASSES, HIGH_PRIORITY_BURST};

/// Which of up to 128 streams wait, by class.
#[derive(Clone, Debug)]
pub struct Scheduler {
    /// One bit a stream.
    waiting: [u128; CLASSES],
    /// The stream of each class that had the last turn.
    last_stream: [u8; CLASSES],
    /// Frames in a row that went to the highest class while a lower one waited.
    burst: u8,
    /// The highest class that had one of them; below all classes while there are none.
    burst_class: u8,
    /// The class that had the last turn of a lower class.
    last_lower: u8,
}

/// A stream whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The stream, by its number.
    pub stream: u8,
    /// Its class.
    pub priority: PriorityClass,
    standing: Standing,
}

/// Why a class has its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// It is the highest that waits, and no lower one does.
    Alone,
    /// It is the highest that waits.
    Highest,
    /// The highest had its burst.
    Lower,
}

impl Scheduler {
    /// Nothing waits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            waiting: [0; CLASSES],
            last_stream: [0; CLASSES],
            burst: 0,
            burst_class: u8::MAX,
            last_lower: 0,
        }
    }

    /// Stream `stream`, below 128, of class `priority` has something to send. Saying it again changes nothing.
    pub fn add(&mut self, stream: u8, priority: PriorityClass) {
        if let Some(class) = self.waiting.get_mut(usize::from(priority.get())) {
            *class |= bit(stream);
        }
    }

    /// It has nothing to send.
    pub fn remove(&mut self, stream: u8, priority: PriorityClass) {
        if let Some(class) = self.waiting.get_mut(usize::from(priority.get())) {
            *class &= !bit(stream);
        }
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.iter().all(|class| *class == 0)
    }

    /// Whose turn it is. Asking does not take it.
    #[must_use]
    pub fn next(&self) -> Option<Turn> {
        let highest = PriorityClass::all().find(|class| self.waits(*class))?;
        // Lower than what had the burst: a class that is the highest only now, because the higher ones have just
        // sent all they had, must not miss its turn for that.
        let lower = self.next_lower(highest.get().min(self.burst_class));
        let (priority, standing) = match lower {
            _ if self.next_lower(highest.get()).is_none() => (highest, Standing::Alone),
            Some(lower) if self.burst >= HIGH_PRIORITY_BURST => (lower, Standing::Lower),
            _ => (highest, Standing::Highest),
        };
        let class = usize::from(priority.get());
        let stream = next_set(*self.waiting.get(class)?, *self.last_stream.get(class)?)?;
        Some(Turn { stream, priority, standing })
    }

    /// `turn` was taken: one frame went.
    pub fn taken(&mut self, turn: Turn) {
        if let Some(last) = self.last_stream.get_mut(usize::from(turn.priority.get())) {
            *last = turn.stream;
        }
        if turn.standing == Standing::Highest {
            self.burst = self.burst.saturating_add(1);
            self.burst_class = self.burst_class.min(turn.priority.get());
            return;
        }
        (self.burst, self.burst_class) = (0, u8::MAX);
        if turn.standing == Standing::Lower {
            self.last_lower = turn.priority.get();
        }
    }

    fn waits(&self, class: PriorityClass) -> bool {
        self.waiting.get(usize::from(class.get())).is_some_and(|waiting| *waiting != 0)
    }

    /// The waiting class below class `high` whose turn is next, in the circle that begins behind the last one.
    fn next_lower(&self, high: u8) -> Option<PriorityClass> {
        let waiting = || PriorityClass::all().filter(|class| class.get() > high && self.waits(*class));
        waiting().find(|class| class.get() > self.last_lower).or_else(|| waiting().next())
    }
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::new()
    }
}

/// The bit of a stream; none from 128 on.
fn bit(stream: u8) -> u128 {
    1u128.checked_shl(stream.into()).unwrap_or(0)
}

/// The first bit of `set` behind `last`, in a circle.
pub(super) fn next_set(set: u128, last: u8) -> Option<u8> {
    let behind = u128::MAX.checked_shl(u32::from(last).saturating_add(1)).unwrap_or(0) & set;
    let from = if behind == 0 { set } else { behind };
    u8::try_from(from.trailing_zeros()).ok().filter(|_| from != 0)
}

#[cfg(test)]
mod tests;
