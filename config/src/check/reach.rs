//! How other programs are reached: addresses, log-ins, certificates, brokers. Channels of messages
//! and destinations of data say it alike.

use super::host_port;
use super::secret::{KEY, PASSWORD, pem, secret};
use crate::report::{At, Report, Say, say};
use crate::section::Section;
use crate::settings::{Broker, Login, Secret};
use crate::source::Loader;
use smol_str::SmolStr;

/// Longest topic prefix, bytes: room for what comes behind it in a topic.
const PREFIX_BYTES_MAX: usize = 100;
/// Longest client identity every broker takes (MQTT 3.1.1, 3.1.3.1).
const CLIENT_ID_BYTES_MAX: usize = 23;
/// Longest address, bytes.
const URL_BYTES_MAX: usize = 2_000;

/// An MQTT broker; `us` is who we are there when nothing is said.
pub(super) fn broker(
    s: &Section<'_>,
    us: &str,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Broker> {
    let server = server(
        s,
        say!(
            "such as \"broker.example:8883\"",
            "如 \"broker.example:8883\""
        ),
        r,
    );
    let tls = s.boolean(r, "tls").is_none_or(|got| got.value);
    let login = login(s, loader, r);
    if let Some((_, at)) = &login
        && !tls
    {
        clear_password(*at, r);
    }
    let client_id = s.text(r, "client_id");
    if let Some(got) = &client_id
        && (got.value.len() > CLIENT_ID_BYTES_MAX
            || !got.value.bytes().all(|b| b.is_ascii_graphic()))
    {
        r.error(
            got.at,
            say!(
                "`client_id` is too long or has other characters",
                "`client_id` 过长或含其他字符"
            ),
            say!(
                "at most {CLIENT_ID_BYTES_MAX} ASCII characters without blanks",
                "最多 {CLIENT_ID_BYTES_MAX} 个 ASCII 字符，不含空格"
            ),
        );
    }
    Some(Broker {
        server: server?,
        tls,
        client_id: client_id.map_or(SmolStr::new(us), |got| SmolStr::new(got.value)),
        prefix: prefix(s, r),
        login: login.map(|(login, _)| login),
        ca: pem(s, "ca_file", loader, r),
        certificate: certificate(s, loader, r),
    })
}

fn prefix(s: &Section<'_>, r: &mut Report) -> SmolStr {
    let Some(got) = s.text(r, "prefix") else {
        return SmolStr::new_static("cems");
    };
    let text = &got.value;
    let fine = text.len() <= PREFIX_BYTES_MAX
        && text.split('/').all(|level| !level.is_empty())
        && !text.contains(['+', '#', '\0'])
        && !text.starts_with('$');
    if !fine {
        r.error(
            got.at,
            say!("not a topic: {text}", "不是主题名：{text}"),
            say!(
                "such as \"city/cems\": no + or #, no slash at either end, at most \
                 {PREFIX_BYTES_MAX} bytes",
                "如 \"city/cems\"：不含 + 和 #，首尾没有斜线，最多 {PREFIX_BYTES_MAX} 字节"
            ),
        );
    }
    SmolStr::new(text)
}

/// The certificate of ours, and its key: both or none.
fn certificate(
    s: &Section<'_>,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<(String, Secret<String>)> {
    let at = s.item("certificate_file").map(|item| item.at);
    let chain = pem(s, "certificate_file", loader, r);
    let key = secret(s, KEY, loader, r);
    match (at, &key) {
        (Some(at), None) if s.item("key_file").is_none() && s.item("key_env").is_none() => r.error(
            at,
            say!("a certificate without its key", "只有证书，没有私钥"),
            say!("name `key_file`", "请填写 `key_file`"),
        ),
        (None, Some(key)) => r.error(
            key.at,
            say!("a key without its certificate", "只有私钥，没有证书"),
            say!("name `certificate_file`", "请填写 `certificate_file`"),
        ),
        _ => {}
    }
    Some((chain?, key?.value))
}

/// An address on the web; it is not repeated, it may be a secret. `what` goes there: English and
/// Chinese noun.
pub(super) fn address(url: &str, at: At, what: (&str, &str), r: &mut Report) {
    let (clear, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => (false, ""),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let fine = !host.is_empty()
        && !host.contains('@')
        && url.len() <= URL_BYTES_MAX
        && url.bytes().all(|b| b.is_ascii_graphic())
        && !url.contains('#');
    if !fine {
        r.error(
            at,
            say!("not an address on the web", "不是网址"),
            say!(
                "https://host/path, without a name and password in it",
                "写作 https://主机/路径，不含用户名和密码"
            ),
        );
        return;
    }
    let here = ["127.0.0.1", "[::1]", "localhost"]
        .iter()
        .any(|own| host == *own || host.strip_prefix(own).is_some_and(|p| p.starts_with(':')));
    if clear && !here {
        let (en, zh) = what;
        r.warn(
            at,
            say!("{en} go there in clear text", "{zh}将以明文发送"),
            say!("use https", "请使用 https"),
        );
    }
}

/// `host:port` under `server`.
pub(super) fn server(s: &Section<'_>, hint: Say, r: &mut Report) -> Option<SmolStr> {
    let got = s.need_text(r, "server", hint.clone())?;
    Some(host_port(&got, hint, r))
}

/// Name and password: both or none.
pub(super) fn login(
    s: &Section<'_>,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<(Login, At)> {
    let username = s.text(r, "username");
    let password = secret(s, PASSWORD, loader, r);
    let named = s.item("password_file").or_else(|| s.item("password_env"));
    match (&username, &named) {
        (Some(name), None) => r.error(
            name.at,
            say!("a user name without a password", "只有用户名，没有密码"),
            say!(
                "name `password_file` or `password_env`",
                "请填写 `password_file` 或 `password_env`"
            ),
        ),
        (None, Some(named)) => r.error(
            named.at,
            say!("a password without a user name", "只有密码，没有用户名"),
            say!("fill in `username`", "请填写 `username`"),
        ),
        _ => {}
    }
    let (username, password) = (username?, password?);
    let login = Login {
        username: username.value,
        password: password.value,
    };
    Some((login, username.at))
}

/// A remark: a password goes over the line as it is.
pub(super) fn clear_password(at: At, r: &mut Report) {
    r.warn(
        at,
        say!("the password is sent in clear text", "密码将以明文发送"),
        say!("switch TLS on", "请启用 TLS"),
    );
}
