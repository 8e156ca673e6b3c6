//! What becomes of forwarded ports when a side dies.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::forward::{Sides, port_here};
use crate::process::{PATIENCE, Running, noise};
use crate::web;

/// Bytes of a file that is on its way when the side dies.
const LEN: usize = 64 << 20;

/// Begins to fetch a file, and takes only a part of it.
fn begun(port: &str, seed: u64) -> (TcpStream, Vec<u8>) {
    let mut socket = TcpStream::connect(port).expect("somebody listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    write!(socket, "GET /{seed}/{LEN} HTTP/1.1\r\n\r\n").expect("taken");
    let mut part = vec![0; 1 << 20];
    socket.read_exact(&mut part).expect("it begins");
    (socket, part)
}

/// All that still comes, up to the reset that it has to end with.
fn rest_until_reset(socket: &mut TcpStream, part: &mut Vec<u8>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => panic!("half of a file ended as if it were whole"),
            Ok(len) => part.extend(&buffer[..len]),
            Err(error) => return assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

/// Whether `answer` is the beginning of the file, and not all of it.
fn assert_is_beginning(answer: &[u8], seed: u64) {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let body = answer.get(head..).expect("within");
    assert!(body.len() < LEN, "the file should have been cut off");
    assert!(noise(seed, LEN).starts_with(body));
}

fn fetch(port: &str, seed: u64) -> Vec<u8> {
    let mut socket = TcpStream::connect(port).expect("somebody listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    write!(socket, "GET /{seed}/100000 HTTP/1.1\r\n\r\n").expect("taken");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("to its end");
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    answer.split_off(head)
}

/// The listening side loses power, and comes back.
fn listener_dies_and_comes_back(transport: &str) {
    let sides = Sides::new(&format!("lost-{transport}"));
    let web = web::serve().to_string();
    let remote = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let permits = ["--permit", &web, "--permit-listen", &remote.to_string(), "--transport", transport];
    let mut listener = sides.listen("127.0.0.1:0", &permits);
    let address = listener.address();
    let forwardings = ["-L", &format!("0:{web}"), "-R", &format!("{remote}:{web}"), "--transport", transport];
    let mut caller = sides.call(&address, &forwardings);
    let port = port_here(&mut caller);
    assert!(caller.line("forwarding ").starts_with(&remote.to_string()));
    let (mut socket, mut part) = begun(&port, 1);
    listener.kill();
    rest_until_reset(&mut socket, &mut part);
    assert_is_beginning(&part, 1);
    caller.line("session lost: ");
    assert!(caller.line("trying again in ").ends_with("(attempt 1 of 8)"));
    // It comes up while the caller tries.
    let _listener = sides.listen(&address, &permits);
    caller.line("connected again after ");
    caller.line("forwarding ");
    for port in [port, remote.to_string()] {
        assert!(fetch(&port, 2) == noise(2, 100_000));
    }
}

#[test]
fn a_listener_that_loses_power_is_noticed_and_found_again_over_udp_sec() {
    listener_dies_and_comes_back("udp-sec");
}

#[test]
fn a_listener_that_loses_power_is_noticed_and_found_again_over_tcp() {
    listener_dies_and_comes_back("tcp");
}

#[test]
fn a_caller_that_loses_power_gets_its_port_back() {
    let sides = Sides::new("takeover");
    let web = web::serve().to_string();
    let remote = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let other_key = sides.folder.key("other");
    let permits = ["--permit-listen", &remote.to_string(), "--allow", &other_key];
    let mut listener = sides.listen("127.0.0.1:0", &permits);
    let address = listener.address();
    let forwarding = ["-R", &format!("{remote}:{web}")];
    let mut caller = sides.call(&address, &forwarding);
    caller.line("forwarding ");
    caller.kill();
    // Nobody has told the listening side that the session is over. Still its owner may have the port, and only it.
    let other = sides.folder.path("other");
    let call = ["forward", "--key", &other, "--peer", &sides.listener_key, &address];
    let error = crate::process::error_of(&Running::start(&[&call[..], &forwarding].concat()).finish());
    assert!(error.contains("the port is taken"), "{error}");
    let mut caller = sides.call(&address, &forwarding);
    caller.line("forwarding ");
    assert!(fetch(&remote.to_string(), 3) == noise(3, 100_000));
}
