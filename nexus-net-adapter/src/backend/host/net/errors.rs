//! The system's errors in the words of the facade.

use std::io::{self, ErrorKind};

use crate::net::NetError;

/// What is waited for can be the system's memory as well as the network.
pub(super) fn failure(error: io::Error) -> NetError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => NetError::WouldBlock,
        ErrorKind::AddrInUse => NetError::AddrInUse,
        ErrorKind::AddrNotAvailable => NetError::InvalidInput("not an address of this stack"),
        ErrorKind::InvalidInput => NetError::InvalidInput("the system takes no such address"),
        ErrorKind::PermissionDenied => NetError::InvalidInput("the system does not permit it"),
        ErrorKind::Unsupported => NetError::Unsupported,
        ErrorKind::OutOfMemory => NetError::NoBufs,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            NetError::Disconnected
        }
        ErrorKind::ConnectionRefused
        | ErrorKind::NotConnected
        | ErrorKind::TimedOut
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => NetError::NotConnected,
        _ if is(&error, rustix::io::Errno::MSGSIZE) => {
            NetError::InvalidInput("longer than the link's packets")
        }
        _ if is(&error, rustix::io::Errno::AFNOSUPPORT) => NetError::Unsupported,
        _ if is(&error, rustix::io::Errno::NOBUFS)
            || is(&error, rustix::io::Errno::MFILE)
            || is(&error, rustix::io::Errno::NFILE) =>
        {
            NetError::NoBufs
        }
        _ => NetError::Internal("an error of the system that this call should not have"),
    }
}

fn is(error: &io::Error, which: rustix::io::Errno) -> bool {
    error.raw_os_error() == Some(which.raw_os_error())
}

/// Repeats a call that a signal has interrupted.
pub(super) fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> Result<T, NetError> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome.map_err(failure),
        }
    }
}
