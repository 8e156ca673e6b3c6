//! An endpoint and what is written by hand after `docs/protocol.md` section 3: parameters that no implementation of ours
//! would write, and a cookie opened and answered by another hand than the one that made it.

use chacha20::ChaCha20Rng;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use noise_protocol::patterns::noise_ik;
use noise_protocol::{DH, U8Array};
use noise_rust_crypto::X25519;
use noise_rust_crypto::sensitive::Sensitive;
use rand_core::SeedableRng;
use udp_sec::error::Reject;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::{PublicKey, StaticKeypair};
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool, Output};
use udp_sec_recovery::event::{Closure, Event};
use udp_sec_recovery::memory::Small;

use super::by_hand::{Noise, header, keyed, labelled_key, mac1, prologue};

const THEIR_ID: u64 = 0xf1f2_f3f4_f5f6_f7f8;

/// One endpoint of ours, and a peer by hand.
struct Lab {
    endpoint: Endpoint<InlinePool<Small, 1>, AllowList<1>, 1, 2>,
    ours: [u8; 32],
    rng: ChaCha20Rng,
    now: Instant,
    secret: [u8; 32],
}

impl Lab {
    fn new(unproven_per_second: u16) -> Self {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let keypair = StaticKeypair::generate(&mut rng).expect("entropy");
        let ours = *keypair.public().as_bytes();
        let secret = [5; 32];
        let mut allowed = AllowList::new();
        allowed.add(Self::public(&secret)).expect("room");
        let application = ApplicationProtocol::new(b"interop/1").expect("short");
        let mut config = Config::new(keypair, Parameters::new(application, 0));
        config.unproven_per_second = unproven_per_second;
        let endpoint = Endpoint::new(config, Box::default(), InlinePool::default(), allowed);
        Self { endpoint, ours, rng, now: Instant::ZERO, secret }
    }

    fn public(secret: &[u8; 32]) -> PublicKey {
        PublicKey::from_bytes(X25519::pubkey(&Sensitive::from_slice(secret)))
    }

    fn path() -> Path {
        Path::to(([192, 0, 2, 7], 0x1234).into())
    }

    fn deliver(&mut self, datagram: &[u8]) -> (Vec<Vec<u8>>, Vec<Event>) {
        let mut copy = datagram.to_vec();
        self.endpoint.handle_datagram(self.now, &mut self.rng, Self::path(), &mut copy);
        self.drain()
    }

    fn drain(&mut self) -> (Vec<Vec<u8>>, Vec<Event>) {
        let (mut datagrams, mut events, mut out) = (Vec::new(), Vec::new(), [0; 1200]);
        loop {
            match self.endpoint.poll_output(self.now, &mut out) {
                Output::Transmit(transmit) => datagrams.push(out[..transmit.len].to_vec()),
                Output::Event(_, event) => events.push(event),
                Output::Wait(_) => return (datagrams, events),
            }
        }
    }

    /// Another implementation's half of a handshake with us; each has its own ephemeral key.
    fn noise(&self, calls: bool, id: u64, ephemeral: u8) -> Noise {
        Noise::new(
            noise_ik(),
            calls,
            prologue(id),
            Some(Sensitive::from_slice(&self.secret)),
            Some(Sensitive::from_slice(&[ephemeral; 32])),
            calls.then_some(self.ours),
            None,
        )
    }

    /// A call with `payload`, zeros behind it to the end.
    fn call(&self, payload: &[u8], ephemeral: u8) -> Vec<u8> {
        let mut payload = payload.to_vec();
        payload.resize(1060, 0);
        let message = self.noise(true, THEIR_ID, ephemeral).write_message_vec(&payload).expect("a message");
        let covered = [header(1, THEIR_ID), message].concat();
        let mac = mac1(&self.ours, &covered);
        [&covered[..], &mac, &[0; 16]].concat()
    }
}

fn field(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &(value.len() as u16).to_le_bytes(), value].concat()
}

/// What message 1 requires, with what is there of the type `kind` replaced by `replacement`.
fn parameters_with(kind: u8, replacement: &[u8]) -> Vec<u8> {
    let required: [(u8, &[u8]); 5] =
        [(1, &[0; 8]), (2, &[25, 0]), (3, &[0x30, 0x75, 0, 0]), (4, b"interop/1"), (5, &[1])];
    let kept = required.iter().filter(|(own, _)| *own != kind).flat_map(|(own, value)| field(*own, value));
    kept.chain(replacement.iter().copied()).collect()
}

/// A type, values of it that are legal, and values that are malformed.
type Row = (u8, Vec<Vec<u8>>, Vec<Vec<u8>>);

/// Every row of the table of parameters, at the edges of its range, as message 1 brings it: what is in range is answered,
/// what is not is counted and gets silence.
#[test]
fn every_parameter_is_answered_in_its_range_and_silent_out_of_it() {
    let u32s = |value: u32| value.to_le_bytes().to_vec();
    let u16s = |value: u16| value.to_le_bytes().to_vec();
    let u64s = |value: u64| value.to_le_bytes().to_vec();
    let rows: Vec<Row> = vec![
        (1, vec![u64s(0), u64s(1 << 62)], vec![u64s((1 << 62) + 1), u64s(u64::MAX), vec![0; 7], vec![0; 9]]),
        (2, vec![u16s(0), u16s(500)], vec![u16s(501), u16s(u16::MAX), vec![1], vec![1; 3]]),
        (3, vec![u32s(1_000), u32s(120_000)], vec![u32s(999), u32s(120_001), vec![1; 3], vec![1; 5]]),
        // Another application's name is well-formed: the answer is a refusal.
        (4, vec![b"x".to_vec(), vec![b'x'; 32]], vec![vec![], vec![b'x'; 33]]),
        (5, vec![vec![1], vec![9, 1], vec![2], vec![200]], vec![vec![], vec![1, 1], vec![9, 1, 9]]),
        (7, vec![vec![1], vec![64]], vec![vec![0], vec![65], vec![], vec![1, 1]]),
        (8, vec![], vec![vec![0, 0], vec![2, 0], vec![]]),
        (9, vec![vec![1], vec![255]], vec![vec![0], vec![], vec![1, 1]]),
        (10, vec![], vec![vec![1; 8], vec![]]),
        (11, vec![vec![], vec![1; 300]], vec![]),
    ];
    let mut tried = 0_u8;
    for (kind, legal, malformed) in rows {
        let legal = legal.into_iter().map(|value| (value, true));
        for (value, is_legal) in legal.chain(malformed.into_iter().map(|value| (value, false))) {
            let mut lab = Lab::new(u16::MAX);
            let call = lab.call(&parameters_with(kind, &field(kind, &value)), tried);
            let (answers, events) = lab.deliver(&call);
            let counted = lab.endpoint.rejects().get(Reject::MalformedParameters);
            let expected = if is_legal { (1, 0) } else { (0, 1) };
            assert_eq!((answers.len(), counted), expected, "type {kind}: {value:?}");
            assert_eq!((lab.endpoint.rejects().total(), events.len()), (counted, 0));
            tried += 1;
        }
    }
    // Required, once each; and a list that is cut off, or not padded with zeros.
    let all = parameters_with(0, &[]);
    let mut bad: Vec<Vec<u8>> = (1..=5).map(|kind| parameters_with(kind, &[])).collect();
    bad.extend((1..=9).filter(|kind| ![6, 8].contains(kind)).map(|kind| {
        let value: &[u8] = match kind {
            1 => &[0; 8],
            2 => &[25, 0],
            3 => &[0x30, 0x75, 0, 0],
            _ => &[1],
        };
        [all.clone(), field(kind, value), field(kind, value)].concat()
    }));
    bad.push([&all[..], &[0, 1]].concat());
    bad.push([&all[..], &[11, 0xff, 0xff]].concat());
    for payload in bad {
        let mut lab = Lab::new(u16::MAX);
        let call = lab.call(&payload, 99);
        assert_eq!(lab.deliver(&call).0.len(), 0, "{payload:?}");
        assert_eq!(lab.endpoint.rejects().get(Reject::MalformedParameters), 1, "{payload:?}");
    }
}

/// A payload may also end exactly behind a value, without a byte of padding.
#[test]
fn parameters_may_end_exactly_behind_a_value() {
    let all = parameters_with(0, &[]);
    let filler = 1060 - all.len() - 3;
    let mut lab = Lab::new(u16::MAX);
    let call = lab.call(&[all, field(99, &vec![7; filler])].concat(), 3);
    assert_eq!(lab.deliver(&call).0.len(), 1);
}

/// Nobody else can make a message 2 that opens, so there is nothing to hope for but that our own side erred: the call goes
/// on as if nothing had come.
#[test]
fn a_malformed_message_2_is_counted_and_the_initiation_repeated_until_the_budget_ends() {
    let accepted = |id: &[u8]| [parameters_with(0, &[]), field(10, id)].concat();
    let malformed = [
        parameters_with(0, &[]),                                                  // no id
        accepted(&[1; 7]),                                                        // an id cut short
        [parameters_with(4, &field(4, b"other/1")), field(10, &[1; 8])].concat(), // another application
        [parameters_with(5, &field(5, &[2])), field(10, &[1; 8])].concat(), // an AEAD that was not offered
        [parameters_with(5, &field(5, &[1, 2])), field(10, &[1; 8])].concat(), // two of them
        [accepted(&[1; 8]), field(8, &[2, 0])].concat(),                    // a refusal that is not alone
    ];
    for payload in malformed {
        let mut lab = Lab::new(0);
        let peer = Lab::public(&lab.secret);
        lab.endpoint.connect(lab.now, &mut lab.rng, Lab::path(), &peer).expect("room");
        let call = lab.drain().0.remove(0);
        let id = u64::from_le_bytes(call[4..12].try_into().expect("eight bytes"));
        let mut noise = lab.noise(false, id, 6);
        noise.read_message_vec(&call[12..1168]).expect("message 1 opens");
        let mut padded = payload.clone();
        padded.resize(1140, 0);
        let response = [header(2, id), noise.write_message_vec(&padded).expect("message 2")].concat();
        assert_eq!(lab.deliver(&response), (vec![], vec![]), "{payload:?}");
        assert_eq!(lab.endpoint.rejects().get(Reject::MalformedParameters), 1, "{payload:?}");
        lab.now += Duration::from_millis(250);
        lab.endpoint.handle_timeout(lab.now);
        assert_eq!(lab.drain().0, [call], "the identical initiation");
        lab.now = Instant::ZERO + Duration::from_secs(30);
        lab.endpoint.handle_timeout(lab.now);
        assert_eq!(lab.drain(), (vec![], vec![Event::Closed(Closure::HandshakeTimeout)]));
    }
}

/// Opened, and answered by `mac2`, as the protocol says.
#[test]
fn a_cookie_travels_and_is_answered_as_the_document_says() {
    let mut lab = Lab::new(0);
    let call = lab.call(&parameters_with(0, &[]), 8);
    let (replies, _) = lab.deliver(&call);
    let [reply] = &replies[..] else { panic!("{replies:?}") };
    assert_eq!((reply.len(), &reply[..12]), (68, &header(3, THEIR_ID)[..]));
    let key = labelled_key("udp-sec v1 cookie", &lab.ours);
    let nonce: [u8; 24] = reply[12..36].try_into().expect("24 bytes");
    let tag: [u8; 16] = reply[52..].try_into().expect("16 bytes");
    let mut cookie: [u8; 16] = reply[36..52].try_into().expect("16 bytes");
    let opened = XChaCha20Poly1305::new(&key.into()).decrypt_inout_detached(
        &nonce.into(),
        &call[1168..1184],
        cookie.as_mut_slice().into(),
        &tag.into(),
    );
    opened.expect("it opens");
    let mac2 = keyed(&cookie, &[&call[..1184]]);
    let proven = [&call[..1184], &mac2].concat();
    let (answers, _) = lab.deliver(&proven);
    assert_eq!((answers.len(), answers[0].len(), answers[0][1]), (1, 1200, 2), "a Response");
    assert_eq!(lab.endpoint.half_open(), 1);
}
