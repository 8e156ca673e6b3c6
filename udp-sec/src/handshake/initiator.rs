//! The side that calls: one Initiation, sent as often as it takes, and one Response.
//!
//! `docs/protocol.md` section 3.

use super::carrier::{Carrier, Datagrams, Records};
use super::cookie;
use super::mac::Mac1Key;
use super::params::{Parameters, Reply};
use crate::crypto::hash::PrivateNumbers;
use crate::crypto::noise::{Noise, prologue};
use crate::error::{CloseCode, Reject};
use crate::keys::{PublicKey, StaticKeypair, draw};
use crate::limits::{INITIATION_LEN, MAC_LEN, RESPONSE_PAYLOAD_LEN};
use crate::session::{Role, Settled};
use crate::wire::{self, Datagram, Initiation};
use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use rand_core::TryCryptoRng;

/// A handshake that waits for its Response.
pub struct Initiator<C: Carrier = Datagrams> {
    carrier: PhantomData<C>,
    noise: Noise,
    /// Boxed, as the handshake is: both are moved from step to step.
    datagram: Box<[u8; INITIATION_LEN]>,
    local_id: u64,
    peer: PublicKey,
    offered: Parameters,
    numbers: PrivateNumbers,
}

/// What a datagram did to a handshake.
#[derive(Debug)]
pub enum Answer<C: Carrier = Datagrams> {
    /// The peer holds the key it was called by, and accepts.
    Established {
        /// Ready to seal and open.
        session: C::Session,
        /// What the peer said about itself, with the one cipher it chose.
        parameters: Parameters,
    },
    /// The peer holds the key it was called by, and refuses. Final.
    Refused(CloseCode),
    /// Not the Response. Go on waiting with the handshake as it was.
    Rejected(Initiator<C>, Reject),
}

impl Initiator {
    /// Prepares a handshake with `peer`. `local_id` is random and unique among the caller's live handshakes and
    /// sessions; the Response and every packet of the session carry it.
    ///
    /// # Errors
    /// [`Reject::EntropyUnavailable`] if `rng` fails; [`Reject::HandshakeFailed`] if `peer` is a point of low order;
    /// [`Reject::MalformedParameters`] if a field of `parameters` is out of its range.
    pub fn new<R: TryCryptoRng + ?Sized>(
        local: &StaticKeypair,
        peer: &PublicKey,
        local_id: u64,
        parameters: &Parameters,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        Self::carried(local, peer, local_id, parameters, rng)
    }
}

impl Initiator<Records> {
    /// The same for a handshake whose messages are the first records of a byte stream.
    ///
    /// # Errors
    /// As [`Initiator::new`].
    pub fn for_records<R: TryCryptoRng + ?Sized>(
        local: &StaticKeypair,
        peer: &PublicKey,
        local_id: u64,
        parameters: &Parameters,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        Self::carried(local, peer, local_id, parameters, rng)
    }
}

impl<C: Carrier> Initiator<C> {
    fn carried<R: TryCryptoRng + ?Sized>(
        local: &StaticKeypair,
        peer: &PublicKey,
        local_id: u64,
        parameters: &Parameters,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        let ephemeral = draw(rng)?;
        let numbers = PrivateNumbers::new(draw(rng)?);
        let payload = parameters.to_initiation()?;
        let mut noise = Noise::initiator(local, peer, &prologue::<C>(local_id), ephemeral)?;
        let message = noise.write(&payload)?;
        let mac1 = Mac1Key::new(peer).compute(local_id, &message);
        let datagram = Box::new(Initiation::new(local_id, &message, &mac1, &[0; MAC_LEN]).encode());
        let offered = parameters.clone();
        Ok(Self { carrier: PhantomData, noise, datagram, local_id, peer: *peer, offered, numbers })
    }

    /// The Initiation. Every transmission is these same bytes, so that a repeat is known as one.
    #[must_use]
    pub fn datagram(&self) -> &[u8; INITIATION_LEN] {
        &self.datagram
    }

    /// The id under which the Response arrives.
    #[must_use]
    pub const fn local_id(&self) -> u64 {
        self.local_id
    }

    /// Whom this handshake is with.
    #[must_use]
    pub const fn peer(&self) -> &PublicKey {
        &self.peer
    }

    /// Reads what may be a CookieReply to this initiation. From here on [`datagram`](Self::datagram) carries its `mac2`, and
    /// is a repeat of the same initiation all the same.
    ///
    /// # Errors
    /// [`Reject::MalformedHeader`], [`Reject::UnknownSession`] for another id, [`Reject::HandshakeFailed`] for one that the
    /// peer did not make for this initiation. Nothing changes then.
    pub fn on_cookie(&mut self, reply: &[u8]) -> Result<(), Reject> {
        let Datagram::CookieReply(reply) = wire::decode(reply)? else { return Err(Reject::MalformedHeader) };
        if reply.receiver_id() != self.local_id {
            return Err(Reject::UnknownSession);
        }
        let Datagram::Initiation(initiation) = wire::decode(self.datagram.as_slice())? else {
            return Err(Reject::MalformedHeader);
        };
        let cookie = cookie::open(&self.peer, initiation.mac1(), &reply).ok_or(Reject::HandshakeFailed)?;
        let mac2 = cookie::mac2(&cookie, &initiation);
        if let Some(room) = self.datagram.last_chunk_mut() {
            *room = mac2;
        }
        Ok(())
    }

    /// Reads what may be the Response.
    ///
    /// Anything that does not open is [`Answer::Rejected`] and changes nothing. A Response that opens and then says
    /// something malformed is rejected too, as [`Reject::MalformedParameters`]; the peer has spoken then, and no
    /// other Response will open.
    #[must_use]
    pub fn read_response(mut self, response: &[u8]) -> Answer<C> {
        match self.try_read(response) {
            Ok(Reply::Refused(code)) => Answer::Refused(code),
            Ok(Reply::Accepted { parameters, session_id }) => {
                let session = C::session(Settled {
                    role: Role::Initiator,
                    local_id: self.local_id,
                    peer_id: session_id,
                    peer: self.peer,
                    split: self.noise.split(),
                    numbers: self.numbers,
                });
                Answer::Established { session, parameters }
            }
            Err(reject) => Answer::Rejected(self, reject),
        }
    }

    fn try_read(&mut self, response: &[u8]) -> Result<Reply, Reject> {
        let Datagram::Response(response) = wire::decode(response)? else {
            return Err(Reject::MalformedHeader);
        };
        if response.receiver_id() != self.local_id {
            return Err(Reject::UnknownSession);
        }
        let payload = self.noise.read::<RESPONSE_PAYLOAD_LEN, _>(response.noise())?;
        Reply::read(&payload, &self.offered)
    }
}

impl<C: Carrier> fmt::Debug for Initiator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator")
            .field("local_id", &self.local_id)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
