//! Two stacks and the time between them.

use nexus_net_adapter::net::{
    NetError, NetInstant, NetSocketAddrV4, NetStack, TcpListener, TcpStream, UdpSocket,
};

/// Two stacks that reach each other, or one that reaches itself.
pub(crate) trait World {
    type Stack: NetStack;

    /// The stack that calls.
    fn near(&mut self) -> &mut Self::Stack;
    /// The stack that is called.
    fn far(&mut self) -> &mut Self::Stack;
    /// The address of the stack that is called.
    fn far_ip(&self) -> [u8; 4];
    /// The time of the last poll.
    fn now(&self) -> NetInstant;
    /// Lets a little time pass, and polls both.
    fn step(&mut self);
}

/// More steps than anything takes.
const PATIENCE: usize = 60_000;

pub(crate) type Udp<W> = <<W as World>::Stack as NetStack>::Udp;
pub(crate) type Listener<W> = <<W as World>::Stack as NetStack>::TcpListener;
pub(crate) type Called<W> = <Listener<W> as TcpListener>::Stream;
pub(crate) type Caller<W> = <<W as World>::Stack as NetStack>::TcpStream;

/// Steps until `attempt` does not ask to wait.
pub(crate) fn until<W: World, T>(
    world: &mut W,
    mut attempt: impl FnMut() -> Result<T, NetError>,
) -> Result<T, NetError> {
    for _ in 0..PATIENCE {
        match attempt() {
            Err(NetError::WouldBlock) => world.step(),
            outcome => return outcome,
        }
    }
    panic!("nothing happened in {PATIENCE} steps");
}

/// Any address of a stack, and any port.
pub(crate) const ANY: NetSocketAddrV4 = NetSocketAddrV4::new([0; 4], 0);

pub(crate) fn port(ip: [u8; 4], port: u16) -> NetSocketAddrV4 {
    NetSocketAddrV4::new(ip, port)
}

/// A socket at the far stack, and its address.
pub(crate) fn bound<W: World>(world: &mut W) -> (Udp<W>, NetSocketAddrV4) {
    let socket = world.far().udp_bind(ANY).expect("a free port");
    let address = port(world.far_ip(), socket.local_addr().port);
    (socket, address)
}

/// A listener at the far stack, and its address.
pub(crate) fn listening<W: World>(world: &mut W, backlog: usize) -> (Listener<W>, NetSocketAddrV4) {
    let listener = world.far().tcp_listen(ANY, backlog).expect("a free port");
    let address = port(world.far_ip(), listener.local_addr().port);
    (listener, address)
}

/// Both ends of a new connection, the caller's first.
pub(crate) fn connected<W: World>(world: &mut W, listener: &mut Listener<W>) -> (Caller<W>, Called<W>) {
    let address = port(world.far_ip(), listener.local_addr().port);
    let near = world.near().tcp_connect(address, None).expect("a way");
    let far = until(world, || listener.accept(None)).expect("a connection");
    (near, far)
}

/// Bytes that are not the same twice in any short distance.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// What has arrived of a transfer.
pub(crate) struct Transfer<'d> {
    data: &'d [u8],
    written: usize,
    read: usize,
}

impl<'d> Transfer<'d> {
    pub(crate) const fn of(data: &'d [u8]) -> Self {
        Self { data, written: 0, read: 0 }
    }

    /// Writes what is taken, and reads what is there, in pieces of at most `piece` bytes. Whether all has arrived.
    pub(crate) fn advance(
        &mut self,
        from: &mut impl TcpStream,
        to: &mut impl TcpStream,
        piece: usize,
    ) -> Result<bool, NetError> {
        let mut buf = vec![0; piece];
        let mut moved = true;
        while moved {
            moved = false;
            let end = self.data.len().min(self.written + piece);
            if self.written < end {
                match from.write(None, &self.data[self.written..end]) {
                    Ok(count) => {
                        assert!(count > 0, "a write that takes nothing says so");
                        self.written += count;
                        moved = true;
                    }
                    Err(NetError::WouldBlock) => {}
                    Err(why) => return Err(why),
                }
            }
            match to.read(None, &mut buf) {
                Ok(0) => panic!("the end after {} of {} bytes", self.read, self.data.len()),
                Ok(count) => {
                    assert_eq!(buf[..count], self.data[self.read..][..count], "at {}", self.read);
                    self.read += count;
                    moved = true;
                }
                Err(NetError::WouldBlock) => {}
                Err(why) => return Err(why),
            }
            if self.read == self.data.len() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
