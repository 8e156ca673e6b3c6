//! Datagrams: what decodes encodes to the same bytes, and is told by its first four bytes and its size alone.

use udp_sec::error::Reject;
use udp_sec::limits::{COOKIE_REPLY_LEN, DATA_HEADER_LEN, DATA_LEN_MIN, DATAGRAM_MAX};
use udp_sec::limits::{INITIATION_LEN, RESPONSE_LEN};
use udp_sec::wire::{self, DataHeader, Datagram};

use crate::{Outcome, log};

/// Decodes `data` as a datagram.
///
/// # Panics
/// When the bytes that come out are not those that went in, or the verdict is not that of `docs/protocol.md` section 2.
pub fn run(data: &[u8]) -> Outcome {
    let decoded = wire::decode(data);
    log::state(&decoded);
    assert_eq!(decoded.is_ok(), is_legal(data), "{decoded:?}");
    let (name, encoded) = match decoded {
        Err(reject) => {
            log::line(reject);
            let oversize = data.len() > DATAGRAM_MAX;
            assert_eq!(reject == Reject::OversizeDatagram, oversize);
            assert!(oversize || reject == Reject::MalformedHeader, "{reject}");
            return if oversize { "oversize" } else { "malformed" };
        }
        Ok(Datagram::Initiation(initiation)) => ("initiation", initiation.encode().to_vec()),
        Ok(Datagram::Response(response)) => ("response", response.encode().to_vec()),
        Ok(Datagram::CookieReply(reply)) => ("cookie reply", reply.encode().to_vec()),
        Ok(Datagram::Data(header)) => {
            let bytes = data.first_chunk::<DATA_HEADER_LEN>().expect("a header");
            assert_eq!(DataHeader::decode(bytes), Ok(header));
            ("data", header.encode().to_vec())
        }
    };
    let sealed = if name == "data" { &data[DATA_HEADER_LEN..] } else { &[] };
    assert_eq!([&encoded, sealed].concat(), data);
    name
}

/// The rules of `docs/protocol.md` section 2, written down a second time.
fn is_legal(data: &[u8]) -> bool {
    let sizes = match data {
        // Bit 0: with a pre-shared key.
        [1, 1, 0 | 1, 0, ..] => INITIATION_LEN..=INITIATION_LEN,
        [1, 2, 0, 0, ..] => RESPONSE_LEN..=RESPONSE_LEN,
        [1, 3, 0, 0, ..] => COOKIE_REPLY_LEN..=COOKIE_REPLY_LEN,
        [1, 4, 0 | 1, 0, ..] => DATA_LEN_MIN..=DATAGRAM_MAX,
        _ => return false,
    };
    sizes.contains(&data.len())
}
