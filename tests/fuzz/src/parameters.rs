//! Handshake parameters: a second reading of `docs/protocol.md` section 3 and the decoder agree on every payload, and
//! what was accepted is written and read again as the same.

use udp_sec::error::Reject;
use udp_sec::handshake::params::Parameters;

use crate::{Outcome, log};

/// Reads `data` as the payload of an Initiation.
///
/// # Panics
/// When the decoder and the second reading differ, or accepted parameters do not go there and back.
pub fn run(data: &[u8]) -> Outcome {
    let read = Parameters::read_initiation(data);
    log::state(&read);
    assert_eq!(read.is_ok(), is_legal(data), "{read:?}");
    match read {
        Ok(parameters) => {
            log::line(&parameters.application);
            check(&parameters);
            "accepted"
        }
        Err(reject) => {
            assert_eq!(reject, Reject::MalformedParameters);
            "malformed"
        }
    }
}

/// What stands in a peer's parameters goes there and back.
pub(crate) fn check(parameters: &Parameters) {
    if parameters.aeads.iter().next().is_none() {
        // Only ciphers that this version does not know, which are left out: no list of ours is empty.
        return;
    }
    let payload = parameters.to_initiation(None).expect("in range");
    assert_eq!(Parameters::read_initiation(&payload).as_ref(), Ok(parameters));
}

/// The rules of `docs/protocol.md` section 3, written down a second time.
fn is_legal(payload: &[u8]) -> bool {
    fields(payload).is_some_and(|fields| {
        let of = |kind: u8| fields.iter().find(|(known, _)| *known == kind).map(|(_, value)| *value);
        let number = |kind: u8, len: usize| {
            let value = of(kind).filter(|value| value.len() == len)?;
            Some(value.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
        };
        let optional = |kind: u8, range: core::ops::RangeInclusive<u64>| {
            of(kind).is_none() || number(kind, 1).is_some_and(|number| range.contains(&number))
        };
        number(1, 8).is_some_and(|credit| credit <= 1 << 62)
            && number(2, 2).is_some_and(|delay| delay <= 500)
            && number(3, 4).is_some_and(|idle| (1_000..=120_000).contains(&idle))
            && of(4).is_some_and(|name| (1..=32).contains(&name.len()))
            && of(5).is_some_and(|aeads| !aeads.is_empty() && is_distinct(aeads.iter()))
            && optional(7, 1..=64)
            && optional(9, 1..=255)
            && of(8).is_none()
            && of(10).is_none()
    })
}

/// The fields in front of the padding; `None` where one is cut off, a known one comes twice, or the padding is none.
fn fields(payload: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (mut fields, mut rest) = (Vec::new(), payload);
    while let [kind, behind @ ..] = rest {
        if *kind == 0 {
            rest.iter().all(|byte| *byte == 0).then_some(())?;
            break;
        }
        let [low, high, behind @ ..] = behind else { return None };
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        fields.push((*kind, behind.get(..len)?));
        rest = &behind[len..];
    }
    is_distinct(fields.iter().map(|(kind, _)| kind).filter(|kind| **kind <= 10)).then_some(fields)
}

fn is_distinct<'a>(bytes: impl Iterator<Item = &'a u8>) -> bool {
    let mut seen = [false; 256];
    bytes.fold(true, |distinct, byte| distinct & !core::mem::replace(&mut seen[usize::from(*byte)], true))
}
