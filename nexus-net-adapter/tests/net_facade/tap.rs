//! smoltcp against the system's own stack, through a TAP device, in a network namespace that the test makes and that
//! goes with it: nothing of the host's network is touched.

use std::env;
use std::process::Command;

use nexus_net_adapter::backend::host::net::HostNet;
use nexus_net_adapter::backend::smoltcp::smoltcp::phy::{Medium, TunTapInterface};
use nexus_net_adapter::net::{NetSocketAddrV4, NetSocketAddrV6, NetStack, NetStackV6, TickRate, Ticker};
use nexus_net_adapter::stream::ReliableStream;

use crate::sessions::Lab;
use crate::smoltcp::{FAR, FAR_V6, stack};
use crate::world::ANY;

/// Set for the half of the test that runs in the namespace.
const INSIDE: &str = "NET_FACADE_INSIDE";
/// The system's end of the device: its addresses are those of the stack that calls.
const SETUP: &str = "ip tuntap add dev tap0 mode tap
    && ip address add 192.0.2.1/24 dev tap0
    && ip link set tap0 up
    && ip -6 address add 2001:db8::1/64 dev tap0 nodad";

#[test]
fn sessions_with_the_systems_stack_through_a_tap_device() {
    if env::var_os(INSIDE).is_some() {
        return inside();
    }
    let setup = SETUP.replace('\n', " ");
    let probe = Command::new("unshare").args(["-Urn", "sh", "-c", &setup]).output();
    match probe {
        Ok(probe) if probe.status.success() => {}
        Ok(probe) => {
            let why = String::from_utf8_lossy(&probe.stderr).trim().to_owned();
            return println!("skipped: no TAP device in a network namespace ({why})");
        }
        Err(why) => return println!("skipped: no network namespace (unshare: {why})"),
    }
    let own = env::current_exe().expect("a running test");
    let name = "tap::sessions_with_the_systems_stack_through_a_tap_device";
    let script = format!("{setup} && exec \"$0\" --exact {name} --nocapture");
    let status = Command::new("unshare")
        .args(["-Urn", "sh", "-c", &script])
        .arg(own)
        .env(INSIDE, "1")
        .status()
        .expect("as the probe before");
    assert!(status.success(), "the half in the namespace failed");
}

type Tap = Lab<HostNet, crate::smoltcp::Stack<TunTapInterface>>;

fn inside() {
    let device = TunTapInterface::new("tap0", Medium::Ethernet).expect("the device made for this");
    let net = HostNet::new();
    let clock: &'static HostNet = Box::leak(Box::new(net.clone()));
    let lab = Tap::by(clock, net, stack(device, 2, TickRate::MICROS), || None);

    let (near, far) = lab.tcp_session(FAR);
    crosses(&lab, "secure TCP", near, far);
    let (near, far) = lab.udp_sec_session(
        |stack| stack.udp_bind(ANY),
        |stack| stack.udp_bind(ANY),
        |local| NetSocketAddrV4::new(FAR, local.port),
    );
    crosses(&lab, "udp-sec over IPv4", near, far);
    let any = NetSocketAddrV6::new([0; 16], 0);
    let (near, far) = lab.udp_sec_session(
        |stack| stack.udp_bind_v6(any),
        |stack| stack.udp_bind_v6(any),
        |local| NetSocketAddrV6::new(FAR_V6, local.port),
    );
    crosses(&lab, "udp-sec over IPv6", near, far);
    assert!(clock.now() < 60_000_000, "all of that takes seconds");
}

/// A mebibyte from the system's stack to smoltcp.
fn crosses(lab: &Tap, what: &str, mut near: impl ReliableStream, mut far: impl ReliableStream) {
    let took = lab.transfer(&mut near, &mut far, 1 << 20);
    println!("{what}: 1 MiB through the TAP device in {took:?}");
}
