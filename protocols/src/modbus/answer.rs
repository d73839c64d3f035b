//! Requests and answers as protocol data units: function code and what follows it, without
//! address, checksum or TCP header.

use super::{Block, Table};

/// What a device answered, proved to be of the length asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Of a register table, as many as asked for.
    Registers(Vec<u16>),
    /// Of a bit table, as many as asked for.
    Bits(Vec<bool>),
}

/// Why an answer was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The device refused.
    #[error("the device answered exception {0}")]
    Exception(Exception),
    /// The answer is to another function.
    #[error("function {got} in an answer to function {asked}; it belongs to another request")]
    Function {
        /// Function asked.
        asked: u8,
        /// Function answered.
        got: u8,
    },
    /// Fewer or more entries than asked for: a damaged answer, or one to another request.
    #[error("{got} entries in an answer to {asked}; it may belong to another request")]
    Length {
        /// Registers or bits asked for.
        asked: u16,
        /// What came; of bits, rounded up to whole bytes.
        got: usize,
    },
    /// The byte count within the answer does not agree with its length, or there is none.
    #[error("the byte count of the answer does not agree with its {0} bytes")]
    ByteCount(usize),
    /// Registers for bits or bits for registers.
    #[error("an answer of bits to a request for registers, or the reverse")]
    Table,
}

/// Exception code of a Modbus answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception(pub u8);

impl Exception {
    /// The device works on something long (5) or is busy (6): the same request may succeed soon.
    pub fn is_busy(self) -> bool {
        matches!(self.0, 5 | 6)
    }
}

impl std::fmt::Display for Exception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = match self.0 {
            1 => "function not known",
            2 => "no such address",
            3 => "value not allowed",
            4 => "device failure",
            5 => "acknowledged, still working",
            6 => "busy",
            8 => "memory parity error",
            10 => "gateway has no path",
            11 => "gateway: target did not answer",
            _ => "not in the standard",
        };
        write!(f, "{} ({said})", self.0)
    }
}

/// The request for a block.
pub fn request(block: &Block) -> [u8; 5] {
    let [start_high, start_low] = block.start.to_be_bytes();
    let [count_high, count_low] = block.count.to_be_bytes();
    [
        block.table.function(),
        start_high,
        start_low,
        count_high,
        count_low,
    ]
}

/// What a device answered to the request for a block.
///
/// # Errors
/// The device refused, or the answer is not exactly what was asked for in function and length.
pub fn check_answer(block: &Block, pdu: &[u8]) -> Result<Answer, AnswerError> {
    let asked = block.table.function();
    let Some((&got, rest)) = pdu.split_first() else {
        return Err(AnswerError::ByteCount(0));
    };
    if got == asked | 0x80 {
        return Err(match rest {
            [code] => AnswerError::Exception(Exception(*code)),
            _ => AnswerError::ByteCount(pdu.len()),
        });
    }
    if got != asked {
        return Err(AnswerError::Function { asked, got });
    }
    let Some((&declared, bytes)) = rest.split_first() else {
        return Err(AnswerError::ByteCount(pdu.len()));
    };
    if usize::from(declared) != bytes.len() {
        return Err(AnswerError::ByteCount(pdu.len()));
    }
    let wrong = |got| AnswerError::Length {
        asked: block.count,
        got,
    };
    if block.table.is_bits() {
        if bytes.len() != usize::from(block.count.div_ceil(8)) {
            return Err(wrong(bytes.len() * 8));
        }
        let bits = bytes
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        return Ok(Answer::Bits(bits.take(usize::from(block.count)).collect()));
    }
    if bytes.len() != usize::from(block.count) * 2 {
        return Err(wrong(bytes.len() / 2));
    }
    let words = bytes.as_chunks::<2>().0;
    Ok(Answer::Registers(
        words.iter().map(|pair| u16::from_be_bytes(*pair)).collect(),
    ))
}

impl Answer {
    /// Checks an answer that somebody else took apart: of the right table and of exactly the
    /// length asked for.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self, block: &Block) -> Result<(), AnswerError> {
        let (bits, got) = match self {
            Self::Registers(words) => (false, words.len()),
            Self::Bits(bits) => (true, bits.len()),
        };
        if bits != block.table.is_bits() {
            return Err(AnswerError::Table);
        }
        if got != usize::from(block.count) {
            return Err(AnswerError::Length {
                asked: block.count,
                got,
            });
        }
        Ok(())
    }
}

impl Table {
    /// Entries one answer can hold (Modbus application protocol 1.1b3, 6.1 to 6.4).
    pub fn max_entries(self) -> u16 {
        if self.is_bits() { 2_000 } else { 125 }
    }
}
