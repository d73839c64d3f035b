//! Texts that stand in no settings file: they come from a file of their own, or from the
//! environment.

use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::settings::Secret;
use crate::source::Loader;

/// The keys under which a secret is named.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    /// Name of a file.
    pub(super) file: &'static str,
    /// Name of a variable of the environment.
    pub(super) env: &'static str,
}

/// `password_file`, `password_env`.
pub(super) const PASSWORD: Keys = Keys {
    file: "password_file",
    env: "password_env",
};
/// `secret_file`, `secret_env`.
pub(super) const SECRET: Keys = Keys {
    file: "secret_file",
    env: "secret_env",
};
/// `url_file`, `url_env`.
pub(super) const URL: Keys = Keys {
    file: "url_file",
    env: "url_env",
};
/// `token_file`, `token_env`.
pub(super) const TOKEN: Keys = Keys {
    file: "token_file",
    env: "token_env",
};
/// `key_file`, `key_env`: a private key, PEM.
pub(super) const KEY: Keys = Keys {
    file: "key_file",
    env: "key_env",
};

/// The secret that a table names, with the place where it is named. Its text is in no problem.
pub(super) fn secret(
    s: &Section<'_>,
    keys: Keys,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Got<Secret<String>>> {
    let (file, variable) = (s.text(r, keys.file), s.text(r, keys.env));
    let (file_key, env_key) = (keys.file, keys.env);
    match (file, variable) {
        (Some(_), Some(second)) => {
            r.error(
                second.at,
                say!(
                    "`{file_key}` and `{env_key}` are both given",
                    "`{file_key}` 与 `{env_key}` 不能同时填写"
                ),
                say!("take one out", "请删除一个"),
            );
            None
        }
        (Some(file), None) => from_file(&file, loader, r),
        (None, Some(name)) => from_environment(&name, loader, r),
        (None, None) => None,
    }
}

fn from_file(
    got: &Got<String>,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Got<Secret<String>>> {
    let path = loader.beside_main(&got.value);
    let name = &got.value;
    if loader.open_to_others(&path) {
        r.error(
            got.at,
            say!(
                "others on this machine may read {name}",
                "本机其他账户可读取 {name}"
            ),
            say!("chmod 600 {name}", "请执行 chmod 600 {name}"),
        );
        return None;
    }
    let text = loader.secret(&path, r)?;
    filled(got, &text, r)
}

fn from_environment(
    got: &Got<String>,
    loader: &Loader<'_>,
    r: &mut Report,
) -> Option<Got<Secret<String>>> {
    let name = &got.value;
    let Some(text) = loader.variable(name) else {
        r.error(
            got.at,
            say!("the environment has no {name}", "环境变量中没有 {name}"),
            say!(
                "set it for the account that runs the daemon, or name a file",
                "请为运行本程序的账户设置该变量，或改用文件"
            ),
        );
        return None;
    };
    filled(got, &text, r)
}

fn filled(got: &Got<String>, text: &str, r: &mut Report) -> Option<Got<Secret<String>>> {
    let text = text.trim();
    if text.is_empty() {
        let name = &got.value;
        r.error(
            got.at,
            say!("{name} is empty", "{name} 为空"),
            say!("put the secret into it", "请写入密钥内容"),
        );
        return None;
    }
    Some(Got {
        value: Secret(text.to_owned()),
        at: got.at,
    })
}

/// The text of a file that is no secret, such as certificates.
pub(super) fn pem(
    s: &Section<'_>,
    key: &'static str,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<String> {
    let got = s.text(r, key)?;
    let text = loader.text(&loader.beside_main(&got.value), r)?;
    if !text.text.contains("-----BEGIN CERTIFICATE-----") {
        let file = &got.value;
        r.error(
            got.at,
            say!("{file} holds no certificate", "{file} 中没有证书"),
            say!(
                "PEM text that begins with -----BEGIN CERTIFICATE-----",
                "应为以 -----BEGIN CERTIFICATE----- 开头的 PEM 文本"
            ),
        );
        return None;
    }
    Some(text.text)
}
