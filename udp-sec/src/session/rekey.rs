//! The keys of a session, and when they are replaced by the next ones (`docs/protocol.md` section 3, "Key update";
//! RFC 9001 section 6, without its handshake).
//!
//! Both directions move through phases 0, 1, 2, …; a packet shows the lowest bit of its phase. The phase of what we send
//! and that of what we receive differ by at most one: whoever moves first waits until the other side has followed.
//!
//! ```text
//! receiving:  previous ── kept for a while ──┐  present ──┐  next ── made in advance, so that a packet of either
//!                                            └────────────┴────────  phase costs one opening
//! ```

use crate::crypto::aead::{self, Aead, PacketKey};
use crate::crypto::stack;
use crate::limits::{KEY_LEN, KEY_SEALED_RESERVE, NONCE_LEN, TAG_LEN};
use crate::wire::KeyPhase;
use zeroize::Zeroizing;

/// The keys of both directions.
pub(super) struct Keys {
    pub(super) send: SendKeys,
    pub(super) receive: ReceiveKeys,
}

/// The sending direction.
pub(super) struct SendKeys {
    aead: Aead,
    key: PacketKey,
    phase: u64,
    /// Packets that the key has sealed.
    sealed: u64,
    /// The first packet number of the phase, once there is one.
    first: Option<u64>,
    /// Whether the peer has acknowledged a packet of the phase.
    acknowledged: bool,
}

impl SendKeys {
    pub(super) fn new(aead: Aead, key: &[u8; KEY_LEN]) -> Self {
        Self { aead, key: PacketKey::new(aead, key), phase: 0, sealed: 0, first: None, acknowledged: false }
    }

    /// The key for packet `number`, and the phase to show; `None` when it has sealed all it may.
    pub(super) fn take_use(&mut self, number: u64) -> Option<(&PacketKey, KeyPhase)> {
        if self.sealed >= self.aead.sealed_max() {
            return None;
        }
        self.sealed = self.sealed.saturating_add(1);
        self.first.get_or_insert(number);
        Some((&self.key, shown(self.phase)))
    }

    /// Packets that the present key has sealed.
    pub(super) const fn sealed(&self) -> u64 {
        self.sealed
    }

    pub(super) const fn phase(&self) -> u64 {
        self.phase
    }

    /// Whether the key is so near its end that the session has to end.
    pub(super) const fn is_at_limit(&self) -> bool {
        self.sealed >= self.aead.sealed_max().saturating_sub(KEY_SEALED_RESERVE)
    }

    /// The peer has acknowledged packets up to `largest`.
    pub(super) fn on_acknowledged(&mut self, largest: u64) {
        self.acknowledged |= self.first.is_some_and(|first| largest >= first);
    }

    pub(super) const fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// Moves to the next phase.
    pub(super) fn advance(&mut self) {
        stack::forgetting::<{ stack::REKEY }, _>(|| {
            if let Some(next) = aead::rekey(&self.key) {
                *self = Self {
                    aead: self.aead,
                    key: PacketKey::new(self.aead, &next),
                    phase: self.phase.saturating_add(1),
                    sealed: 0,
                    first: None,
                    acknowledged: false,
                };
            }
        });
    }

    #[cfg(test)]
    pub(super) const fn aead(&self) -> Aead {
        self.aead
    }

    #[cfg(test)]
    pub(super) fn set_sealed(&mut self, sealed: u64) {
        self.sealed = sealed;
    }
}

/// The bytes of a key: a twentieth of what a host's cipher makes of it, so those that are seldom needed are kept as this.
type Bytes = Zeroizing<[u8; KEY_LEN]>;

/// The receiving direction.
pub(super) struct ReceiveKeys {
    aead: Aead,
    previous: Option<Bytes>,
    present: PacketKey,
    /// What `present` was made of.
    present_bytes: Bytes,
    /// Without it the phase cannot change, which the peer runs into as into a peer that has gone.
    next: Option<Bytes>,
    phase: u64,
    /// The lowest number that opened under the present key; numbers below it may be of the phase before.
    lowest: Option<u64>,
    /// Whether we have acknowledged a packet of the phase, so that the peer may move on.
    acknowledged: bool,
}

/// Which key a packet is to be opened with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Epoch {
    /// The one before the present one.
    Previous,
    /// The present one.
    Present,
    /// One that would move the phase.
    Next,
}

impl ReceiveKeys {
    pub(super) fn new(aead: Aead, key: &[u8; KEY_LEN]) -> Self {
        let present = PacketKey::new(aead, key);
        let next = aead::rekey(&present);
        let present_bytes = Zeroizing::new(*key);
        Self {
            aead,
            previous: None,
            present,
            present_bytes,
            next,
            phase: 0,
            lowest: None,
            acknowledged: false,
        }
    }

    pub(super) const fn phase(&self) -> u64 {
        self.phase
    }

    /// Which key packet `number` that shows `phase` was sealed with, if the peer sealed it at all. Numbers only grow, so
    /// what is older than the phase is of the one before, and what is newer than its beginning is not.
    pub(super) fn epoch(&self, phase: KeyPhase, number: u64) -> Epoch {
        if phase == shown(self.phase) {
            Epoch::Present
        } else if self.previous.is_some() && self.lowest.is_some_and(|lowest| number < lowest) {
            Epoch::Previous
        } else {
            Epoch::Next
        }
    }

    /// Opens `text` where it lies under the key of `epoch`; `None` if it does not open.
    pub(super) fn open(
        &self,
        epoch: Epoch,
        nonce: &[u8; NONCE_LEN],
        associated: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        let made = match epoch {
            Epoch::Present => return self.present.open(nonce, associated, text, tag),
            Epoch::Previous => self.previous.as_ref(),
            Epoch::Next => self.next.as_ref(),
        };
        let made = made?;
        stack::forgetting::<{ stack::REKEY }, _>(|| {
            PacketKey::new(self.aead, made).open(nonce, associated, text, tag)
        })
    }

    /// Packet `number` opened under the present key.
    pub(super) fn on_opened(&mut self, number: u64) {
        self.lowest = Some(self.lowest.map_or(number, |lowest| lowest.min(number)));
    }

    /// We have said that packets up to `largest` arrived.
    pub(super) fn on_ack_sent(&mut self, largest: u64) {
        self.acknowledged |= self.lowest.is_some_and(|lowest| largest >= lowest);
    }

    pub(super) const fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// The peer has moved: packet `number` opened under the next key.
    pub(super) fn advance(&mut self, number: u64) {
        if stack::forgetting::<{ stack::REKEY }, _>(|| self.shift()) {
            self.phase = self.phase.saturating_add(1);
            self.lowest = Some(number);
            self.acknowledged = false;
        }
    }

    /// Each key takes the place of the one before it; `false` where there is no next one.
    fn shift(&mut self) -> bool {
        let Some(next) = &mut self.next else { return false };
        self.present = PacketKey::new(self.aead, next);
        core::mem::swap(next, &mut self.present_bytes);
        self.previous = core::mem::replace(&mut self.next, aead::rekey(&self.present));
        true
    }

    /// Packets of the phase before are too late from now on.
    pub(super) fn forget_previous(&mut self) {
        self.previous = None;
    }
}

/// What a packet shows of its phase.
const fn shown(phase: u64) -> KeyPhase {
    if phase.is_multiple_of(2) { KeyPhase::Zero } else { KeyPhase::One }
}

#[cfg(test)]
mod tests;
