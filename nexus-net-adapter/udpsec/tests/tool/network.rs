//! A network of one's own: tests that need the whole loopback interface for themselves run once more inside of one.

use std::env;
use std::fs;
use std::process::Command;

/// Set inside.
const INSIDE: &str = "UDPSEC_TEST_NETWORK";

/// Runs `test`, which is called `name`, in a network namespace whose loopback interface has an MTU of `mtu` bytes. Where
/// the system does not permit that, says so and does nothing.
pub(crate) fn in_own_network(name: &str, mtu: u32, test: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return test();
    }
    let inside = |command: &str| {
        let script = format!("ip link set lo mtu {mtu} up && {command}");
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--net", "--mount", "sh", "-c", &script, "sh"]);
        unshare
    };
    if !inside("true").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: {name} needs `unshare` and `ip`, and a system that permits network namespaces");
        return;
    }
    let output = inside("exec \"$@\"")
        .arg(env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

/// What the system has counted for TCP in this namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TcpCounts {
    /// Connections begun: each with a SYN.
    pub(crate) active_opens: u64,
    /// Segments sent, of whatever kind.
    pub(crate) segments_sent: u64,
}

impl TcpCounts {
    pub(crate) fn now() -> Self {
        let table = fs::read_to_string("/proc/thread-self/net/snmp").expect("a Linux system");
        let mut rows = table.lines().filter_map(|line| line.strip_prefix("Tcp: "));
        let (names, figures) = (rows.next().expect("names"), rows.next().expect("figures"));
        let count = |wanted| {
            let mut columns = names.split(' ').zip(figures.split(' '));
            columns.find(|(name, _)| *name == wanted).expect("counted").1.parse().expect("a number")
        };
        Self { active_opens: count("ActiveOpens"), segments_sent: count("OutSegs") }
    }
}
