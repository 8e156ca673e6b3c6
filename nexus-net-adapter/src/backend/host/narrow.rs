//! Whether a path is too narrow for a datagram, or the system was only changing its route.

use std::io;

/// Sends by `send`, and once more if the system says that the datagram is too long. While Linux replaces a route, a sender
/// that still holds the old one is told so of anything (its device is gone); the next call finds the new route. What is
/// too narrow says so again.
pub(super) fn look_again<T>(mut send: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match send() {
        Err(error) if quinn_udp::is_msg_size_err(&error) => send(),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests;
