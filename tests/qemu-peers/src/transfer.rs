//! One transfer: the relay, the listener, the connector; then what the connector says.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use qemu_run::child::{Child, Tail};
use qemu_run::machine::{Cable, Machine};
use qemu_run::output::Output;
use qemu_run::profile::{Profile, Role};

use crate::Options;
use crate::row::Row;

/// The link of all rows: round trip, rate each way, frames that may wait, and the largest IP packet.
pub(crate) const RTT_MS: u32 = 20;
/// Of the link, each way.
pub(crate) const RATE_MBIT: u32 = 10;
/// Frames that may wait for the link, each way.
pub(crate) const QUEUE: u32 = 25;
/// The largest IP packet.
const MTU: u32 = 1228;

/// Longest that the relay may take to be up.
const START: Duration = Duration::from_secs(30);
/// Between two looks at a child.
const POLL: Duration = Duration::from_millis(20);
/// Beyond a guest's own limit, after which QEMU hangs.
const GRACE: Duration = Duration::from_secs(15);
/// What a guest that listens says.
const LISTENING: &str = "peers: listening";

/// Goodput in bit/s, and bytes of memory, of `row` with `seed`.
///
/// # Errors
/// Whatever went wrong, with the guest's own word for it.
pub(crate) fn run(options: &Options, row: &Row, seed: u64) -> Result<(u64, u64)> {
    let folder = options.out.join(format!("{row}-{seed}").replace(' ', "-"));
    fs::create_dir_all(&folder)?;
    let [a, b] = free_ports()?;
    let (mut relay, [to_a, to_b]) = start_relay(options, seed, [a, b], &folder)?;

    let mut listener =
        Guest::start(options, row, seed, Role::Listener, Cable { own: b, relay: to_b }, &folder)?;
    listener.wait_for(START, |guest| Ok(guest.tail.text()?.contains(LISTENING)))?;
    let mut connector =
        Guest::start(options, row, seed, Role::Connector, Cable { own: a, relay: to_a }, &folder)?;
    connector.wait_for(Duration::from_secs(options.limit) + GRACE, Guest::is_done)?;
    // The receipt, which the connector has compared, is the proof; the listener's farewell may have been lost.
    relay.close_input();
    while relay.line(START)?.is_some() {}

    let said = Output::parse(connector.tail.text()?);
    let figure = |name| said.figure(name).with_context(|| format!("the connector says no {name}"));
    ensure!(figure("bulk_bytes")? == options.bytes, "not everything arrived");
    Ok((figure("goodput_bits_per_second")?, figure("ram_bytes")?))
}

fn start_relay(options: &Options, seed: u64, [a, b]: [u16; 2], folder: &Path) -> Result<(Child, [u16; 2])> {
    let mut command = Command::new(&options.relay);
    command.arg("--until-eof").arg("--stats").arg(folder.join("link.json")).args([
        format!("--a-peer=127.0.0.1:{a}"),
        format!("--b-peer=127.0.0.1:{b}"),
        format!("--loss={}", options.loss),
        format!("--rtt={RTT_MS}"),
        format!("--rate={RATE_MBIT}"),
        format!("--queue={QUEUE}"),
        format!("--seed={seed}"),
    ]);
    let mut relay = Child::start_talking("ether-relay", &mut command, &folder.join("relay.err"))?;
    let line = relay.line(START)?.context("the relay ended at once, see relay.err")?;
    let addresses = line.strip_prefix("relay ready ").unwrap_or_default().split(' ');
    let ports: Vec<u16> = addresses.filter_map(|address| address.rsplit_once(':')?.1.parse().ok()).collect();
    let ports = <[u16; 2]>::try_from(ports).ok().with_context(|| format!("the relay says {line:?}"))?;
    Ok((relay, ports))
}

/// A guest that runs.
struct Guest {
    name: &'static str,
    child: Child,
    tail: Tail,
}

impl Guest {
    fn start(
        options: &Options,
        row: &Row,
        seed: u64,
        role: Role,
        cable: Cable,
        folder: &Path,
    ) -> Result<Self> {
        let (bytes, limit) = (options.bytes, options.limit);
        let arguments = format!(
            "transport={} control={} -- role={} mtu={MTU} bytes={bytes} seed={seed} limit={limit}",
            row.transport,
            row.control,
            role.name(),
        );
        let machine = Machine {
            qemu: &options.qemu,
            image: &options.images.join(row.image()),
            arguments: &arguments,
            role,
            profile: Profile::UdpSec,
            cable: Some(cable),
            host: None,
            watched: None,
        };
        let file = |ending: &str| folder.join(format!("{}.{ending}", role.name()));
        let log = file("log");
        fs::write(&log, "")?;
        let mut command = machine.command(&log, Path::new("/dev/null"));
        let child = Child::start(role.name(), &mut command, &file("out"), &file("err"))?;
        Ok(Self { name: role.name(), child, tail: Tail::open(&log)? })
    }

    /// Waits until `done`.
    fn wait_for(&mut self, patience: Duration, done: impl Fn(&mut Self) -> Result<bool>) -> Result<()> {
        let looks = patience.as_millis() / POLL.as_millis();
        for _ in 0..looks {
            if done(self)? {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        bail!("{}: nothing within {patience:?}", self.name)
    }

    /// Whether it has ended, and well.
    fn is_done(&mut self) -> Result<bool> {
        let Some(status) = self.child.ended()? else { return Ok(false) };
        let last = self.tail.text()?.lines().last().unwrap_or_default().to_owned();
        ensure!(status.success(), "{}: {last}", self.name);
        Ok(true)
    }
}

fn free_ports() -> Result<[u16; 2]> {
    let sockets = [UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?];
    Ok([sockets[0].local_addr()?.port(), sockets[1].local_addr()?.port()])
}
