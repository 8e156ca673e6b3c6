//! What the two sides tell each other about themselves: type-length-value inside the encrypted payloads.
//!
//! `docs/protocol.md` section 3. Values are judged where they are read, so a [`Parameters`] that came from a peer is
//! in range; one of our own is checked when it is written.

use super::proof::IdentityProof;
pub use crate::crypto::aead::Aead;
use crate::error::{CloseCode, Reject};
use crate::limits::{
    ACK_STEP_DEFAULT, ACK_STEP_MAX, APPLICATION_PROTOCOL_MAX, IDLE_TIMEOUT_MAX, IDLE_TIMEOUT_MIN,
    INITIAL_CREDIT_MAX, INITIATION_PAYLOAD_LEN, MAX_ACK_DELAY_MAX, RESPONSE_PAYLOAD_LEN, VERSION,
};
use crate::time::Duration;
use core::fmt;

mod tlv;
pub(super) use tlv::Values;
use tlv::{Kind, Writer};

/// The parameters of one side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// Bytes of stream that the other side may send before it is given more. At most 2^62.
    pub initial_credit: u64,
    /// The longest that this side holds an acknowledgement back. At most 500 ms, told in whole milliseconds.
    pub max_ack_delay: Duration,
    /// After this long without an authentic packet this side ends the session. 1 s to 120 s, told in whole milliseconds.
    pub idle_timeout: Duration,
    /// What the stream carries.
    pub application: ApplicationProtocol,
    /// Ciphers for Data packets, the best first; in a responder's parameters, the one that it chose.
    pub aeads: AeadList,
    /// Acknowledge at least every n-th ack-eliciting packet that this side sends. 1 to 64.
    pub ack_step: u8,
    /// The highest protocol version that this side speaks. At least 1.
    pub highest_version: u8,
}

impl Parameters {
    /// Parameters for `application`, with `initial_credit` bytes; the rest as most endpoints want it: acknowledgements
    /// after at most 25 ms (RFC 9000 section 18.2), an idle timeout of 30 s, the cipher that everybody has.
    #[must_use]
    pub fn new(application: ApplicationProtocol, initial_credit: u64) -> Self {
        Self {
            initial_credit,
            max_ack_delay: Duration::from_millis(25),
            idle_timeout: Duration::from_secs(30),
            application,
            aeads: AeadList::mandatory(),
            ack_step: ACK_STEP_DEFAULT,
            highest_version: VERSION,
        }
    }

    fn in_range(&self) -> bool {
        self.initial_credit <= INITIAL_CREDIT_MAX
            && self.max_ack_delay <= MAX_ACK_DELAY_MAX
            && (IDLE_TIMEOUT_MIN..=IDLE_TIMEOUT_MAX).contains(&self.idle_timeout)
            && (1..=ACK_STEP_MAX).contains(&self.ack_step)
            && self.highest_version >= 1
    }

    /// The payload of an Initiation. Hidden, as the primitives are: for tests that look at the bytes.
    ///
    /// # Errors
    /// [`Reject::MalformedParameters`] if a field is out of its range.
    #[doc(hidden)]
    pub fn to_initiation(
        &self,
        proof: Option<&IdentityProof<'_>>,
    ) -> Result<[u8; INITIATION_PAYLOAD_LEN], Reject> {
        let mut payload = [0; INITIATION_PAYLOAD_LEN];
        self.write(&mut Writer::new(&mut payload), proof).ok_or(Reject::MalformedParameters)?;
        Ok(payload)
    }

    /// The payload of a Response that accepts, with the session's id at the responder.
    pub(crate) fn to_response(
        &self,
        session_id: u64,
        proof: Option<&IdentityProof<'_>>,
    ) -> Result<[u8; RESPONSE_PAYLOAD_LEN], Reject> {
        let mut payload = [0; RESPONSE_PAYLOAD_LEN];
        let mut writer = Writer::new(&mut payload);
        self.write(&mut writer, proof)
            .and_then(|()| writer.put(Kind::SessionId, &session_id.to_le_bytes()))
            .ok_or(Reject::MalformedParameters)?;
        Ok(payload)
    }

    /// Writes all parameters, and `proof`; `None` if one is out of range.
    fn write(&self, writer: &mut Writer<'_>, proof: Option<&IdentityProof<'_>>) -> Option<()> {
        if !self.in_range() {
            return None;
        }
        // A delay is promised: it may be announced longer than it is, never shorter.
        let max_ack_delay_ms = u16::try_from(self.max_ack_delay.as_micros().div_ceil(1_000)).ok()?;
        let idle_timeout_ms = u32::try_from(self.idle_timeout.as_millis()).ok()?;
        writer.put(Kind::InitialCredit, &self.initial_credit.to_le_bytes())?;
        writer.put(Kind::MaxAckDelay, &max_ack_delay_ms.to_le_bytes())?;
        writer.put(Kind::IdleTimeout, &idle_timeout_ms.to_le_bytes())?;
        writer.put(Kind::Application, self.application.as_bytes())?;
        writer.put(Kind::Aeads, &self.aeads.to_wire())?;
        if let Some(proof) = proof {
            writer.put(Kind::IdentityProof, &proof.encode()?)?;
        }
        writer.put(Kind::AckStep, &[self.ack_step])?;
        writer.put(Kind::HighestVersion, &[self.highest_version])
    }

    /// Reads the payload of an Initiation. Hidden, likewise.
    ///
    /// # Errors
    /// [`Reject::MalformedParameters`].
    #[doc(hidden)]
    pub fn read_initiation(payload: &[u8]) -> Result<Self, Reject> {
        Self::from_initiation(&Values::read(payload)?)
    }

    /// Reads what an Initiation says.
    pub(super) fn from_initiation(values: &Values<'_>) -> Result<Self, Reject> {
        if values.get(Kind::Refusal).is_some() || values.get(Kind::SessionId).is_some() {
            return Err(Reject::MalformedParameters);
        }
        Self::from_values(values).ok_or(Reject::MalformedParameters)
    }

    fn from_values(values: &Values<'_>) -> Option<Self> {
        let parameters = Self {
            initial_credit: u64::from_le_bytes(values.required(Kind::InitialCredit)?),
            max_ack_delay: Duration::from_millis(
                u16::from_le_bytes(values.required(Kind::MaxAckDelay)?).into(),
            ),
            idle_timeout: Duration::from_millis(
                u32::from_le_bytes(values.required(Kind::IdleTimeout)?).into(),
            ),
            application: ApplicationProtocol::new(values.get(Kind::Application)?).ok()?,
            aeads: AeadList::from_wire(values.get(Kind::Aeads)?)?,
            ack_step: u8::from_le_bytes(values.optional(Kind::AckStep, [ACK_STEP_DEFAULT])?),
            highest_version: u8::from_le_bytes(values.optional(Kind::HighestVersion, [VERSION])?),
        };
        parameters.in_range().then_some(parameters)
    }
}

/// What a Response says once it has opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reply {
    /// The session begins; the responder calls it `session_id`.
    Accepted { parameters: Parameters, aead: Aead, session_id: u64 },
    /// There will be no session.
    Refused(CloseCode),
}

impl Reply {
    /// The payload of a Response that refuses.
    pub(super) fn refusal(code: CloseCode) -> Result<[u8; RESPONSE_PAYLOAD_LEN], Reject> {
        let mut payload = [0; RESPONSE_PAYLOAD_LEN];
        Writer::new(&mut payload)
            .put(Kind::Refusal, &code.to_wire().to_le_bytes())
            .ok_or(Reject::MalformedParameters)?;
        Ok(payload)
    }

    /// Reads what a Response says to an initiation that said `offered`.
    pub(super) fn read(values: &Values<'_>, offered: &Parameters) -> Result<Self, Reject> {
        let reply = match values.get(Kind::Refusal) {
            Some(_) => values
                .only(Kind::Refusal)
                .map(|code| Self::Refused(CloseCode::from_wire(u16::from_le_bytes(code)))),
            None => Self::accepted(values, offered),
        };
        reply.ok_or(Reject::MalformedParameters)
    }

    fn accepted(values: &Values<'_>, offered: &Parameters) -> Option<Self> {
        let parameters = Parameters::from_values(values)?;
        let session_id = u64::from_le_bytes(values.required(Kind::SessionId)?);
        // Exactly one cipher on the wire, which we offered; and the application that we asked for.
        let [_] = values.get(Kind::Aeads)? else { return None };
        let aead = parameters.aeads.iter().next()?;
        let agreed = offered.aeads.contains(aead) && parameters.application == offered.application;
        agreed.then_some(Self::Accepted { parameters, aead, session_id })
    }
}

impl Aead {
    const fn to_wire(self) -> u8 {
        match self {
            Self::ChaCha20Poly1305 => 1,
            Self::Aes256Gcm => 2,
        }
    }

    const fn from_wire(wire: u8) -> Option<Self> {
        match wire {
            1 => Some(Self::ChaCha20Poly1305),
            2 => Some(Self::Aes256Gcm),
            _ => None,
        }
    }
}

/// Ciphers, the best first. A list of our own holds at least one, and only available ones; a peer's holds those of its
/// ciphers that we know by number, which may be none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AeadList(heapless::Vec<Aead, 2>);

impl From<Aead> for AeadList {
    fn from(aead: Aead) -> Self {
        Self(core::iter::once(aead).collect())
    }
}

impl AeadList {
    /// The cipher that every implementation has.
    #[must_use]
    pub fn mandatory() -> Self {
        Self::from(Aead::ChaCha20Poly1305)
    }

    /// These ciphers, the best first.
    ///
    /// # Errors
    /// [`InvalidParameter`] if there is none, one twice, or one that this build cannot use.
    pub fn new(preferred: &[Aead]) -> Result<Self, InvalidParameter> {
        let invalid =
            InvalidParameter("a cipher list needs at least one, none twice, and only available ones");
        let mut list = heapless::Vec::new();
        for aead in preferred {
            if !aead.is_available() || list.contains(aead) || list.push(*aead).is_err() {
                return Err(invalid);
            }
        }
        if list.is_empty() { Err(invalid) } else { Ok(Self(list)) }
    }

    /// The ciphers, the best first.
    pub fn iter(&self) -> impl Iterator<Item = Aead> + '_ {
        self.0.iter().copied()
    }

    /// Whether `aead` is in the list.
    #[must_use]
    pub fn contains(&self, aead: Aead) -> bool {
        self.0.contains(&aead)
    }

    /// The first cipher of `self`, in `self`'s order, that `other` has too.
    pub(super) fn choose(&self, other: &Self) -> Option<Aead> {
        self.iter().find(|aead| aead.is_available() && other.contains(*aead))
    }

    fn to_wire(&self) -> heapless::Vec<u8, 2> {
        self.iter().map(Aead::to_wire).collect()
    }

    /// Unknown numbers are left out; a number twice, or no number at all, is malformed.
    fn from_wire(wire: &[u8]) -> Option<Self> {
        let mut rest = wire;
        while let Some((first, behind)) = rest.split_first() {
            if behind.contains(first) {
                return None;
            }
            rest = behind;
        }
        let known = wire.iter().filter_map(|number| Aead::from_wire(*number)).collect();
        (!wire.is_empty()).then_some(Self(known))
    }
}

/// The name of what the stream carries, 1 to 32 bytes, for example `dsoftbus-mux/2`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApplicationProtocol(heapless::Vec<u8, APPLICATION_PROTOCOL_MAX>);

impl ApplicationProtocol {
    /// The protocol with this name.
    ///
    /// # Errors
    /// [`InvalidParameter`] for an empty name or one of more than 32 bytes.
    pub fn new(name: &[u8]) -> Result<Self, InvalidParameter> {
        match heapless::Vec::from_slice(name) {
            Ok(bytes) if !bytes.is_empty() => Ok(Self(bytes)),
            _ => Err(InvalidParameter("an application protocol's name has 1 to 32 bytes")),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ApplicationProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for ApplicationProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// A parameter that our own caller built, and that cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidParameter(&'static str);

impl fmt::Display for InvalidParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for InvalidParameter {}

#[cfg(test)]
mod tests;
