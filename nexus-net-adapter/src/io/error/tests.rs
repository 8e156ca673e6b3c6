//! Each error by its kind, and the reason behind it.

use std::io::{Error, ErrorKind};
use std::string::ToString;

use udp_sec::error::CloseCode;

use crate::stream::{CloseReason, StreamError};

#[test]
fn every_error_has_the_kind_that_tcp_would_report() {
    let abort = CloseCode::AppAbort;
    for (error, kind) in [
        (StreamError::WouldBlock, ErrorKind::WouldBlock),
        (StreamError::TimedOut, ErrorKind::TimedOut),
        (StreamError::Finished, ErrorKind::BrokenPipe),
        (StreamError::Closed(CloseReason::Complete), ErrorKind::BrokenPipe),
        (StreamError::Closed(CloseReason::ByPeer(abort)), ErrorKind::ConnectionReset),
        (StreamError::Closed(CloseReason::ByUs(abort)), ErrorKind::ConnectionAborted),
        (StreamError::Closed(CloseReason::Refused(abort)), ErrorKind::ConnectionRefused),
        (StreamError::Closed(CloseReason::IdleTimeout), ErrorKind::TimedOut),
        (StreamError::Closed(CloseReason::HandshakeTimeout), ErrorKind::TimedOut),
        (StreamError::Closed(CloseReason::NoPath), ErrorKind::HostUnreachable),
        (StreamError::Closed(CloseReason::Superseded), ErrorKind::ConnectionReset),
        (StreamError::Closed(CloseReason::ConnectionLost), ErrorKind::ConnectionAborted),
    ] {
        assert_eq!(Error::from(error).kind(), kind, "{error}");
    }
}

#[test]
fn an_idle_session_is_told_from_a_passed_deadline() {
    let idle = StreamError::Closed(CloseReason::IdleTimeout);
    let error = Error::from(idle);
    assert_eq!(error.get_ref().and_then(|source| source.downcast_ref()), Some(&idle));
    assert_eq!(error.to_string(), idle.to_string());
    assert!(Error::from(StreamError::TimedOut).get_ref().is_none());
}
