//! `std::io` over a [`BlockingIo`].

use std::io::{Read, Result, Write};

use super::BlockingIo;
use crate::stream::ReliableStream;

impl<S: ReliableStream> Read for BlockingIo<S> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let deadline = self.deadline();
        Ok(self.stream.read(buf, deadline)?)
    }
}

impl<S: ReliableStream> Write for BlockingIo<S> {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        let deadline = self.deadline();
        Ok(self.stream.write(buf, deadline)?)
    }

    /// Does nothing, as at a TCP stream: bytes leave without being asked to. To wait until they have arrived, see
    /// [`Interest::Delivered`](crate::stream::Interest::Delivered).
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
