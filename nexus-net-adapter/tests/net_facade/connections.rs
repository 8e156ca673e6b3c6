//! What every connection promises, whether a stack made it or a session stands in its place.

use nexus_net_adapter::net::{MAX_TCP_WRITE_BYTES, NetError, NetInstant, TcpStream};

use crate::world::{Called, Caller, Listener, Transfer, World, connected, listening, pattern};

/// Two ends of one connection, and the time that passes between them.
pub(crate) trait Connection {
    type Near: TcpStream;
    type Far: TcpStream;

    /// Both ends, connected.
    fn pair(&mut self) -> (Self::Near, Self::Far);
    /// The time that deadlines are measured by.
    fn now(&self) -> NetInstant;
    /// Lets a little time pass, and whatever is under way move.
    fn step(&mut self);
}

/// Connections of a stack.
pub(crate) struct Plain<W: World> {
    world: W,
    listener: Listener<W>,
}

impl<W: World> Plain<W> {
    pub(crate) fn of(mut world: W) -> Self {
        let (listener, _) = listening(&mut world, 1);
        Self { world, listener }
    }
}

impl<W: World> Connection for Plain<W> {
    type Near = Caller<W>;
    type Far = Called<W>;

    fn pair(&mut self) -> (Caller<W>, Called<W>) {
        let (mut near, far) = connected(&mut self.world, &mut self.listener);
        // Connected is who has said so: the caller may still wait for the answer.
        while near.write(None, &[]) == Err(NetError::WouldBlock) {
            self.world.step();
        }
        (near, far)
    }

    fn now(&self) -> NetInstant {
        self.world.now()
    }

    fn step(&mut self) {
        self.world.step();
    }
}

fn until<C: Connection, T>(
    connection: &mut C,
    mut attempt: impl FnMut() -> Result<T, NetError>,
) -> Result<T, NetError> {
    for _ in 0..60_000 {
        match attempt() {
            Err(NetError::WouldBlock) => connection.step(),
            outcome => return outcome,
        }
    }
    panic!("nothing happened");
}

pub(crate) fn bytes_cross_both_ways_at_once(connection: &mut impl Connection) {
    let (mut near, mut far) = connection.pair();
    let (questions, answers) = (pattern(200_000), pattern(150_000));
    let (mut there, mut back) = (Transfer::of(&questions), Transfer::of(&answers));
    loop {
        let there = there.advance(&mut near, &mut far, 7000).expect("connected");
        let back = back.advance(&mut far, &mut near, 16_384).expect("connected");
        if there && back {
            break;
        }
        connection.step();
    }
}

pub(crate) fn a_write_is_bounded(connection: &mut impl Connection) {
    let (mut near, _far) = connection.pair();
    let outcome = near.write(None, &[0; MAX_TCP_WRITE_BYTES + 1]);
    assert!(matches!(outcome, Err(NetError::InvalidInput(_))), "{outcome:?}");
    let taken = near.write(None, &[0; MAX_TCP_WRITE_BYTES]).expect("room for some of it");
    assert!((1..=MAX_TCP_WRITE_BYTES).contains(&taken));
}

pub(crate) fn deadlines(connection: &mut impl Connection) {
    let (mut near, mut far) = connection.pair();
    (0..10).for_each(|_| connection.step());
    let (late, early) = (connection.now() - 1, connection.now() + 1_000_000_000);
    let mut buf = [0; 9];
    assert_eq!(far.read(Some(late), &mut buf), Err(NetError::TimedOut));
    assert_eq!(far.read(Some(early), &mut buf), Err(NetError::WouldBlock));
    assert_eq!(far.read(None, &mut buf), Err(NetError::WouldBlock));
    assert_eq!(far.read(None, &mut []), Ok(0), "nothing asked, nothing given");

    near.write(Some(late), b"late").expect("there is room, however late");
    let read = until(connection, || match far.read(Some(late), &mut buf) {
        Err(NetError::TimedOut) => Err(NetError::WouldBlock),
        outcome => outcome,
    });
    assert_eq!(read, Ok(4));
}

pub(crate) fn a_reader_that_stops_stops_its_writer(connection: &mut impl Connection) {
    let (mut near, mut far) = connection.pair();
    let (mut written, mut idle) = (0_usize, 0);
    let chunk = pattern(10_000);
    // Full is what takes nothing for a while.
    while idle < 50 {
        match near.write(None, &chunk[written % 10_000..]) {
            Ok(count) => {
                written += count;
                idle = 0;
            }
            Err(why) => {
                assert_eq!(why, NetError::WouldBlock);
                idle += 1;
                connection.step();
            }
        }
        assert!(written < 64 << 20, "no bound in sight");
    }
    let late = connection.now() - 1;
    assert_eq!(near.write(Some(late), &chunk), Err(NetError::TimedOut));
    let mut buf = [0; 4096];
    let mut read = 0;
    while read < written {
        let count = until(connection, || {
            // What a session's owner does not call for does not move.
            near.write(None, &[])?;
            far.read(None, &mut buf)
        });
        let count = count.expect("connected");
        for byte in &buf[..count] {
            assert_eq!(*byte, chunk[read % 10_000]);
            read += 1;
        }
    }
    // And it goes on.
    until(connection, || near.write(None, &chunk)).expect("connected");
}

pub(crate) fn what_was_written_before_close_arrives(connection: &mut impl Connection) {
    let (mut near, mut far) = connection.pair();
    let data = pattern(5000);
    let mut written = 0;
    while written < data.len() {
        written += until(connection, || near.write(None, &data[written..])).expect("connected");
    }
    near.close();
    near.close();
    assert_eq!(near.write(None, &[0]), Err(NetError::Disconnected));
    assert_eq!(near.read(None, &mut [0]), Err(NetError::Disconnected));
    let mut buf = [0; 999];
    let mut read = Vec::new();
    loop {
        match until(connection, || far.read(None, &mut buf)).expect("in order") {
            0 => break,
            count => read.extend_from_slice(&buf[..count]),
        }
    }
    assert!(read == data);
    assert_eq!(far.read(None, &mut buf), Ok(0), "the end stays the end");
    far.close();
}

pub(crate) fn a_dropped_end_is_a_lost_connection(connection: &mut impl Connection) {
    let (mut near, far) = connection.pair();
    drop(far);
    assert_eq!(until(connection, || near.read(None, &mut [0; 9])), Err(NetError::Disconnected));
    assert_eq!(near.write(None, &[0]), Err(NetError::Disconnected));
}
