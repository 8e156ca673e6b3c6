//! The tool against `tests/stranger`, an implementation of `docs/protocol.md` in Python that was written from that text
//! alone: what only one of the two understands does not stand there.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::thread;
use std::time;

use lossy_link::{ErrorModel, Link, LinkConfig, direction_seeds};
use udp_sec::time::{Duration, Instant};

use crate::process::{Folder, PATIENCE, Running, error_of, noise, udpsec};
use crate::web::hash;

/// Half-open places of a host, at four for each key: when as many strangers have called, the next is asked for a cookie.
const CROWD: &str = "16";
/// Seconds after which a stranger gives up: two sides that misunderstand each other may keep each other alive.
const LIMIT: &str = "60";
const THERE: usize = 256 * 1024;
const BACK: usize = 224 * 1024;

/// A key of either side; the tool's is in a file of the folder.
struct Keys {
    folder: Folder,
    tool: String,
    secret: String,
    /// The stranger's public key, and those of the crowd.
    public: Vec<String>,
}

impl Keys {
    /// None where Python is missing.
    fn new(name: &str) -> Option<Self> {
        if Command::new("python3").arg("--version").output().is_err() {
            println!("skipped: python3 is not installed");
            return None;
        }
        let folder = Folder::new(name);
        let tool = folder.key("tool");
        let secret = data_encoding::BASE64.encode(&noise(u64::from(std::process::id()), 32));
        let public = stranger(&["public", &secret, "--crowd", CROWD]).finish();
        let public = String::from_utf8(public.stdout).expect("text").lines().map(str::to_owned).collect();
        Some(Self { folder, tool, secret, public })
    }

    fn tool_listens(&self) -> Running {
        let key = self.folder.path("tool");
        let mut args = vec!["listen", "--transport", "udp-sec", "--key", &key, "--listen", "127.0.0.1:0"];
        args.extend(self.public.iter().flat_map(|key| ["--allow", key.as_str()]));
        Running::start(&args)
    }

    fn tool_calls(&self, address: &str) -> Running {
        let key = self.folder.path("tool");
        Running::start(&[
            "connect",
            "--transport",
            "udp-sec",
            "--key",
            &key,
            "--peer",
            &self.public[0],
            address,
        ])
    }

    fn stranger_listens(&self, more: &[&str]) -> Running {
        let args = ["listen", "--limit", LIMIT, "--key", &self.secret, "--allow", &self.tool, "127.0.0.1:0"];
        stranger(&[&args, more].concat())
    }

    fn stranger_calls(&self, address: &str, more: &[&str]) -> Running {
        let args = ["connect", "--limit", LIMIT, "--key", &self.secret, "--peer", &self.tool, address];
        stranger(&[&args, more].concat())
    }
}

fn stranger(args: &[&str]) -> Running {
    let mut command = Command::new("python3");
    command.args(["-B", concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/stranger/peer.py")]).args(args);
    Running::run(command)
}

/// `stranger` once it has a session; from then on the idle timeout ends both sides if nothing else does.
fn established(mut stranger: Running) -> Running {
    stranger.line("established");
    stranger
}

/// The `place`-th word of the line that begins with `start`, as a number.
fn number(errors: &str, start: &str, place: usize) -> u64 {
    let line = errors.lines().find(|line| line.starts_with(start));
    let word = line.and_then(|line| line.split_ascii_whitespace().nth(place));
    word.unwrap_or_else(|| panic!("no {start} in:\n{errors}")).parse().expect("a number")
}

/// `first` sends all and ends; only then `second` begins: each direction ends on its own. What both said at the end.
fn one_after_the_other(mut first: Running, mut second: Running) -> [String; 2] {
    let (there, back) = (noise(1, THERE), noise(2, BACK));
    first.feed(there.clone());
    assert_eq!(hash(&second.read(THERE)), hash(&there));
    second.feed(back.clone());
    let second = thread::spawn(move || second.finish());
    let outputs = [first.finish(), second.join().expect("read to the end")];
    assert_eq!(hash(&outputs[0].stdout), hash(&back));
    assert!(outputs[1].stdout.is_empty(), "nothing behind the end");
    succeeded(outputs)
}

/// Both send at once.
fn both_at_once(mut first: Running, mut second: Running) -> [String; 2] {
    let (there, back) = (noise(1, THERE), noise(2, BACK));
    first.feed(there.clone());
    second.feed(back.clone());
    let second = thread::spawn(move || second.finish());
    let outputs = [first.finish(), second.join().expect("read to the end")];
    assert_eq!(hash(&outputs[0].stdout), hash(&back));
    assert_eq!(hash(&outputs[1].stdout), hash(&there));
    succeeded(outputs)
}

fn succeeded(outputs: [std::process::Output; 2]) -> [String; 2] {
    outputs.map(|output| {
        let errors = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{errors}");
        errors
    })
}

#[test]
fn python_recomputes_the_example() {
    let Some(_keys) = Keys::new("stranger-example") else { return };
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol-example.md");
    let output = stranger(&["example", example]).finish();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    assert!(number(&errors, "", 0) >= 36, "{errors}");
}

#[test]
fn python_calls_proves_its_address_changes_keys_and_moves() {
    let Some(keys) = Keys::new("stranger-calls") else { return };
    let mut tool = keys.tool_listens();
    let options = ["--crowd", CROWD, "--update-every", "20", "--rebind-after", "100000"];
    let calling = keys.stranger_calls(&tool.address(), &options);
    let [calling, _] = one_after_the_other(established(calling), tool);
    assert!(calling.lines().any(|line| line == "cookie"), "{calling}");
    assert!(calling.lines().any(|line| line == "Complete"), "{calling}");
    assert!(number(&calling, "phases", 2) >= 5, "{calling}");
    assert_eq!(number(&calling, "phases", 2), number(&calling, "phases", 4), "the tool has followed");
    assert!(number(&calling, "challenges", 1) >= 1, "the new address was asked: {calling}");
}

#[test]
fn python_answers_asks_for_a_cookie_and_changes_keys() {
    let Some(keys) = Keys::new("stranger-answers") else { return };
    let mut answering = keys.stranger_listens(&["--ask-for-cookies", "--update-every", "20"]);
    let tool = keys.tool_calls(&answering.address());
    let [_, answering] = one_after_the_other(tool, established(answering));
    assert!(answering.contains("'cookie_required': 1"), "{answering}");
    assert!(answering.lines().any(|line| line == "Complete"), "{answering}");
    assert!(number(&answering, "phases", 2) >= 5, "{answering}");
    assert!(number(&answering, "phases", 4) >= 5, "the tool has followed: {answering}");
}

#[test]
fn both_ways_get_through_a_link_that_loses() {
    let Some(keys) = Keys::new("stranger-lossy") else { return };
    let mut tool = keys.tool_listens();
    let link = lossy(&tool.address(), 1);
    let [calling, _] = both_at_once(established(keys.stranger_calls(&link, &[])), tool);
    let mut answering = keys.stranger_listens(&[]);
    let link = lossy(&answering.address(), 2);
    let [_, answering] = both_at_once(keys.tool_calls(&link), established(answering));
    for errors in [calling, answering] {
        assert!(errors.lines().any(|line| line == "Complete"), "{errors}");
        assert!(number(&errors, "challenges", 3) > 0, "nothing was lost: {errors}");
    }
}

#[test]
fn who_is_not_allowed_hears_nothing() {
    let Some(keys) = Keys::new("stranger-silence") else { return };
    let wrong = data_encoding::BASE64.encode(&noise(7, 32));
    let mut tool = keys.tool_listens();
    let address = tool.address();
    // A key that is not allowed; and an allowed one that takes the listener for somebody else.
    for (key, peer) in [(&wrong, &keys.tool), (&keys.secret, &keys.public[0])] {
        let calling = ["connect", "--key", key, "--peer", peer, "--timeout", "1", &address];
        let errors = error_of(&stranger(&calling).finish());
        assert_eq!(errors, "heard 0 datagrams\nHandshakeTimeout\n");
    }
    let mut answering =
        stranger(&["listen", "--key", &keys.secret, "--allow", &keys.public[0], "127.0.0.1:0"]);
    let (key, address) = (keys.folder.path("tool"), answering.address());
    let peer = ["--peer", &keys.public[0], "--transport", "udp-sec", "--timeout", "1", &address];
    let errors = error_of(&udpsec(&[&["connect", "--key", &key], &peer[..]].concat()));
    assert!(errors.contains("no answer"), "{errors}");
    assert!(answering.line("rejects ").contains("peer_not_authorized"));
}

/// A link of 5 ms and 5 % loss each way to `server`; its address.
#[expect(clippy::disallowed_methods, reason = "real datagrams wait in real time")]
fn lossy(server: &str, seed: u64) -> String {
    let server: SocketAddr = server.parse().expect("an address");
    let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let address = sockets[0].local_addr().expect("bound").to_string();
    for socket in &sockets {
        socket.set_read_timeout(Some(time::Duration::from_millis(1))).expect("set");
    }
    let config = LinkConfig::default().delay(Duration::from_millis(5)).loss(ErrorModel::random(50_000));
    let mut links = direction_seeds(seed).map(|seed| Link::new(config.clone(), seed));
    thread::spawn(move || {
        let begun = time::Instant::now();
        let now = || Instant::from_micros(u64::try_from(begun.elapsed().as_micros()).expect("not so long"));
        let (mut peers, mut datagram) = ([None, Some(server)], [0; 2048]);
        while begun.elapsed() < 2 * PATIENCE {
            for from in [0, 1] {
                if let Ok((len, peer)) = sockets[from].recv_from(&mut datagram) {
                    peers[from] = Some(peer);
                    links[from].send(now(), (), &datagram[..len]);
                }
                while let Some(arrived) = links[from].poll(now()) {
                    let to = peers[1 - from].expect("who sent the first datagram");
                    // Who has gone hears nothing more.
                    _ = sockets[1 - from].send_to(&arrived.data, to);
                }
            }
        }
    });
    address
}
