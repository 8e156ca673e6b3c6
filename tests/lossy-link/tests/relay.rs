//! The relay as a process between real sockets: it does what the engine says, and reports it.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use lossy_link::{ErrorModel, Link, LinkConfig, direction_seeds};
use udp_sec::time::Instant;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lossy-link");
const PATIENCE: Duration = Duration::from_secs(20);

/// A relay in front of a server socket of ours. It ends with the handle, whatever happens.
struct Relay {
    process: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
    server: UdpSocket,
}

impl Relay {
    fn start(options: &[&str]) -> Self {
        let server = socket();
        let to = server.local_addr().unwrap().to_string();
        let mut process = Command::new(PROGRAM)
            .args(["relay", "--listen", "127.0.0.1:0", "--until-eof", "--to", &to])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("relay ready ").unwrap().parse().unwrap();
        Self { process, stdout, address, server }
    }

    /// Closes standard input, and returns the line the relay prints then.
    fn finish(mut self) -> String {
        drop(self.process.stdin.take());
        self.report()
    }

    fn report(&mut self) -> String {
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

fn client_of(relay: &Relay) -> UdpSocket {
    let client = socket();
    client.connect(relay.address).unwrap();
    client
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2_048];
    let (length, source) = socket.recv_from(&mut buffer).unwrap();
    (buffer[..length].to_vec(), source)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures the delay of a real relay")]
fn a_round_trip_takes_at_least_the_rtt() {
    let relay = Relay::start(&["--rtt", "30"]);
    let client = client_of(&relay);
    let begin = std::time::Instant::now();
    client.send(b"ping").unwrap();
    let (ping, source) = receive(&relay.server);
    assert_eq!(ping, b"ping");
    assert!(begin.elapsed() >= Duration::from_millis(15));
    relay.server.send_to(b"pong", source).unwrap();
    assert_eq!(receive(&client).0, b"pong");
    assert!(begin.elapsed() >= Duration::from_millis(30));
    let report = relay.finish();
    assert!(report.contains("\"clients\":1,\"refused_clients\":0,\"send_failures\":0,"), "{report}");
}

#[test]
fn the_relay_loses_exactly_what_the_engine_loses() {
    let relay = Relay::start(&["--loss", "30", "--burst", "3", "--seed", "9"]);
    let client = client_of(&relay);
    let model = LinkConfig::default().loss(ErrorModel::bursts(300_000, 3));
    let mut expected = Link::new(model, direction_seeds(9)[0]);
    // One at a time: our own receive buffer must not be what loses a datagram.
    for number in 0..500_u16 {
        expected.send(Instant::ZERO, (), number.to_be_bytes());
        client.send(&number.to_be_bytes()).unwrap();
        if let Some(delivery) = expected.poll(Instant::ZERO) {
            assert_eq!(receive(&relay.server).0, delivery.data);
        }
    }
    let report = relay.finish();
    let lost = expected.counters().lost;
    assert!(
        report.contains(&format!("\"sent\":500,\"sent_bytes\":1000,\"delivered\":{},", 500 - lost)),
        "{report}"
    );
    assert!(report.contains(&format!("\"lost\":{lost},")), "{report}");
}

#[test]
fn each_client_has_an_address_of_its_own_and_gets_its_own_replies() {
    let relay = Relay::start(&[]);
    let clients = [client_of(&relay), client_of(&relay)];
    let mut sources = Vec::new();
    for (client, text) in clients.iter().zip([b"one", b"two"]) {
        client.send(text).unwrap();
        let (data, source) = receive(&relay.server);
        assert_eq!(data, text);
        sources.push(source);
    }
    assert_ne!(sources[0], sources[1]);
    for source in sources.iter().rev() {
        relay.server.send_to(source.to_string().as_bytes(), source).unwrap();
    }
    for (client, source) in clients.iter().zip(&sources) {
        assert_eq!(receive(client).0, source.to_string().as_bytes());
    }
}

#[test]
fn rebinding_gives_the_server_a_new_port_and_address() {
    let relay = Relay::start(&["--rebind", "0.3", "--rebind-address"]);
    let client = client_of(&relay);
    client.send(b"x").unwrap();
    let mut source = receive(&relay.server).1;
    let first = source;
    while source == first {
        std::thread::sleep(Duration::from_millis(20));
        client.send(b"x").unwrap();
        source = receive(&relay.server).1;
    }
    assert_ne!(source.ip(), first.ip());
    assert_ne!(source.port(), first.port());
    relay.server.send_to(b"old", first).unwrap();
    relay.server.send_to(b"new", source).unwrap();
    assert_eq!(receive(&client).0, b"new");
}

#[test]
fn a_burst_over_its_queue_is_dropped_and_counted() {
    // At 0.1 Mbit/s a datagram takes 98 ms: of 40 at once, 10 wait and the rest find the queue full.
    let relay = Relay::start(&["--rate", "0.1", "--queue", "10"]);
    let client = client_of(&relay);
    for _ in 0..40 {
        client.send(&[7; 1_200]).unwrap();
    }
    for _ in 0..11 {
        receive(&relay.server);
    }
    let report = relay.finish();
    assert!(report.contains("\"sent\":40,"), "{report}");
    assert!(report.contains("\"queue_dropped\":29,"), "{report}");
    assert!(report.contains("\"largest\":1200}"), "{report}");
    assert!(report.trim_end().ends_with("\"socket_drops\":0}"), "{report}");
}

#[test]
fn a_signal_ends_it_with_a_report_that_goes_to_the_file_too() {
    let file = std::env::temp_dir().join(format!("lossy-link-{}.json", std::process::id()));
    let mut relay = Relay::start(&["--stats", file.to_str().unwrap()]);
    let killed = Command::new("kill").args(["-TERM", &relay.process.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let report = relay.report();
    assert!(report.starts_with("{\"to_server\":{\"sent\":0,"), "{report}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), report);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn addresses_beyond_the_machine_are_refused() {
    for (listen, to) in [("0.0.0.0:0", "127.0.0.1:9"), ("127.0.0.1:0", "192.0.2.1:9"), ("[::]:0", "[::1]:9")]
    {
        let run = Command::new(PROGRAM).args(["relay", "--listen", listen, "--to", to]).output().unwrap();
        assert!(!run.status.success());
        let error = String::from_utf8(run.stderr).unwrap();
        assert!(error.contains("only loopback addresses"), "{error}");
    }
}

#[test]
fn a_busy_port_is_an_error_that_names_it() {
    let holder = socket();
    let taken = holder.local_addr().unwrap();
    let run = Command::new(PROGRAM)
        .args(["relay", "--listen", &taken.to_string(), "--to", "127.0.0.1:9"])
        .output()
        .unwrap();
    drop(holder);
    assert!(!run.status.success());
    assert!(String::from_utf8(run.stderr).unwrap().contains(&taken.to_string()));
}
