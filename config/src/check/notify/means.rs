//! How each kind of channel is reached.

use super::super::host_port;
use super::super::secret::{KEY, PASSWORD, SECRET, URL, pem, secret};
use crate::report::{At, Report, Say, say};
use crate::section::{Got, Section};
use crate::settings::{
    Broker, Hook, Login, MailServer, Means, Protection, SMS_FIELDS_MAX, Secret, SmsForm,
    SmsGateway, mail_address,
};
use crate::source::Loader;
use cems_core::model::ChannelKind;
use smol_str::SmolStr;

/// Longest topic prefix, bytes: room for what comes behind it in a topic.
const PREFIX_BYTES_MAX: usize = 100;
/// Longest client identity every broker takes (MQTT 3.1.1, 3.1.3.1).
const CLIENT_ID_BYTES_MAX: usize = 23;
/// Longest address, bytes.
const URL_BYTES_MAX: usize = 2_000;
/// What may stand in a body or a header of a text message's request.
const SMS_PLACES: [&str; 4] = ["phone", "text", "key", "secret"];

pub(super) fn means(
    s: &Section<'_>,
    kind: ChannelKind,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Means> {
    match kind {
        ChannelKind::Mail => mail(s, loader, r).map(Means::Mail),
        ChannelKind::Mqtt => broker(s, loader, r).map(Means::Mqtt),
        ChannelKind::Sms => sms(s, loader, r).map(Means::Sms),
        ChannelKind::Dingtalk => robot(s, loader, r).map(Means::Dingtalk),
        ChannelKind::Wecom => robot(s, loader, r).map(Means::Wecom),
        ChannelKind::Feishu => robot(s, loader, r).map(Means::Feishu),
        ChannelKind::Webhook => {
            let hook = hook(s, loader, r);
            if hook.as_ref().is_some_and(|hook| hook.secret.is_none()) {
                s.missing(
                    r,
                    "secret_file",
                    say!(
                        "the key with which the receiver knows our messages, or `secret_env`",
                        "接收方用于校验签名的密钥文件，或用 `secret_env`"
                    ),
                );
            }
            hook.map(Means::Webhook)
        }
        ChannelKind::Alertmanager => hook(s, loader, r).map(Means::Alertmanager),
    }
}

fn mail(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<MailServer> {
    let server = server(
        s,
        say!("such as \"mail.example:587\"", "如 \"mail.example:587\""),
        r,
    );
    let words = [
        ("starttls", Protection::StartTls),
        ("tls", Protection::Tls),
        ("none", Protection::None),
    ];
    let protection = s
        .word(r, "tls", &words)
        .map_or(Protection::StartTls, |got| got.value);
    let hint = || {
        say!(
            "the sender, such as \"监控中心 <cems@centre.example>\"",
            "发件人，如 \"监控中心 <cems@centre.example>\""
        )
    };
    let from = s.need_text(r, "from", hint());
    if let Some(from) = &from
        && !mail_address(&from.value)
    {
        let value = &from.value;
        r.error(
            from.at,
            say!("not a mail address: {value}", "不是邮件地址：{value}"),
            hint(),
        );
    }
    let login = login(s, loader, r);
    if let Some((_, at)) = &login
        && protection == Protection::None
    {
        clear_password(*at, r);
    }
    Some(MailServer {
        server: server?,
        protection,
        from: from?.value,
        login: login.map(|(login, _)| login),
        ca: pem(s, "ca_file", loader, r),
    })
}

pub(in super::super) fn broker(
    s: &Section<'_>,
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
        client_id: client_id.map_or(SmolStr::new_static("cemsd"), |got| SmolStr::new(got.value)),
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

fn sms(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<SmsGateway> {
    let hook = hook(s, loader, r);
    let words = [("json", SmsForm::Json), ("form", SmsForm::Form)];
    let form = s
        .word(r, "form", &words)
        .map_or(SmsForm::Json, |got| got.value);
    let body = body(s, r);
    let authorization = s.text(r, "authorization");
    if let Some(got) = &authorization {
        places(got, r);
        if !got.value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            r.error(
                got.at,
                say!(
                    "`authorization` cannot stand in a header",
                    "`authorization` 不能写入请求头"
                ),
                say!("ASCII characters only", "只能使用 ASCII 字符"),
            );
        }
    }
    Some(SmsGateway {
        hook: hook?,
        form,
        body,
        authorization: authorization.map(|got| got.value),
        success: s.text(r, "success").map(|got| got.value),
    })
}

fn body(s: &Section<'_>, r: &mut Report) -> Vec<(String, String)> {
    let hint = || {
        say!(
            "fields of the gateway, such as body = {{ mobile = \"{{phone}}\", content = \
             \"{{text}}\" }}",
            "网关的字段，如 body = {{ mobile = \"{{phone}}\", content = \"{{text}}\" }}"
        )
    };
    if s.item("body").is_none() {
        s.missing(r, "body", hint());
        return Vec::new();
    }
    let at = s.item("body").map_or(s.at, |item| item.at);
    let mut out = Vec::new();
    for (name, item) in s.named(r, "body") {
        if let Some(text) = item.text(r, &name.value) {
            places(&text, r);
            out.push((name.value, text.value));
        }
    }
    let whole: String = out.iter().map(|(_, text)| text.as_str()).collect();
    let lacks = |place: &str| !whole.contains(place);
    if out.len() > SMS_FIELDS_MAX || lacks("{phone}") || lacks("{text}") {
        r.error(
            at,
            say!(
                "`body` must hold {{phone}} and {{text}}, in at most {SMS_FIELDS_MAX} fields",
                "`body` 须包含 {{phone}} 与 {{text}}，且不超过 {SMS_FIELDS_MAX} 个字段"
            ),
            hint(),
        );
    }
    out
}

/// Every `{…}` of a template must be known.
fn places(got: &Got<String>, r: &mut Report) {
    for piece in got.value.split('{').skip(1) {
        let name = piece.split('}').next().unwrap_or_default();
        if SMS_PLACES.contains(&name) {
            continue;
        }
        let known = SMS_PLACES.map(|place| format!("{{{place}}}")).join(" ");
        r.error(
            got.at,
            say!("unknown {{{name}}}", "未知的 {{{name}}}"),
            say!("known are {known}", "可用：{known}"),
        );
    }
}

/// A robot: its address holds its token, so it never stands in a settings file.
fn robot(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<Hook> {
    if let Some(item) = s.item("url") {
        r.error(
            item.at,
            say!(
                "the address of a robot holds its token",
                "机器人的地址中含有访问令牌"
            ),
            say!(
                "put it into a file and name it in `url_file`",
                "请写入单独的文件，用 `url_file` 引用"
            ),
        );
        let _ = hook_secrets(s, loader, r);
        return None;
    }
    hook(s, loader, r)
}

fn hook(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<Hook> {
    let plain = s.text(r, "url");
    let hidden = secret(s, URL, loader, r);
    let named = s.item("url_file").is_some() || s.item("url_env").is_some();
    let (sign, ca) = hook_secrets(s, loader, r);
    let url = match (plain, hidden) {
        (Some(plain), None) if !named => {
            address(&plain.value, plain.at, r);
            Secret(plain.value)
        }
        (None, Some(hidden)) => {
            address(&hidden.value.0, hidden.at, r);
            hidden.value
        }
        (Some(plain), _) => {
            r.error(
                plain.at,
                say!("the address is given in two ways", "地址重复设置"),
                say!(
                    "either `url` or `url_file`",
                    "`url` 与 `url_file` 只能选一个"
                ),
            );
            return None;
        }
        (None, None) if named => return None,
        (None, None) => {
            let hint = say!("the file that holds the address", "填写保存地址的文件名");
            s.missing(r, "url_file", hint);
            return None;
        }
    };
    Some(Hook {
        url,
        secret: sign,
        ca,
    })
}

fn hook_secrets(
    s: &Section<'_>,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> (Option<Secret<String>>, Option<String>) {
    let sign = secret(s, SECRET, loader, r).map(|got| got.value);
    (sign, pem(s, "ca_file", loader, r))
}

/// An address on the web; it is not repeated, it may be a secret.
fn address(url: &str, at: At, r: &mut Report) {
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
        r.warn(
            at,
            say!("messages go there in clear text", "通知将以明文发送"),
            say!("use https", "请使用 https"),
        );
    }
}

fn server(s: &Section<'_>, hint: Say, r: &mut Report) -> Option<SmolStr> {
    let got = s.need_text(r, "server", hint.clone())?;
    Some(host_port(&got, hint, r))
}

/// Name and password: both or none.
fn login(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<(Login, At)> {
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

fn clear_password(at: At, r: &mut Report) {
    r.warn(
        at,
        say!("the password is sent in clear text", "密码将以明文发送"),
        say!("switch TLS on", "请启用 TLS"),
    );
}
