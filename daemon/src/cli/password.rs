//! `cemsd hash-password`: a password never stands on a command line or in a file.

use crate::console::hash_password;
use anyhow::{Context, bail};
use std::io::{BufRead, Write};
use std::process::ExitCode;

/// Shortest password accepted, characters.
const PASSWORD_CHARS_MIN: usize = 10;

/// `cemsd hash-password`
#[derive(Debug, clap::Args)]
pub struct PasswordArgs {}

/// Reads one line and prints its Argon2id hash.
///
/// # Errors
/// When the password is too short or standard input is empty.
pub fn run(_: &PasswordArgs) -> anyhow::Result<ExitCode> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("reading standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.chars().count() < PASSWORD_CHARS_MIN {
        bail!("a password needs at least {PASSWORD_CHARS_MIN} characters");
    }
    let hash = hash_password(password)
        .map_err(|error| anyhow::anyhow!("hashing the password: {error}"))?;
    writeln!(std::io::stdout(), "{hash}")?;
    Ok(ExitCode::SUCCESS)
}
