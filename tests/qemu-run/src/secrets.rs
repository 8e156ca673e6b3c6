//! The secrets of two guests' session, looked for in all the memory of both: while it lives, and when it is over.
//!
//! A guest never says a secret. But its static key is a boot argument, and its random bytes come from a file of ours, so
//! with the ephemeral public keys on the link every key of the session can be computed (package `secrets`). What the
//! search finds while the session lives shows that it can find something.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use secrets::needles::{Known, Needle, Schedule, phases, schedule};
use secrets::search::hits;
use sha2::{Digest, Sha256};
use udp_sec::keys::StaticKeypair;

use crate::profile::{Profile, Role};

/// Random bytes for a guest: many times what it draws.
const ENTROPY: usize = 64 << 10;
/// Packets that a key seals in such a run.
const KEY_LIFE: u64 = 40;
/// How long a guest that has done its work waits for its memory to be copied, in seconds.
const HOLD: u64 = 30;
/// Phases of each direction that are looked for: more than a run comes to.
const PHASES: usize = 256;
/// Places of one secret that are told.
const SHOWN: usize = 8;
/// The endpoint's configuration and its responder have the static key.
const STATIC_COPIES: usize = 2;

/// When a guest's memory was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// In the middle of its session.
    During,
    /// When the guest had done its work, its endpoint still there.
    After,
}

/// The file with the memory of the guest in `role` at `moment`.
#[must_use]
pub fn copy_of(folder: &Path, role: Role, moment: Moment) -> PathBuf {
    let when = match moment {
        Moment::During => "during",
        Moment::After => "after",
    };
    folder.join(format!("{}.{when}.ram", role.name()))
}

/// Writes the random bytes of the guest in `role`.
///
/// # Errors
/// Those of the system.
pub fn write_entropy(path: &Path, seed: u64, role: Role) -> Result<()> {
    let block = |number: u64| {
        let input = format!("random bytes of the {}, seed {seed}, block {number}", role.name());
        <[u8; 32]>::from(Sha256::digest(input))
    };
    let bytes: Vec<u8> = (0..).flat_map(block).take(ENTROPY).collect();
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

/// What the search has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// For people: every secret that was found, how often, and where.
    pub text: String,
    /// What should not be.
    pub faults: Vec<String>,
}

/// Looks for the secrets of the run in `folder` in the copies of memory there, and removes those.
///
/// # Errors
/// Where a file is missing, or there was no handshake.
pub fn examine(folder: &Path, profile: Profile) -> Result<Report> {
    let mut report = Report::default();
    let link = Ephemerals::read(&fs::read(folder.join("link.pcap"))?)?;
    for role in [Role::Connector, Role::Listener] {
        let entropy = fs::read(folder.join(format!("{}.entropy", role.name())))?;
        let needles = Needles::of(role, &entropy, &link)?;
        for moment in [Moment::During, Moment::After] {
            let copy = copy_of(folder, role, moment);
            let memory = fs::read(&copy).with_context(|| copy.display().to_string())?;
            let found = needles.search(&memory);
            let when = if moment == Moment::During { "during the session" } else { "after the session" };
            _ = writeln!(
                report.text,
                "  {:<10} {when}, {} secrets looked for:",
                role.name(),
                needles.all().count()
            );
            for (name, places) in &found {
                let at: Vec<String> = places.iter().take(SHOWN).map(|place| format!("{place:#x}")).collect();
                _ = writeln!(report.text, "    {name:<36} {:>2}, at {}", places.len(), at.join(" "));
            }
            let faults = match moment {
                Moment::During => needles.missing(&found, profile),
                Moment::After => left_behind(&found),
            };
            report.faults.extend(faults.into_iter().map(|fault| format!("{} {when}: {fault}", role.name())));
            fs::remove_file(copy)?;
        }
    }
    Ok(report)
}

/// Each secret that was found, and where, as addresses.
type Found = BTreeMap<String, Vec<usize>>;

/// The secrets of one end.
struct Needles {
    /// What an end has as long as it is there, and what it has as long as the session lives.
    lasting: Vec<Needle>,
    /// What is over with the handshake.
    handshake: Vec<Needle>,
    /// The keys of what it sends, and of what it receives, phase by phase.
    directions: [Vec<Needle>; 2],
}

const STATIC: &str = "static secret";
const SEED: &str = "seed of private numbers";

impl Needles {
    /// Those of the end in `role`, which has drawn `entropy`; `link` has the public halves.
    fn of(role: Role, entropy: &[u8], link: &Ephemerals) -> Result<Self> {
        let [own, peer] = match role {
            Role::Connector => [link.initiation, link.response],
            Role::Listener => [link.response, link.initiation],
        };
        let (known, seed) = known(role, entropy, own, peer)?;
        let Schedule { session: [first, second], mut handshake } = schedule(&known);
        handshake.push(Needle::new("ephemeral secret", known.ephemeral));
        let mut directions = [phases(&first, PHASES), phases(&second, PHASES)];
        if role == Role::Listener {
            directions.reverse();
        } else if let Some(public) = link.given_up {
            // Nobody has answered: the schedule came as far as message 1.
            let (known, seed) = known_of_message_1(entropy, public)?;
            let made = schedule(&known).handshake.into_iter().take(MESSAGE_1);
            let drawn = [("ephemeral secret", known.ephemeral), (SEED, seed)];
            let drawn = drawn.map(|(name, secret)| Needle::new(name, secret));
            let of_it = |needle: Needle| Needle::new(&format!("{} (given up)", needle.name), needle.secret);
            handshake.extend(made.chain(drawn).map(of_it));
        }
        let lasting = vec![Needle::new(STATIC, known.secret), Needle::new(SEED, seed)];
        Ok(Self { lasting, handshake, directions })
    }

    fn all(&self) -> impl Iterator<Item = &Needle> {
        self.lasting.iter().chain(&self.handshake).chain(self.directions.iter().flatten())
    }

    fn search(&self, memory: &[u8]) -> Found {
        let needles: Vec<Needle> = self.all().cloned().collect();
        let mut found = Found::new();
        for (which, at) in hits(memory, &needles) {
            found.entry(needles[which].name.clone()).or_default().push(RAM_BASE + at);
        }
        found
    }

    /// What is wrong with what was `found` while the session lived: the search has to find what is in use, and not more
    /// than that.
    fn missing(&self, found: &Found, profile: Profile) -> Vec<String> {
        let mut faults = Vec::new();
        let mut wants = vec![STATIC];
        // Records skip no numbers.
        wants.extend((profile == Profile::UdpSec).then_some(SEED));
        for name in wants {
            faults.extend(
                (!found.contains_key(name)).then(|| format!("{name} is not found, so it could not be")),
            );
        }
        for needle in self.handshake.iter().filter(|needle| found.contains_key(&needle.name)) {
            faults.push(format!("{} outlives the handshake", needle.name));
        }
        // What is sent has one key; what is received has besides it the next, and for a while the one before.
        for (keys, most) in self.directions.iter().zip([1, 3]) {
            let there: Vec<usize> = keys
                .iter()
                .enumerate()
                .filter(|(_, key)| found.contains_key(&key.name))
                .map(|(phase, _)| phase)
                .collect();
            let name = &keys[0].name;
            match there[..] {
                [] => faults.push(format!("no key like {name} is found, so none could be")),
                [first, .., last] if last - first >= most => {
                    faults.push(format!("keys like {name} of the phases {there:?} are there at once"));
                }
                [first, ..] if first == 0 && profile == Profile::UdpSec => {
                    faults.push(format!("{name}: the keys were never updated, so none could be left"));
                }
                _ => {}
            }
        }
        faults
    }
}

/// What the end in `role` has computed with, of `entropy` the ephemeral secret of `own`; and what it drew next, the seed of
/// its private numbers.
fn known(role: Role, entropy: &[u8], own: [u8; 32], peer_ephemeral: [u8; 32]) -> Result<(Known, [u8; 32])> {
    let drawn = |at: usize| entropy.get(at..at + 32).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let place = (0..SEARCHED).find(|&at| drawn(at).is_some_and(|secret| public(secret) == own));
    let place = place.with_context(|| format!("the {} has drawn its key elsewhere", role.name()))?;
    let [ephemeral, seed] = [place, place + 32].map(|at| drawn(at).unwrap_or_default());
    let peer = public(static_secret(role.other()));
    let is_initiator = role == Role::Connector;
    Ok((Known { secret: static_secret(role), ephemeral, peer, peer_ephemeral, is_initiator }, seed))
}

/// The same for an Initiation that nobody has answered; any key stands for the one that never came.
fn known_of_message_1(entropy: &[u8], own: [u8; 32]) -> Result<(Known, [u8; 32])> {
    known(Role::Connector, entropy, own, public(static_secret(Role::Listener)))
}

fn public(secret: [u8; 32]) -> [u8; 32] {
    *StaticKeypair::from_secret(secret).public().as_bytes()
}

/// Secrets that message 1 takes: a result, a chaining key and a message key for `es`, and for `ss`.
const MESSAGE_1: usize = 6;
/// Offsets in a guest's random bytes at which its ephemeral secret may begin.
const SEARCHED: usize = 256;
/// The address of the first byte of a copy.
const RAM_BASE: usize = 0x8000_0000;

/// What the guest in `role` is told besides: whose static keys are whose, and how long a key is used. The bytes of the
/// static keys are such as do not fill memory by chance.
#[must_use]
pub fn boot_arguments(role: Role) -> String {
    let [own, peer] = [role, role.other()].map(static_byte);
    format!("key={own} peer-key={peer} key-life={KEY_LIFE} hold={HOLD}")
}

fn static_secret(role: Role) -> [u8; 32] {
    [static_byte(role); 32]
}

const fn static_byte(role: Role) -> u8 {
    match role {
        Role::Listener => 0xb5,
        Role::Connector => 0xd3,
    }
}

/// What is wrong with what was `found` when the session was over.
fn left_behind(found: &Found) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, places) in found {
        if name != STATIC {
            faults.push(format!("{name} outlives its session, {} times", places.len()));
        } else if places.len() > STATIC_COPIES {
            faults.push(format!("{name} is there {} times, not {STATIC_COPIES}", places.len()));
        }
    }
    faults
}

/// Ephemeral public keys on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ephemerals {
    /// Of the Initiation that was answered.
    initiation: [u8; 32],
    /// Of the Response.
    response: [u8; 32],
    /// Of the Initiation over udp-sec that was given up, where TCP came next.
    given_up: Option<[u8; 32]>,
}

impl Ephemerals {
    /// Those in `pcap`: in datagrams, or behind the length of a record at the beginning of a TCP segment.
    fn read(pcap: &[u8]) -> Result<Self> {
        let mut found: [Vec<[u8; 32]>; 2] = Default::default();
        for message in frames(pcap).filter_map(message) {
            if let [1, kind @ (1 | 2), ..] = *message {
                let key = message.get(12..44).context("a handshake message cut short")?.try_into()?;
                let keys = &mut found[usize::from(kind) - 1];
                if keys.last() != Some(&key) {
                    keys.push(key);
                }
            }
        }
        match (&found[0][..], &found[1][..]) {
            (&[initiation], &[response]) => Ok(Self { initiation, response, given_up: None }),
            (&[given_up, initiation], &[response]) => {
                Ok(Self { initiation, response, given_up: Some(given_up) })
            }
            (initiations, responses) => {
                bail!("{} Initiations and {} Responses on the link", initiations.len(), responses.len())
            }
        }
    }
}

/// The frames in a pcap file.
fn frames(pcap: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = pcap.get(24..).unwrap_or_default();
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<16>()?;
        let len = u32::from_le_bytes(*header[8..].first_chunk()?);
        let (frame, after) = rest.get(16..)?.split_at_checked(usize::try_from(len).ok()?)?;
        rest = after;
        Some(frame)
    })
}

/// What an IPv4 frame carries by UDP, or by TCP behind two bytes of a record's length.
fn message(frame: &[u8]) -> Option<&[u8]> {
    let packet = frame.get(14..)?;
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let (protocol, body) = (packet.get(9)?, packet.get(header..)?);
    match protocol {
        17 => body.get(8..),
        6 => body.get(usize::from(body.get(12)? >> 4) * 4 + 2..),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
