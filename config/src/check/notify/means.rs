//! How each kind of channel is reached.

use super::super::reach::{address, broker, clear_password, login, server};
use super::super::secret::{SECRET, URL, pem, secret};
use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::settings::{
    Hook, MailServer, Means, Protection, SMS_FIELDS_MAX, Secret, SmsForm, SmsGateway, mail_address,
};
use crate::source::Loader;
use cems_core::model::ChannelKind;

/// What goes to an address, English and Chinese.
const MESSAGES: (&str, &str) = ("messages", "通知");
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
        ChannelKind::Mqtt => broker(s, "cemsd", loader, r).map(Means::Mqtt),
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
            address(&plain.value, plain.at, MESSAGES, r);
            Secret(plain.value)
        }
        (None, Some(hidden)) => {
            address(&hidden.value.0, hidden.at, MESSAGES, r);
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
