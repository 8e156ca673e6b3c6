//! A web server: just enough of HTTP for real clients.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use sha2::{Digest, Sha256};

use crate::process::noise;

/// Serves until the process ends; its address.
///
/// `GET /SEED/LEN` has `LEN` bytes of noise as its answer, `PUT` the SHA-256 of what was sent.
pub(crate) fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for socket in listener.incoming() {
            thread::spawn(move || {
                // A client that goes away early has its reasons.
                _ = answer(socket.expect("a connection"));
            });
        }
    });
    address
}

/// `bytes` as [`serve`] answers them.
pub(crate) fn hash(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

fn answer(socket: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(&socket);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut len = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => len = value.parse().expect("a length"),
            Some(("expect", _)) => (&socket).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            None => break,
            Some(_) => {}
        }
    }
    let body = match request.split_ascii_whitespace().next() {
        Some("PUT") => {
            let mut sent = vec![0; len];
            reader.read_exact(&mut sent)?;
            hash(&sent).into_bytes()
        }
        _ => {
            let path = request.split_ascii_whitespace().nth(1).expect("a path");
            let (seed, len) = path.trim_start_matches('/').split_once('/').expect("a seed and a length");
            noise(seed.parse().expect("a seed"), len.parse().expect("a length"))
        }
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    (&socket).write_all(head.as_bytes())?;
    (&socket).write_all(&body)
}
