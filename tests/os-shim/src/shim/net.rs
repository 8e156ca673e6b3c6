//! The system's sockets facade and ours, one behind the other: calls are handed on, and only the types change.
//!
//! [`Inward`] makes the system's stack one that our endpoints run on; [`Outward`] makes what our endpoints offer
//! something that the system's services run on.

use nexus_net_adapter::net as ours;

use crate::os::net as os;

/// Something of the system's, for us.
#[derive(Debug)]
pub struct Inward<T>(pub T);

/// Something of ours, for the system.
#[derive(Debug)]
pub struct Outward<T>(pub T);

impl From<os::NetSocketAddrV4> for ours::NetSocketAddrV4 {
    fn from(address: os::NetSocketAddrV4) -> Self {
        Self::new(address.ip.0, address.port)
    }
}

impl From<ours::NetSocketAddrV4> for os::NetSocketAddrV4 {
    fn from(address: ours::NetSocketAddrV4) -> Self {
        Self::new(address.ip.0, address.port)
    }
}

impl From<os::NetError> for ours::NetError {
    fn from(error: os::NetError) -> Self {
        match error {
            os::NetError::Unsupported => Self::Unsupported,
            os::NetError::WouldBlock => Self::WouldBlock,
            os::NetError::TimedOut => Self::TimedOut,
            os::NetError::InvalidInput(what) => Self::InvalidInput(what),
            os::NetError::AddrInUse => Self::AddrInUse,
            os::NetError::NotConnected => Self::NotConnected,
            os::NetError::Disconnected => Self::Disconnected,
            os::NetError::NoBufs => Self::NoBufs,
            os::NetError::Internal(what) => Self::Internal(what),
        }
    }
}

impl From<ours::NetError> for os::NetError {
    fn from(error: ours::NetError) -> Self {
        match error {
            ours::NetError::Unsupported => Self::Unsupported,
            ours::NetError::WouldBlock => Self::WouldBlock,
            ours::NetError::TimedOut => Self::TimedOut,
            ours::NetError::InvalidInput(what) => Self::InvalidInput(what),
            ours::NetError::AddrInUse => Self::AddrInUse,
            ours::NetError::NotConnected => Self::NotConnected,
            ours::NetError::Disconnected => Self::Disconnected,
            ours::NetError::NoBufs => Self::NoBufs,
            ours::NetError::Internal(what) => Self::Internal(what),
        }
    }
}

impl<N: os::NetStack> ours::NetStack for Inward<N> {
    type Udp = Inward<N::Udp>;
    type TcpListener = Inward<N::TcpListener>;
    type TcpStream = Inward<N::TcpStream>;

    fn poll(&mut self, now: u64) {
        self.0.poll(now);
    }

    fn next_wake(&self) -> Option<u64> {
        self.0.next_wake()
    }

    fn udp_bind(&mut self, local: ours::NetSocketAddrV4) -> Result<Self::Udp, ours::NetError> {
        Ok(Inward(self.0.udp_bind(local.into())?))
    }

    fn tcp_listen(
        &mut self,
        local: ours::NetSocketAddrV4,
        backlog: usize,
    ) -> Result<Self::TcpListener, ours::NetError> {
        Ok(Inward(self.0.tcp_listen(local.into(), backlog)?))
    }

    fn tcp_connect(
        &mut self,
        remote: ours::NetSocketAddrV4,
        deadline: Option<u64>,
    ) -> Result<Self::TcpStream, ours::NetError> {
        Ok(Inward(self.0.tcp_connect(remote.into(), deadline)?))
    }
}

impl<U: os::UdpSocket> ours::UdpSocket for Inward<U> {
    fn local_addr(&self) -> ours::NetSocketAddrV4 {
        self.0.local_addr().into()
    }

    fn send_to(&mut self, buf: &[u8], remote: ours::NetSocketAddrV4) -> Result<usize, ours::NetError> {
        Ok(self.0.send_to(buf, remote.into())?)
    }

    fn recv_from(&mut self, buf: &mut [u8]) -> Result<(usize, ours::NetSocketAddrV4), ours::NetError> {
        let (len, from) = self.0.recv_from(buf)?;
        Ok((len, from.into()))
    }
}

impl<L: os::TcpListener> ours::TcpListener for Inward<L> {
    type Stream = Inward<L::Stream>;

    fn local_addr(&self) -> ours::NetSocketAddrV4 {
        self.0.local_addr().into()
    }

    fn accept(&mut self, deadline: Option<u64>) -> Result<Self::Stream, ours::NetError> {
        Ok(Inward(self.0.accept(deadline)?))
    }
}

impl<S: os::TcpStream> ours::TcpStream for Inward<S> {
    fn read(&mut self, deadline: Option<u64>, buf: &mut [u8]) -> Result<usize, ours::NetError> {
        Ok(self.0.read(deadline, buf)?)
    }

    fn write(&mut self, deadline: Option<u64>, buf: &[u8]) -> Result<usize, ours::NetError> {
        Ok(self.0.write(deadline, buf)?)
    }

    fn close(&mut self) {
        self.0.close();
    }
}

impl<L: ours::TcpListener> os::TcpListener for Outward<L> {
    type Stream = Outward<L::Stream>;

    fn local_addr(&self) -> os::NetSocketAddrV4 {
        self.0.local_addr().into()
    }

    fn accept(&mut self, deadline: Option<u64>) -> Result<Self::Stream, os::NetError> {
        Ok(Outward(self.0.accept(deadline)?))
    }
}

impl<S: ours::TcpStream> os::TcpStream for Outward<S> {
    fn read(&mut self, deadline: Option<u64>, buf: &mut [u8]) -> Result<usize, os::NetError> {
        Ok(self.0.read(deadline, buf)?)
    }

    fn write(&mut self, deadline: Option<u64>, buf: &[u8]) -> Result<usize, os::NetError> {
        Ok(self.0.write(deadline, buf)?)
    }

    fn close(&mut self) {
        self.0.close();
    }
}
