//! What a line is asked, and what can come of it.

use cems_protocols::modbus::{Answer, Block, Exception, Table};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::fmt;
use std::io;
use std::time::Duration;
use tokio_modbus::{ProtocolError, Request, Response};

/// Bytes of an RTU answer besides its data: unit, function, count of bytes, two of CRC.
const RTU_FRAME_BYTES: usize = 5;
/// Bytes of an RTU exception: unit, function, code, two of CRC.
pub(super) const RTU_EXCEPTION_BYTES: usize = 5;

/// One read of neighbouring registers or bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Unit (slave) address.
    pub unit: u8,
    /// What is read.
    pub table: Table,
    /// First address, from 0.
    pub start: u16,
    /// How many.
    pub count: u16,
}

impl Question {
    /// As the library takes it.
    pub(super) fn request(&self) -> Request<'static> {
        match self.table {
            Table::Coil => Request::ReadCoils(self.start, self.count),
            Table::Discrete => Request::ReadDiscreteInputs(self.start, self.count),
            Table::Holding => Request::ReadHoldingRegisters(self.start, self.count),
            Table::Input => Request::ReadInputRegisters(self.start, self.count),
        }
    }

    /// Bytes of data in a right answer.
    fn data_bytes(&self) -> usize {
        match self.table {
            Table::Coil | Table::Discrete => usize::from(self.count).div_ceil(8),
            Table::Holding | Table::Input => usize::from(self.count) * 2,
        }
    }

    /// Bytes of a right RTU answer.
    pub(super) fn rtu_answer_bytes(&self) -> usize {
        RTU_FRAME_BYTES + self.data_bytes()
    }

    /// An answer of the right table and length; the library checks that in development builds only,
    /// or not at all.
    pub(super) fn answer(&self, response: Response) -> Result<Answer, LineError> {
        let function = response.function_code().value();
        if function != self.table.function() {
            return Err(LineError::Foreign(format_smolstr!(
                "an answer to function {function}"
            )));
        }
        let wanted = usize::from(self.count);
        let (answer, got) = match response {
            Response::ReadCoils(mut bits) | Response::ReadDiscreteInputs(mut bits) => {
                // Bits come in whole bytes: up to seven more than asked are padding.
                if bits.len() == wanted.div_ceil(8) * 8 {
                    bits.truncate(wanted);
                }
                let got = bits.len();
                (Answer::Bits(bits), got)
            }
            Response::ReadHoldingRegisters(words) | Response::ReadInputRegisters(words) => {
                let got = words.len();
                (Answer::Registers(words), got)
            }
            _ => {
                return Err(LineError::Foreign(format_smolstr!(
                    "an answer to function {function}"
                )));
            }
        };
        if got != wanted {
            return Err(LineError::Length {
                wanted: self.count,
                got,
            });
        }
        Ok(answer)
    }

    /// The question for a block of a map.
    pub fn of_block(unit: u8, block: &Block) -> Self {
        Self {
            unit,
            table: block.table,
            start: block.start,
            count: block.count,
        }
    }
}

impl fmt::Display for Question {
    /// `unit:function:start+count`, the start in hexadecimal: `1:03:0000+10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{:02}:{:04x}+{}",
            self.unit,
            self.table.function(),
            self.start,
            self.count
        )
    }
}

/// Why a question got no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The wire could not be opened.
    #[error("cannot open {place}: {error}")]
    Open {
        /// `host:port` or device.
        place: SmolStr,
        /// What the system says.
        error: io::Error,
    },
    /// The wire is closed and is not opened again yet.
    #[error("{place} is closed and opened again in {wait_ms} ms; it failed: {cause}")]
    Closed {
        /// `host:port` or device.
        place: SmolStr,
        /// Until the next attempt, milliseconds.
        wait_ms: u128,
        /// The last failure.
        cause: SmolStr,
    },
    /// The unit is left alone until answers to earlier questions can no longer come.
    #[error("not asked for {wait_ms} ms: late answers to earlier questions may still come")]
    Held {
        /// How much longer, milliseconds.
        wait_ms: u128,
    },
    /// No answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The wire broke.
    #[error("the line broke: {0}")]
    Lost(io::Error),
    /// The line does not fall silent.
    #[error("{0}")]
    Babble(SmolStr),
    /// The device answered with a Modbus exception.
    #[error("the instrument refuses: exception {0}")]
    Refused(Exception),
    /// An answer of the wrong length.
    #[error("an answer of {got} values to a question for {wanted}")]
    Length {
        /// Values asked for.
        wanted: u16,
        /// Values that came.
        got: usize,
    },
    /// An answer to another question, or from another unit.
    #[error("an answer that belongs to another question: {0}")]
    Foreign(SmolStr),
    /// Bytes that are no answer, or an answer among other bytes.
    #[error("not an answer: {0}")]
    Disorder(SmolStr),
}

impl LineError {
    /// The device itself was there: it refused, or it answered wrongly. A gateway that says that
    /// its device does not answer (exceptions 10 and 11) is not the device.
    pub fn shows_life(&self) -> bool {
        match self {
            Self::Refused(exception) => !matches!(exception.0, 10 | 11),
            Self::Length { .. } | Self::Held { .. } => true,
            _ => false,
        }
    }

    /// The device asks to be asked again: it is busy, or has only taken notice.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Refused(exception) if exception.is_busy())
    }

    /// The line as a whole is down: no instrument on it can be asked.
    pub fn is_line_down(&self) -> bool {
        matches!(
            self,
            Self::Open { .. } | Self::Closed { .. } | Self::Lost(_) | Self::Babble(_)
        )
    }

    /// The answer of another, or damaged: asking again at once makes sense.
    pub fn is_mix_up(&self) -> bool {
        matches!(
            self,
            Self::Foreign(_) | Self::Disorder(_) | Self::Length { .. }
        )
    }
}

impl From<tokio_modbus::Error> for LineError {
    /// What the library's error means for the line.
    fn from(error: tokio_modbus::Error) -> Self {
        match error {
            tokio_modbus::Error::Protocol(ProtocolError::HeaderMismatch { message, .. }) => {
                Self::Foreign(message.into())
            }
            tokio_modbus::Error::Protocol(ProtocolError::FunctionCodeMismatch {
                result, ..
            }) => {
                let function = match &result {
                    Ok(response) => response.function_code(),
                    Err(exception) => exception.function,
                };
                Self::Foreign(format_smolstr!("an answer to function {function}"))
            }
            // A frame whose content is cut short ends the codec's reading, not the wire.
            tokio_modbus::Error::Transport(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Self::Disorder(error.to_smolstr())
            }
            tokio_modbus::Error::Transport(error) => Self::Lost(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTERS: Question = Question {
        unit: 1,
        table: Table::Holding,
        start: 16,
        count: 2,
    };

    #[test]
    fn an_answer_must_have_the_length_asked_for() {
        let right = REGISTERS.answer(Response::ReadHoldingRegisters(vec![1, 2]));
        assert_eq!(right.expect("right"), Answer::Registers(vec![1, 2]));
        for words in [vec![], vec![7], vec![1, 2, 3]] {
            let got = words.len();
            let error = REGISTERS.answer(Response::ReadHoldingRegisters(words));
            let error = error.expect_err("wrong length").to_string();
            assert_eq!(
                error,
                format!("an answer of {got} values to a question for 2")
            );
        }
        let other = REGISTERS.answer(Response::ReadInputRegisters(vec![1, 2]));
        assert!(matches!(other, Err(LineError::Foreign(_))), "{other:?}");
    }

    #[test]
    fn bits_come_padded_to_bytes() {
        let coils = Question {
            table: Table::Coil,
            count: 3,
            ..REGISTERS
        };
        let mut bits = vec![true, false, true, true, false, false, false, false];
        let answer = coils.answer(Response::ReadCoils(bits.clone()));
        let cut = Answer::Bits(vec![true, false, true]);
        assert_eq!(answer.expect("padding is cut"), cut);
        bits.extend([false; 8]);
        assert!(coils.answer(Response::ReadCoils(bits)).is_err());
        assert!(coils.answer(Response::ReadCoils(vec![true; 2])).is_err());
        assert_eq!(coils.rtu_answer_bytes(), 6);
    }

    #[test]
    fn questions_are_short_to_write() {
        assert_eq!(REGISTERS.to_string(), "1:03:0010+2");
    }

    #[test]
    fn a_gateway_that_speaks_for_its_device_is_no_sign_of_life() {
        for (code, life, busy) in [(2, true, false), (6, true, true), (11, false, false)] {
            let error = LineError::Refused(Exception(code));
            assert_eq!(
                (error.shows_life(), error.is_busy()),
                (life, busy),
                "{code}"
            );
        }
        assert!(!LineError::Timeout(Duration::from_secs(1)).shows_life());
    }
}
