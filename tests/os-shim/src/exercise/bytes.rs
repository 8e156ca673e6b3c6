//! Bytes through the facade's `TcpStream`, as a service would send them.

use super::{Failure, Report, Role, Stage, Step, compare, fill};
use crate::os::net::{NetError, TcpStream};

/// The responder's word that every byte was right.
const RIGHT: u8 = 0x2a;
const CONTENT: u32 = 1;

/// One side. Knows nothing but the facade.
pub struct Bytes<T> {
    role: Role,
    stream: T,
    amount: usize,
    /// Sent or received, by role.
    moved: usize,
}

impl<T: TcpStream> Bytes<T> {
    /// `amount` bytes over `stream`.
    pub const fn new(role: Role, stream: T, amount: usize) -> Self {
        Self { role, stream, amount, moved: 0 }
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut T {
        &mut self.stream
    }

    /// The stream, for what comes next on it: nothing was read beyond this stage.
    pub fn into_stream(self) -> T {
        self.stream
    }

    /// Does what can be done now.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn step(&mut self, report: &mut Report) -> Result<Step, Failure> {
        let mut buf = [0; 1024];
        let left = self.amount - self.moved;
        let part = buf.get_mut(..left.clamp(1, 1024)).ok_or(Failure::Unexpected)?;
        let outcome = match (self.role, left) {
            (Role::Connector, 0) | (Role::Responder, 1..) => self.stream.read(None, part),
            (Role::Connector, _) => {
                fill(part, CONTENT, self.moved);
                self.stream.write(None, part)
            }
            (Role::Responder, 0) => self.stream.write(None, &[RIGHT]),
        };
        let len = match outcome {
            Ok(0) => return Err(Failure::Facade(None)),
            Ok(len) => len,
            Err(NetError::WouldBlock) => {
                report.blocked_by_link += u64::from(self.role == Role::Connector && left > 0);
                return Ok(Step::Idle);
            }
            Err(error) => return Err(error.into()),
        };
        if left == 0 {
            let right = self.role == Role::Responder || part == [RIGHT];
            return if right { Ok(Step::Passed(Stage::Bytes)) } else { Err(Failure::Verdict) };
        }
        if self.role == Role::Responder {
            compare(part.get(..len).unwrap_or_default(), CONTENT, self.moved)?;
        }
        self.moved += len;
        report.bytes += len as u64;
        Ok(Step::Moved)
    }
}
