//! Keys as people handle them: a secret or pre-shared key is a file that only its owner can read, a public key is base64
//! text.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use data_encoding::BASE64;
use udp_sec::handshake::PreSharedKeys;
use udp_sec::keys::{PreSharedKey, PublicKey, StaticKeypair};
use zeroize::Zeroizing;

/// Bytes of a key of either kind.
const KEY_LEN: usize = 32;

/// A public key given on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicKeyText(pub(crate) PublicKey);

impl FromStr for PublicKeyText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = BASE64.decode(text.trim().as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let bytes: [u8; KEY_LEN] = bytes.ok_or(
            "a public key is 44 characters of base64, as `udpsec pubkey --key FILE` prints it on its owner's side",
        )?;
        Ok(Self(PublicKey::from_bytes(bytes)))
    }
}

/// A pre-shared key, the same with every peer of a command.
pub(crate) struct SharedWithAll(PreSharedKey);

impl PreSharedKeys for SharedWithAll {
    fn shared_with(&self, _peer: &PublicKey) -> Option<PreSharedKey> {
        Some(self.0.clone())
    }
}

/// `key` as people write it.
pub(crate) fn to_text(key: &PublicKey) -> String {
    BASE64.encode(key.as_bytes())
}

/// Writes a secret to a new file that only its owner can read.
pub(crate) fn save(path: &Path, secret: &[u8; KEY_LEN], replace: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if replace {
        // A file that others can read keeps its mode when it is rewritten, so it goes first.
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} cannot be replaced", path.display()));
            }
            _ => {}
        }
    }
    let mut file = match options.create_new(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{} exists; choose another name, or --force to replace that key for good", path.display())
        }
        opened => opened.with_context(|| format!("{} cannot be written", path.display()))?,
    };
    let text = Zeroizing::new(BASE64.encode(secret));
    writeln!(file, "{}", *text).with_context(|| format!("{} cannot be written", path.display()))
}

/// Reads a static key from its file.
pub(crate) fn load(path: &Path) -> Result<StaticKeypair> {
    read(path, "keygen").map(|secret| StaticKeypair::from_secret(*secret))
}

/// Reads a pre-shared key from its file.
pub(crate) fn load_shared(path: &Path) -> Result<SharedWithAll> {
    read(path, "keygen --pre-shared").map(|secret| SharedWithAll(PreSharedKey::from_bytes(*secret)))
}

/// The secret in a file, which `maker` makes.
fn read(path: &Path, maker: &str) -> Result<Zeroizing<[u8; KEY_LEN]>> {
    let text = fs::read_to_string(path).map(Zeroizing::new).with_context(|| {
        format!("the key file {} cannot be read; `udpsec {maker} --out FILE` makes one", path.display())
    })?;
    let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode()).unwrap_or(0);
    if mode & 0o077 != 0 {
        eprintln!("udpsec: warning: others may read {}; `chmod 600 {0}` keeps the key yours", path.display());
    }
    let secret = BASE64.decode(text.trim().as_bytes()).ok().map(Zeroizing::new);
    let secret: Option<[u8; KEY_LEN]> = secret.and_then(|bytes| bytes.as_slice().try_into().ok());
    let Some(secret) = secret.map(Zeroizing::new) else {
        bail!("{} is not a key file: it should hold one line of 44 characters of base64", path.display());
    };
    Ok(secret)
}
