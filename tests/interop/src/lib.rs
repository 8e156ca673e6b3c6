//! Noise test vectors in the JSON form that snow, cacophony and noise-c share.

use serde::{Deserialize, Deserializer};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One complete handshake, with fixed ephemeral keys, and the transport messages after it.
#[derive(Deserialize, Debug)]
pub struct Vector {
    /// Noise's name for the handshake and its primitives. Some files call it `name`.
    #[serde(alias = "name")]
    pub protocol_name: String,
    /// Secret keys, the initiator's.
    pub init_static: Option<Bytes>,
    /// The initiator's ephemeral secret.
    pub init_ephemeral: Option<Bytes>,
    /// The initiator's prologue.
    pub init_prologue: Option<Bytes>,
    /// The responder's static public key, as the initiator knows it.
    pub init_remote_static: Option<Bytes>,
    /// Secret keys, the responder's.
    pub resp_static: Option<Bytes>,
    /// The responder's ephemeral secret.
    pub resp_ephemeral: Option<Bytes>,
    /// The responder's prologue.
    pub resp_prologue: Option<Bytes>,
    /// What goes over the wire, in turns.
    pub messages: Vec<Message>,
}

/// One message of a [`Vector`].
#[derive(Deserialize, Debug)]
pub struct Message {
    /// The plain text.
    pub payload: Bytes,
    /// The whole message on the wire.
    pub ciphertext: Bytes,
}

/// Bytes, hexadecimal in the file.
#[derive(Debug)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => {
                Ok(Self(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
            }
            _ => Err(serde::de::Error::custom("not hexadecimal")),
        }
    }
}

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

/// All vectors of a file.
///
/// # Panics
/// If there is no such file, or it has another form.
#[must_use]
pub fn load(path: &Path) -> Vec<Vector> {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: File =
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.vectors
}

/// Where cargo keeps the sources of the `package` that this workspace builds with.
///
/// # Panics
/// If cargo does not know the package.
#[must_use]
pub fn package_directory(package: &str) -> PathBuf {
    // Dependencies for other platforms may not be downloaded, and cargo must not go and fetch them.
    let host = output(Command::new("rustc").arg("-vV"));
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = output(Command::new(cargo).args(["metadata", "--offline", "--format-version=1"]).args([
        "--filter-platform",
        host,
        "--manifest-path",
        manifest,
    ]));
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("cargo's JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let found = packages.iter().find(|found| found["name"] == package).expect("the package is a dependency");
    let manifest = Path::new(found["manifest_path"].as_str().expect("a path"));
    manifest.parent().expect("a directory").to_owned()
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
