//! The states of a stream, and what leads from one to another: a declared table.
//!
//! ```text
//!                  ┌──► HalfClosedLocal ───┐
//!           Open ──┤                       ├──► Closed
//!             │    └──► HalfClosedRemote ──┘
//!             └──── RST, from any of the three ──► Reset
//! ```

use super::reject::MuxReject;

/// The state of a stream, as one of its sides sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StreamState {
    /// Both directions go on.
    Open,
    /// This side has ended its direction.
    HalfClosedLocal,
    /// The peer has ended its direction.
    HalfClosedRemote,
    /// Both directions are complete.
    Closed,
    /// Given up by one of the two sides.
    Reset,
}

/// What happens to a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Transition {
    /// This side ends its direction.
    SendClose,
    /// The peer ends its direction.
    ReceiveClose,
    /// One of the two gives the stream up.
    Reset,
}

impl StreamState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::HalfClosedLocal, Self::HalfClosedRemote, Self::Closed, Self::Reset];

    /// The state after `transition`.
    ///
    /// # Errors
    /// [`MuxReject::InvalidStreamStateTransition`] where the table has none. A reset may be repeated.
    pub const fn after(self, transition: Transition) -> Result<Self, MuxReject> {
        match (self, transition) {
            (Self::Open, Transition::SendClose) => Ok(Self::HalfClosedLocal),
            (Self::Open, Transition::ReceiveClose) => Ok(Self::HalfClosedRemote),
            (Self::HalfClosedLocal, Transition::ReceiveClose)
            | (Self::HalfClosedRemote, Transition::SendClose) => Ok(Self::Closed),
            (
                Self::Open | Self::HalfClosedLocal | Self::HalfClosedRemote | Self::Reset,
                Transition::Reset,
            ) => Ok(Self::Reset),
            _ => Err(MuxReject::InvalidStreamStateTransition),
        }
    }

    /// Whether at least one direction goes on.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedLocal | Self::HalfClosedRemote)
    }

    /// Whether this side may still send data.
    #[must_use]
    pub const fn may_send(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedRemote)
    }

    /// Whether the peer may still send data.
    #[must_use]
    pub const fn may_receive(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedLocal)
    }
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 3] = [Self::SendClose, Self::ReceiveClose, Self::Reset];
}

#[cfg(test)]
mod tests;
