//! The other end of a line.

use cems_protocols::hj212::{
    self, Action, BuildOptions, Edition, Message, Request, RequestContext, Session, SessionConfig,
    Sm4Key,
};
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// A centre at the end of one connection.
pub(super) struct Centre {
    stream: DuplexStream,
    session: Session,
    came: VecDeque<Message>,
    pub(super) key: Option<Sm4Key>,
    qn: u32,
}

impl Centre {
    pub(super) fn new(stream: DuplexStream) -> Self {
        Self {
            stream,
            session: Session::new(SessionConfig::default()),
            came: VecDeque::new(),
            key: None,
            qn: 0,
        }
    }

    /// The next frame; `None` when the line is gone. Time runs on while it waits.
    pub(super) async fn next(&mut self) -> Option<Message> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.came.pop_front() {
                return Some(message);
            }
            let n = self.stream.read(&mut buffer).await.ok()?;
            if n == 0 {
                return None;
            }
            for action in self.session.on_bytes(0, &buffer[..n]) {
                match action {
                    Action::Frame(frame, _) => {
                        let message = hj212::parse_with_key(&frame, self.key.as_ref());
                        assert!(message.crc.is_known(), "{message:?}");
                        self.came.push_back(message);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// The next frame, which must come.
    pub(super) async fn frame(&mut self) -> Message {
        self.next().await.expect("the line stands")
    }

    /// Acknowledges a frame as the standard says.
    pub(super) async fn acknowledge(&mut self, message: &Message) {
        let answer = hj212::answer(message).expect("it wants an answer");
        self.write(&answer.bytes).await;
    }

    /// Acknowledges a frame with 9013, as some centres do.
    pub(super) async fn notice(&mut self, message: &Message) {
        let qn = message.header.qn.as_deref().expect("uploads have a QN");
        let segment = format!("QN={qn};ST=91;CN=9013;Flag=4;CP=&&&&");
        let crc = hj212::crc_hj212(segment.as_bytes());
        let frame = format!("##{:04}{segment}{crc:04X}\r\n", segment.len());
        self.write(frame.as_bytes()).await;
    }

    /// The next frame, acknowledged, as `CN DataTime`, with ` RF` when it is marked.
    pub(super) async fn take(&mut self) -> String {
        let message = self.frame().await;
        self.acknowledge(&message).await;
        shown(&message)
    }

    /// Sends a request under the password; gives its QN.
    pub(super) async fn order(
        &mut self,
        edition: Edition,
        password: &str,
        request: &Request,
    ) -> String {
        self.qn += 1;
        let qn = format!("20200331120000{:03}", self.qn);
        let context = RequestContext {
            qn: qn.as_str().into(),
            st: "31".into(),
            pw: password.into(),
            mn: "EXAMPLE0000001".into(),
        };
        let frame = request.build(edition, &context).expect("a request");
        let bytes = frame.build(&BuildOptions::default()).expect("a frame");
        self.write(&bytes).await;
        qn
    }

    /// Frames up to the answer that ends the exchange (9012, 9013, or a refusing 9011), as
    /// `CN` and the data area; uploads meanwhile are acknowledged.
    pub(super) async fn answers(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        loop {
            let message = self.frame().await;
            if message.header.wants_answer() {
                self.acknowledge(&message).await;
            }
            out.push(said(&message));
            let result = message.bare("QnRtn").map(|rtn| rtn == "1");
            match message.cn() {
                "9012" | "9013" => return out,
                "9011" if result == Some(false) => return out,
                _ => {}
            }
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the line stands");
    }
}

/// `CN DataTime[ RF]`.
pub(super) fn shown(message: &Message) -> String {
    let time = message.bare("DataTime").map_or("", |time| &time[8..12]);
    let rf = if message.header.rf { " RF" } else { "" };
    format!("{} {time}{rf}", message.cn())
}

/// `CN name=value ...`, without the number of the request.
fn said(message: &Message) -> String {
    let mut out = message.cn().to_owned();
    for item in &message.items {
        for (field, value) in &item.fields {
            let dash = if field.is_empty() { "" } else { "-" };
            if item.name != "QN" {
                out.push_str(&format!(" {}{dash}{field}={value}", item.name));
            }
        }
    }
    out
}
