//! Paths that carry 1200 bytes and no more, paths that do not, and a router that lies about them: two machines in
//! network namespaces, and the test as the router between.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

use crate::process::{Folder, Running, error_of, noise};
use crate::wires::{self, ADDRESSES, CALLER, LISTENER, between_machines, counter, inside, tool_in};

/// What one attempt may take that has no session to offer, whatever follows it.
const BUDGET: Duration = Duration::from_secs(30);

/// A file, the keys of both machines, and an inbox on the one that listens.
struct Machines {
    folder: Folder,
    keys: [String; 2],
    bytes: usize,
}

impl Machines {
    fn new(name: &str, bytes: usize) -> Self {
        let folder = Folder::new(name);
        let keys = [folder.key("caller"), folder.key("listener")];
        fs::create_dir(folder.path("inbox")).expect("a folder");
        fs::write(folder.path("file"), noise(11, bytes)).expect("written");
        Self { folder, keys, bytes }
    }

    /// Listens on `host`; the process, and the address that it announces.
    fn receive(&self, host: &str) -> (Running, String) {
        let mut command = tool_in(LISTENER);
        command.args(["recv", "--key", &self.folder.path("listener"), "--allow", &self.keys[0], "--keep"]);
        command.args(["--out", &self.folder.path("inbox"), "--listen", &format!("{host}:0"), "--force"]);
        let mut receiver = Running::run(command);
        let address = receiver.address();
        (receiver, address)
    }

    fn send(&self, address: &str, args: &[&str]) -> Command {
        let mut command = tool_in(CALLER);
        command.args(["send", "--key", &self.folder.path("caller"), "--peer", &self.keys[1]]);
        command.args([address, &self.folder.path("file")]).args(args);
        command
    }

    /// Sends the file over udp-sec, which must work; what the sender counted.
    fn transfer(&self, address: &str) -> Value {
        let figures = self.folder.path("figures");
        let send = self.send(address, &["--transport", "udp-sec", "--stats", &figures]);
        let output = Running::run(send).finish();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.assert_arrived();
        serde_json::from_slice(&fs::read(figures).expect("written")).expect("JSON")
    }

    fn assert_arrived(&self) {
        let file = self.folder.path("inbox/file");
        assert!(fs::read(&file).expect("stored") == noise(11, self.bytes));
        fs::remove_file(file).expect("stored");
    }
}

fn figure(figures: &Value, name: &str) -> u64 {
    figures[name].as_u64().expect("a number")
}

/// Bytes in an average datagram of the sender.
fn mean_size(figures: &Value) -> u64 {
    figure(figures, "bytes_sent") / figure(figures, "datagrams_sent")
}

/// Datagrams of full size get through what is exactly as wide as they are, in one piece.
fn passes_in_one_piece(name: &str, mtu: u32, host: &str) {
    between_machines(name, mtu, "100mbit", || {
        let machines = Machines::new("wide-enough", 300_000);
        let (_receiver, address) = machines.receive(host);
        let figures = machines.transfer(&address);
        println!("MTU {mtu}: {figures}");
        // 1159 bytes of the file in each, and a handful for the handshake and the end.
        assert!(mean_size(&figures) > 1_150, "they were of full size");
        // What the router's queue had no room for was sent again.
        assert!(figure(&figures, "datagrams_sent") - figure(&figures, "packets_lost") < 300);
        assert_eq!(wires::fragments(), 0);
    });
}

#[test]
fn full_datagrams_pass_where_ipv4_has_1228_bytes() {
    passes_in_one_piece("paths::full_datagrams_pass_where_ipv4_has_1228_bytes", 1228, "10.99.2.2");
}

#[test]
fn full_datagrams_pass_where_ipv6_has_its_least() {
    passes_in_one_piece("paths::full_datagrams_pass_where_ipv6_has_its_least", 1280, "[fd99:2::2]");
}

/// One byte less, or half: the router drops what it may not cut, udp-sec says that nobody answers, `auto` goes on to TCP.
fn ends_by_name(name: &str, mtu: u32) {
    between_machines(name, mtu, "100mbit", || {
        let machines = Machines::new("narrow", 300_000);
        let (_receiver, address) = machines.receive("10.99.2.2");
        let strict = Running::run(machines.send(&address, &["--transport", "udp-sec", "--timeout", "4"]));
        #[allow(clippy::disallowed_methods, reason = "a test of real processes has to look at the clock")]
        let begun = Instant::now();
        let auto = Running::run(machines.send(&address, &["--markers"])).finish();
        let took = begun.elapsed();
        let said = String::from_utf8_lossy(&auto.stderr);
        assert!(auto.status.success(), "{said}");
        assert!(said.contains("udp-sec: no answer within the handshake budget; trying tcp"), "{said}");
        assert!(said.contains("dsoftbus: udp-sec os disabled (fallback tcp)"), "{said}");
        assert!(took < BUDGET, "{took:?}");
        machines.assert_arrived();
        let error = error_of(&strict.finish());
        assert!(error.contains("no answer"), "{error}");
        // Don't Fragment was set: the router refused instead of cutting.
        assert!(counter(None, "Ip", "FragFails") >= 4, "the router met datagrams that are too large");
        assert_eq!(wires::fragments(), 0);
    });
}

#[test]
fn a_path_one_byte_too_narrow_ends_by_name() {
    ends_by_name("paths::a_path_one_byte_too_narrow_ends_by_name", 1227);
}

#[test]
fn a_path_of_576_bytes_ends_by_name() {
    ends_by_name("paths::a_path_of_576_bytes_ends_by_name", 576);
}

/// The lies: type 3 with a code, and the MTU of the next hop where the code is "too big".
const LIES: [(u8, u16); 6] = [(4, 576), (3, 0), (4, 68), (1, 0), (4, 1_000), (13, 0)];
/// Lies a second, to each of the two.
const LIES_PER_SECOND: u64 = 1_000;
/// And no longer than that.
const LIES_MAX: u64 = 30 * LIES_PER_SECOND;

/// A message of ICMP that says of a datagram from one port to the other that it did not get through.
fn lie(from: ([u8; 4], u16), to: ([u8; 4], u16), (code, mtu): (u8, u16)) -> Vec<u8> {
    let mut message = vec![3, code, 0, 0, 0, 0];
    message.extend(mtu.to_be_bytes());
    // The head of the datagram: version and length, 1228 bytes, Don't Fragment, 64 hops, UDP.
    message.extend([0x45, 0, 0x04, 0xcc, 0, 0, 0x40, 0, 64, 17, 0, 0]);
    message.extend([from.0, to.0].concat());
    message.extend([from.1, to.1, 1_208, 0].into_iter().flat_map(u16::to_be_bytes));
    let words = message.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let mut sum = words.sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    message[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    message
}

/// The UDP port that the only process of the tool in `space` has, once it has one.
fn port_in(space: &str) -> u16 {
    for _ in 0..500 {
        let table = inside(space, &["cat", "/proc/thread-self/net/udp"]);
        let port = table.lines().nth(1).and_then(|line| {
            let local = line.split_whitespace().nth(1)?;
            u16::from_str_radix(local.split(':').nth(1)?, 16).ok()
        });
        if let Some(port) = port {
            return port;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("no socket in {space}");
}

/// Tells lies to both machines about what they send each other, until `sender` has ended; how many to each.
fn lie_until_the_end(sender: &mut Running) -> u64 {
    let icmp = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).expect("we are root here");
    let ends = [(ADDRESSES[0], port_in(CALLER)), (ADDRESSES[1], port_in(LISTENER))];
    for nth in 0..LIES_MAX {
        if sender.has_ended() {
            return nth;
        }
        for (from, to) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            let told = lie(from, to, LIES[nth as usize % LIES.len()]);
            let address = std::net::SocketAddr::from((from.0, 0)).into();
            assert_eq!(icmp.send_to(&told, &address).expect("sent"), told.len());
        }
        thread::sleep(Duration::from_micros(1_000_000 / LIES_PER_SECOND));
    }
    panic!("the transfer did not end");
}

/// Whoever is on the path can say that it is narrow, or that nobody is there. The kernel believes it; we send what we
/// would have sent.
#[test]
fn lies_of_a_router_change_nothing() {
    between_machines("paths::lies_of_a_router_change_nothing", 1500, "8mbit", || {
        let machines = Machines::new("lies", 3_000_000);
        let (_receiver, address) = machines.receive("10.99.2.2");
        let quiet = machines.transfer(&address);

        let figures = machines.folder.path("figures");
        let send = machines.send(&address, &["--transport", "udp-sec", "--stats", &figures]);
        let mut sender = Running::run(send);
        let told = lie_until_the_end(&mut sender);
        let output = sender.finish();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        machines.assert_arrived();
        let lied: Value = serde_json::from_slice(&fs::read(figures).expect("written")).expect("JSON");

        println!("{told} lies to each\nwithout: {quiet}\nwith:    {lied}");
        assert!(told >= 1_000, "only {told} lies");
        for space in [CALLER, LISTENER] {
            // Those that named no socket any more, at the end, count as errors.
            let heard =
                counter(Some(space), "Icmp", "InDestUnreachs") - counter(Some(space), "Icmp", "InErrors");
            assert!(heard >= 1_000, "{space} took {heard} of {told} lies for its own");
        }
        // They are good lies: other programs of the caller would send no more than this now.
        let believed = inside(CALLER, &["ip", "route", "get", "10.99.2.2"]);
        assert!(believed.contains("mtu "), "{believed}");
        assert_eq!(wires::fragments(), 0);
        assert!(mean_size(&lied) + 10 > mean_size(&quiet), "the size is what it was");
        // Goodput, by what it took: bytes sent for the same file.
        assert!(figure(&lied, "bytes_sent") * 95 <= figure(&quiet, "bytes_sent") * 100);
    });
}
