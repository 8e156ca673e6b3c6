//! Waiting in the system for the socket or for another thread, whichever comes first.

use std::io::{self, ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Wakes the thread that waits at the socket.
#[derive(Debug)]
pub(super) struct Waker {
    /// A byte in here ends the wait.
    bell: UnixStream,
    ringing: UnixStream,
    /// Whether there is a byte in it: one is enough.
    rung: AtomicBool,
}

impl Waker {
    /// # Errors
    /// The system has no more sockets to give.
    pub(super) fn new() -> io::Result<Self> {
        let (bell, ringing) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ringing.set_nonblocking(true)?;
        Ok(Self { bell, ringing, rung: AtomicBool::new(false) })
    }

    /// Ends the present wait, or the next one.
    pub(super) fn wake(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // The pair holds at most this byte, so it has room.
            _ = (&self.bell).write(&[1]);
        }
    }

    /// Waits at most `timeout` for datagrams on `socket`, with `blocked` also for room to send.
    pub(super) fn wait(&self, socket: &UdpSocket, blocked: bool, timeout: Duration) {
        let wanted = if blocked { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        let mut sources = [PollFd::new(socket, wanted), PollFd::new(&self.ringing, PollFlags::IN)];
        // Should the system refuse, or a signal arrive, this is only a wait that was too short.
        _ = poll(&mut sources, Timespec::try_from(timeout).ok().as_ref());
        let [_, ringing] = &sources;
        if ringing.revents().contains(PollFlags::IN) {
            self.silence();
        }
    }

    fn silence(&self) {
        let mut bytes = [0; 8];
        while let Err(error) = (&self.ringing).read(&mut bytes) {
            if error.kind() != ErrorKind::Interrupted {
                break;
            }
        }
        // Only now: who rings from here on means the next wait. What they changed before, the waiter sees, because
        // it takes the lock after this.
        self.rung.store(false, Ordering::Release);
    }
}
