//! A data logger (数采仪): builds HJ 212 frames by its own few lines, sends them over TCP as the
//! test wants them cut, and reads the answers. It shares no code with the daemon's codec, so the
//! two cannot agree on the same mistake.

use crate::wait::SOON;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Check code of HJ 212 (annex A of each edition): the register is shifted to the right eight
/// times a byte, the byte entering at the high half.
pub fn crc(segment: &[u8]) -> u16 {
    let mut register: u16 = 0xFFFF;
    for byte in segment {
        register = (register >> 8) ^ u16::from(*byte);
        for _ in 0..8 {
            let low = register & 1;
            register >>= 1;
            if low == 1 {
                register ^= 0xA001;
            }
        }
    }
    register
}

/// A data segment in its envelope, with the standard's check code.
pub fn envelope(segment: &str) -> String {
    format!(
        "##{:04}{segment}{:04X}\r\n",
        segment.len(),
        crc(segment.as_bytes())
    )
}

/// A frame to be.
#[derive(Debug, Clone)]
pub struct Frame {
    /// `QN`; left out when empty.
    pub qn: String,
    /// `ST`: 31 stack gas, 32 waste water.
    pub st: String,
    /// `CN`.
    pub cn: String,
    /// `PW`.
    pub pw: String,
    /// `MN`.
    pub mn: String,
    /// `Flag`; left out when `None` (2005).
    pub flag: Option<u8>,
    /// What stands in `CP`.
    pub cp: String,
}

impl Frame {
    /// A frame of 2017 that asks for an answer.
    pub fn new(mn: &str, cn: &str, cp: &str) -> Self {
        Self {
            qn: "20240601085857223".to_owned(),
            st: "31".to_owned(),
            cn: cn.to_owned(),
            pw: "123456".to_owned(),
            mn: mn.to_owned(),
            flag: Some(5),
            cp: cp.to_owned(),
        }
    }

    /// The whole frame.
    pub fn text(&self) -> String {
        let qn = if self.qn.is_empty() {
            String::new()
        } else {
            format!("QN={};", self.qn)
        };
        let flag = self
            .flag
            .map(|flag| format!("Flag={flag};"))
            .unwrap_or_default();
        let Self {
            st, cn, pw, mn, cp, ..
        } = self;
        envelope(&format!(
            "{qn}ST={st};CN={cn};PW={pw};MN={mn};{flag}CP=&&{cp}&&"
        ))
    }
}

/// A connection of a data logger.
#[derive(Debug)]
pub struct Logger {
    stream: TcpStream,
    received: Vec<u8>,
    answers: VecDeque<String>,
}

impl Logger {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        // Each write leaves as it is: tests cut frames where they want.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
            answers: VecDeque::new(),
        })
    }

    /// Our end of the connection, as the daemon's books name it.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// The next answer, waiting for it.
    ///
    /// # Panics
    /// When none comes, or the connection ends.
    pub async fn answer(&mut self) -> String {
        match self.answer_within(SOON).await {
            Ok(Some(answer)) => answer,
            other => panic!(
                "no answer, but {other:?}; received so far: {:?}",
                self.received
            ),
        }
    }

    /// The next answer, or `None` when the time passes without one.
    ///
    /// # Errors
    /// When the connection ends.
    pub async fn answer_within(&mut self, patience: Duration) -> io::Result<Option<String>> {
        let read = async {
            loop {
                if let Some(answer) = self.answers.pop_front() {
                    return Ok(answer);
                }
                self.read().await?;
            }
        };
        match timeout(patience, read).await {
            Ok(answer) => answer.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Waits until the daemon closes the connection; says what came before.
    ///
    /// # Panics
    /// When it stays open.
    pub async fn closed(&mut self, patience: Duration) -> Vec<String> {
        let read = async { while self.read().await.is_ok() {} };
        assert!(
            timeout(patience, read).await.is_ok(),
            "the connection stayed open"
        );
        self.answers.drain(..).collect()
    }

    async fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4_096];
        match self.stream.read(&mut buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                self.received.extend_from_slice(&buffer[..n]);
                self.cut();
                Ok(())
            }
        }
    }

    /// Moves whole answers out of what was received.
    fn cut(&mut self) {
        while let Some(end) = self.received.windows(2).position(|pair| pair == b"\r\n") {
            let rest = self.received.split_off(end + 2);
            let line = std::mem::replace(&mut self.received, rest);
            self.answers
                .push_back(String::from_utf8_lossy(&line).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The complete frame printed in annex A of HJ 212-2017.
    #[test]
    fn the_frame_of_annex_a_comes_out() {
        let frame = Frame {
            qn: "20160801085857223".to_owned(),
            st: "32".to_owned(),
            pw: "100000".to_owned(),
            ..Frame::new("010000A8900016F000169DC0", "1062", "RtdInterval=30")
        };
        assert_eq!(
            frame.text(),
            "##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;\
             Flag=5;CP=&&RtdInterval=30&&1C80\r\n"
        );
    }
}
