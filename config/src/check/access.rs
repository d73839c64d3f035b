//! People and API tokens.

use super::{Taken, id, unknown};
use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::settings::{ApiToken, User, mail_address};
use cems_core::lang::Lang;
use cems_core::model::{EnterpriseId, OutletId, RegionId, Registry, Role, Scope, UserId};
use smol_str::SmolStr;
use std::ops::RangeInclusive;

/// Digits of a telephone number (E.164), short codes included.
const PHONE_DIGITS: RangeInclusive<usize> = 3..=15;

/// Reads every `[[user]]` and `[[token]]`.
pub(super) fn people(
    docs: &[&Section<'_>],
    registry: &Registry,
    r: &mut Report,
) -> (Vec<User>, Vec<ApiToken>) {
    let mut taken = Taken::default();
    let mut users = Vec::new();
    for s in docs
        .iter()
        .flat_map(|d| d.sections(r, "user"))
        .collect::<Vec<_>>()
    {
        let user = user(s, registry, &mut taken, r);
        users.extend(user);
    }
    let mut tokens = Vec::new();
    for s in docs
        .iter()
        .flat_map(|d| d.sections(r, "token"))
        .collect::<Vec<_>>()
    {
        let token = token(s, registry, &mut taken, r);
        tokens.extend(token);
    }
    if users.is_empty()
        && !r.has_errors()
        && let Some(main) = docs.first()
    {
        r.warn(
            main.at,
            say!("nobody can log in to the console", "没有可登录控制台的用户"),
            say!("add a [[user]]", "请添加 [[user]]"),
        );
    }
    (users, tokens)
}

fn user(s: Section<'_>, registry: &Registry, taken: &mut Taken, r: &mut Report) -> Option<User> {
    let id = id(&s, r);
    if let Some(id) = &id {
        taken.claim(r, ("user or token", "用户或令牌"), id);
    }
    let name = s.need_text(r, "name", say!("the person's name", "填姓名"));
    let role = role(&s, r);
    let hash = s.need_text(r, "password_hash", hash_hint());
    if let Some(hash) = &hash {
        phc(hash, r);
    }
    let scope = scope(&s, role, registry, r);
    let (mail, phone) = addresses(&s, r);
    let langs = [("zh-CN", Lang::Zh), ("en", Lang::En)];
    let lang = s.word(r, "lang", &langs).map(|got| got.value);
    s.finish(r);
    Some(User {
        mail,
        phone,
        lang: lang.unwrap_or_default(),
        id: UserId::new(id?.value),
        name: name?.value,
        role: role?,
        password_hash: hash?.value,
        scope,
    })
}

/// Where messages reach a person. What is wrong is not repeated: it is nobody else's business.
fn addresses(s: &Section<'_>, r: &mut Report) -> (Option<String>, Option<String>) {
    let mail = s.text(r, "mail");
    if let Some(got) = &mail
        && (got.value.contains('<') || !mail_address(&got.value))
    {
        r.error(
            got.at,
            say!("`mail` is not a mail address", "`mail` 不是邮件地址"),
            say!("such as \"name@example.com\"", "如 \"name@example.com\""),
        );
    }
    let phone = s.text(r, "phone");
    if let Some(got) = &phone {
        let digits = got.value.strip_prefix('+').unwrap_or(&got.value);
        let fine = PHONE_DIGITS.contains(&digits.len());
        if !fine || !digits.bytes().all(|b| b.is_ascii_digit()) {
            r.error(
                got.at,
                say!("`phone` is not a telephone number", "`phone` 不是电话号码"),
                say!(
                    "digits only, with + and the country in front where the gateway wants it",
                    "只写数字；网关要求时在前面加 + 和国家代码"
                ),
            );
        }
    }
    (mail.map(|got| got.value), phone.map(|got| got.value))
}

fn token(
    s: Section<'_>,
    registry: &Registry,
    taken: &mut Taken,
    r: &mut Report,
) -> Option<ApiToken> {
    let id = id(&s, r);
    if let Some(id) = &id {
        taken.claim(r, ("user or token", "用户或令牌"), id);
    }
    let role = role(&s, r);
    let hint = || {
        say!(
            "64 hex digits: printf %s \"$TOKEN\" | sha256sum",
            "64 位十六进制：printf %s \"$TOKEN\" | sha256sum"
        )
    };
    let hash = s.need_text(r, "token_sha256", hint());
    if let Some(hash) = &hash
        && (hash.value.len() != 64 || !hash.value.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        // The value is not shown: it may be the token itself.
        r.error(hash.at, say!("not a SHA-256", "不是 SHA-256 值"), hint());
    }
    let scope = scope(&s, role, registry, r);
    s.finish(r);
    Some(ApiToken {
        id: SmolStr::new(id?.value),
        token_sha256: SmolStr::new(hash?.value.to_ascii_lowercase()),
        role: role?,
        scope,
    })
}

fn role(s: &Section<'_>, r: &mut Report) -> Option<Role> {
    if s.item("role").is_none() {
        let names = Role::ALL.map(Role::as_str).join(", ");
        s.missing(r, "role", say!("one of {names}", "可取：{names}"));
    }
    let words = Role::ALL.map(|role| (role.as_str(), role));
    s.word(r, "role", &words).map(|got| got.value)
}

fn hash_hint() -> crate::report::Say {
    say!(
        "an Argon2id hash, as `cemsd hash-password` prints it",
        "填 Argon2id 哈希，由 `cemsd hash-password` 生成"
    )
}

/// The shape of an Argon2id hash in PHC form: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
fn phc(got: &Got<String>, r: &mut Report) {
    let parts: Vec<&str> = got.value.split('$').collect();
    let base64 = |t: &str| {
        !t.is_empty()
            && t.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b))
    };
    let number = |t: &str, name: &str| {
        t.strip_prefix(name)
            .is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n > 0))
    };
    let fine = match parts.as_slice() {
        ["", "argon2id", "v=19", costs, salt, hash] => {
            let costs: Vec<&str> = costs.split(',').collect();
            matches!(costs.as_slice(), [m, t, p]
                if number(m, "m=") && number(t, "t=") && number(p, "p="))
                && base64(salt)
                && base64(hash)
        }
        _ => false,
    };
    if !fine {
        // The value is not shown: it may be the password itself.
        r.error(
            got.at,
            say!(
                "`password_hash` is not an Argon2id hash",
                "`password_hash` 不是 Argon2id 哈希"
            ),
            hash_hint(),
        );
    }
}

fn scope(s: &Section<'_>, role: Option<Role>, registry: &Registry, r: &mut Report) -> Scope {
    let mut out = Scope::default();
    for got in s.texts(r, "regions").unwrap_or_default() {
        if !registry.regions.contains_key(got.value.as_str()) {
            let known = registry.regions.keys().map(RegionId::as_str);
            unknown(r, ("region", "行政区"), &got, known);
        }
        out.regions.insert(RegionId::new(got.value));
    }
    for got in s.texts(r, "enterprises").unwrap_or_default() {
        if !registry.enterprises.contains_key(got.value.as_str()) {
            let known = registry.enterprises.keys().map(EnterpriseId::as_str);
            unknown(r, ("enterprise", "排污单位"), &got, known);
        }
        out.enterprises.insert(EnterpriseId::new(got.value));
    }
    for got in s.texts(r, "outlets").unwrap_or_default() {
        if !registry.outlets.contains_key(got.value.as_str()) {
            let known = registry.outlets.keys().map(OutletId::as_str);
            unknown(r, ("outlet", "排放口"), &got, known);
        }
        out.outlets.insert(OutletId::new(got.value));
    }
    if let Some(role) = role
        && !role.is_centre()
        && out.is_empty()
    {
        r.error(
            s.at,
            say!("{role} needs a scope", "{role} 须限定范围"),
            say!(
                "list `enterprises` or `outlets`; only staff of the centre see everything",
                "请列出 `enterprises` 或 `outlets`；只有监控中心人员可查看全部"
            ),
        );
    }
    out
}
