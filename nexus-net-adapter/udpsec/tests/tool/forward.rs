//! Forwarded ports, used by programs that know nothing of it.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use crate::process::{Folder, PATIENCE, Running, error_of, noise};
use crate::web;

/// Streams of one session, as the contract has it.
const STREAMS_MAX: usize = 128;

/// Both sides, with keys of their own.
pub(crate) struct Sides {
    pub(crate) folder: Folder,
    pub(crate) caller_key: String,
    pub(crate) listener_key: String,
}

impl Sides {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let (caller_key, listener_key) = (folder.key("caller"), folder.key("listener"));
        Self { folder, caller_key, listener_key }
    }

    /// The listening side at `address`, with `args` besides.
    pub(crate) fn listen(&self, address: &str, args: &[&str]) -> Running {
        let key = self.folder.path("listener");
        let own = ["forward", "--key", &key, "--allow", &self.caller_key, "--listen", address];
        Running::start(&[&own[..], args].concat())
    }

    /// The calling side.
    pub(crate) fn call(&self, address: &str, args: &[&str]) -> Running {
        let key = self.folder.path("caller");
        Running::start(&[&["forward", "--key", &key, "--peer", &self.listener_key, address], args].concat())
    }

    /// Both, with one port here that leads to `target`.
    fn forward_to(&self, target: &str) -> (Running, Running, String) {
        let mut listener = self.listen("127.0.0.1:0", &["--permit", target]);
        let mut caller = self.call(&listener.address(), &["-L", &format!("0:{target}")]);
        let port = port_here(&mut caller);
        (listener, caller, port)
    }
}

/// Where the caller listens for the next of its -L.
pub(crate) fn port_here(caller: &mut Running) -> String {
    first_word(&caller.line("forwarding "))
}

fn first_word(line: &str) -> String {
    line.split(' ').next().expect("an address").to_owned()
}

fn now() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "a test of real processes has to look at the clock")]
    Instant::now()
}

fn curl(args: &[&str]) -> Child {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--max-time", "60"]).args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("curl is installed")
}

/// What curl prints.
fn fetched(args: &[&str]) -> Vec<u8> {
    let output = curl(args).wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn connect(address: &str) -> TcpStream {
    let socket = TcpStream::connect(address).expect("somebody listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    socket
}

/// A target whose connections are each handled by a thread in `handle`.
fn target(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (socket, handle) = (socket.expect("a connection"), Arc::clone(&handle));
            thread::spawn(move || handle(socket));
        }
    });
    address
}

#[test]
fn curl_fetches_a_large_file_and_many_at_once() {
    let sides = Sides::new("curl");
    let (_listener, _caller, port) = sides.forward_to(&web::serve().to_string());
    let large = 100 << 20;
    let file = sides.folder.path("large");
    let begun = now();
    fetched(&["--output", &file, &format!("http://{port}/1/{large}")]);
    println!("100 MiB by curl through udpsec forward: {:?}", begun.elapsed());
    let fetched = fs::read(&file).expect("fetched");
    assert_eq!(web::hash(&fetched), web::hash(&noise(1, large)));
    let small = 1 << 20;
    let running: Vec<_> =
        (0..64).map(|seed| (seed, curl(&[&format!("http://{port}/{seed}/{small}")]))).collect();
    for (seed, curl) in running {
        let output = curl.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == noise(seed, small), "file {seed} differs");
    }
}

#[test]
fn each_direction_and_several_callers() {
    let sides = Sides::new("directions");
    let web = web::serve().to_string();
    let other_key = sides.folder.key("other");
    let mut listener =
        sides.listen("127.0.0.1:0", &["--permit", &web, "--permit-listen", "0", "--allow", &other_key]);
    let address = listener.address();
    let remote = format!("0:{web}");
    let mut caller = sides.call(&address, &["-R", &remote]);
    let there = first_word(&caller.line("forwarding "));
    let other = sides.folder.path("other");
    let local = format!("127.0.0.1:0:{web}");
    let call = ["forward", "--key", &other, "--peer", &sides.listener_key, &address, "-L", &local];
    let mut over_tcp = Running::start(&[&call[..], &["--transport", "tcp"]].concat());
    let here = port_here(&mut over_tcp);
    let upload = sides.folder.path("upload");
    let bytes = noise(9, 5_000_000);
    fs::write(&upload, &bytes).expect("written");
    for port in [there, here] {
        assert!(fetched(&[&format!("http://{port}/3/3000000")]) == noise(3, 3_000_000));
        assert_eq!(
            fetched(&["--upload-file", &upload, &format!("http://{port}/")]),
            web::hash(&bytes).as_bytes()
        );
    }
    assert_eq!(over_tcp.line("transport "), "tcp");
    assert_eq!(caller.line("transport "), "udp-sec");
}

#[test]
fn iperf3_runs_through_it() {
    if Command::new("iperf3").arg("--version").output().is_err() {
        println!("skipped: iperf3 is not installed");
        return;
    }
    let port =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port().to_string();
    let mut server = Command::new("iperf3");
    let server =
        server.args(["--server", "--bind", "127.0.0.1", "--port", &port]).stdout(Stdio::null()).spawn();
    let mut server = server.expect("starts");
    let sides = Sides::new("iperf3");
    let (_listener, _caller, here) = sides.forward_to(&format!("127.0.0.1:{port}"));
    let here = here.rsplit(':').next().expect("a port").to_owned();
    // One run in both directions: a second one could find the server still busy with the end of the first.
    let client =
        ["--client", "127.0.0.1", "--port", &here, "--time", "2", "--parallel", "4", "--bidir", "--json"];
    let output = Command::new("iperf3").args(client).output().expect("runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(output.status.success(), "{report:#}");
    for direction in ["sum_received", "sum_received_bidir_reverse"] {
        let received = report["end"][direction]["bytes"].as_u64().expect("a number");
        let rate = report["end"][direction]["bits_per_second"].as_f64().expect("a number");
        println!("iperf3 {direction}: {received} bytes, {:.0} Mbit/s", rate / 1e6);
        assert!(received > 1_000_000, "{report:#}");
    }
    _ = server.kill();
    _ = server.wait();
}

#[test]
fn the_end_of_one_direction_leaves_the_other_open() {
    let target = target(|mut socket| {
        let mut heard = Vec::new();
        socket.read_to_end(&mut heard).expect("to its end");
        heard.reverse();
        socket.write_all(&heard).expect("the caller still reads");
    });
    let sides = Sides::new("half-close");
    let (_listener, _caller, port) = sides.forward_to(&target.to_string());
    let mut socket = connect(&port);
    let mut bytes = noise(4, 700_000);
    socket.write_all(&bytes).expect("taken");
    socket.shutdown(Shutdown::Write).expect("open");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("to its end");
    bytes.reverse();
    assert!(answer == bytes);
}

#[test]
fn a_target_that_refuses_or_is_not_permitted_ends_the_connection_and_no_other() {
    let web = web::serve().to_string();
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").to_string();
    let sides = Sides::new("refused");
    let mut listener = sides.listen("127.0.0.1:0", &["--permit", &web, "--permit", &nobody]);
    let forwardings = [format!("0:{web}"), format!("0:{nobody}"), "0:localhost:22".to_owned()];
    let [allowed, refused, forbidden] = &forwardings;
    let address = listener.address();
    let mut caller = sides.call(&address, &["-L", allowed, "-L", refused, "-L", forbidden]);
    let [allowed, refused, forbidden] = [(); 3].map(|()| port_here(&mut caller));
    for (port, reason) in [(refused, "nobody listens there"), (forbidden, "not permitted there")] {
        let mut socket = connect(&port);
        let error = socket.read(&mut [0]).expect_err("there is nobody to talk to");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let from = socket.local_addr().expect("bound");
        let said = caller.line(&format!("{from}: "));
        assert!(said.contains(reason), "{said}");
    }
    assert!(fetched(&[&format!("http://{allowed}/5/1000")]) == noise(5, 1000));
    // To listen there is a permission of its own.
    let error = error_of(&sides.call(&address, &["-R", &format!("0:{web}")]).finish());
    assert!(error.contains("--permit-listen"), "{error}");
}

#[test]
fn a_reset_is_passed_on_as_one() {
    let (heard, hear) = std::sync::mpsc::channel();
    let target = target(move |mut socket| {
        socket.write_all(b"unread").expect("taken");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        heard.send(socket.read(&mut [0]).map_err(|error| error.kind())).expect("awaited");
    });
    let sides = Sides::new("reset");
    let (_listener, _caller, port) = sides.forward_to(&target.to_string());
    let socket = connect(&port);
    socket.peek(&mut [0]).expect("what the target said is here");
    // To close it with bytes unread resets it (RFC 9293 section 3.6).
    drop(socket);
    let outcome = hear.recv_timeout(PATIENCE).expect("the target hears of it");
    assert_eq!(outcome, Err(ErrorKind::ConnectionReset));
}

#[test]
fn more_connections_than_streams_wait_and_lose_nothing() {
    // Nobody is answered before as many are there as there can be, and then everybody.
    let crowd = Arc::new((Mutex::new((0_usize, 0_usize)), Condvar::new()));
    let target = {
        let crowd = Arc::clone(&crowd);
        target(move |mut socket| {
            let (counts, changed) = &*crowd;
            let mut now = counts.lock().expect("whole");
            *now = (now.0 + 1, now.1.max(now.0 + 1));
            changed.notify_all();
            let full =
                changed.wait_timeout_while(now, PATIENCE, |(_, most)| *most < STREAMS_MAX).expect("whole");
            drop(full);
            let mut request = [0; 8];
            socket.read_exact(&mut request).expect("a request");
            socket.write_all(&request).expect("taken");
            assert_eq!(socket.read(&mut request).expect("the end"), 0);
            counts.lock().expect("whole").0 -= 1;
        })
    };
    let sides = Sides::new("crowd");
    let (_listener, _caller, port) = sides.forward_to(&target.to_string());
    let mut clients: Vec<_> = (0..200_u64).map(|number| (number, connect(&port))).collect();
    for (number, socket) in &mut clients {
        socket.write_all(&number.to_le_bytes()).expect("taken");
    }
    for (number, mut socket) in clients {
        let mut answer = [0; 8];
        socket.read_exact(&mut answer).expect("an answer");
        assert_eq!(u64::from_le_bytes(answer), number);
    }
    assert_eq!(crowd.0.lock().expect("whole").1, STREAMS_MAX);
}

#[test]
fn a_reader_that_stalls_holds_up_nobody_and_fills_no_memory() {
    let bytes = 64 << 20;
    let web = web::serve().to_string();
    let sides = Sides::new("stall");
    let (listener, caller, port) = sides.forward_to(&web);
    let mut stalled = connect(&port);
    write!(stalled, "GET /6/{bytes} HTTP/1.1\r\n\r\n").expect("taken");
    stalled.peek(&mut [0]).expect("it begins");
    for seed in 0..4 {
        assert!(fetched(&[&format!("http://{port}/{seed}/8000000")]) == noise(seed, 8_000_000));
    }
    // The rings of a session have 8 MiB, a stream 256 KiB; the rest is code, and what the allocator keeps.
    for side in [&listener, &caller] {
        let status = fs::read_to_string(format!("/proc/{}/status", side.id())).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        println!("peak of one side: {kib} KiB");
        assert!(kib < 64 * 1024, "{kib} KiB");
    }
    // What waited is whole.
    let mut answer = Vec::new();
    stalled.read_to_end(&mut answer).expect("to its end");
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    assert!(answer.split_off(body) == noise(6, bytes));
}
