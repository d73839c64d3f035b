//! A Modbus slave of raw bytes: every register says where it lives, and the script says what goes
//! wrong.

use crate::links::bus::{Dial, Opening, Wire};
use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep_until};

/// A request as it came: unit, function, start, count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Transaction number, TCP only.
    pub(super) transaction: u16,
    pub(super) unit: u8,
    pub(super) function: u8,
    pub(super) start: u16,
    pub(super) count: u16,
}

/// What goes back, and when, counted from the request.
pub(super) type Reply = Vec<(Duration, Vec<u8>)>;

/// What a slave does with a request.
pub(super) type Script = Arc<Mutex<dyn FnMut(Asked) -> Reply + Send>>;

/// What register `address` of `unit` holds: its own place, so that a value in the wrong place is
/// seen at once.
pub(super) fn word(unit: u8, address: u16) -> u16 {
    u16::from(unit) << 10 | (address & 0x3FF)
}

impl Asked {
    fn pdu(&self) -> Vec<u8> {
        let bytes = u8::try_from(self.count * 2).expect("tests ask for few");
        let words = (0..self.count).map(|n| word(self.unit, self.start + n));
        let mut pdu = vec![self.function, bytes];
        pdu.extend(words.flat_map(u16::to_be_bytes));
        pdu
    }

    /// The right RTU answer.
    pub(super) fn rtu(&self) -> Vec<u8> {
        frame(self.unit, &self.pdu())
    }

    /// The right TCP answer.
    pub(super) fn tcp(&self) -> Vec<u8> {
        tcp_frame(self.transaction, self.unit, &self.pdu())
    }
}

/// An RTU frame.
pub(super) fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(pdu);
    let crc = crc(&frame);
    frame.extend(crc.to_le_bytes());
    frame
}

/// A Modbus TCP frame.
pub(super) fn tcp_frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).expect("short");
    let mut frame = transaction.to_be_bytes().to_vec();
    frame.extend([0, 0]);
    frame.extend(length.to_be_bytes());
    frame.push(unit);
    frame.extend(pdu);
    frame
}

fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xA001
            } else {
                crc >> 1
            }
        })
    })
}

/// Answers at once and rightly.
pub(super) fn right(asked: Asked) -> Reply {
    vec![(Duration::from_millis(10), asked.rtu())]
}

/// A script from a function.
pub(super) fn script(f: impl FnMut(Asked) -> Reply + Send + 'static) -> Script {
    Arc::new(Mutex::new(f))
}

/// Serves one connection until the other end is dropped. Answers go out when their time comes,
/// whatever is asked meanwhile.
async fn serve(mut wire: DuplexStream, tcp: bool, script: Script) {
    let mut due: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut request = Vec::new();
    let length = if tcp { 12 } else { 8 };
    let mut chunk = [0; 64];
    loop {
        let next = due.front().map(|(at, _)| *at);
        let timer = async {
            match next {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = timer => {
                if let Some((_, bytes)) = due.pop_front()
                    && wire.write_all(&bytes).await.is_err()
                {
                    return;
                }
            }
            read = wire.read(&mut chunk) => {
                let Ok(count @ 1..) = read else { return };
                request.extend_from_slice(&chunk[..count]);
                while request.len() >= length {
                    let whole: Vec<u8> = request.drain(..length).collect();
                    let asked = read_request(&whole, tcp);
                    let reply = (script.lock().expect("no panic in scripts"))(asked);
                    let now = Instant::now();
                    due.extend(reply.into_iter().map(|(after, bytes)| (now + after, bytes)));
                    due.make_contiguous().sort_by_key(|(at, _)| *at);
                }
            }
        }
    }
}

fn read_request(bytes: &[u8], tcp: bool) -> Asked {
    let pair = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let at = if tcp { 6 } else { 0 };
    Asked {
        transaction: if tcp { pair(0) } else { 0 },
        unit: bytes[at],
        function: bytes[at + 1],
        start: pair(at + 2),
        count: pair(at + 4),
    }
}

/// The master's end of a line on which the script answers.
pub(super) fn wire(tcp: bool, script: Script) -> DuplexStream {
    let (ours, theirs) = duplex(4_096);
    tokio::spawn(serve(theirs, tcp, script));
    ours
}

/// Opens a new line to the script each time, or fails while the plug is out.
pub(super) struct ScriptDial {
    pub(super) tcp: bool,
    pub(super) script: Script,
    pub(super) unplugged: Arc<Mutex<bool>>,
    pub(super) opened: Arc<Mutex<u32>>,
    pub(super) character: Option<Duration>,
}

impl ScriptDial {
    pub(super) fn rtu(script: Script) -> Self {
        Self {
            tcp: false,
            script,
            unplugged: Arc::default(),
            opened: Arc::default(),
            character: None,
        }
    }

    pub(super) fn tcp(script: Script) -> Self {
        Self {
            tcp: true,
            ..Self::rtu(script)
        }
    }
}

impl Dial for ScriptDial {
    fn open(&mut self) -> Opening<'_> {
        let unplugged = *self.unplugged.lock().expect("plain");
        if unplugged {
            return Box::pin(async { Err(io::ErrorKind::NotFound.into()) });
        }
        *self.opened.lock().expect("plain") += 1;
        let wire = wire(self.tcp, Arc::clone(&self.script));
        Box::pin(async move { Ok(Box::new(wire) as Box<dyn Wire>) })
    }

    fn place(&self) -> String {
        "script".into()
    }

    fn character(&self) -> Option<Duration> {
        self.character
    }
}
