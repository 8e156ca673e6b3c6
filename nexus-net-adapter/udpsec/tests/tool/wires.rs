//! Two machines and a router between them, each in a network namespace: paths as narrow as a test wants them, and a
//! router that lies.

use std::fs;
use std::process::Command;

use crate::network::in_own_network;

/// Makes the machines. The test is the router: the namespace it runs in, with a wire to each machine.
///
/// `$1` is the MTU of the wire to the listener, `$2` the rate at which the caller may send. Its own wire has room for any
/// datagram of ours.
const MAKE: &str = "
set -e
mount -t tmpfs tmpfs /run
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
wire() {
  ip netns add $1
  ip link add to-$1 mtu $3 type veth peer name wire mtu $3 netns $1
  ip address add 10.99.$2.1/24 dev to-$1
  ip -n $1 address add 10.99.$2.2/24 dev wire
  if [ $3 -ge 1280 ]; then
    ip address add fd99:$2::1/64 dev to-$1 nodad
    ip -n $1 address add fd99:$2::2/64 dev wire nodad
  fi
  ip link set to-$1 up
  ip -n $1 link set wire up
  ip -n $1 link set lo up
  ip -n $1 route add default via 10.99.$2.1
  if [ $3 -ge 1280 ]; then ip -n $1 -6 route add default via fd99:$2::1; fi
}
wire caller 1 1500
wire listener 2 $1
tc -n caller qdisc add dev wire root tbf rate $2 burst 3000 limit 100000
";

/// The namespace of the side that calls.
pub(crate) const CALLER: &str = "caller";
/// The namespace of the side that listens.
pub(crate) const LISTENER: &str = "listener";
/// The addresses of both, IPv4.
pub(crate) const ADDRESSES: [[u8; 4]; 2] = [[10, 99, 1, 2], [10, 99, 2, 2]];

/// Runs `test`, which is called `name`, as the router of two machines. The wire to the one that listens has an MTU of
/// `mtu` bytes, the one that calls sends at `rate`. Where the system does not permit that, says so and does nothing.
pub(crate) fn between_machines(name: &str, mtu: u32, rate: &str, test: impl FnOnce()) {
    in_own_network(name, 65536, || {
        let made = Command::new("sh").args(["-c", MAKE, "sh", &mtu.to_string(), rate]).output();
        let made = made.expect("a shell");
        if !made.status.success() {
            println!("skipped: {name} needs namespaces in a namespace: {}", text(&made.stderr));
            return;
        }
        test();
    });
}

/// What `command` prints in `space`.
pub(crate) fn inside(space: &str, command: &[&str]) -> String {
    let output = Command::new("ip").args(["netns", "exec", space]).args(command).output().expect("ip");
    assert!(output.status.success(), "{command:?} in {space}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The command that runs this tool in `space`.
pub(crate) fn tool_in(space: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", space, env!("CARGO_BIN_EXE_udpsec")]).env_remove("DSOFTBUS_TRANSPORT");
    command
}

/// The counter `name` of `protocol`, as the system keeps it for IPv4 in `space`; `None` is the router.
pub(crate) fn counter(space: Option<&str>, protocol: &str, name: &str) -> u64 {
    let path = "/proc/thread-self/net/snmp";
    let table = match space {
        Some(space) => inside(space, &["cat", path]),
        None => fs::read_to_string(path).expect("a Linux system"),
    };
    let mut rows = table.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(": "));
    let (names, figures) = (rows.next().expect("names"), rows.next().expect("figures"));
    let mut columns = names.split(' ').zip(figures.split(' '));
    columns.find(|(column, _)| *column == name).expect("counted").1.parse().expect("a number")
}

/// IP fragments made or put together, anywhere, in either version.
pub(crate) fn fragments() -> u64 {
    let spaces = [None, Some(CALLER), Some(LISTENER)];
    spaces
        .iter()
        .map(|space| {
            let path = "/proc/thread-self/net/snmp6";
            let table = match space {
                Some(space) => inside(space, &["cat", path]),
                None => fs::read_to_string(path).expect("a Linux system"),
            };
            let v6 = table
                .lines()
                .filter(|line| line.starts_with("Ip6FragCreates") || line.starts_with("Ip6ReasmReqds"));
            let v6: u64 = v6.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum();
            v6 + counter(*space, "Ip", "FragCreates") + counter(*space, "Ip", "ReasmReqds")
        })
        .sum()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
