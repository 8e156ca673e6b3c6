//! How a file travels: a header, the bytes, their SHA-256; and back, what the receiver computed.
//!
//! ```text
//! sender -> receiver   name length u16 · name, UTF-8 · size u64 · size bytes · SHA-256 (32 bytes) · end
//! receiver -> sender   SHA-256 of what was stored (32 bytes) · end
//! ```
//! Numbers are little-endian. The stream is authenticated already; the hash tells both people the same thing about
//! disks and files.

use anyhow::{Result, bail};
use data_encoding::HEXLOWER;

/// The application protocol of file transfers.
pub(crate) const APPLICATION: &[u8] = b"udpsec-file/1";
/// Bytes that are read, hashed and sent at a time.
pub(crate) const CHUNK: usize = 256 * 1024;
/// Bytes of the hash.
pub(crate) const HASH_LEN: usize = 32;
/// The longest name, in bytes.
pub(crate) const NAME_MAX: usize = 255;

/// A SHA-256.
pub(crate) type Hash = [u8; HASH_LEN];

/// `hash` as people compare it.
pub(crate) fn hex(hash: &Hash) -> String {
    HEXLOWER.encode(hash)
}

/// The header of a file.
pub(crate) fn header(name: &str, size: u64) -> Result<Vec<u8>> {
    let Some(len) = u16::try_from(name.len()).ok().filter(|_| name.len() <= NAME_MAX) else {
        bail!("the file's name is longer than {NAME_MAX} bytes");
    };
    Ok([&len.to_le_bytes()[..], name.as_bytes(), &size.to_le_bytes()].concat())
}

/// A name that a peer sent: a plain file name and nothing that leads elsewhere.
pub(crate) fn safe_name(bytes: &[u8]) -> Result<&str> {
    let name = std::str::from_utf8(bytes).unwrap_or("");
    let plain = !name.is_empty()
        && name != "."
        && name != ".."
        && !name.chars().any(|c| c == '/' || c == '\\' || c.is_control());
    if !plain {
        bail!("the peer sent a file name that leads elsewhere or cannot be shown; nothing was stored");
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
