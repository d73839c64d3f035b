//! One log-in per role, with passwords nobody knows before the demo starts.

use crate::console::hash_password;
use anyhow::{Context, anyhow};
use cems_core::model::Role;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// File in a kept data directory that holds the log-ins, readable by the owner only.
const FILE: &str = "demo-logins.txt";
/// Letters and digits that are not mistaken for each other.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of a password, and letters of a group: 12 letters of 32 are 60 bits.
const GROUPS: usize = 3;
const GROUP: usize = 4;

/// Who can log in: role, log-in, name, scope in words of the settings.
const PEOPLE: [(Role, &str, &str, &str); 7] = [
    (Role::DutyOfficer, "duty", "值班员甲", ""),
    (Role::Supervisor, "supervisor", "主管乙", ""),
    (
        Role::EnterpriseUser,
        "enterprise",
        "排污单位丙",
        "enterprises = [\"xishui\", \"redian\"]",
    ),
    (
        Role::Operator,
        "operator",
        "运维人员丁",
        "outlets = [\"xishui-1\", \"gongre-1\", \"gongre-2\", \"boli-1\"]",
    ),
    (
        Role::Inspector,
        "inspector",
        "执法人员戊",
        "regions = [\"dongshi\", \"xishi\"]",
    ),
    (Role::Auditor, "auditor", "审计员己", ""),
    (Role::Administrator, "admin", "管理员庚", ""),
];

/// A log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    /// What it may do.
    pub(super) role: Role,
    /// Log-in name.
    pub(super) user: String,
    /// Password in clear.
    pub(super) password: String,
}

/// The log-ins of a directory: those written there, or new ones; `keep` writes new ones down.
///
/// # Errors
/// When the operating system gives no random bytes or the file cannot be read or written.
pub(super) fn logins(dir: &Path, keep: bool) -> anyhow::Result<Vec<Login>> {
    let path = dir.join(FILE);
    let known = if keep { read(&path)? } else { Vec::new() };
    let mut logins = Vec::new();
    for (role, user, ..) in PEOPLE {
        let written = known.iter().find(|(name, _)| name == user);
        let password = match written {
            Some((_, password)) => password.clone(),
            None => random_password()?,
        };
        logins.push(Login {
            role,
            user: user.to_owned(),
            password,
        });
    }
    if keep {
        write(&path, &logins).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(logins)
}

fn read(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(user, password)| (user.to_owned(), password.trim().to_owned()))
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

fn write(path: &Path, logins: &[Login]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    for login in logins {
        writeln!(file, "{} {}", login.user, login.password)?;
    }
    file.sync_all()
}

fn random_password() -> anyhow::Result<String> {
    let mut bytes = [0_u8; GROUPS * GROUP];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    // 32 letters divide 256, so every letter is equally likely.
    let letter = |byte: &u8| {
        let index = usize::from(*byte) % LETTERS.len();
        LETTERS.get(index).copied().map_or('a', char::from)
    };
    let groups: Vec<String> = bytes
        .chunks(GROUP)
        .map(|group| group.iter().map(letter).collect())
        .collect();
    Ok(groups.join("-"))
}

/// The users of the settings, as TOML. Hashing takes most of a core for a moment.
///
/// # Errors
/// When a password cannot be hashed.
pub(super) fn users_toml(logins: &[Login]) -> anyhow::Result<String> {
    let mut text = String::new();
    for login in logins {
        let Some((role, user, name, scope)) =
            PEOPLE.iter().find(|(_, user, ..)| *user == login.user)
        else {
            continue;
        };
        let hash = hash_password(&login.password)
            .map_err(|error| anyhow!("hashing a password: {error}"))?;
        text.push_str(&format!(
            "[[user]]\nid = \"{user}\"\nname = \"{name}\"\nrole = \"{role}\"\n\
             password_hash = \"{hash}\"\n{scope}\n\n"
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_role_has_one_log_in_and_kept_ones_stay() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = logins(dir.path(), true).expect("writable");
        let roles: BTreeSet<_> = first.iter().map(|login| login.role).collect();
        assert_eq!(roles.len(), Role::ALL.len());
        let passwords: BTreeSet<_> = first.iter().map(|login| &login.password).collect();
        assert_eq!(passwords.len(), first.len());
        assert!(
            passwords.iter().all(|password| password.len() == 14),
            "{passwords:?}"
        );
        assert_eq!(logins(dir.path(), true).expect("readable"), first);
        assert_ne!(logins(dir.path(), false).expect("made"), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join(FILE))
                .expect("there")
                .permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
    }
}
