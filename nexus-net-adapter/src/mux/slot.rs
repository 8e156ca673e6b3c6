//! One stream of an engine: its state, its credit, and what has to be sent or told about it.

use super::credit::ReceiveCredit;
use super::frame::{About, Frame};
use super::id::{PriorityClass, ResetCode, StreamId, StreamName, WindowCredit};
use super::reject::MuxReject;
use super::ring::Ring;
use super::stream::{StreamState, Transition};

/// How far the opening has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opening {
    /// Ours, and OPEN has not left: the peer knows nothing of it.
    OpenDue,
    /// Ours, and unanswered.
    AckAwaited,
    /// The peer's, and unanswered.
    AckDue,
    /// Answered.
    Done,
}

/// How far the end of our direction has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Closing {
    /// There is more to come.
    NotYet,
    /// CLOSE leaves behind the last byte.
    Due,
    /// CLOSE has left.
    Sent,
}

/// How a stream was reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reset {
    pub(super) code: ResetCode,
    pub(super) by: ResetBy,
}

/// Who reset it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ResetBy {
    /// We, and RST has not left.
    UsDue,
    /// We, and the peer may not have learnt of it: what it sends meanwhile is no fault of its.
    Us,
    /// The peer, and the application has not been told.
    PeerUntold,
    /// The peer.
    Peer,
}

/// Whether the application is still interested in our reading direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    /// It has not read the end.
    Reading,
    /// It has.
    AtEnd,
}

/// Whether the application found no room to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Writer {
    /// There was room.
    Free,
    /// It wants to know when there is room again.
    Blocked,
}

/// What the application is to be told, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Note {
    Opened = 1,
    Accepted = 2,
    Readable = 4,
    Writable = 8,
    Reset = 16,
}

/// A set of notes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Notes(u8);

impl Notes {
    const ALL: [Note; 5] = [Note::Opened, Note::Accepted, Note::Readable, Note::Writable, Note::Reset];

    pub(super) fn add(&mut self, note: Note) {
        self.0 |= note as u8;
    }

    pub(super) fn remove(&mut self, note: Note) {
        self.0 &= !(note as u8);
    }

    pub(super) fn first(self) -> Option<Note> {
        Self::ALL.into_iter().find(|note| self.0 & *note as u8 != 0)
    }
}

/// One stream.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) priority: PriorityClass,
    pub(super) name: StreamName,
    pub(super) state: StreamState,
    pub(super) opening: Opening,
    pub(super) closing: Closing,
    pub(super) reset: Option<Reset>,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) notes: Notes,
    /// What we may send.
    pub(super) send_credit: WindowCredit,
    /// What the peer may send.
    pub(super) receive_credit: ReceiveCredit,
    /// Granted to the peer, and not yet said.
    pub(super) grant: WindowCredit,
    /// Waits for the application.
    pub(super) inbound: Ring,
    /// Waits for its turn, and for credit.
    pub(super) outbound: Ring,
}

impl Stream {
    pub(super) const fn about(&self) -> About {
        About { stream: self.id, priority: self.priority }
    }

    /// Whether it is ours and the peer may not have heard of it.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.opening, Opening::OpenDue | Opening::AckAwaited)
    }

    /// Bytes that may leave now.
    pub(super) fn sendable(&self) -> usize {
        self.outbound.len().min(usize::try_from(self.send_credit.get()).unwrap_or(usize::MAX))
    }

    /// Whether CLOSE is next.
    pub(super) fn close_is_next(&self) -> bool {
        self.closing == Closing::Due && self.outbound.is_empty()
    }

    /// The control frame that is next, if any.
    pub(super) fn control(&self, initial: WindowCredit) -> Option<Frame> {
        let about = self.about();
        if let Some(Reset { code, by: ResetBy::UsDue }) = self.reset {
            return Some(Frame::Rst { about, code });
        }
        match self.opening {
            Opening::OpenDue => Some(Frame::Open { about, credit: initial, name: self.name.clone() }),
            Opening::AckDue => Some(Frame::OpenAck { about, credit: initial }),
            _ if self.grant > WindowCredit::NONE => Some(Frame::WindowUpdate { about, delta: self.grant }),
            _ => None,
        }
    }

    /// The control frame `frame` has left.
    pub(super) fn on_control_sent(&mut self, frame: &Frame) {
        match frame {
            Frame::Open { .. } => self.opening = Opening::AckAwaited,
            Frame::OpenAck { .. } => self.opening = Opening::Done,
            Frame::WindowUpdate { .. } => self.grant = WindowCredit::NONE,
            Frame::Rst { code, .. } => self.reset = Some(Reset { code: *code, by: ResetBy::Us }),
            _ => {}
        }
    }

    /// OPEN_ACK came.
    pub(super) fn on_open_ack(&mut self, credit: WindowCredit) -> Result<(), MuxReject> {
        if self.reset_by_us() {
            return Ok(());
        }
        if self.opening != Opening::AckAwaited || self.reset.is_some() {
            return Err(MuxReject::InvalidStreamStateTransition);
        }
        self.opening = Opening::Done;
        self.notes.add(Note::Accepted);
        self.on_window_update(credit)
    }

    /// More credit came.
    pub(super) fn on_window_update(&mut self, delta: WindowCredit) -> Result<(), MuxReject> {
        match self.reset {
            // What it read before it learnt of the reset.
            Some(_) if self.reset_by_us() => Ok(()),
            Some(_) => Err(MuxReject::InvalidStreamStateTransition),
            None => {
                self.send_credit = self.send_credit.changed_by(delta.get().into())?;
                Ok(())
            }
        }
    }

    /// The header of a DATA frame of `len` bytes came.
    pub(super) fn on_data(&self, len: usize) -> Result<(), MuxReject> {
        if self.reset_by_us() {
            return Ok(());
        }
        if !self.state.may_receive() {
            return Err(MuxReject::InvalidStreamStateTransition);
        }
        self.receive_credit.check(len)
    }

    /// CLOSE came.
    pub(super) fn on_close(&mut self) -> Result<(), MuxReject> {
        if self.reset_by_us() {
            return Ok(());
        }
        self.state = self.state.after(Transition::ReceiveClose)?;
        self.grant = WindowCredit::NONE;
        self.notes.add(Note::Readable);
        Ok(())
    }

    /// RST came. A second one is harmless, and so is one that crossed the last of our bytes: everything has come,
    /// and everything has left.
    pub(super) fn on_rst(&mut self, code: ResetCode) {
        let complete = self.state == StreamState::Closed && self.closing == Closing::Sent;
        if self.reset.is_none() && !complete {
            self.give_up(Reset { code, by: ResetBy::PeerUntold });
            self.notes.remove(Note::Readable);
            self.notes.remove(Note::Writable);
            self.notes.add(Note::Reset);
        }
    }

    /// We give it up.
    pub(super) fn reset(&mut self, code: ResetCode) -> Result<(), MuxReject> {
        self.state.after(Transition::Reset)?;
        if self.reset.is_none() {
            // A stream that the peer knows nothing of simply never was.
            let by = if self.opening == Opening::OpenDue { ResetBy::Us } else { ResetBy::UsDue };
            self.give_up(Reset { code, by });
            self.notes = Notes::default();
        }
        self.on_told();
        Ok(())
    }

    /// The application knows that it is reset.
    pub(super) fn on_told(&mut self) {
        if let Some(Reset { by: by @ ResetBy::PeerUntold, .. }) = &mut self.reset {
            *by = ResetBy::Peer;
        }
        self.notes.remove(Note::Reset);
    }

    fn give_up(&mut self, reset: Reset) {
        self.state = StreamState::Reset;
        self.reset = Some(reset);
        self.opening = Opening::Done;
        self.closing = Closing::NotYet;
        self.grant = WindowCredit::NONE;
        self.inbound = Ring::EMPTY;
        self.outbound = Ring::EMPTY;
    }

    fn reset_by_us(&self) -> bool {
        matches!(self.reset, Some(Reset { by: ResetBy::Us | ResetBy::UsDue, .. }))
    }

    /// Whether the peer learns nothing more of it from us: its name is free again.
    pub(super) fn is_over_on_the_wire(&self) -> bool {
        match self.reset {
            Some(reset) => reset.by != ResetBy::UsDue,
            None => self.state == StreamState::Closed && self.closing == Closing::Sent,
        }
    }

    /// Whether nobody needs it any more.
    pub(super) fn is_over(&self) -> bool {
        let told = match self.reset {
            Some(reset) => reset.by != ResetBy::PeerUntold,
            None => self.reader == Reader::AtEnd,
        };
        told && self.is_over_on_the_wire()
    }
}
