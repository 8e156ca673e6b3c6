//! The memory of a session, lent by its user: arrays on a device, boxes on a host.

use core::fmt;

use udp_sec::limits::{INITIATION_LEN, RECORD_LEN_MAX};

use super::record::{self, HEADER_LEN};

/// The least memory for what arrives: one record of any peer has to fit. Bytes.
pub const INBOUND_MIN: usize = HEADER_LEN + RECORD_LEN_MAX;
/// The least memory for what leaves. Bytes.
pub const OUTBOUND_MIN: usize = 2048;

const _: () = assert!(OUTBOUND_MIN >= HEADER_LEN + INITIATION_LEN + record::CONTROL_RESERVE);

/// Bytes to work in: `[u8; N]`, `&mut [u8]`, `Box<[u8]>`, `Vec<u8>`. Their number stays the same.
pub trait Buffer: AsRef<[u8]> + AsMut<[u8]> {}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Buffer for B {}

/// A buffer for each direction, each large enough.
#[derive(Debug)]
pub struct Memory<B> {
    pub(super) inbound: B,
    pub(super) outbound: B,
}

impl<B: Buffer> Memory<B> {
    /// These buffers. `outbound` is how much can wait to be sent; records are as long as what waits, up to 16 KiB.
    ///
    /// # Errors
    /// [`TooSmall`] below [`INBOUND_MIN`] or [`OUTBOUND_MIN`] bytes.
    pub fn new(inbound: B, outbound: B) -> Result<Self, TooSmall> {
        let fits = inbound.as_ref().len() >= INBOUND_MIN && outbound.as_ref().len() >= OUTBOUND_MIN;
        if fits { Ok(Self { inbound, outbound }) } else { Err(TooSmall) }
    }
}

/// A buffer is too small for a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooSmall;

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a session over TCP needs {INBOUND_MIN} bytes inbound and {OUTBOUND_MIN} bytes outbound")
    }
}

impl core::error::Error for TooSmall {}
