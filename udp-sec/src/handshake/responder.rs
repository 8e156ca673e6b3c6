//! The side that is called: each step costs more than the one before it, and proves more about the caller.
//!
//! `docs/protocol.md` section 3.

use super::carrier::{Carrier, Datagrams, Records};
use super::credentials::Credentials;
use super::identity::Policy;
use super::mac::Mac1Key;
use super::params::{Aead, Parameters, Reply, Values};
use crate::crypto::hash::{self, PrivateNumbers};
use crate::crypto::noise::{Noise, prologue};
use crate::crypto::stack;
use crate::error::{CloseCode, Reject};
use crate::keys::{PublicKey, StaticKeypair, draw};
use crate::limits::{INITIATION_PAYLOAD_LEN, RESPONSE_LEN, RESPONSE_PAYLOAD_LEN};
use crate::session::{Role, Settled};
use crate::wire::{self, Datagram, Initiation, Pattern, Response};
use core::fmt;
use core::marker::PhantomData;
use rand_core::TryCryptoRng;

/// What every repeat of an initiation has in common: BLAKE2s-256 of all before `mac1`.
pub type InitiationId = [u8; 32];

/// Answers initiations for one static key.
#[derive(Clone)]
pub struct Responder {
    local: StaticKeypair,
    mac1_key: Mac1Key,
    credentials: Credentials,
}

/// An initiation whose sender knows our static public key. It may still be a replay.
#[derive(Clone, Copy, Debug)]
pub struct CheckedInitiation<'d>(Initiation<'d>);

/// An initiation that opened: the peer's static key is known, and has been proven by Diffie-Hellman.
pub struct Incoming<C: Carrier = Datagrams> {
    carrier: PhantomData<C>,
    heard: Heard,
    pattern: Pattern,
    payload: [u8; INITIATION_PAYLOAD_LEN],
}

/// What does not depend on the carrier, so that there is one copy of its code.
struct Heard {
    noise: Noise,
    peer: PublicKey,
    peer_id: u64,
    credentials: Credentials,
    numbers: PrivateNumbers,
}

/// An initiation of a peer that may talk to us, with parameters in range.
pub struct Authorized<C: Carrier = Datagrams> {
    carrier: PhantomData<C>,
    heard: Heard,
    parameters: Parameters,
}

/// What goes back to an authorized peer. Moved once per handshake; a box would be the only allocation of ours.
#[derive(Debug)]
pub enum Accepted<C: Carrier = Datagrams> {
    /// There are keys; the session begins with the first packet that opens under them.
    HalfOpen {
        /// The Response; each repeat of the Initiation gets the same bytes.
        response: [u8; RESPONSE_LEN],
        /// Ready to open, and after that to seal.
        session: C::Session,
        /// What the peer said about itself.
        parameters: Parameters,
    },
    /// What the peer wants cannot be met.
    Refused {
        /// The Response that says so.
        response: [u8; RESPONSE_LEN],
        /// What it says.
        code: CloseCode,
    },
}

impl Responder {
    /// A responder known by `local`'s public key.
    #[must_use]
    pub fn new(local: StaticKeypair) -> Self {
        Self::with_credentials(local, Credentials::NONE)
    }

    /// The same, with what comes beside the key.
    #[must_use]
    pub fn with_credentials(local: StaticKeypair, credentials: Credentials) -> Self {
        let mac1_key = Mac1Key::new(local.public());
        Self { local, mac1_key, credentials }
    }

    /// The static key that initiators have to know.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        self.local.public()
    }

    /// Two hashes, and no Diffie-Hellman: does the sender know whom it calls?
    ///
    /// # Errors
    /// [`Reject::OversizeDatagram`], [`Reject::MalformedHeader`] (also for any other type), [`Reject::BadMac1`].
    pub fn check_mac1<'d>(&self, datagram: &'d [u8]) -> Result<CheckedInitiation<'d>, Reject> {
        match wire::decode(datagram)? {
            Datagram::Initiation(initiation) if self.mac1_key.verify(&initiation) => {
                Ok(CheckedInitiation(initiation))
            }
            Datagram::Initiation(_) => Err(Reject::BadMac1),
            _ => Err(Reject::MalformedHeader),
        }
    }

    /// Two Diffie-Hellmans: who is it? The entropy for the answer is drawn first.
    ///
    /// # Errors
    /// [`Reject::EntropyUnavailable`] if `rng` fails; [`Reject::HandshakeFailed`] if the message does not open, or one
    /// of its keys is a point of low order.
    pub fn read<R: TryCryptoRng + ?Sized>(
        &self,
        initiation: CheckedInitiation<'_>,
        rng: &mut R,
    ) -> Result<Incoming, Reject> {
        self.read_carried(initiation, rng)
    }

    /// The same for an initiation that came as the first record of a byte stream.
    ///
    /// # Errors
    /// As [`read`](Self::read). One that was made for datagrams does not open here, nor the reverse.
    pub fn read_record<R: TryCryptoRng + ?Sized>(
        &self,
        initiation: CheckedInitiation<'_>,
        rng: &mut R,
    ) -> Result<Incoming<Records>, Reject> {
        self.read_carried(initiation, rng)
    }

    fn read_carried<C: Carrier, R: TryCryptoRng + ?Sized>(
        &self,
        CheckedInitiation(initiation): CheckedInitiation<'_>,
        rng: &mut R,
    ) -> Result<Incoming<C>, Reject> {
        let mut payload = [0; INITIATION_PAYLOAD_LEN];
        let heard = self.hear(C::PROLOGUE_LABEL, &initiation, &mut payload, rng)?;
        Ok(Incoming { carrier: PhantomData, heard, pattern: initiation.pattern(), payload })
    }

    fn hear<R: TryCryptoRng + ?Sized>(
        &self,
        label: &[u8],
        initiation: &Initiation<'_>,
        payload: &mut [u8; INITIATION_PAYLOAD_LEN],
        rng: &mut R,
    ) -> Result<Heard, Reject> {
        stack::forgetting::<{ stack::HANDSHAKE }, _>(|| {
            let ephemeral = draw(rng)?;
            let numbers = PrivateNumbers::new(draw(rng)?);
            let bound_to = (initiation.pattern(), &prologue(label, &initiation.prefix())[..]);
            let mut noise = Noise::responder(&self.local, bound_to, ephemeral)?;
            noise.read_to(initiation.noise(), payload)?;
            let peer = noise.peer().ok_or(Reject::HandshakeFailed)?;
            let peer_id = initiation.sender_id();
            Ok(Heard { noise, peer, peer_id, credentials: self.credentials, numbers })
        })
    }
}

impl CheckedInitiation<'_> {
    /// The same for every repeat, and different for every other initiation.
    #[must_use]
    pub fn id(&self) -> InitiationId {
        hash::hash(&[&self.0.prefix(), self.0.noise()])
    }

    /// The id under which the initiator expects the Response.
    #[must_use]
    pub const fn sender_id(&self) -> u64 {
        self.0.sender_id()
    }
}

impl<'d> CheckedInitiation<'d> {
    /// Its fields.
    pub(super) const fn wire(&self) -> Initiation<'d> {
        self.0
    }
}

impl<C: Carrier> Incoming<C> {
    /// The initiator's static key.
    #[must_use]
    pub const fn peer(&self) -> &PublicKey {
        &self.heard.peer
    }

    /// Asks `policy` and the credentials' verifier about the peer, and only then looks at what the peer wants.
    ///
    /// # Errors
    /// [`Reject::PeerNotAuthorized`], also for a pre-shared key on one side only; [`Reject::IdentityProofInvalid`];
    /// [`Reject::MalformedParameters`]. None of them is answered.
    pub fn authorize<P: Policy + ?Sized>(self, policy: &P) -> Result<Authorized<C>, Reject> {
        let Self { carrier, mut heard, pattern, payload } = self;
        if !policy.authorizes(&heard.peer) {
            return Err(Reject::PeerNotAuthorized);
        }
        let parameters = heard.judge(pattern, &payload)?;
        Ok(Authorized { carrier, heard, parameters })
    }
}

impl<C: Carrier> Authorized<C> {
    /// The initiator's static key.
    #[must_use]
    pub const fn peer(&self) -> &PublicKey {
        &self.heard.peer
    }

    /// What the initiator said about itself.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Answers with our own `parameters`, or refuses if they name another application or have no cipher in common with
    /// the peer's. `local_id` is random and unique among the caller's live entries.
    ///
    /// # Errors
    /// [`Reject::MalformedParameters`] if a field of `parameters` is out of its range; [`Reject::HandshakeFailed`] if
    /// the initiator's keys give an all-zero Diffie-Hellman result.
    pub fn accept(mut self, local_id: u64, parameters: &Parameters) -> Result<Accepted<C>, Reject> {
        let mut response = [0; RESPONSE_LEN];
        let (heard, theirs) = (&mut self.heard, &self.parameters);
        let answer = || heard.answer(local_id, parameters, theirs, &mut response);
        let aead = match stack::forgetting::<{ stack::HANDSHAKE }, _>(answer)? {
            Ok(aead) => aead,
            Err(code) => return Ok(Accepted::Refused { response, code }),
        };
        let heard = self.heard;
        let session =
            stack::forgetting::<{ stack::HANDSHAKE }, _>(|| C::session(heard.settle(local_id, aead)));
        Ok(Accepted::HalfOpen { response, session, parameters: self.parameters })
    }

    /// A Response that says why there will be no session.
    ///
    /// # Errors
    /// [`Reject::HandshakeFailed`] as for [`accept`](Self::accept).
    pub fn refuse(mut self, code: CloseCode) -> Result<[u8; RESPONSE_LEN], Reject> {
        let mut response = [0; RESPONSE_LEN];
        let respond = || self.heard.respond(&Reply::refusal(code)?, &mut response);
        stack::forgetting::<{ stack::HANDSHAKE }, _>(respond)?;
        Ok(response)
    }
}

impl Heard {
    /// Whether it is who it should be, and then what it wants.
    fn judge(&mut self, pattern: Pattern, payload: &[u8]) -> Result<Parameters, Reject> {
        match (pattern, self.credentials.shared_with(&self.peer)) {
            (Pattern::Ik, None) => {}
            (Pattern::IkPsk2, Some(key)) => self.noise.set_pre_shared_key(&key)?,
            _ => return Err(Reject::PeerNotAuthorized),
        }
        let said = Values::read(payload)?;
        self.credentials.judge(Role::Initiator, &self.peer, said.identity_proof()?.as_ref())?;
        Parameters::from_initiation(&said)
    }

    /// Writes the Response of a side with the parameters `ours` to one with `theirs`: the cipher that is chosen in it, or the
    /// refusal that it is.
    fn answer(
        &mut self,
        local_id: u64,
        ours: &Parameters,
        theirs: &Parameters,
        response: &mut [u8; RESPONSE_LEN],
    ) -> Result<Result<Aead, CloseCode>, Reject> {
        // The initiator's order decides: it knows its own hardware, and the responder serves many.
        let chosen = match theirs.aeads.choose(&ours.aeads) {
            _ if ours.application != theirs.application => Err(CloseCode::NoAppProtocol),
            None => Err(CloseCode::NoCommonAead),
            Some(aead) => Ok(aead),
        };
        let payload = match chosen {
            Ok(aead) => {
                let ours = Parameters { aeads: aead.into(), ..ours.clone() };
                ours.to_response(local_id, self.credentials.proof(Role::Responder))?
            }
            Err(code) => Reply::refusal(code)?,
        };
        self.respond(&payload, response)?;
        Ok(chosen)
    }

    fn respond(
        &mut self,
        payload: &[u8; RESPONSE_PAYLOAD_LEN],
        response: &mut [u8; RESPONSE_LEN],
    ) -> Result<(), Reject> {
        let (prefix, message) = response.split_first_chunk_mut().ok_or(Reject::HandshakeFailed)?;
        *prefix = Response::prefix(self.peer_id);
        self.noise.write_to(payload, message)
    }

    /// What the session is made of, once it has been answered.
    fn settle(mut self, local_id: u64, aead: Aead) -> Settled {
        let split = self.noise.split();
        let Self { peer_id, peer, numbers, .. } = self;
        Settled { role: Role::Responder, local_id, peer_id, peer, aead, split, numbers }
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("public", self.public()).finish_non_exhaustive()
    }
}

impl<C: Carrier> fmt::Debug for Incoming<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("peer", &self.heard.peer).finish_non_exhaustive()
    }
}

impl<C: Carrier> fmt::Debug for Authorized<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized")
            .field("peer", &self.heard.peer)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}
