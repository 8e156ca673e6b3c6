//! The serial line: an NS16550 at a known place, set up by OpenSBI already. Markers and reports go here.

use core::fmt;

const BASE: usize = 0x1000_0000;
/// Transmit holding register, and the line status register with its bit for "there is room".
const DATA: *mut u8 = BASE as *mut u8;
const STATUS: *const u8 = (BASE + 5) as *const u8;
const ROOM: u8 = 1 << 5;

/// The serial line, for `write!`.
pub struct Uart;

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the registers of the UART of this machine.
            unsafe {
                while STATUS.read_volatile() & ROOM == 0 {}
                DATA.write_volatile(byte);
            }
        }
        Ok(())
    }
}

/// Writes a line to the serial line, where the runs are judged by it.
#[macro_export]
macro_rules! say {
    ($($arguments:tt)*) => {{
        use core::fmt::Write;
        // Writing to the serial line cannot fail.
        _ = writeln!($crate::platform::uart::Uart, $($arguments)*);
    }};
}
