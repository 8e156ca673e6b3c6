//! What is forwarded where, as people write it: `[BIND:]PORT:HOST:PORT`, and what the listening side permits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use anyhow::{Result, anyhow, bail};

/// The longest host name (RFC 1035 section 2.3.4).
const HOST_MAX: usize = 253;

/// Where a connection is to end: `HOST:PORT`, with an IPv6 address in brackets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A port that is listened at, and where its connections are to end: `[BIND:]PORT:HOST:PORT`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Forwarding {
    pub(crate) bind: SocketAddr,
    pub(crate) target: Target,
}

/// Targets that callers may reach: `HOST:PORT`, or `HOST:*` for any port of that host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Permit {
    host: String,
    port: Option<u16>,
}

/// An address at which callers may listen: `[BIND:]PORT`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ListenPermit(SocketAddr);

impl Permit {
    /// Whether it lets a caller reach `target`. Names are compared as they are written, not by what they resolve to.
    pub(crate) fn covers(&self, target: &Target) -> bool {
        self.host.eq_ignore_ascii_case(&target.host) && self.port.is_none_or(|port| port == target.port)
    }
}

impl ListenPermit {
    /// Whether it lets a caller listen at `address`.
    pub(crate) fn covers(&self, address: SocketAddr) -> bool {
        self.0 == address
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match fields(text)?[..] {
            [host_text, port_text] => Ok(Self { host: host(host_text)?, port: target_port(port_text)? }),
            _ => bail!("'{text}' is not HOST:PORT, for example localhost:80"),
        }
    }
}

impl FromStr for Forwarding {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (bind, host_text, port_text) = match fields(text)?[..] {
            [port_text, host, target] => (SocketAddr::new(LOOPBACK, port(port_text)?), host, target),
            [bind, port_text, host, target] => {
                (SocketAddr::new(bind_ip(bind)?, port(port_text)?), host, target)
            }
            _ => bail!("'{text}' is not [BIND:]PORT:HOST:PORT, for example 8080:localhost:80"),
        };
        Ok(Self { bind, target: Target { host: host(host_text)?, port: target_port(port_text)? } })
    }
}

impl FromStr for Permit {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match fields(text)?[..] {
            [host_text, "*"] => Ok(Self { host: host(host_text)?, port: None }),
            [host_text, port_text] => {
                Ok(Self { host: host(host_text)?, port: Some(target_port(port_text)?) })
            }
            _ => bail!("'{text}' is not HOST:PORT or HOST:*, for example localhost:80"),
        }
    }
}

impl FromStr for ListenPermit {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match fields(text)?[..] {
            [port_text] => Ok(Self(SocketAddr::new(LOOPBACK, port(port_text)?))),
            [bind, port_text] => Ok(Self(SocketAddr::new(bind_ip(bind)?, port(port_text)?))),
            _ => bail!("'{text}' is not [BIND:]PORT, for example 9000"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bind, self.target)
    }
}

/// Where is listened if nothing else is said: nobody but this machine gets in.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Splits at the colons that are not within brackets, and takes the brackets off.
fn fields(text: &str) -> Result<Vec<&str>> {
    let mut fields = Vec::new();
    let mut rest = Some(text);
    while let Some(left) = rest {
        let (field, after) = match left.strip_prefix('[') {
            Some(inner) => {
                let (address, after) =
                    inner.split_once(']').ok_or_else(|| anyhow!("a ']' is missing in '{text}'"))?;
                match after.strip_prefix(':') {
                    None if !after.is_empty() => bail!("after ']' a ':' is missing in '{text}'"),
                    after => (address, after),
                }
            }
            None => left.split_once(':').map_or((left, None), |(field, after)| (field, Some(after))),
        };
        fields.push(field);
        rest = after;
    }
    Ok(fields)
}

fn host(text: &str) -> Result<String> {
    let is_plain = !text.is_empty() && text.len() <= HOST_MAX && text.chars().all(|c| c.is_ascii_graphic());
    if is_plain { Ok(text.to_owned()) } else { bail!("'{text}' is not a host") }
}

fn port(text: &str) -> Result<u16> {
    text.parse().map_err(|_| anyhow!("'{text}' is not a port: that is a number up to 65535"))
}

fn target_port(text: &str) -> Result<u16> {
    match port(text)? {
        0 => bail!("port 0 cannot be called"),
        port => Ok(port),
    }
}

fn bind_ip(text: &str) -> Result<IpAddr> {
    match text {
        "localhost" => Ok(LOOPBACK),
        text => {
            text.parse().map_err(|_| anyhow!("'{text}' is not an address of this machine, as 127.0.0.1 is"))
        }
    }
}

#[cfg(test)]
mod tests;
