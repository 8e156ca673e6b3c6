//! Keys, files, pipes and simulations.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::process::{Folder, Running, error_of, noise, udpsec};

/// Sends `bytes`; the folder, where `inbox/file.bin` is what arrived.
fn transfer(name: &str, bytes: &[u8]) -> Folder {
    let folder = Folder::new(name);
    let (alice, bob) = (folder.key("alice"), folder.key("bob"));
    fs::create_dir(folder.path("inbox")).expect("a folder");
    fs::write(folder.path("file.bin"), bytes).expect("written");
    let (key, inbox, stats) = (folder.path("bob"), folder.path("inbox"), folder.path("recv.json"));
    let mut recv = Running::start(&[
        "recv",
        "--key",
        &key,
        "--allow",
        &alice,
        "--listen",
        "127.0.0.1:0",
        "--out",
        &inbox,
        "--stats",
        &stats,
    ]);
    let address = recv.address();
    let (key, file, stats) = (folder.path("alice"), folder.path("file.bin"), folder.path("send.json"));
    let sent = udpsec(&["send", "--key", &key, "--peer", &bob, &address, &file, "--stats", &stats]);
    assert!(sent.status.success(), "{sent:?}");
    let received = recv.finish();
    assert!(received.status.success(), "{received:?}");
    folder
}

#[test]
fn a_file_arrives_bit_for_bit() {
    let bytes = noise(1, 3_000_000);
    let folder = transfer("file", &bytes);
    assert!(fs::read(folder.path("inbox/file.bin")).expect("stored") == bytes);
    assert_eq!(
        fs::read_dir(folder.path("inbox")).expect("a folder").count(),
        1,
        "nothing else is left there"
    );
    let figures = |name| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.path(name)).expect("written")).expect("JSON")
    };
    let (sent, received) = (figures("send.json"), figures("recv.json"));
    assert_eq!(sent["sha256"], received["sha256"]);
    assert_eq!(sent["bytes"], 3_000_000);
    assert!(sent["datagrams_sent"].as_u64().expect("a number") > 2_500);
}

#[test]
fn an_empty_file_arrives() {
    let folder = transfer("empty", b"");
    assert_eq!(fs::read(folder.path("inbox/file.bin")).expect("stored"), b"");
}

#[test]
fn a_pipe_carries_both_directions() {
    let folder = Folder::new("pipe");
    let (alice, bob) = (folder.key("alice"), folder.key("bob"));
    let key = folder.path("bob");
    let mut listening =
        Running::start(&["listen", "--key", &key, "--allow", &alice, "--listen", "127.0.0.1:0"]);
    let address = listening.address();
    let mut calling = Running::start(&["connect", "--key", &folder.path("alice"), "--peer", &bob, &address]);
    let (there, back) = (noise(1, 200_000), noise(1, 150_000));
    calling.feed(there.clone());
    listening.feed(back.clone());
    let listened = std::thread::spawn(move || listening.finish());
    let called = calling.finish();
    let listened = listened.join().expect("read to the end");
    for output in [&called, &listened] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(listened.stdout == there);
    assert!(called.stdout == back);
}

#[test]
fn a_key_file_is_its_owners_alone_and_is_not_replaced_by_chance() {
    let folder = Folder::new("keys");
    let public = folder.key("key");
    let mode = fs::metadata(folder.path("key")).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = error_of(&udpsec(&["keygen", "--out", &folder.path("key")]));
    assert!(again.contains("exists") && again.contains("--force"), "{again}");
    let shown = udpsec(&["pubkey", "--key", &folder.path("key")]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout).trim(), public);
    assert!(udpsec(&["keygen", "--out", &folder.path("key"), "--force"]).status.success());
    fs::set_permissions(folder.path("key"), fs::Permissions::from_mode(0o644)).expect("changed");
    let warned = udpsec(&["pubkey", "--key", &folder.path("key")]);
    assert!(String::from_utf8_lossy(&warned.stderr).contains("chmod 600"), "{warned:?}");
}

#[test]
fn errors_say_what_to_do() {
    let folder = Folder::new("errors");
    let public = folder.key("key");
    let key = folder.path("key");
    let cases: [(&[&str], &str); 6] = [
        (&["pubkey", "--key", &folder.path("none")], "udpsec keygen"),
        (&["send", "--key", &key, "--peer", "short", "127.0.0.1:9", &key], "44 characters of base64"),
        (&["send", "--key", &key, "--peer", &public, "nowhere", &key], "HOST:PORT"),
        (&["send", "--key", &key, "--peer", &public, "127.0.0.1:9", &folder.path("none")], "cannot be read"),
        (&["send", "--key", &key, "--peer", &public, "--timeout", "1", "127.0.0.1:9", &key], "no answer"),
        (&["recv", "--key", &key, "--allow", &public, "--out", &folder.path("none")], "--out"),
    ];
    for (args, advice) in cases {
        let error = error_of(&udpsec(args));
        assert!(error.contains(advice), "{args:?}: {error}");
    }
    fs::write(folder.path("bad"), "not a key").expect("written");
    let error = error_of(&udpsec(&["pubkey", "--key", &folder.path("bad")]));
    assert!(error.contains("is not a key file"), "{error}");
}

#[test]
fn a_busy_port_is_named() {
    let folder = Folder::new("busy");
    let public = folder.key("key");
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let args = ["listen", "--key", &folder.path("key"), "--allow", &public, "--listen", &address];
    let error = error_of(&udpsec(&args));
    assert!(error.contains("in use") && error.contains("--listen"), "{error}");
}

#[test]
fn a_peer_that_is_not_allowed_gets_silence() {
    let folder = Folder::new("stranger");
    let (alice, bob, _) = (folder.key("alice"), folder.key("bob"), folder.key("mallory"));
    let key = folder.path("bob");
    let mut listening =
        Running::start(&["listen", "--key", &key, "--allow", &alice, "--listen", "127.0.0.1:0"]);
    let address = listening.address();
    let call = ["connect", "--key", &folder.path("mallory"), "--peer", &bob, "--timeout", "1", &address];
    assert!(error_of(&udpsec(&call)).contains("no answer"));
}

#[test]
fn a_full_disk_is_reported_and_nothing_is_kept() {
    // A folder in which nothing can be made stands for the full disk that a test cannot have.
    let folder = Folder::new("full");
    let (alice, bob) = (folder.key("alice"), folder.key("bob"));
    fs::create_dir(folder.path("inbox")).expect("a folder");
    fs::write(folder.path("file.bin"), noise(1, 100_000)).expect("written");
    fs::create_dir(folder.path("inbox/file.bin")).expect("in the way");
    let (key, inbox) = (folder.path("bob"), folder.path("inbox"));
    let mut recv = Running::start(&[
        "recv",
        "--key",
        &key,
        "--allow",
        &alice,
        "--listen",
        "127.0.0.1:0",
        "--out",
        &inbox,
        "--force",
    ]);
    let address = recv.address();
    let file = folder.path("file.bin");
    let sent = udpsec(&["send", "--key", &folder.path("alice"), "--peer", &bob, &address, &file]);
    assert!(error_of(&sent).contains("peer"), "{sent:?}");
    let error = error_of(&recv.finish());
    assert!(error.contains("cannot be written"), "{error}");
    let left: Vec<_> = fs::read_dir(folder.path("inbox")).expect("a folder").collect();
    assert_eq!(left.len(), 1, "only what was there before: {left:?}");
}

#[test]
fn a_simulation_repeats_itself() {
    let folder = Folder::new("sim");
    let csv = folder.path("trace.csv");
    let args = ["sim", "--kib", "256", "--loss", "3", "--seed", "5", "--csv", &csv];
    let [first, second] = [udpsec(&args), udpsec(&args)];
    assert!(first.status.success(), "{first:?}");
    assert_eq!(first.stdout, second.stdout);
    let trace = fs::read_to_string(&csv).expect("written");
    assert!(trace.starts_with("time_us,") && trace.lines().count() > 100);
    let other = udpsec(&["sim", "--kib", "256", "--loss", "3", "--seed", "6"]);
    assert_ne!(first.stdout, other.stdout);
}
