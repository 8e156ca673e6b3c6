//! The frame relay as a process between real sockets: what passes, what is counted, what is written down.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use lossy_link::{ErrorModel, Link, LinkConfig, direction_seeds};
use udp_sec::time::Instant;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ether-relay");
const PATIENCE: Duration = Duration::from_secs(20);
const MAC_A: [u8; 6] = [0x52, 0x54, 0, 0, 0, 1];
const MAC_B: [u8; 6] = [0x52, 0x54, 0, 0, 0, 2];

/// A relay between two sockets of ours. It ends with the handle, whatever happens.
struct Relay {
    process: Child,
    stdout: BufReader<ChildStdout>,
    a: UdpSocket,
    b: UdpSocket,
}

impl Relay {
    fn start(options: &[&str]) -> Self {
        let [a, b] = [socket(), socket()];
        let peers = [&a, &b].map(|socket| socket.local_addr().unwrap().to_string());
        let mut process = Command::new(PROGRAM)
            .args(["--until-eof", "--a-peer", &peers[0], "--b-peer", &peers[1]])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let addresses: Vec<SocketAddr> = line
            .strip_prefix("relay ready ")
            .unwrap()
            .split_whitespace()
            .map(|a| a.parse().unwrap())
            .collect();
        a.connect(addresses[0]).unwrap();
        b.connect(addresses[1]).unwrap();
        Self { process, stdout, a, b }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Closes standard input, and returns what the relay prints then.
    fn finish(mut self) -> String {
        drop(self.process.stdin.take());
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).unwrap();
        assert!(self.process.wait().unwrap().success());
        assert_eq!(text.lines().count(), 1, "{text}");
        text
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill(); // already gone where the test got that far
        let _ = self.process.wait();
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 65_536];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

/// From A to B: an IPv4 packet of `protocol` with this body.
fn frame(protocol: u8, body: &[u8]) -> Vec<u8> {
    let total = (20 + body.len() as u16).to_be_bytes();
    let mut frame =
        [&MAC_B[..], &MAC_A, &[8, 0, 0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol]].concat();
    frame.extend([0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend(body);
    frame
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len() as u16).to_be_bytes();
    frame(17, &[&[17, 81, 17, 81, length[0], length[1], 0, 0], payload].concat())
}

fn tcp_syn() -> Vec<u8> {
    frame(6, &[17, 81, 17, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 16, 0, 0, 0, 0, 0])
}

fn arp() -> Vec<u8> {
    [&[0xff; 6][..], &MAC_A, &[8, 6], &[0; 28]].concat()
}

/// A file of this test alone.
fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ether-relay-{}-{name}", std::process::id()))
}

#[test]
fn frames_pass_both_ways_unchanged_and_are_counted_by_kind() {
    let relay = Relay::start(&[]);
    for frame in [arp(), udp(b"four"), udp(b""), tcp_syn(), vec![7; 14]] {
        relay.a.send(&frame).unwrap();
        assert_eq!(receive(&relay.b), frame);
    }
    relay.b.send(&udp(&[9; 1_200])).unwrap();
    assert_eq!(receive(&relay.a), udp(&[9; 1_200]));
    relay.a.send(&[1; 13]).unwrap(); // no frame at all: counted, and goes nowhere
    relay.a.send(&arp()).unwrap();
    assert_eq!(receive(&relay.b), arp());
    let report = relay.finish();
    let (a_to_b, b_to_a) = report.split_once("\"b_to_a\":").unwrap();
    for count in [
        "frames\":7",
        "runt\":1",
        "arp\":2",
        "udp\":2",
        "udp_with_payload\":1",
        "tcp\":1",
        "tcp_syn\":1",
        "other\":1",
    ] {
        assert!(a_to_b.contains(&format!("\"{count},")), "{count} in {report}");
    }
    assert!(b_to_a.contains("\"udp_payload_bytes\":1200,"), "{report}");
    assert!(b_to_a.contains("\"tcp_syn\":0,"), "{report}");
    assert!(report.trim_end().ends_with("\"fuzzed\":0,\"send_failures\":0,\"socket_drops\":0}"), "{report}");
}

#[test]
fn it_loses_exactly_what_the_engine_loses_and_logs_each() {
    let log = scratch("log");
    let relay = Relay::start(&["--loss", "30", "--seed", "9", "--log", log.to_str().unwrap()]);
    let model = LinkConfig::default().loss(ErrorModel::random(300_000));
    let mut expected = Link::new(model, direction_seeds(9)[0]);
    let mut lost = Vec::new();
    for number in 1..=300_u16 {
        expected.send(Instant::ZERO, (), number.to_be_bytes());
        relay.a.send(&udp(&number.to_be_bytes())).unwrap();
        match expected.poll(Instant::ZERO) {
            Some(delivery) => assert_eq!(receive(&relay.b), udp(&delivery.data)),
            None => lost.push(number),
        }
    }
    let report = relay.finish();
    assert!(report.contains(&format!("\"lost\":{},", lost.len())), "{report}");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(log).unwrap();
    let logged: Vec<&str> = text.lines().collect();
    assert_eq!(logged.len(), lost.len());
    for (line, number) in logged.iter().zip(lost) {
        let end = format!(
            ",\"frame\":{number},\"direction\":\"a_to_b\",\"kind\":\"udp\",\"bytes\":44,\"drop\":\"lost\"}}"
        );
        assert!(line.starts_with("{\"t_us\":") && line.ends_with(&end), "{line}");
    }
}

#[test]
fn what_is_spared_is_delayed_but_never_lost() {
    let relay = Relay::start(&["--loss", "100", "--rtt", "20", "--spare-control"]);
    for _ in 0..50 {
        relay.a.send(&udp(b"lost")).unwrap();
        relay.a.send(&arp()).unwrap();
        assert_eq!(receive(&relay.b), arp());
    }
    let report = relay.finish();
    assert!(report.contains("\"lost\":50,"), "{report}");
    assert!(report.contains("\"spared\":50}"), "{report}");
}

#[test]
fn blocked_kinds_do_not_pass_and_the_pcap_shows_them_all_the_same() {
    let pcap = scratch("pcap");
    let relay = Relay::start(&["--block", "udp", "--pcap", pcap.to_str().unwrap()]);
    relay.a.send(&udp(b"blocked")).unwrap();
    relay.a.send(&tcp_syn()).unwrap();
    assert_eq!(receive(&relay.b), tcp_syn());
    let report = relay.finish();
    assert!(report.contains("\"blocked\":1,"), "{report}");
    let bytes = std::fs::read(&pcap).unwrap();
    std::fs::remove_file(pcap).unwrap();
    assert_eq!(bytes.len(), 24 + 16 + udp(b"blocked").len() + 16 + tcp_syn().len());
    assert!(bytes[24 + 16..].starts_with(&udp(b"blocked")));
    assert!(bytes.ends_with(&tcp_syn()));
}

#[test]
fn the_rate_counts_the_packet_without_its_ethernet_header() {
    // A payload of 1172 bytes is a packet of 1200: at 0.96 Mbit/s it takes 10 ms, twenty take 200 ms.
    let relay = Relay::start(&["--rate", "0.96"]);
    #[expect(clippy::disallowed_methods, reason = "measures the rate of a real relay")]
    let begin = std::time::Instant::now();
    for _ in 0..20 {
        relay.a.send(&udp(&[3; 1_172])).unwrap();
    }
    for _ in 0..20 {
        receive(&relay.b);
    }
    assert!(begin.elapsed() >= Duration::from_millis(199), "{:?}", begin.elapsed());
    let report = relay.finish();
    assert!(report.contains("\"link\":{\"sent\":20,\"sent_bytes\":24000,"), "{report}");
}

#[test]
fn frames_from_strangers_are_not_taken() {
    let relay = Relay::start(&[]);
    let stranger = socket();
    stranger.send_to(&arp(), relay.a.peer_addr().unwrap()).unwrap();
    relay.a.send(&udp(b"mine")).unwrap();
    assert_eq!(receive(&relay.b), udp(b"mine"));
    let report = relay.finish();
    assert!(report.contains("\"frames\":1,") && report.contains("\"strangers\":1}"), "{report}");
}

#[test]
fn hostile_frames_all_arrive_and_do_not_outrun_the_machine() {
    let mut relay = Relay::start(&["--fuzz", "20000", "--fuzz-to", "b", "--seed", "5"]);
    relay.a.send(&udp(&[5; 200])).unwrap();
    assert_eq!(receive(&relay.b), udp(&[5; 200]));
    relay.b.send(&arp()).unwrap(); // from its first frame on
    let mut altered = 0;
    for received in 0..20_000 {
        let hostile = receive(&relay.b);
        altered += u64::from(hostile.starts_with(&MAC_B) && hostile.len() > 200);
        if received % 5_000 == 0 {
            std::thread::sleep(Duration::from_millis(100)); // a machine that is busy for a while
        }
    }
    assert!(altered > 5_000, "{altered}");
    assert_eq!(relay.line(), "fuzz done 20000\n");
    let report = relay.finish();
    assert!(report.contains("\"fuzzed\":20000,"), "{report}");
}

#[test]
fn addresses_beyond_the_machine_are_refused() {
    let run =
        Command::new(PROGRAM).args(["--a-peer", "192.0.2.1:9", "--b-peer", "127.0.0.1:9"]).output().unwrap();
    assert!(!run.status.success());
    let error = String::from_utf8(run.stderr).unwrap();
    assert!(error.contains("only loopback addresses"), "{error}");
}
