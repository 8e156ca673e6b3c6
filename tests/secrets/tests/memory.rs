//! Secrets in the memory of a process, while it needs them and afterwards.
#![cfg(target_os = "linux")]

use secrets::needles::Needle;
use secrets::observer::{Observer, Role};
use secrets::search::Found;

const PLAIN: &str = env!("CARGO_BIN_EXE_victim-plain");
const WIPING: &str = env!("CARGO_BIN_EXE_victim-wiping");

/// What is in memory while the session lives, after it, and after the endpoint.
#[derive(Debug)]
struct Left {
    during: Found,
    after: Found,
    at_last: Found,
}

fn session(program: &str, role: Role, seed: u64) -> Left {
    let mut observer = Observer::start(program, role, seed).expect("a victim");
    observer.connect().expect("goes on");
    observer.talk().expect("goes on");
    let schedule = observer.schedule();
    let needles: Vec<Needle> = [observer.static_secret()]
        .into_iter()
        .chain(observer.drawn())
        .chain(schedule.session)
        .chain(schedule.handshake)
        .collect();
    assert_eq!(needles.len(), 1 + 2 + 2 + 12);
    let during = observer.search(&needles).expect("our own child");
    observer.end_session().expect("goes on");
    let after = observer.search(&needles).expect("our own child");
    observer.drop_endpoint().expect("goes on");
    let at_last = observer.search(&needles).expect("our own child");
    Left { during, after, at_last }
}

fn print(title: &str, found: &Found) {
    println!("{title}:");
    for (needle, places) in found {
        println!("  {needle}: {places:?}");
    }
}

#[test]
fn look() {
    for program in [PLAIN, WIPING] {
        for role in [Role::Initiator, Role::Responder] {
            let left = session(program, role, 1);
            println!("{program} {role:?}");
            print("during", &left.during);
            print("after", &left.after);
            print("at last", &left.at_last);
        }
    }
}
