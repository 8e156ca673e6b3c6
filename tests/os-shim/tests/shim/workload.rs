//! The whole workload over udp-sec at 5 % loss, and over secure TCP.

use nexus_net_adapter::backend::pipe::Pipe;
use nexus_net_adapter::mux::Side;
use nexus_net_adapter::mux::records::RecordError;
use nexus_net_adapter::stream::ReliableStream;
use os_shim::exercise::{self, Failure, Report, Role, Stage, content};
use os_shim::os::record::BorrowedFrameTransport;
use os_shim::shim::record::{RecordPort, RecordPortError};

use crate::net::{WINDOW, on_a_large_stack, secure_tcp, with_session};

const MIB: usize = 1 << 20;

/// Runs both sides, and notes which stages each went through.
pub(crate) fn run<C: ReliableStream, S: ReliableStream>(
    client: C,
    server: S,
    pass: impl FnMut(),
) -> [(Report, Vec<Stage>); 2] {
    let mut stages = [Vec::new(), Vec::new()];
    let passed = |role, stage| stages[usize::from(role == Role::Responder)].push(stage);
    let [client, server] = exercise::play(client, server, MIB, pass, passed).expect("it succeeds");
    let [near, far] = stages;
    [(client, near), (server, far)]
}

/// That both sides went through all of it, and met both kinds of back-pressure.
pub(crate) fn check([(near, near_stages), (far, far_stages)]: [(Report, Vec<Stage>); 2]) {
    let all = [Stage::Bytes, Stage::Streams, Stage::Records];
    assert_eq!((&near_stages[..], &far_stages[..]), (&all[..], &all[..]));
    // The records are a third on each of three channels, rounded up.
    assert_eq!((near.bytes, far.bytes), (3 * MIB as u64 + 2, 3 * MIB as u64 + 2));
    assert!(near.blocked_by_credit > 0, "the stalled reader held its own stream up: {near:?}");
    assert!(near.blocked_by_link > 0, "and the link all of them: {near:?}");
}

#[test]
fn the_systems_parts_move_three_megabytes_over_udp_sec_at_5_percent_loss() {
    for seed in 0..3 {
        on_a_large_stack(|| {
            with_session(seed, |world, client, server| {
                let reports = run(client, server, || world.pass());
                println!("seed {seed}: {reports:?}, {} datagrams lost, {:?}", world.lost(), world.now());
                assert!(world.lost() > 100, "{}", world.lost());
                check(reports);
            });
        });
    }
}

#[test]
fn the_systems_parts_move_three_megabytes_over_secure_tcp() {
    on_a_large_stack(|| {
        let pipe = Pipe::<WINDOW>::new();
        let (near, far) = secure_tcp(&pipe);
        // Nothing is ever due: what one writes, the other can read at once.
        check(run(near, far, || {}));
    });
}

#[test]
fn a_byte_that_differs_is_found() {
    let mut bytes: Vec<u8> = (0..1000).map(|at| content(1, at)).collect();
    bytes[777] ^= 1;
    assert_eq!(os_shim::exercise::compare(&bytes, 1, 0), Err(Failure::Content { at: 777 }));
    bytes[777] ^= 1;
    assert_eq!(os_shim::exercise::compare(&bytes, 1, 0), Ok(()));
    assert!(os_shim::exercise::compare(&bytes, 2, 0).is_err(), "another content");
    assert!(os_shim::exercise::compare(&bytes, 1, 1).is_err(), "another place");
}

/// Records as long as there can be, in the contract's capacities.
#[test]
fn a_megabyte_of_records_up_to_32_kib_arrives_at_5_percent_loss() {
    type Port<S> = RecordPort<S, 262_144, 65_536, 32_768>;
    const CHANNEL: u32 = 0xdead_beef;
    let sizes: Vec<usize> = [0, 1, 4, 1200, 4096, 16_384, 32_767, 32_768].repeat(13);
    assert!(sizes.iter().sum::<usize>() > MIB);
    let record =
        |index: usize| -> Vec<u8> { (0..sizes[index]).map(|at| content(index as u32, at)).collect() };
    on_a_large_stack(|| {
        with_session(9, |world, client, server| {
            let mut near = Port::new(client, Side::Initiator).expect("proven");
            let mut far = Port::new(server, Side::Responder).expect("proven");
            let (mut sent, mut received, mut blocked) = (0, 0, 0);
            while received < sizes.len() {
                if sent < sizes.len() {
                    match near.send_record(CHANNEL, &record(sent)) {
                        Ok(()) => sent += 1,
                        Err(RecordPortError::Record(RecordError::WouldBlock { .. })) => blocked += 1,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                assert_eq!(near.recv_record(), Ok(None));
                match far.recv_record().expect("the session goes on") {
                    Some(came) => {
                        assert_eq!((came.channel(), came.bytes()), (CHANNEL, &record(received)[..]));
                        received += 1;
                    }
                    None => world.pass(),
                }
            }
            assert!(blocked > 0);
            println!("{} records, {blocked} times blocked, {:?}", sizes.len(), world.now());
        });
    });
}
