//! The side that calls: one Initiation, sent as often as it takes, and one Response.
//!
//! `docs/protocol.md` section 3.

use super::carrier::{Carrier, Datagrams, Records};
use super::cookie;
use super::credentials::{Caller, Credentials};
use super::mac::Mac1Key;
use super::params::{Aead, Parameters, Reply, Values};
use crate::crypto::hash::PrivateNumbers;
use crate::crypto::noise::{Noise, prologue};
use crate::crypto::stack;
use crate::error::{CloseCode, Reject};
use crate::keys::{PublicKey, draw};
use crate::limits::{INITIATION_LEN, MAC_LEN, RESPONSE_PAYLOAD_LEN};
use crate::session::{Role, Settled};
use crate::wire::{self, Datagram, Initiation, Pattern};
use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use rand_core::TryCryptoRng;

/// A handshake that waits for its Response.
pub struct Initiator<C: Carrier = Datagrams> {
    carrier: PhantomData<C>,
    call: Call,
}

/// What does not depend on the carrier, so that there is one copy of its code.
struct Call {
    noise: Noise,
    /// Boxed, as the handshake is: both are moved from step to step.
    datagram: Box<[u8; INITIATION_LEN]>,
    local_id: u64,
    peer: PublicKey,
    offered: Parameters,
    credentials: Credentials,
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
    /// The peer holds the key it was called by, and has not proven whose that key is, as our [`Credentials`] demand. Final.
    Unproven,
    /// Not the Response. Go on waiting with the handshake as it was.
    Rejected(Initiator<C>, Reject),
}

impl Initiator {
    /// Prepares a handshake of `local`, a static keypair with or without credentials, with `peer`. `local_id` is random
    /// and unique among the caller's live handshakes and sessions; the Response and every packet of the session carry it.
    ///
    /// # Errors
    /// [`Reject::EntropyUnavailable`] if `rng` fails; [`Reject::HandshakeFailed`] if `peer` is a point of low order;
    /// [`Reject::MalformedParameters`] if a field of `parameters` is out of its range.
    pub fn new<'l, R: TryCryptoRng + ?Sized>(
        local: impl Into<Caller<'l>>,
        peer: &PublicKey,
        local_id: u64,
        parameters: &Parameters,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        Self::carried(local.into(), peer, local_id, parameters, rng)
    }
}

impl Initiator<Records> {
    /// The same for a handshake whose messages are the first records of a byte stream.
    ///
    /// # Errors
    /// As [`Initiator::new`].
    pub fn for_records<'l, R: TryCryptoRng + ?Sized>(
        local: impl Into<Caller<'l>>,
        peer: &PublicKey,
        local_id: u64,
        parameters: &Parameters,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        Self::carried(local.into(), peer, local_id, parameters, rng)
    }
}

impl<C: Carrier> Initiator<C> {
    fn carried<R: TryCryptoRng + ?Sized>(
        local: Caller<'_>,
        peer: &PublicKey,
        local_id: u64,
        parameters: &Parameters,
        rng: &mut R,
    ) -> Result<Self, Reject> {
        let call = Call::begin(C::PROLOGUE_LABEL, local, peer, (local_id, parameters), rng)?;
        Ok(Self { carrier: PhantomData, call })
    }

    /// The Initiation. Every transmission is these same bytes, so that a repeat is known as one.
    #[must_use]
    pub fn datagram(&self) -> &[u8; INITIATION_LEN] {
        &self.call.datagram
    }

    /// The id under which the Response arrives.
    #[must_use]
    pub const fn local_id(&self) -> u64 {
        self.call.local_id
    }

    /// Whom this handshake is with.
    #[must_use]
    pub const fn peer(&self) -> &PublicKey {
        &self.call.peer
    }

    /// Reads what may be a CookieReply to this initiation. From here on [`datagram`](Self::datagram) carries its `mac2`, and
    /// is a repeat of the same initiation all the same.
    ///
    /// # Errors
    /// [`Reject::MalformedHeader`], [`Reject::UnknownSession`] for another id, [`Reject::HandshakeFailed`] for one that the
    /// peer did not make for this initiation. Nothing changes then.
    pub fn on_cookie(&mut self, reply: &[u8]) -> Result<(), Reject> {
        self.call.on_cookie(reply)
    }

    /// Reads what may be the Response.
    ///
    /// Anything that does not open is [`Answer::Rejected`] and changes nothing. A Response that opens and then says
    /// something malformed is rejected too, as [`Reject::MalformedParameters`]; the peer has spoken then, and no
    /// other Response will open.
    #[must_use]
    pub fn read_response(mut self, response: &[u8]) -> Answer<C> {
        match self.call.read(response) {
            Ok(Reply::Refused(code)) => Answer::Refused(code),
            Ok(Reply::Accepted { parameters, aead, session_id }) => {
                let call = self.call;
                let session = stack::forgetting::<{ stack::HANDSHAKE }, _>(|| {
                    C::session(call.settle(aead, session_id))
                });
                Answer::Established { session, parameters }
            }
            Err(Reject::IdentityProofInvalid) => Answer::Unproven,
            Err(reject) => Answer::Rejected(self, reject),
        }
    }
}

impl Call {
    fn begin<R: TryCryptoRng + ?Sized>(
        label: &[u8],
        local: Caller<'_>,
        peer: &PublicKey,
        said: (u64, &Parameters),
        rng: &mut R,
    ) -> Result<Self, Reject> {
        stack::forgetting::<{ stack::HANDSHAKE }, _>(|| Self::make(label, local, peer, said, rng))
    }

    fn make<R: TryCryptoRng + ?Sized>(
        label: &[u8],
        local: Caller<'_>,
        peer: &PublicKey,
        (local_id, parameters): (u64, &Parameters),
        rng: &mut R,
    ) -> Result<Self, Reject> {
        let ephemeral = draw(rng)?;
        let numbers = PrivateNumbers::new(draw(rng)?);
        let Caller { keypair, credentials } = local;
        let payload = parameters.to_initiation(credentials.proof(Role::Initiator))?;
        let shared = credentials.shared_with(peer);
        let pattern = if shared.is_some() { Pattern::IkPsk2 } else { Pattern::Ik };
        let prefix = Initiation::prefix_of(pattern, local_id);
        let mut noise = Noise::initiator(keypair, peer, (pattern, &prologue(label, &prefix)), ephemeral)?;
        if let Some(key) = shared {
            noise.set_pre_shared_key(&key)?;
        }
        let message = noise.write(&payload)?;
        let mac1 = Mac1Key::new(peer).compute(&prefix, &message);
        let initiation = Initiation::new(pattern, local_id, &message, &mac1, &[0; MAC_LEN]);
        let datagram = Box::new(initiation.encode());
        let offered = parameters.clone();
        Ok(Self { noise, datagram, local_id, peer: *peer, offered, credentials, numbers })
    }

    fn on_cookie(&mut self, reply: &[u8]) -> Result<(), Reject> {
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

    fn read(&mut self, response: &[u8]) -> Result<Reply, Reject> {
        stack::forgetting::<{ stack::HANDSHAKE }, _>(|| self.try_read(response))
    }

    fn try_read(&mut self, response: &[u8]) -> Result<Reply, Reject> {
        let Datagram::Response(response) = wire::decode(response)? else {
            return Err(Reject::MalformedHeader);
        };
        if response.receiver_id() != self.local_id {
            return Err(Reject::UnknownSession);
        }
        let payload = self.noise.read::<RESPONSE_PAYLOAD_LEN, _>(response.noise())?;
        let said = Values::read(&payload)?;
        let reply = Reply::read(&said, &self.offered)?;
        if let Reply::Accepted { .. } = reply {
            self.credentials.judge(Role::Responder, &self.peer, said.identity_proof()?.as_ref())?;
        }
        Ok(reply)
    }

    /// What the session is made of, once [`read`](Self::read) has found it accepted.
    fn settle(mut self, aead: Aead, peer_id: u64) -> Settled {
        let split = self.noise.split();
        let Self { local_id, peer, numbers, .. } = self;
        Settled { role: Role::Initiator, local_id, peer_id, peer, aead, split, numbers }
    }
}

impl<C: Carrier> fmt::Debug for Initiator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator")
            .field("local_id", &self.call.local_id)
            .field("peer", &self.call.peer)
            .finish_non_exhaustive()
    }
}
