//! Sessions over smoltcp on a link that loses one frame in twenty.

use lossy_link::{Counters, ErrorModel, LinkConfig};
use nexus_net_adapter::backend::smoltcp::smoltcp::phy::Medium;
use nexus_net_adapter::net::{NetError, NetSocketAddrV4, NetSocketAddrV6, NetStack, NetStackV6, UdpSocket};
use nexus_net_adapter::stream::ReliableStream;
use udp_sec::time::Duration;

use crate::sessions::Lab;
use crate::smoltcp::{self, FAR, FAR_V6, LinkEnd, Stack};
use crate::world::ANY;

/// The shortest packets that carry 1200 bytes of UDP, in bytes of IP, and what Ethernet adds.
const IPV4: usize = 1228;
const IPV6: usize = 1248;
const ETHERNET: usize = 14;

const MEBIBYTE: usize = 1 << 20;

/// 10 Mbit/s, RTT 20 ms, 5 % loss each way.
fn config() -> LinkConfig {
    let config = LinkConfig::default().delay(Duration::from_millis(10)).rate(10_000_000).queue(64);
    config.loss(ErrorModel::random(50_000))
}

/// Two stacks on an Ethernet that loses frames.
pub(crate) fn lab() -> Lab<Stack<LinkEnd>> {
    smoltcp::lab(Medium::Ethernet, IPV4 + ETHERNET, &config(), 1).0
}

pub(crate) fn secure_tcp(
    lab: &Lab<Stack<LinkEnd>>,
) -> (impl ReliableStream + use<>, impl ReliableStream + use<>) {
    lab.tcp_session(FAR)
}

pub(crate) fn udp_sec(
    lab: &Lab<Stack<LinkEnd>>,
) -> (impl ReliableStream + use<>, impl ReliableStream + use<>) {
    lab.udp_sec_session(
        |stack| stack.udp_bind(ANY),
        |stack| stack.udp_bind(ANY),
        |local| NetSocketAddrV4::new(FAR, local.port),
    )
}

fn udp_sec_v6(lab: &Lab<Stack<LinkEnd>>) -> (impl ReliableStream + use<>, impl ReliableStream + use<>) {
    let any = NetSocketAddrV6::new([0; 16], 0);
    lab.udp_sec_session(
        |stack| stack.udp_bind_v6(any),
        |stack| stack.udp_bind_v6(any),
        |local| NetSocketAddrV6::new(FAR_V6, local.port),
    )
}

/// A mebibyte must cross, although frames were lost, in less than `most`.
fn crosses<N, F>(
    (lab, counters): (Lab<Stack<LinkEnd>>, impl Fn() -> [Counters; 2]),
    open: impl FnOnce(&Lab<Stack<LinkEnd>>) -> (N, F),
    most: Duration,
) where
    N: ReliableStream,
    F: ReliableStream,
{
    let (mut near, mut far) = open(&lab);
    let took = lab.transfer(&mut near, &mut far, MEBIBYTE);
    let [there, back] = counters();
    println!(
        "{took:?}: {} frames there, {} lost; {} back, {} lost",
        there.sent, there.lost, back.sent, back.lost
    );
    assert!(there.lost > 20 && back.lost > 0, "nothing had to be sent again");
    assert!(took < most, "{took:?}");
}

#[test]
fn udp_sec_moves_a_mebibyte_over_ipv4_in_the_shortest_packets() {
    for (medium, mtu) in [(Medium::Ethernet, IPV4 + ETHERNET), (Medium::Ip, IPV4)] {
        crosses(smoltcp::lab(medium, mtu, &config(), 1), udp_sec, Duration::from_secs(15));
    }
}

#[test]
fn udp_sec_moves_a_mebibyte_over_ipv6_in_the_shortest_packets() {
    for (medium, mtu) in [(Medium::Ethernet, IPV6 + ETHERNET), (Medium::Ip, IPV6)] {
        crosses(smoltcp::lab(medium, mtu, &config(), 2), udp_sec_v6, Duration::from_secs(15));
    }
}

#[test]
fn secure_tcp_moves_a_mebibyte() {
    for (medium, mtu) in [(Medium::Ethernet, IPV4 + ETHERNET), (Medium::Ip, IPV4)] {
        crosses(smoltcp::lab(medium, mtu, &config(), 3), secure_tcp, Duration::from_secs(120));
    }
}

#[test]
fn a_link_of_shorter_packets_says_so() {
    let (lab, _) = smoltcp::lab(Medium::Ip, IPV4 - 1, &LinkConfig::default(), 4);
    let mut socket = lab.near().open(|stack| stack.udp_bind(ANY)).expect("a free port");
    let far = NetSocketAddrV4::new(FAR, 9);
    assert_eq!(socket.send_to(&[0; 1199], far), Ok(1199));
    let refused = socket.send_to(&[0; 1200], far);
    assert!(matches!(refused, Err(NetError::InvalidInput(_))), "{refused:?}");

    let (endpoint, _) = Lab::<Stack<LinkEnd>>::udp_sec(lab.near(), |stack| stack.udp_bind(ANY), 1, 2);
    let (_, peer) = Lab::<Stack<LinkEnd>>::udp_sec(lab.far(), |stack| stack.udp_bind(ANY), 2, 1);
    let _stream = lab.call(endpoint, NetSocketAddrV4::new(FAR, peer.port));
    assert_eq!(endpoint.look(|driver| driver.counts().too_large), 1);
}

/// The same seed, the same run.
#[test]
fn runs_repeat_to_the_microsecond() {
    let run = || {
        let (lab, counters) = smoltcp::lab(Medium::Ethernet, IPV4 + ETHERNET, &config(), 5);
        let (mut near, mut far) = udp_sec(&lab);
        (lab.transfer(&mut near, &mut far, MEBIBYTE / 8), counters())
    };
    assert_eq!(run(), run());
}
