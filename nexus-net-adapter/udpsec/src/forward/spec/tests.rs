//! What people write, and what they mistype.

use std::fmt::Debug;
use std::str::FromStr;

use super::{Forwarding, ListenPermit, Permit, Target};

fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("well written")
}

fn target(host: &str, port: u16) -> Target {
    Target { host: host.to_owned(), port }
}

#[test]
fn a_forwarding_has_three_or_four_fields() {
    let plain: Forwarding = parsed("8080:localhost:80");
    assert_eq!((plain.bind.to_string().as_str(), plain.target), ("127.0.0.1:8080", target("localhost", 80)));
    let bound: Forwarding = parsed("0.0.0.0:0:192.0.2.7:443");
    assert_eq!((bound.bind.to_string().as_str(), bound.target), ("0.0.0.0:0", target("192.0.2.7", 443)));
    let six: Forwarding = parsed("[::1]:8080:[2001:db8::7]:80");
    assert_eq!((six.bind.to_string().as_str(), six.target), ("[::1]:8080", target("2001:db8::7", 80)));
}

#[test]
fn a_target_is_read_as_it_was_written() {
    for text in ["localhost:80", "192.0.2.7:1", "[2001:db8::7]:65535"] {
        assert_eq!(parsed::<Target>(text).to_string(), text);
    }
}

#[test]
fn a_permit_covers_what_it_names_and_nothing_else() {
    let one: Permit = parsed("Localhost:80");
    assert!(one.covers(&target("localhost", 80)));
    assert!(!one.covers(&target("localhost", 81)) && !one.covers(&target("127.0.0.1", 80)));
    let any: Permit = parsed("[::1]:*");
    assert!(any.covers(&target("::1", 1)) && any.covers(&target("::1", 65535)));
    assert!(!any.covers(&target("::2", 1)));
    let listen: ListenPermit = parsed("9000");
    assert!(listen.covers("127.0.0.1:9000".parse().expect("an address")));
    assert!(!listen.covers("0.0.0.0:9000".parse().expect("an address")));
    assert!(!listen.covers("127.0.0.1:9001".parse().expect("an address")));
}

#[test]
fn mistakes_are_named() {
    for (text, part) in [
        ("", "PORT:HOST:PORT"),
        ("8080", "PORT:HOST:PORT"),
        ("localhost:80", "PORT:HOST:PORT"),
        ("1:2:3:4:5", "PORT:HOST:PORT"),
        ("http:localhost:80", "'http' is not a port"),
        ("65536:localhost:80", "'65536' is not a port"),
        ("8080:localhost:0", "port 0"),
        ("8080::80", "is not a host"),
        ("example.org:8080:localhost:80", "not an address of this machine"),
        ("[::1:8080:localhost:80", "']'"),
        ("[::1]8080:localhost:80", "':'"),
    ] {
        let error = text.parse::<Forwarding>().expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    assert!("localhost".parse::<Permit>().is_err());
    assert!("a:b:80".parse::<Target>().is_err());
}
