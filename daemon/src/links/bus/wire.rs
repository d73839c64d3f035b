//! How the wire of a bus is opened: a TCP connection or a serial port.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_serial::{DataBits, Parity, SerialPortBuilderExt, StopBits};

/// Both directions of an open wire.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug> Wire for T {}

/// An opening under way.
pub type Opening<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Wire>>> + Send + 'a>>;

/// Opens a wire, as often as it takes.
pub trait Dial: Send {
    /// Opens it. The caller limits the time.
    fn open(&mut self) -> Opening<'_>;

    /// Where it leads, for people: `host:port` or the device.
    fn place(&self) -> String;

    /// How long one character takes on the wire; `None` where that does not count (TCP).
    fn character(&self) -> Option<Duration> {
        None
    }
}

/// A TCP connection; the name is looked up anew at every opening.
#[derive(Debug, Clone)]
pub struct TcpDial {
    address: String,
}

impl TcpDial {
    /// To `host:port`.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
        }
    }
}

impl Dial for TcpDial {
    fn open(&mut self) -> Opening<'_> {
        Box::pin(async {
            let stream = TcpStream::connect(&self.address).await?;
            // A request is one small segment; waiting to fill a larger one only delays it.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Wire>)
        })
    }

    fn place(&self) -> String {
        self.address.clone()
    }
}

/// Settings of a serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialDial {
    /// The device; `/dev/serial/by-id/…` stays the same when adapters are plugged in another order.
    pub device: String,
    /// Bits per second.
    pub baud: u32,
    /// Data bits: 7 or 8.
    pub data_bits: DataBits,
    /// Parity.
    pub parity: Parity,
    /// Stop bits: 1 or 2.
    pub stop_bits: StopBits,
    /// Two-wire: the port itself switches its driver on while it sends.
    pub rs485: bool,
}

impl SerialDial {
    /// Tells the driver to switch the line while it sends. The setting stays with the port when it
    /// is closed, so it is made on a handle of its own before the port is opened for use.
    fn switch_to_rs485(&self) -> io::Result<()> {
        let port = serial2::SerialPort::open(&self.device, serial2::KeepSettings)?;
        let mode = serial2::rs4xx::Rs485Config::new();
        port.set_rs4xx_mode(mode).map_err(|error| {
            let advice = "the driver of this port cannot switch an RS-485 line: use an adapter \
                          that does it by itself and leave `rs485` out";
            io::Error::new(error.kind(), format!("{advice} ({error})"))
        })
    }

    /// Bits of one character: start, data, parity, stop.
    fn bits(&self) -> u32 {
        let parity = u32::from(self.parity != Parity::None);
        1 + u32::from(u8::from(self.data_bits)) + parity + u32::from(u8::from(self.stop_bits))
    }
}

impl Dial for SerialDial {
    fn open(&mut self) -> Opening<'_> {
        let builder = tokio_serial::new(&self.device, self.baud)
            .data_bits(self.data_bits)
            .parity(self.parity)
            .stop_bits(self.stop_bits);
        Box::pin(async move {
            if self.rs485 {
                self.switch_to_rs485()?;
            }
            // Opened exclusively (TIOCEXCL and flock): two masters on one line would take each
            // other's answers.
            let port = builder.open_native_async().map_err(io::Error::from)?;
            Ok(Box::new(port) as Box<dyn Wire>)
        })
    }

    fn place(&self) -> String {
        self.device.clone()
    }

    fn character(&self) -> Option<Duration> {
        let nanos = u64::from(self.bits()) * 1_000_000_000 / u64::from(self.baud.max(1));
        Some(Duration::from_nanos(nanos))
    }
}

/// The silence that ends an RTU frame (Modbus over serial line V1.02, 2.5.1.1): 3.5 characters, and
/// never less than 1.75 ms, the fixed figure for more than 19,200 bit/s.
pub(super) fn frame_gap(character: Option<Duration>) -> Duration {
    let fixed = Duration::from_micros(1_750);
    character.map_or(fixed, |one| (one * 7 / 2).max(fixed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(baud: u32, parity: Parity) -> SerialDial {
        SerialDial {
            device: "/dev/serial/by-id/usb-analyser".into(),
            baud,
            data_bits: DataBits::Eight,
            parity,
            stop_bits: StopBits::One,
            rs485: false,
        }
    }

    #[test]
    fn the_gap_between_frames_follows_the_speed() {
        // 11 bits at 9,600 bit/s: 1.146 ms a character, 4.01 ms for 3.5 of them.
        let even = port(9_600, Parity::Even);
        assert_eq!(frame_gap(even.character()).as_micros(), 4_010);
        let none = port(9_600, Parity::None);
        assert_eq!(frame_gap(none.character()).as_micros(), 3_645);
        assert_eq!(
            frame_gap(port(115_200, Parity::None).character()).as_micros(),
            1_750
        );
        assert_eq!(frame_gap(None).as_micros(), 1_750);
        assert!(port(0, Parity::None).character().is_some(), "no division");
    }

    #[tokio::test]
    async fn a_device_that_is_not_there_is_an_error_with_its_name_known() {
        let mut dial = port(9_600, Parity::None);
        let error = dial.open().await.expect_err("no such device");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(dial.place(), "/dev/serial/by-id/usb-analyser");
    }

    #[tokio::test]
    async fn a_port_that_cannot_switch_a_line_says_so_and_stays_closed() {
        // A pseudo terminal is opened like a serial port and knows nothing of RS-485.
        let (_master, slave) = tokio_serial::SerialStream::pair().expect("a pty");
        let device = tokio_serial::SerialPort::name(&slave).expect("it has a name");
        drop(slave);
        let mut dial = SerialDial {
            device,
            rs485: true,
            ..port(9_600, Parity::None)
        };
        let error = dial.open().await.expect_err("refused");
        assert!(error.to_string().contains("leave `rs485` out"), "{error}");
        dial.rs485 = false;
        let opened = dial.open().await;
        assert!(opened.is_ok(), "{opened:?}");
        let again = dial.open().await.expect_err("opened exclusively");
        assert!(again.to_string().contains("lock"), "{again}");
    }
}
