//! Bytes to frames and back.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn about() -> impl Strategy<Value = About> {
    (1..=u32::MAX, 0..8u8).prop_map(|(stream, priority)| About {
        stream: StreamId::new(stream).unwrap(),
        priority: PriorityClass::new(priority).unwrap(),
    })
}

fn frames() -> impl Strategy<Value = Frame> {
    let name = "\\PC{1,16}".prop_filter_map("at most 64 bytes", |name| StreamName::new(&name).ok());
    (0..8u8, about(), any::<u32>(), 0..=FRAME_PAYLOAD_MAX, name).prop_map(
        |(kind, about, number, len, name)| {
            let credit = WindowCredit::new(number);
            match kind {
                0 => Frame::Open { about, credit, name },
                1 => Frame::OpenAck { about, credit },
                2 => Frame::Data { about, len },
                3 => Frame::WindowUpdate { about, delta: credit },
                4 => Frame::Rst { about, code: ResetCode(number) },
                5 => Frame::Ping(about),
                6 => Frame::Pong(about),
                _ => Frame::Close(about),
            }
        },
    )
}

fn bytes_of(frame: &Frame) -> Vec<u8> {
    let mut out = [0xaa; HEAD_MAX];
    let len = frame.encode(&mut out).unwrap().unwrap();
    assert!(out[len..].iter().all(|byte| *byte == 0xaa), "written beyond the end");
    out[..len].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_decodes_to_the_same(frame in frames(), behind in proptest::collection::vec(any::<u8>(), 0..32)) {
        let head = bytes_of(&frame);
        for cut in 0..head.len() {
            prop_assert_eq!(decode(&head[..cut]), Ok(None), "cut at {}", cut);
            prop_assert_eq!(frame.clone().encode(&mut vec![0; cut]), Ok(None), "room for {}", cut);
        }
        let input = [head.clone(), behind].concat();
        prop_assert_eq!(decode(&input), Ok(Some((frame, head.len()))));
        prop_assert_eq!(head_len(&input), Ok(head.len()));
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same(mut input in proptest::collection::vec(any::<u8>(), 0..100), likely in 0..4u8) {
        // Random bytes are hardly ever a frame: most runs get a header that could be one.
        for (at, byte) in [(0, VERSION), (3, 0), (9, 0), (10, 0), (11, 0)] {
            if let Some(place) = input.get_mut(at).filter(|_| likely > 0) {
                *place = byte;
            }
        }
        if let Some(kind) = input.get_mut(1).filter(|_| likely > 1) {
            *kind = *kind % 8 + 1;
        }
        if let Ok(Some((frame, len))) = decode(&input) {
            prop_assert_eq!(bytes_of(&frame), &input[..len]);
            prop_assert_eq!(head_len(&input), Ok(len));
        }
    }
}

/// All that a frame can begin with: too short to be one, and with a whole one's length behind it what its table says.
#[test]
fn every_prefix_of_three_bytes() {
    let mut legal = 0_u32;
    for number in 0..1_u32 << 24 {
        let [a, b, c, _] = number.to_le_bytes();
        assert_eq!(decode(&[a, b, c]), Ok(None));
        if let Ok(Some((frame, len))) = decode(&[a, b, c, 0, 1, 0, 0, 0, 0, 0, 0, 0]) {
            legal += 1;
            assert_eq!((bytes_of(&frame), len), (vec![a, b, c, 0, 1, 0, 0, 0, 0, 0, 0, 0], HEADER_LEN));
        }
    }
    // DATA, PING, PONG and CLOSE without a body, in eight classes.
    assert_eq!(legal, 4 * 8);
}

/// The wire form, byte by byte: what another implementation has to send.
#[test]
fn the_wire_form_is_the_documented_one() {
    let about =
        About { stream: StreamId::new(0x0403_0201).unwrap(), priority: PriorityClass::new(5).unwrap() };
    let name = StreamName::new("ab").unwrap();
    let credit = WindowCredit::new(65_536);
    let header = |kind, len| vec![2, kind, 5, 0, 1, 2, 3, 4, len, 0, 0, 0];
    let cases = [
        (Frame::Open { about, credit, name }, [header(1, 6), vec![0, 0, 1, 0, b'a', b'b']].concat()),
        (Frame::OpenAck { about, credit }, [header(2, 4), vec![0, 0, 1, 0]].concat()),
        (Frame::Data { about, len: 7 }, header(3, 7)),
        (
            Frame::WindowUpdate { about, delta: WindowCredit::new(258) },
            [header(4, 4), vec![2, 1, 0, 0]].concat(),
        ),
        (Frame::Rst { about, code: ResetCode(9) }, [header(5, 4), vec![9, 0, 0, 0]].concat()),
        (Frame::Ping(about), header(6, 0)),
        (Frame::Pong(about), header(7, 0)),
        (Frame::Close(about), header(8, 0)),
    ];
    for (frame, bytes) in cases {
        assert_eq!(bytes_of(&frame), bytes, "{frame:?}");
        assert_eq!(frame.about(), about);
    }
}

#[test]
fn what_is_no_frame_is_rejected_as_soon_as_its_header_is_there() {
    let ping =
        bytes_of(&Frame::Ping(About { stream: StreamId::new(1).unwrap(), priority: PriorityClass::HIGHEST }));
    let unknown = MuxReject::UnknownStreamFrame;
    let with = |at: usize, byte| {
        let mut bytes = ping.clone();
        bytes[at] = byte;
        bytes
    };
    let cases = [
        ("version", with(0, 1), unknown),
        ("kind 0", with(1, 0), unknown),
        ("kind 9", with(1, 9), unknown),
        ("priority", with(2, 8), unknown),
        ("reserved byte", with(3, 1), unknown),
        ("stream 0", with(4, 0), unknown),
        ("PING with a body", with(8, 1), unknown),
        (
            "32 KiB and 256 bytes",
            {
                let mut b = with(9, 0x81);
                b[1] = 3;
                b
            },
            MuxReject::FrameOversize,
        ),
        ("4 GiB", with(11, 0xff), MuxReject::FrameOversize),
        (
            "OPEN without a name",
            {
                let mut b = with(1, 1);
                b[8] = 4;
                b
            },
            MuxReject::InvalidStreamName,
        ),
        (
            "OPEN with 65 bytes of name",
            {
                let mut b = with(1, 1);
                b[8] = 69;
                b
            },
            MuxReject::InvalidStreamName,
        ),
        (
            "short OPEN_ACK",
            {
                let mut b = with(1, 2);
                b[8] = 3;
                b
            },
            unknown,
        ),
        (
            "long RST",
            {
                let mut b = with(1, 5);
                b[8] = 5;
                b
            },
            unknown,
        ),
    ];
    for (what, bytes, reject) in cases {
        assert_eq!(decode(&bytes), Err(reject), "{what}");
        assert_eq!(head_len(&bytes), Err(reject), "{what}");
        assert_eq!(decode(&bytes[..HEADER_LEN - 1]), Ok(None), "{what}: not before the header is whole");
    }
    let mut open = with(1, 1);
    open[8] = 5;
    open.extend([0, 0, 1, 0, 0xff]);
    assert_eq!(decode(&open), Err(MuxReject::InvalidStreamName), "not UTF-8");
}
