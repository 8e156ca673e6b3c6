//! Which transport carries a session.

use std::fs;
use std::net::UdpSocket;

use crate::process::{Folder, Running, error_of, noise, udpsec};

/// A sender and a receiver with their keys, a file, and an inbox.
pub(crate) struct Sides {
    pub(crate) folder: Folder,
    sender_key: String,
    receiver_key: String,
}

impl Sides {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let (sender_key, receiver_key) = (folder.key("sender"), folder.key("receiver"));
        fs::create_dir(folder.path("inbox")).expect("a folder");
        fs::write(folder.path("file"), noise(7, 300_000)).expect("written");
        Self { folder, sender_key, receiver_key }
    }

    pub(crate) fn receive(&self, transport: &str) -> Running {
        self.receive_with(transport, &[])
    }

    pub(crate) fn receive_with(&self, transport: &str, args: &[&str]) -> Running {
        let (key, inbox) = (self.folder.path("receiver"), self.folder.path("inbox"));
        let own =
            ["recv", "--key", &key, "--allow", &self.sender_key, "--out", &inbox, "--transport", transport];
        Running::start(&[&own[..], &["--listen", "127.0.0.1:0", "--force", "--keep"], args].concat())
    }

    pub(crate) fn send(&self, address: &str, args: &[&str], environment: &[(&str, &str)]) -> Running {
        let (key, file) = (self.folder.path("sender"), self.folder.path("file"));
        let own = ["send", "--key", &key, "--peer", &self.receiver_key, address, &file];
        Running::start_with(&[&own[..], args].concat(), environment)
    }

    pub(crate) fn assert_arrived(&self) {
        let file = self.folder.path("inbox/file");
        assert!(fs::read(&file).expect("stored") == noise(7, 300_000));
        fs::remove_file(file).expect("stored");
    }
}

/// The output of a `sender` that succeeded.
pub(crate) fn said(sender: Running) -> String {
    let output = sender.finish();
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn each_transport_carries_a_file_when_asked_to() {
    let sides = Sides::new("transports");
    let mut receiver = sides.receive("auto");
    let address = receiver.address();
    assert_eq!(receiver.line("serving "), "udp-sec and tcp");
    let figures = sides.folder.path("figures");
    let default: &[(&str, &str)] = &[];
    for (args, environment, transport) in [
        (&[][..], default, "udp-sec"),
        (&["--transport", "udp-sec"], default, "udp-sec"),
        (&["--transport", "tcp"], default, "tcp"),
        (&[], &[("DSOFTBUS_TRANSPORT", "tcp")], "tcp"),
        (&["--transport", "udp-sec"], &[("DSOFTBUS_TRANSPORT", "tcp")], "udp-sec"),
    ] {
        let args = [args, &["--markers", "--stats", &figures]].concat();
        let said = said(sides.send(&address, &args, environment));
        let marker = format!("dsoftbusd: transport selected {transport}");
        assert!(said.lines().any(|line| line == format!("transport {transport}")), "{said}");
        assert!(said.lines().any(|line| line == marker), "{said}");
        let figures: serde_json::Value =
            serde_json::from_slice(&fs::read(&figures).expect("written")).expect("JSON");
        assert_eq!(figures["transport"], transport);
        sides.assert_arrived();
    }
}

#[test]
fn a_pipe_runs_over_tcp_and_both_ends_end() {
    let sides = Sides::new("tcp-pipe");
    let (listener_key, caller_key) = (sides.folder.path("receiver"), sides.folder.path("sender"));
    let own = ["listen", "--key", &listener_key, "--allow", &sides.sender_key, "--listen", "127.0.0.1:0"];
    let mut listening = Running::start(&own);
    let address = listening.address();
    let call =
        ["connect", "--key", &caller_key, "--peer", &sides.receiver_key, &address, "--transport", "tcp"];
    let mut calling = Running::start(&call);
    let (there, back) = (noise(1, 400_000), noise(2, 500_000));
    calling.feed(there.clone());
    listening.feed(back.clone());
    let listened = std::thread::spawn(move || listening.finish());
    let called = calling.finish();
    let listened = listened.join().expect("no panic");
    assert!(called.status.success() && listened.status.success(), "{called:?}");
    assert!(called.stdout == back && listened.stdout == there);
}

#[test]
fn quic_is_blocked_and_a_transport_that_is_none_is_named() {
    let sides = Sides::new("quic");
    let error = error_of(&sides.send("127.0.0.1:9", &["--transport", "quic", "--markers"], &[]).finish());
    assert!(error.contains("quic is blocked") && error.contains("--transport"), "{error}");
    assert!(error.lines().any(|line| line == "dsoftbus: quic os blocked (no_std feasibility)"), "{error}");
    let key = sides.folder.path("receiver");
    let listen = ["listen", "--key", &key, "--allow", &sides.sender_key, "--transport", "quic"];
    assert!(error_of(&udpsec(&listen)).contains("quic is blocked"));
    for environment in [[("DSOFTBUS_TRANSPORT", "udp")], [("DSOFTBUS_TRANSPORT", "")]] {
        let error = error_of(&sides.send("127.0.0.1:9", &[], &environment).finish());
        assert!(error.contains("auto, udp-sec, tcp, quic"), "{error}");
    }
}

#[test]
fn tcp_may_have_an_address_of_its_own() {
    let sides = Sides::new("two-addresses");
    let mut receiver = sides.receive("tcp");
    let tcp = receiver.address();
    let deaf = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let udp = deaf.local_addr().expect("bound").to_string();
    let said = said(sides.send(&udp, &["--tcp-address", &tcp, "--timeout", "1"], &[]));
    assert!(said.contains("udp-sec: no answer within the handshake budget; trying tcp"), "{said}");
    sides.assert_arrived();
}
