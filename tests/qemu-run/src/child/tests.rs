//! Children end, by themselves or with their handle.

use std::time::Instant;

use super::*;

fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("qemu-run-child-{}-{name}", std::process::id()))
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn lines_come_one_by_one_and_then_no_more() {
    let errors = scratch("lines");
    let mut child = Child::start_talking("sh", &mut shell("echo one; echo two"), &errors).unwrap();
    let patience = Duration::from_secs(20);
    assert_eq!(child.line(patience).unwrap().as_deref(), Some("one"));
    assert_eq!(child.line(patience).unwrap().as_deref(), Some("two"));
    assert_eq!(child.line(patience).unwrap(), None);
    std::fs::remove_file(errors).unwrap();
}

#[test]
fn a_wait_has_an_end() {
    let errors = scratch("wait");
    let mut child = Child::start_talking("sleeper", &mut shell("exec sleep 60"), &errors).unwrap();
    let error = child.line(Duration::from_millis(50)).unwrap_err().to_string();
    assert!(error.contains("sleeper says nothing"), "{error}");
    assert!(child.ended().unwrap().is_none());
    std::fs::remove_file(errors).unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures how long the end of a real process takes")]
fn a_dropped_child_is_ended() {
    let errors = scratch("drop");
    let child = Child::start_talking("sleeper", &mut shell("exec sleep 60"), &errors).unwrap();
    let process = std::path::PathBuf::from(format!("/proc/{}", child.process.id()));
    assert!(process.exists());
    let begin = Instant::now();
    drop(child);
    assert!(!process.exists());
    assert!(begin.elapsed() < Duration::from_secs(20));
    std::fs::remove_file(errors).unwrap();
}

#[test]
fn a_tail_shows_what_was_added_and_survives_what_is_no_text() {
    let path = scratch("tail");
    std::fs::write(&path, "one\n").unwrap();
    let mut tail = Tail::open(&path).unwrap();
    assert_eq!(tail.text().unwrap(), "one\n");
    std::io::Write::write_all(&mut File::options().append(true).open(&path).unwrap(), b"tw\xffo\n").unwrap();
    assert_eq!(tail.text().unwrap(), "one\ntw\u{fffd}o\n");
    std::fs::remove_file(path).unwrap();
}
