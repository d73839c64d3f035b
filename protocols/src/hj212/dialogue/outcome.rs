//! How an exchange goes on and ends, with the words of the standard for the numbers in it.

/// A step of an exchange before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The request went out.
    Sent,
    /// It went out again: no answer within the time-out.
    SentAgain,
    /// 9011 with QnRtn=1.
    Accepted,
    /// Data that belong to it have come.
    Data,
}

impl Progress {
    /// Stable code, as in records of exchanges.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::SentAgain => "sent-again",
            Self::Accepted => "accepted",
            Self::Data => "data",
        }
    }
}

/// What did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Any answer, after all retries.
    Answer,
    /// Data or the result of execution, after the request was accepted.
    Execution,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Executed: 9012 with ExeRtn=1, 9013 for a notice, or data without either (`None`).
    Done {
        /// `ExeRtn` as sent.
        exe_rtn: Option<u32>,
    },
    /// 9011 with another `QnRtn` than 1.
    Refused {
        /// `QnRtn` as sent.
        qn_rtn: u32,
    },
    /// 9012 with another `ExeRtn` than 1.
    Failed {
        /// `ExeRtn` as sent; 100 says that there are no data.
        exe_rtn: u32,
    },
    /// Nothing came in time.
    TimedOut(Waited),
    /// The connection ended.
    Disconnected {
        /// The request had been sent: whether it was executed is not known.
        sent: bool,
    },
    /// The request cannot be said in the edition of the device.
    Unsayable,
    /// Taken back before it was sent.
    Withdrawn,
}

impl Outcome {
    /// Stable code, as in records of exchanges: `done`, `refused`, `failed`, `timed-out`,
    /// `cancelled`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::TimedOut(_) | Self::Disconnected { sent: true } => "timed-out",
            Self::Disconnected { sent: false } | Self::Unsayable | Self::Withdrawn => "cancelled",
        }
    }

    /// What happened, in Chinese.
    #[must_use]
    pub fn text_zh(self) -> &'static str {
        match self {
            Self::Done { .. } => "执行成功",
            Self::Refused { qn_rtn } => qn_rtn_text(qn_rtn).0,
            Self::Failed { exe_rtn } => exe_rtn_text(exe_rtn).0,
            Self::TimedOut(Waited::Answer) => "设备无应答",
            Self::TimedOut(Waited::Execution) => "设备已接受请求，但未返回执行结果",
            Self::Disconnected { sent: true } => "连接中断，执行结果未知",
            Self::Disconnected { sent: false } => "发送前连接中断",
            Self::Unsayable => "设备所用标准版本没有此命令或参数越界",
            Self::Withdrawn => "发送前已撤销",
        }
    }

    /// What happened, in English.
    #[must_use]
    pub fn text_en(self) -> &'static str {
        match self {
            Self::Done { .. } => "executed",
            Self::Refused { qn_rtn } => qn_rtn_text(qn_rtn).1,
            Self::Failed { exe_rtn } => exe_rtn_text(exe_rtn).1,
            Self::TimedOut(Waited::Answer) => "the device does not answer",
            Self::TimedOut(Waited::Execution) => "accepted, but no result came",
            Self::Disconnected { sent: true } => "the connection ended; the result is not known",
            Self::Disconnected { sent: false } => "the connection ended before it was sent",
            Self::Unsayable => "the edition of the device has no such command or parameter",
            Self::Withdrawn => "taken back before it was sent",
        }
    }
}

/// Meaning of a `QnRtn` (请求命令返回表), Chinese and English.
#[must_use]
pub fn qn_rtn_text(qn_rtn: u32) -> (&'static str, &'static str) {
    match qn_rtn {
        1 => ("准备执行请求", "ready to execute"),
        2 => ("请求被拒绝", "refused"),
        3 => ("密码错误", "wrong password (PW)"),
        4 => ("设备唯一标识错误", "wrong device number (MN)"),
        5 => ("系统编码错误", "wrong system code (ST)"),
        6 => ("拆分包及应答标志错误", "wrong Flag"),
        7 => ("请求编码错误", "wrong request number (QN)"),
        8 => ("命令编码错误", "unknown command (CN)"),
        9 => ("CRC 校验错误", "wrong check code"),
        100 => ("未知错误", "unknown error"),
        _ => ("标准以外的返回值", "a return value outside the standard"),
    }
}

/// Meaning of an `ExeRtn` (执行结果定义表), Chinese and English.
#[must_use]
pub fn exe_rtn_text(exe_rtn: u32) -> (&'static str, &'static str) {
    match exe_rtn {
        1 => ("执行成功", "executed"),
        2 => ("执行失败，原因未知", "failed, reason unknown"),
        3 => ("命令请求条件错误", "conditions of the request are wrong"),
        4 => ("通讯超时", "communication timed out"),
        5 => ("系统繁忙不能执行", "busy"),
        6 => ("系统故障", "system fault"),
        100 => ("没有数据", "no data"),
        _ => ("标准以外的返回值", "a return value outside the standard"),
    }
}
