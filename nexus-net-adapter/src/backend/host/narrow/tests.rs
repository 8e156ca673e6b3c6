//! When a send is tried again, and how often.

use std::io;

use super::look_again;

/// How often `send` is called whose calls fail with `errors` in turn, and what comes of it.
fn played(errors: &[rustix::io::Errno]) -> (usize, Result<(), Option<i32>>) {
    let mut calls = 0;
    let outcome = look_again(|| {
        let error = errors.get(calls).copied();
        calls += 1;
        error.map_or(Ok(()), |error| Err(io::Error::from_raw_os_error(error.raw_os_error())))
    });
    (calls, outcome.map_err(|error| error.raw_os_error()))
}

#[test]
fn a_route_that_changes_is_looked_up_again_and_a_narrow_path_is_told() {
    use rustix::io::Errno;
    assert_eq!(played(&[]), (1, Ok(())));
    assert_eq!(played(&[Errno::MSGSIZE]), (2, Ok(())));
    assert_eq!(played(&[Errno::MSGSIZE; 3]), (2, Err(Some(Errno::MSGSIZE.raw_os_error()))));
    assert_eq!(played(&[Errno::HOSTUNREACH]), (1, Err(Some(Errno::HOSTUNREACH.raw_os_error()))));
}
