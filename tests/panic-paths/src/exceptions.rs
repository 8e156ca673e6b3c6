//! Panics of ours that stay in the image, each with the reason why it cannot happen, or why it may.

use crate::origin::Origin;

/// A panic that is known.
pub(crate) struct Exception {
    /// The end of the path of its file.
    pub(crate) file: &'static str,
    /// What is called.
    pub(crate) panic: &'static str,
    /// Why it stays.
    #[expect(dead_code, reason = "for those who read this file")]
    pub(crate) reason: &'static str,
}

impl Exception {
    pub(crate) fn covers(&self, origin: &Origin) -> bool {
        origin.file.ends_with(self.file) && origin.panic.contains(self.panic)
    }
}

/// All of them.
pub(crate) const EXCEPTIONS: &[Exception] = &[];
