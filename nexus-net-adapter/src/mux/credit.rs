//! What the peer may send, and when it is told that it may send more.

use super::id::WindowCredit;
use super::reject::MuxReject;

/// The receiving side's account of one stream.
///
/// ```text
///   window = waiting to be read + may still come + freed, but not granted yet
/// ```
/// so what the peer is allowed to send always has its place. A stream begins with less than the window: it is
/// opened to its full width when the first bytes are read, so that a stream nobody reads holds back early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiveCredit {
    window: u32,
    outstanding: WindowCredit,
}

impl ReceiveCredit {
    /// Grants no fewer bytes than window / this, so that small reads do not make a frame each. A peer without any
    /// credit is not kept waiting by that: when all that came has been read, the whole window is free.
    const GRANT_DIVISOR: u32 = 4;

    /// A window of `window` bytes, of which the peer may use `initial` at first.
    #[must_use]
    pub fn new(window: u32, initial: WindowCredit) -> Self {
        Self { window, outstanding: initial.min(WindowCredit::new(window)) }
    }

    /// What may still come.
    #[must_use]
    pub const fn outstanding(&self) -> WindowCredit {
        self.outstanding
    }

    /// Whether a frame of `len` bytes is within the credit.
    ///
    /// # Errors
    /// [`MuxReject::WindowCreditOverflowOrUnderflow`] if it is not.
    pub fn check(&self, len: usize) -> Result<(), MuxReject> {
        self.outstanding.spent(len).map(|_| ())
    }

    /// `len` bytes have come.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn on_received(&mut self, len: usize) -> Result<(), MuxReject> {
        self.outstanding = self.outstanding.spent(len)?;
        Ok(())
    }

    /// Bytes were read, and `waiting` are left to be read: what to grant now. It counts as granted at once.
    #[must_use]
    pub fn on_read(&mut self, waiting: usize) -> Option<WindowCredit> {
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        let freed = self.window.saturating_sub(waiting).saturating_sub(self.outstanding.get());
        if freed < (self.window / Self::GRANT_DIVISOR).max(1) {
            return None;
        }
        self.outstanding = WindowCredit::new(self.outstanding.get().saturating_add(freed));
        Some(WindowCredit::new(freed))
    }
}

#[cfg(test)]
mod tests;
