//! What a run is told, a guest by its boot arguments, a host by its command line: words `name=value`, separated by spaces.

use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

use nexus_net_adapter::select::{self, Mode};
use udp_sec::keys::StaticKeypair;
use udp_sec::limits::KEY_UPDATE_PACKETS;
use udp_sec::time::Duration;

use crate::Plan;

/// Everything that can be told, with what holds where nothing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `role`: what this guest does.
    pub role: Role,
    /// `DSOFTBUS_TRANSPORT`: by which transport the connector may call.
    pub mode: Mode,
    /// `udp=off`: there is no udp-sec here.
    pub udp: bool,
    /// `ip`: the guest's address.
    pub ip: Ipv4Addr,
    /// `prefix`: how many bits of it name its network.
    pub prefix: u8,
    /// `peer`: the address that the guest calls.
    pub peer: Ipv4Addr,
    /// `address`: where a program on a host listens, or whom it calls.
    pub address: IpAddr,
    /// `port`: of the listener, the same for UDP and TCP.
    pub port: u16,
    /// `mtu`: the largest IP packet, in bytes.
    pub mtu: usize,
    /// `key`: our secret key is 32 times this byte. For tests, and for nothing else.
    pub key: u8,
    /// `peer-key`: the peer's, likewise.
    pub peer_key: u8,
    /// `bytes`, `class`, `seed`: the bulk transfer.
    pub plan: Plan,
    /// `loss=1`: the link loses frames, and the run goes on until that was noticed.
    pub loss: bool,
    /// `key-life`: packets that a session key seals before the next takes over.
    pub key_life: u64,
    /// `hold`: how long a guest that has done its work stays as it is.
    pub hold: Duration,
    /// `limit`: seconds after which a run that is not done has failed.
    pub limit: Duration,
}

/// `role`: what this guest does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Waits to be called.
    Listener,
    /// Calls, and climbs.
    Connector,
    /// Both, in memory.
    Selftest,
}

/// A boot argument that means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unknown<'a>(pub &'a str);

impl Settings {
    /// What `arguments` say.
    ///
    /// # Errors
    /// [`Unknown`] for a name that there is not, and for a value that cannot be had.
    pub fn parse(arguments: &str) -> Result<Self, Unknown<'_>> {
        let of = |name: &str| {
            let words = arguments.split_whitespace();
            words
                .filter_map(|word| word.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        for word in arguments.split_whitespace() {
            if word.split_once('=').is_none_or(|(name, _)| !NAMES.contains(&name)) {
                return Err(Unknown(word));
            }
        }
        let role = match of("role").unwrap_or("selftest") {
            "listener" => Role::Listener,
            "connector" => Role::Connector,
            "selftest" => Role::Selftest,
            other => return Err(Unknown(other)),
        };
        // What the two ends of a run are called where nobody says otherwise.
        let (own, other) = if role == Role::Listener { (1, 2) } else { (2, 1) };
        let plan = Plan {
            bulk: number(of("bytes"), 256 * 1024)?,
            class: number(of("class"), 4)?,
            seed: number(of("seed"), 1)?,
        };
        Ok(Self {
            role,
            mode: Mode::from_setting(of(select::VARIABLE)).map_err(|_| Unknown("DSOFTBUS_TRANSPORT"))?,
            udp: switch(of("udp"), true)?,
            ip: number(of("ip"), Ipv4Addr::new(10, 0, 0, own))?,
            prefix: number(of("prefix"), 24)?,
            peer: number(of("peer"), Ipv4Addr::new(10, 0, 0, other))?,
            address: number(of("address"), IpAddr::V4(Ipv4Addr::LOCALHOST))?,
            port: number(of("port"), 4433)?,
            mtu: number(of("mtu"), 1500)?,
            key: number(of("key"), own)?,
            peer_key: number(of("peer-key"), other)?,
            plan,
            loss: switch(of("loss"), false)?,
            key_life: number(of("key-life"), KEY_UPDATE_PACKETS)?,
            hold: Duration::from_secs(number(of("hold"), 0)?),
            limit: Duration::from_secs(number(of("limit"), 120)?),
        })
    }

    /// Our keys.
    #[must_use]
    pub fn keypair(&self) -> StaticKeypair {
        StaticKeypair::from_secret([self.key; 32])
    }

    /// The peer's; of which a real device knows the public half only.
    #[must_use]
    pub fn peer_keypair(&self) -> StaticKeypair {
        StaticKeypair::from_secret([self.peer_key; 32])
    }
}

const NAMES: [&str; 18] = [
    "role",
    select::VARIABLE,
    "udp",
    "ip",
    "prefix",
    "peer",
    "address",
    "port",
    "mtu",
    "key",
    "peer-key",
    "bytes",
    "class",
    "seed",
    "loss",
    "key-life",
    "hold",
    "limit",
];

fn number<T: FromStr>(value: Option<&str>, default: T) -> Result<T, Unknown<'_>> {
    value.map_or(Ok(default), |value| value.parse().map_err(|_| Unknown(value)))
}

fn switch(value: Option<&str>, default: bool) -> Result<bool, Unknown<'_>> {
    match value {
        None => Ok(default),
        Some("1" | "on") => Ok(true),
        Some("0" | "off") => Ok(false),
        Some(other) => Err(Unknown(other)),
    }
}
