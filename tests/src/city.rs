//! Settings and registry for the tests: a small city of made-up enterprises, written as the files
//! a user would write.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Token of a program with the duty officer's role.
pub const DUTY_TOKEN: &str = "duty-token-of-the-tests";
/// Token of a program of the enterprise `jia`.
pub const JIA_TOKEN: &str = "jia-token-of-the-tests";
/// Token of a program that reads everything, the audit trail included.
pub const AUDITOR_TOKEN: &str = "auditor-token-of-the-tests";
/// Token of a program with the supervisor's role.
pub const SUPERVISOR_TOKEN: &str = "supervisor-token-of-the-tests";
/// Log-in name of the duty officer.
pub const DUTY_USER: &str = "duty1";
/// Log-in name of the person at enterprise `jia`.
pub const JIA_USER: &str = "jia1";
/// Log-in name of the supervisor.
pub const SUPERVISOR_USER: &str = "supervisor1";
/// Password of all of them.
pub const PASSWORD: &str = "example-only";

/// SHA-256 of the tokens above, as the files hold them.
const DUTY_SHA256: &str = "140ccb279118ba9b9f4694a436c6c758faab636ad0a2e5c3e5f539f487d9422a";
const JIA_SHA256: &str = "643ce5b05a7627214cf4a22fb36bd1006acfcaccafe4e3bf44d1e591e7141d84";
const AUDITOR_SHA256: &str = "62af413027c89505e9f90f95591a70166c9510566141c90348d753ea0d2703c6";
const SUPERVISOR_SHA256: &str = "dd86501fa6b697c70268ad66d1e82a888722851c2b603e47bf59df4806d394b1";
/// Argon2id of [`PASSWORD`].
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$NjU3ODYxNmQ3MDZjNjVhYQ$\
    GHGiC00bzsHxNvoD5XYNg5R3xBC9ozwrXc912e36/NU";

/// MN of the stack `jia-1`.
pub const GAS_MN: &str = "A00000000000000000000001";
/// MN of the waste water outlet `yi-1`.
pub const WATER_MN: &str = "A00000000000000000000002";
/// MN of the stack `jia-2`, whose logger speaks the edition of 2005.
pub const OLD_MN: &str = "A0000000000003";

/// A settings file in the making.
#[derive(Debug, Clone)]
pub struct City {
    hj212: String,
    dialogue: String,
    archive: String,
    outlets: String,
}

impl Default for City {
    fn default() -> Self {
        Self::empty()
            .outlet(&Outlet::gas("jia-1", GAS_MN).text())
            .outlet(&Outlet::water("yi-1", WATER_MN).text())
    }
}

impl City {
    /// No outlet.
    pub fn empty() -> Self {
        Self {
            hj212: String::new(),
            dialogue: "refetch = false".to_owned(),
            archive: String::new(),
            outlets: String::new(),
        }
    }

    /// A line of `[hj212]` more.
    #[must_use]
    pub fn hj212(mut self, line: &str) -> Self {
        let _ = writeln!(self.hj212, "{line}");
        self
    }

    /// A line of `[archive]` more.
    #[must_use]
    pub fn archive(mut self, line: &str) -> Self {
        let _ = writeln!(self.archive, "{line}");
        self
    }

    /// What the centre asks of loggers by itself, as the inside of an inline table. Where nothing
    /// is said it asks nothing, so that a script of a logger needs to expect no requests.
    #[must_use]
    pub fn dialogue(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.dialogue);
        self
    }

    /// An outlet more, as TOML.
    #[must_use]
    pub fn outlet(mut self, text: &str) -> Self {
        let _ = writeln!(self.outlets, "{text}");
        self
    }

    /// The settings file of a daemon whose data are in `data` beside it. All ports are whatever
    /// is free.
    pub fn text(&self) -> String {
        let Self {
            hj212,
            dialogue,
            archive,
            outlets,
        } = self;
        format!(
            r#"data_dir = "data"
[site]
name = "试验市监控中心"
[hj212]
listen = "127.0.0.1:0"
dialogue = {{ {dialogue} }}
{hj212}
[console]
listen = "127.0.0.1:0"
[archive]
{archive}
[log]
format = "json"
[[token]]
id = "duty-program"
role = "duty-officer"
token_sha256 = "{DUTY_SHA256}"
[[token]]
id = "jia-program"
role = "enterprise-user"
enterprises = ["jia"]
token_sha256 = "{JIA_SHA256}"
[[token]]
id = "auditor-program"
role = "auditor"
token_sha256 = "{AUDITOR_SHA256}"
[[token]]
id = "supervisor-program"
role = "supervisor"
token_sha256 = "{SUPERVISOR_SHA256}"
[[user]]
id = "{DUTY_USER}"
name = "张试验"
role = "duty-officer"
password_hash = "{PASSWORD_HASH}"
[[user]]
id = "{JIA_USER}"
name = "王试验"
role = "enterprise-user"
enterprises = ["jia"]
password_hash = "{PASSWORD_HASH}"
[[user]]
id = "{SUPERVISOR_USER}"
name = "李试验"
role = "supervisor"
password_hash = "{PASSWORD_HASH}"
[[region]]
id = "shiyan"
name = "试验市"
[[enterprise]]
id = "jia"
name = "甲试验电厂"
name_en = "Jia test power plant"
region = "shiyan"
[[enterprise]]
id = "yi"
name = "乙试验污水厂"
name_en = "Yi test water works"
region = "shiyan"
{outlets}"#
        )
    }

    /// Writes the settings file into a directory.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, directory: &Path) -> PathBuf {
        let path = directory.join("cemsd.toml");
        std::fs::write(&path, self.text()).expect("the test's directory can be written");
        path
    }
}

/// An outlet in the making.
#[derive(Debug, Clone)]
pub struct Outlet {
    head: String,
    tail: String,
}

impl Outlet {
    /// A stack with dust, SO2 and NOx, 20 m² wide, reference O2 6 %, limits 20, 50 and 200 mg/m3
    /// converted, and the auxiliary quantities.
    pub fn gas(id: &str, mn: &str) -> Self {
        let head = format!(
            r#"[[outlet]]
id = "{id}"
enterprise = "jia"
name = "{id} 试验排口"
name_en = "{id} test stack"
medium = "gas"
mn = "{mn}"
password = "123456"
profile = "hj75-2017"
permit = "试验许可证 0001"
auxiliary = ["a01011", "a01012", "a01013", "a01014", "a19001"]
"#
        );
        let tail = r#"[outlet.gas]
area_m2 = 20
reference_o2_pct = 6
[[outlet.factor]]
code = "a34013"
range = 100
limit_hour = 20
[[outlet.factor]]
code = "a21026"
range = 500
limit_hour = 50
[[outlet.factor]]
code = "a21002"
range = 500
limit_hour = 200
"#;
        Self {
            head,
            tail: tail.to_owned(),
        }
    }

    /// A discharge of waste water with COD, ammonia nitrogen and pH, limits 100, 8 and 6 to 9.
    pub fn water(id: &str, mn: &str) -> Self {
        let head = format!(
            r#"[[outlet]]
id = "{id}"
enterprise = "yi"
name = "{id} 试验排口"
name_en = "{id} test outlet"
medium = "water"
mn = "{mn}"
password = "123456"
profile = "hj356-2019"
permit = "试验许可证 0002"
auxiliary = ["w00000"]
"#
        );
        let tail = r#"[[outlet.factor]]
code = "w01018"
range = 1000
limit_hour = 100
limit_day = 100
[[outlet.factor]]
code = "w21003"
range = 100
limit_hour = 8
[[outlet.factor]]
code = "w01001"
range = [0, 14]
limit_hour = [6, 9]
"#;
        Self {
            head,
            tail: tail.to_owned(),
        }
    }

    /// A line more among the outlet's own keys.
    #[must_use]
    pub fn key(mut self, line: &str) -> Self {
        let _ = writeln!(self.head, "{line}");
        self
    }

    /// Tables more behind the others.
    #[must_use]
    pub fn table(mut self, text: &str) -> Self {
        let _ = writeln!(self.tail, "{text}");
        self
    }

    /// Any password is right.
    #[must_use]
    pub fn any_password(mut self) -> Self {
        self.head = self
            .head
            .replace("password = \"123456\"", "any_password = true");
        self
    }

    /// The TOML.
    pub fn text(&self) -> String {
        format!("{}{}", self.head, self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_city_is_sound() {
        let text = City::default().text();
        match cems_config::load_str(&[("cemsd.toml", &text)]) {
            Ok(checked) => {
                assert_eq!(checked.registry.outlets.len(), 2);
                assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
            }
            Err(problems) => panic!("{problems}"),
        }
    }
}
