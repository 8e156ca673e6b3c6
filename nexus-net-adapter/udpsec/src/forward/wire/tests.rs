//! Requests and codes survive the wire; whatever else comes is refused.

use nexus_net_adapter::mux::{ResetCode, StreamId};

use super::{MESSAGE_MAX, Refusal, Request, framed};
use crate::forward::spec::Target;

#[test]
fn a_request_is_read_as_it_was_written() {
    let longest = Target { host: "x".repeat(253), port: 65535 };
    for request in [
        Request::Connect(Target { host: "localhost".to_owned(), port: 80 }),
        Request::Connect(Target { host: "2001:db8::7".to_owned(), port: 80 }),
        Request::Connect(longest),
        Request::Listen("127.0.0.1:9000".parse().expect("an address")),
        Request::Listen("[::1]:0".parse().expect("an address")),
        Request::Accepted(StreamId::new(u32::MAX).expect("not 0")),
    ] {
        let framed = framed(&request);
        let (len, text) = framed.split_first_chunk().expect("a length");
        assert_eq!(usize::from(u16::from_le_bytes(*len)), text.len());
        assert!(text.len() <= MESSAGE_MAX);
        let text = std::str::from_utf8(text).expect("text");
        assert_eq!(text.parse::<Request>().expect("a request"), request);
    }
}

#[test]
fn what_is_no_request_is_refused() {
    for text in
        ["", "connect", "connect ", "connect localhost", "listen 80", "accepted 0", "accepted x", "shell ls"]
    {
        assert!(text.parse::<Request>().is_err(), "{text}");
    }
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    for (refusal, code) in Refusal::CODES {
        assert_eq!((refusal.code(), Refusal::from(code)), (code, refusal));
        assert!(code.0 > 15);
    }
    let other = ResetCode(4711);
    assert_eq!(Refusal::from(other).code(), other);
}
