//! One run, from the first process to the verdict.
//!
//! 1. The relay starts, then the listener; once that says it is up, the connector.
//! 2. Wait until the connector has ended, then the listener; every wait is bounded.
//! 3. The relay is asked to end and to say what it counted.
//! 4. Each log is judged alone, then the link, then how the guests ended.

mod memory;

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::bounds::exceeded;
use crate::child::{Child, Tail};
use crate::judge::{Verdict, judge};
use crate::machine::{Cable, HostNetwork, Machine};
use crate::output::Output;
use crate::plan::{Plan, Scene, Tools, Trouble};
use crate::profile::{Ladder, Profile, Role, cut_short, halfway, ladder};
use crate::secrets::{self, Moment};
use crate::wire::Wire;

/// Longest that a listener may take to be up, and the relay to start and to end.
const START: Duration = Duration::from_secs(30);
/// Longest that the listener may live on behind the connector: its session times out, at the worst.
const FAREWELL: Duration = Duration::from_secs(40);
/// Beyond a guest's own limit, after which QEMU hangs.
const GRACE: Duration = Duration::from_secs(15);
/// How far into the bulk the peer is killed.
const INTO_THE_BULK: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(20);

/// Set by a signal: all waits end, and with them all children.
pub static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// What one end showed.
#[derive(Debug)]
pub struct EndResult {
    /// Which.
    pub role: Role,
    /// Its log.
    pub log: PathBuf,
    /// What defmt wrote, still encoded; not for a host end.
    pub console: Option<PathBuf>,
    /// By its ladder.
    pub verdict: Verdict,
    /// What it says of itself.
    pub output: Output,
    /// How it ended.
    pub fate: Fate,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// By itself.
    Ended(ExitStatus),
    /// By us, as the plan has it or because its time was up.
    Killed,
}

impl Fate {
    /// By itself, and well.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Ended(status) if status.success())
    }

    /// Its exit code, if it had one.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Ended(status) => status.code(),
            Self::Killed => None,
        }
    }
}

/// What a run showed.
#[derive(Debug)]
pub struct Outcome {
    /// The connector first.
    pub ends: Vec<EndResult>,
    /// What the relay counted; none where a guest ran alone.
    pub wire: Option<Wire>,
    /// What the search for secrets found, where there was one.
    pub secrets: Option<String>,
    /// Everything wrong, in words; nothing means that the run passed.
    pub faults: Vec<String>,
    /// From the first process to the last.
    pub elapsed: Duration,
}

impl Outcome {
    /// The end in `role`, if it took part.
    #[must_use]
    pub fn end(&self, role: Role) -> Option<&EndResult> {
        self.ends.iter().find(|end| end.role == role)
    }
}

/// An end that runs.
struct Actor {
    role: Role,
    child: Child,
    log: PathBuf,
    tail: Tail,
    console: Option<PathBuf>,
    /// None while it runs.
    fate: Option<Fate>,
}

/// Runs `plan`; everything it writes goes to `folder`.
///
/// # Errors
/// Where the run could not be made at all. A run that was made and failed is an [`Outcome`].
pub fn run(plan: &Plan, tools: &Tools, folder: &Path) -> Result<Outcome> {
    let begun = now();
    let mut stage = Stage::set(plan, tools, folder)?;
    stage.play()?;
    let wire = stage.take_down()?;
    let Stage { actors, mut faults, .. } = stage;
    let mut ends = Vec::new();
    for mut actor in actors {
        let expected = expectation(plan, actor.role);
        let log = actor.tail.text()?.to_owned();
        let verdict = judge(&log, &expected);
        faults.extend(verdict.faults.iter().map(|fault| format!("{}: {fault}", actor.role.name())));
        faults.extend(wrong_end(plan, &actor));
        let output = Output::parse(&log);
        if output.malformed > 0 {
            faults.push(format!("{}: {} lines that nobody can read", actor.role.name(), output.malformed));
        }
        // Over TCP other code runs, and a guest that is searched keeps its stack.
        if plan.profile == Profile::UdpSec && !plan.secrets {
            faults.extend(exceeded(&output).iter().map(|fault| format!("{}: {fault}", actor.role.name())));
        }
        ends.push(EndResult {
            role: actor.role,
            log: actor.log,
            console: actor.console,
            verdict,
            output,
            fate: actor.fate.unwrap_or(Fate::Killed),
        });
    }
    if let Some(wire) = &wire {
        faults.extend(wire.faults(plan.profile, plan.is_lossy())?);
        if let Trouble::Fuzz(asked) = plan.trouble {
            let sent = wire.fuzzed()?;
            faults.extend((sent < asked).then(|| format!("only {sent} of {asked} hostile frames were sent")));
        }
    }
    let secrets = if plan.secrets && faults.is_empty() {
        let report = secrets::examine(folder, plan.profile)?;
        faults.extend(report.faults);
        Some(report.text)
    } else {
        None
    };
    ends.sort_by_key(|end| end.role == Role::Listener);
    Ok(Outcome { ends, wire, secrets, faults, elapsed: begun.elapsed() })
}

/// The ladder of the end in `role`.
fn expectation(plan: &Plan, role: Role) -> Ladder {
    let ladder = ladder(plan.profile, role, plan.is_lossy());
    match (plan.trouble, role) {
        (Trouble::KillPeer, Role::Connector) => cut_short(ladder),
        // It is killed before its end, and has shown the rest.
        (Trouble::KillPeer, Role::Listener) => {
            let Ladder { mut required, forbidden } = ladder;
            required.pop();
            Ladder { required, forbidden }
        }
        _ => ladder,
    }
}

/// What is wrong with how an end ended.
fn wrong_end(plan: &Plan, actor: &Actor) -> Option<String> {
    let ended_by_us = actor.role == Role::Listener
        && (plan.trouble == Trouble::KillPeer || plan.profile == Profile::Strict);
    let fails = actor.role == Role::Connector && plan.trouble == Trouble::KillPeer;
    let name = actor.role.name();
    match actor.fate {
        None | Some(Fate::Killed) if ended_by_us => None,
        None | Some(Fate::Killed) => Some(format!("{name}: was still running when its time was up")),
        Some(fate) if fails && fate.is_success() => {
            Some(format!("{name}: lost its peer in the middle, and ended as if nothing had happened"))
        }
        Some(Fate::Ended(status)) if !fails && !status.success() => {
            Some(format!("{name}: ended with {status}"))
        }
        Some(Fate::Ended(_)) => None,
    }
}

/// Everything that runs at once.
struct Stage<'a> {
    plan: &'a Plan,
    tools: &'a Tools,
    folder: &'a Path,
    relay: Option<Child>,
    /// The relay's ports for the connector's machine and for the listener's.
    relay_ports: [u16; 2],
    /// The ports where these receive.
    machine_ports: [u16; 2],
    /// Of the listener.
    port: u16,
    actors: Vec<Actor>,
    faults: Vec<String>,
}

impl<'a> Stage<'a> {
    fn set(plan: &'a Plan, tools: &'a Tools, folder: &'a Path) -> Result<Self> {
        let [a, b, host] = free_ports()?;
        let port = if plan.scene == Scene::TwoGuests { 4_433 } else { host };
        let mut stage = Self {
            plan,
            tools,
            folder,
            relay: None,
            relay_ports: [0; 2],
            machine_ports: [a, b],
            port,
            actors: Vec::new(),
            faults: Vec::new(),
        };
        if plan.profile != Profile::Selftest {
            stage.start_relay()?;
        }
        Ok(stage)
    }

    fn start_relay(&mut self) -> Result<()> {
        let file = |name: &str| self.folder.join(name);
        let mut command = Command::new(&self.tools.relay);
        let [a, b] = self.machine_ports;
        command.arg("--until-eof").args(self.plan.relay_options());
        command.args([format!("--a-peer=127.0.0.1:{a}"), format!("--b-peer=127.0.0.1:{b}")]);
        command.arg("--pcap").arg(file("link.pcap")).arg("--log").arg(file("drops.jsonl"));
        command.arg("--stats").arg(file("link.json"));
        if matches!(self.plan.trouble, Trouble::Fuzz(_)) {
            command.arg("--fuzz-pcap").arg(file("last-hostile-frames.pcap"));
        }
        let mut relay = Child::start_talking("ether-relay", &mut command, &file("relay.err"))?;
        let line = relay.line(START)?.context("the relay ended at once, see relay.err")?;
        let ports = line.strip_prefix("relay ready ").map(|addresses| {
            addresses
                .split(' ')
                .filter_map(|address| address.rsplit_once(':')?.1.parse().ok())
                .collect::<Vec<u16>>()
        });
        let ports = ports.and_then(|ports| ports.try_into().ok());
        self.relay_ports = ports.with_context(|| format!("the relay says {line:?}"))?;
        self.relay = Some(relay);
        Ok(())
    }

    /// Starts the ends, and waits until they are done.
    fn play(&mut self) -> Result<()> {
        if self.plan.has_listener() {
            self.start(Role::Listener)?;
            self.await_listener()?;
        }
        self.start(Role::Connector)?;
        let limit = self.plan.limit + GRACE;
        if self.plan.secrets {
            self.copy_memory_halfway(limit)?;
        }
        if self.plan.trouble == Trouble::KillPeer {
            self.kill_listener_halfway(limit)?;
        }
        self.await_end(Role::Connector, limit)?;
        if self.plan.profile != Profile::Strict {
            self.await_fuzz(limit)?;
            self.await_end(Role::Listener, FAREWELL)?;
        }
        Ok(())
    }

    fn start(&mut self, role: Role) -> Result<()> {
        let file = |kind: &str| self.folder.join(format!("{}.{kind}", role.name()));
        let (log, errors) = (file("log"), file("err"));
        let arguments = self.plan.boot_arguments(role, self.port);
        let (child, console) = if self.plan.scene.is_guest(role) {
            let console = file("defmt.bin");
            std::fs::write(&log, "")?; // to be there for whoever reads it, before QEMU is
            let entropy = file("entropy");
            let watched = self.plan.secrets.then_some(entropy.as_path());
            if let Some(file) = watched {
                secrets::write_entropy(file, self.plan.seed, role)?;
            }
            let machine = Machine {
                qemu: &self.tools.qemu,
                image: &self.tools.image,
                arguments: &arguments,
                role,
                profile: self.plan.profile,
                cable: self.cable(role),
                host: self.host_network(role),
                watched,
            };
            let mut command = machine.command(&log, &console);
            std::fs::write(file("command"), format!("{command:?}\n"))?;
            let child = match watched {
                Some(_) => memory::start(role.name(), &mut command, &errors)?,
                None => Child::start(role.name(), &mut command, &file("out"), &errors)?,
            };
            (child, Some(console))
        } else {
            let mut command = Command::new(&self.tools.host_end);
            command.arg(if role == Role::Listener { "listen" } else { "connect" });
            let words =
                arguments.split(' ').filter(|word| !word.starts_with("role=") && !word.starts_with("mtu="));
            command.args(words).arg("address=127.0.0.1");
            std::fs::write(file("command"), format!("{command:?}\n"))?;
            (Child::start(role.name(), &mut command, &log, &errors)?, None)
        };
        let tail = Tail::open(&log)?;
        self.actors.push(Actor { role, child, log, tail, console, fate: None });
        Ok(())
    }

    /// A of the relay is the connector's side, B the listener's.
    fn cable(&self, role: Role) -> Option<Cable> {
        let side = usize::from(role == Role::Listener);
        self.relay.as_ref().map(|_| Cable { own: self.machine_ports[side], relay: self.relay_ports[side] })
    }

    /// The host's network lives in the guest's process, at the relay's other side.
    fn host_network(&self, guest: Role) -> Option<HostNetwork> {
        let host_role = guest.other();
        let cable = self.cable(host_role).filter(|_| !self.plan.scene.is_guest(host_role))?;
        Some(HostNetwork { cable, host_role, port: self.port })
    }

    fn actor(&mut self, role: Role) -> Option<&mut Actor> {
        self.actors.iter_mut().find(|actor| actor.role == role)
    }

    /// Until the listener has shown the first marker of its ladder, or has ended.
    fn await_listener(&mut self) -> Result<()> {
        let first = ladder(self.plan.profile, Role::Listener, false).required.into_iter().next();
        let Some(first) = first else { return Ok(()) };
        wait(START, || {
            let Some(actor) = self.actor(Role::Listener) else { return Ok(true) };
            actor.look()?;
            Ok(actor.fate.is_some() || actor.tail.text()?.lines().any(|line| first.matches(line)))
        })?;
        Ok(())
    }

    /// Until the bulk is under way, or the connector has ended.
    fn await_halfway(&mut self, limit: Duration) -> Result<()> {
        let marker = halfway(self.plan.profile);
        let reached = wait(limit, || {
            let Some(connector) = self.actor(Role::Connector) else { return Ok(true) };
            connector.look()?;
            Ok(connector.fate.is_some() || connector.tail.text()?.lines().any(|line| marker.matches(line)))
        })?;
        if reached {
            std::thread::sleep(INTO_THE_BULK);
        }
        Ok(())
    }

    fn kill_listener_halfway(&mut self, limit: Duration) -> Result<()> {
        self.await_halfway(limit)?;
        if let Some(listener) = self.actor(Role::Listener) {
            listener.kill();
        }
        Ok(())
    }

    /// Until all hostile frames are sent, so that the listener gets them while it is there.
    fn await_fuzz(&mut self, limit: Duration) -> Result<()> {
        if !matches!(self.plan.trouble, Trouble::Fuzz(_)) {
            return Ok(());
        }
        let mut done = false;
        wait(limit, || {
            while let Some(line) = self.relay.as_mut().and_then(Child::line_now) {
                done |= line.starts_with("fuzz done");
            }
            if let Some(listener) = self.actor(Role::Listener) {
                listener.look()?;
                done |= listener.fate.is_some();
            }
            Ok(done)
        })?;
        Ok(())
    }

    /// Until the end in `role` has ended, if it takes part; ends it where it does not.
    fn await_end(&mut self, role: Role, limit: Duration) -> Result<()> {
        let after = self.plan.secrets.then(|| secrets::copy_of(self.folder, role, Moment::After));
        let Some(actor) = self.actor(role) else { return Ok(()) };
        let ended = wait(limit, || {
            if let Some(file) = after.as_deref().filter(|file| !file.exists()) {
                actor.copy_memory_at_end(file)?;
            }
            actor.look()?;
            Ok(actor.fate.is_some())
        })?;
        if !ended {
            actor.kill();
        }
        Ok(())
    }

    /// Ends what is left, and returns what the relay counted.
    fn take_down(&mut self) -> Result<Option<Wire>> {
        for actor in &mut self.actors {
            actor.kill();
        }
        let Some(mut relay) = self.relay.take() else { return Ok(None) };
        relay.close_input();
        let mut last = None;
        while let Some(line) = relay.line(START)? {
            last = Some(line);
        }
        Wire::parse(&last.context("the relay said nothing at its end, see relay.err")?).map(Some)
    }
}

impl Actor {
    /// Notes how it ended, if it has.
    fn look(&mut self) -> Result<()> {
        if self.fate.is_none() {
            self.fate = self.child.ended()?.map(Fate::Ended);
        }
        Ok(())
    }

    /// Ends it, unless it has ended.
    fn kill(&mut self) {
        // Where the system does not say, it is ended all the same.
        _ = self.look();
        if self.fate.is_none() {
            self.child.kill();
            self.fate = Some(Fate::Killed);
        }
    }
}

/// Waits until `done`, at most for `limit`; returns whether it came to that.
fn wait(limit: Duration, mut done: impl FnMut() -> Result<bool>) -> Result<bool> {
    let deadline = now() + limit;
    loop {
        if done()? {
            return Ok(true);
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        if now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(POLL);
    }
}

/// Ports that nobody has: held for a moment, all at once.
fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT]> {
    let mut sockets = Vec::new();
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        *port = socket.local_addr()?.port();
        sockets.push(socket);
    }
    ensure!(!ports.contains(&0), "the system gives no ports");
    Ok(ports)
}

/// The time by which runs of real processes are bounded.
#[expect(clippy::disallowed_methods, reason = "it is real time, and real processes")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
