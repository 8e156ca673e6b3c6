//! Sessions over the facade: udp-sec and secure TCP over any stack, and in the place of its connections.
//!
//! Both ends run in one thread: no call waits, and time passes in [`Lab::step`] alone.

use std::cell::Cell;

use chacha20::ChaCha20Rng;
use nexus_net_adapter::net::{
    NetError, NetInstant, NetSocketAddr, NetSocketAddrV4, NetStack, PolledStack, Secured, StackBytes,
    StackDatagrams, TcpListener, TickRate, Ticker, UdpSocket,
};
use nexus_net_adapter::stream::{ReliableStream, StreamError};
use nexus_net_adapter::tcp::{Config as TcpConfig, Memory, SecureTcpStream};
use nexus_net_adapter::udp::{Driver, UdpSecEndpoint, UdpSecStream};
use rand_core::SeedableRng;
use udp_sec::handshake::identity::AllowList;
use udp_sec::handshake::params::{ApplicationProtocol, Parameters};
use udp_sec::keys::StaticKeypair;
use udp_sec::time::{Duration, Instant};
use udp_sec_recovery::connection::Path;
use udp_sec_recovery::endpoint::{Config, Endpoint, InlinePool};
use udp_sec_recovery::memory::Small;

use crate::connections::Connection;
use crate::world::{ANY, pattern};

/// Do not wait.
const NOW: Instant = Instant::ZERO;

/// Time that stands still until the lab lets it pass.
#[derive(Debug, Default)]
pub(crate) struct Virtual {
    ticks: Cell<NetInstant>,
}

impl Ticker for Virtual {
    fn now(&self) -> NetInstant {
        self.ticks.get()
    }

    fn sleep(&self, until: NetInstant) {
        self.ticks.set(self.ticks.get().max(until));
    }
}

type Time = &'static dyn Ticker;
pub(crate) type Polled<N> = PolledStack<N, Time>;
type Socket<N, U, A> = StackDatagrams<'static, N, Time, U, A>;
type Pool = InlinePool<Small, 2>;
type Peers = AllowList<2>;
pub(crate) type UdpSec<N, U, A> =
    UdpSecEndpoint<Socket<N, U, A>, ChaCha20Rng, Pool, Peers, &'static Polled<N>, 2, 2>;
type UdpSecSession<N, U, A> =
    UdpSecStream<'static, Socket<N, U, A>, ChaCha20Rng, Pool, Peers, &'static Polled<N>, 2, 2>;
type TcpSession<N, S> = SecureTcpStream<StackBytes<'static, N, Time, S>, Vec<u8>>;
type Calling<N> = TcpSession<N, <N as NetStack>::TcpStream>;
type Called<N> = TcpSession<N, <<N as NetStack>::TcpListener as TcpListener>::Stream>;

pub(crate) fn keys(seed: u8) -> StaticKeypair {
    StaticKeypair::from_secret([seed; 32])
}

fn application() -> ApplicationProtocol {
    ApplicationProtocol::new(b"test/1").expect("short")
}

fn allow(seed: u8) -> AllowList<2> {
    let mut peers = AllowList::new();
    peers.add(*keys(seed).public()).expect("room");
    peers
}

/// Two polled stacks, their clock, and when something arrives between them.
pub(crate) struct Lab<N: NetStack + 'static, M: NetStack + 'static = N> {
    clock: Time,
    near: &'static Polled<N>,
    far: &'static Polled<M>,
    next_arrival: Box<dyn Fn() -> Option<Instant>>,
}

impl<N: NetStack, M: NetStack> Lab<N, M> {
    /// Both stacks count microseconds, of time that stands still until it is stepped.
    pub(crate) fn new(near: N, far: M, next_arrival: impl Fn() -> Option<Instant> + 'static) -> Self {
        Self::by(Box::leak(Box::<Virtual>::default()), near, far, next_arrival)
    }

    /// The same by another clock.
    pub(crate) fn by(
        clock: Time,
        near: N,
        far: M,
        next_arrival: impl Fn() -> Option<Instant> + 'static,
    ) -> Self {
        // Sessions of a test may live as long as they like.
        let near = Box::leak(Box::new(PolledStack::new(near, clock, TickRate::MICROS)));
        let far = Box::leak(Box::new(PolledStack::new(far, clock, TickRate::MICROS)));
        Self { clock, near, far, next_arrival: Box::new(next_arrival) }
    }

    pub(crate) const fn near(&self) -> &'static Polled<N> {
        self.near
    }

    pub(crate) const fn far(&self) -> &'static Polled<M> {
        self.far
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(self.clock.now())
    }

    /// To what is due first, a millisecond on at the latest: sessions have timers that no stack knows.
    pub(crate) fn step(&self) {
        let arrival = (self.next_arrival)().map(Instant::as_micros);
        let wakes = [self.near.look(NetStack::next_wake), self.far.look(NetStack::next_wake)];
        let now = self.clock.now();
        let due = wakes.into_iter().chain([arrival]).flatten().min().unwrap_or(u64::MAX);
        self.clock.sleep(due.clamp(now, now + 1000));
        self.near.poll();
        self.far.poll();
    }

    /// An endpoint with key `seed` at the socket that `open` opens, which lets `peer` in.
    pub(crate) fn udp_sec<S: NetStack, U: UdpSocket<A>, A: NetSocketAddr>(
        stack: &'static Polled<S>,
        open: impl FnOnce(&mut S) -> Result<U, NetError>,
        seed: u8,
        peer: u8,
    ) -> (&'static UdpSec<S, U, A>, A) {
        let socket = StackDatagrams::new(stack, stack.open(open).expect("a free port"));
        let local = socket.local_addr();
        let config = Config::new(keys(seed), Parameters::new(application(), 0));
        let endpoint = Endpoint::new(config, Box::default(), Pool::new(), allow(peer));
        let rng = ChaCha20Rng::seed_from_u64(u64::from(seed));
        (Box::leak(Box::new(UdpSecEndpoint::new(Driver::new(endpoint, socket, rng), stack))), local)
    }

    /// The stream to the holder of key 2 at `remote`, before its handshake.
    pub(crate) fn call<U: UdpSocket<A>, A: NetSocketAddr>(
        &self,
        caller: &'static UdpSec<N, U, A>,
        remote: A,
    ) -> UdpSecSession<N, U, A> {
        caller.connect(Path::to(remote.into()), keys(2).public()).expect("room")
    }

    /// A udp-sec session between the sockets that are opened; `far_at` makes the address of the far one.
    pub(crate) fn udp_sec_session<U: UdpSocket<A>, V: UdpSocket<A>, A: NetSocketAddr>(
        &self,
        open_near: impl FnOnce(&mut N) -> Result<U, NetError>,
        open_far: impl FnOnce(&mut M) -> Result<V, NetError>,
        far_at: impl FnOnce(A) -> A,
    ) -> (UdpSecSession<N, U, A>, UdpSecSession<M, V, A>) {
        let (caller, _) = Self::udp_sec(self.near, open_near, 1, 2);
        let (called, local) = Self::udp_sec(self.far, open_far, 2, 1);
        let near = self.call(caller, far_at(local));
        loop {
            caller.drive();
            match called.accept(NOW) {
                Ok(far) => return (near, far),
                Err(why) => assert_eq!(why, StreamError::WouldBlock),
            }
            assert!(self.now() < seconds(30), "no session");
            self.step();
        }
    }

    /// A session over a connection to `far_ip`.
    pub(crate) fn tcp_session(&self, far_ip: [u8; 4]) -> (Calling<N>, Called<M>) {
        let mut listener = self.far.open(|stack| stack.tcp_listen(ANY, 1)).expect("a free port");
        let address = NetSocketAddrV4::new(far_ip, listener.local_addr().port);
        let [ours, theirs] = [1, 2].map(|seed| TcpConfig::new(keys(seed), Parameters::new(application(), 0)));
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let near = self.near.connect(address, self.now() + Duration::from_secs(30)).expect("a way");
        let peer = *theirs.keypair.public();
        let mut near = SecureTcpStream::connect(near, memory(), &ours, &peer, &mut rng).expect("entropy");
        let far = loop {
            assert_eq!(near.established(NOW).err(), Some(StreamError::WouldBlock));
            match self.far.accept(&mut listener, NOW) {
                Ok(far) => break far,
                Err(why) => assert_eq!(why, NetError::TimedOut),
            }
            self.step();
        };
        let mut far = SecureTcpStream::accept(far, memory(), &theirs);
        while near.established(NOW).is_err() || far.established(NOW).is_err() {
            _ = far.answer(&theirs, &allow(1), &mut rng, NOW);
            assert!(self.now() < seconds(30), "no session");
            self.step();
        }
        (near, far)
    }

    /// Moves `len` bytes from one end to the other, ends the session in order, and tells how long that took.
    pub(crate) fn transfer(
        &self,
        near: &mut impl ReliableStream,
        far: &mut impl ReliableStream,
        len: usize,
    ) -> Duration {
        let data = pattern(len);
        let begun = self.now();
        let (mut written, mut read, mut buf) = (0, 0, vec![0; 1 << 14]);
        while read < len {
            written += near.write(&data[written..], NOW).or_else(waiting).expect("open");
            let count = far.read(&mut buf, NOW).or_else(waiting).expect("open");
            assert_eq!(buf[..count], data[read..][..count], "at {read}");
            read += count;
            if count == 0 {
                self.step();
            }
            assert!(self.now() < begun + Duration::from_secs(600), "{read} bytes so far");
        }
        let took = self.now().saturating_since(begun);
        near.finish().expect("open");
        while far.read(&mut buf, NOW) != Ok(0) {
            _ = near.read(&mut buf, NOW);
            self.step();
        }
        far.finish().expect("open");
        while near.read(&mut buf, NOW) != Ok(0) {
            _ = far.read(&mut buf, NOW);
            self.step();
        }
        took
    }
}

fn seconds(count: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(count)
}

fn waiting(why: StreamError) -> Result<usize, StreamError> {
    if why == StreamError::WouldBlock { Ok(0) } else { Err(why) }
}

fn memory() -> Memory<Vec<u8>> {
    Memory::new(vec![0; 1 << 16], vec![0; 1 << 16]).expect("enough")
}

/// Sessions in the place of connections: the suite of connections runs over them.
pub(crate) struct Sessions<N: NetStack + 'static, O> {
    lab: Lab<N>,
    open: O,
}

impl<N: NetStack, O> Sessions<N, O> {
    pub(crate) const fn of(lab: Lab<N>, open: O) -> Self {
        Self { lab, open }
    }
}

impl<N, O, S, F> Connection for Sessions<N, O>
where
    N: NetStack,
    O: Fn(&Lab<N>) -> (S, F),
    S: ReliableStream,
    F: ReliableStream,
{
    type Near = Secured<S>;
    type Far = Secured<F>;

    fn pair(&mut self) -> (Secured<S>, Secured<F>) {
        let (near, far) = (self.open)(&self.lab);
        (Secured::new(near, TickRate::MICROS), Secured::new(far, TickRate::MICROS))
    }

    fn now(&self) -> NetInstant {
        self.lab.now().as_micros()
    }

    fn step(&mut self) {
        self.lab.step();
    }
}
