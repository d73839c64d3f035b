//! Log-in, sessions and API tokens.

use crate::clock::Clock;
use crate::store::{FeedTimes, Sessions, StoreError};
use crate::text::hex;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use cems_config::{ApiToken, Settings, User};
use cems_core::model::UserId;
use cems_core::model::time::{HOUR_MS, SECOND_MS};
use cems_dashboards::backend::{Actor, LoginError};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Password checks at once: each takes 19 MiB and most of a core for a moment.
const CHECKS_AT_ONCE: usize = 2;
/// Failures after which every further attempt has to wait.
const FREE_ATTEMPTS: u64 = 5;
/// Longest wait between attempts.
const WAIT_S_MAX: u32 = 300;
/// Longest password that is hashed.
const PASSWORD_BYTES_MAX: usize = 256;

/// Who may log in, and who has.
pub struct Access {
    users: BTreeMap<UserId, User>,
    tokens: BTreeMap<String, ApiToken>,
    sessions: Sessions,
    session_ms: i64,
    clock: Clock,
    checks: Semaphore,
    /// Hash of a random password: an unknown name costs as much time as a wrong password.
    decoy: Arc<str>,
}

impl Access {
    /// From the settings' users and tokens.
    pub fn new(settings: &Settings, sessions: Sessions, clock: Clock) -> Self {
        let decoy = hash_password(&random_token()).unwrap_or_default();
        Self {
            users: settings
                .users
                .iter()
                .map(|u| (u.id.clone(), u.clone()))
                .collect(),
            tokens: settings
                .tokens
                .iter()
                .map(|t| (t.token_sha256.to_ascii_lowercase(), t.clone()))
                .collect(),
            sessions,
            session_ms: i64::from(settings.console.session_hours) * HOUR_MS,
            clock,
            checks: Semaphore::new(CHECKS_AT_ONCE),
            decoy: decoy.into(),
        }
    }

    /// Checks name and password; the caller journals the outcome and then makes the session.
    ///
    /// # Errors
    /// [`LoginError::Wrong`] or [`LoginError::Slow`].
    pub async fn check(
        &self,
        user: &str,
        password: &str,
        peer: &str,
    ) -> Result<UserId, LoginError> {
        let address = peer.rsplit_once(':').map_or(peer, |(address, _)| address);
        let keys = [format!("user {user}"), format!("peer {address}")];
        let unavailable = |error: StoreError| LoginError::Unavailable(error.to_string());
        let mut wait = 0;
        for key in &keys {
            wait = wait.max(self.wait_s(key).map_err(unavailable)?);
        }
        if wait > 0 {
            return Err(LoginError::Slow(wait));
        }
        let known = self.users.get(user);
        let hash: Arc<str> = known.map_or_else(
            || Arc::clone(&self.decoy),
            |user| Arc::from(user.password_hash.as_str()),
        );
        let right = self.verify(hash, password).await && known.is_some();
        match known {
            Some(user) if right => {
                self.sessions
                    .clear_failures(&keys[0])
                    .map_err(unavailable)?;
                Ok(user.id.clone())
            }
            _ => {
                for key in &keys {
                    self.sessions
                        .add_failure(key, self.clock.now())
                        .map_err(unavailable)?;
                }
                Err(LoginError::Wrong)
            }
        }
    }

    async fn verify(&self, hash: Arc<str>, password: &str) -> bool {
        if password.len() > PASSWORD_BYTES_MAX {
            return false;
        }
        let Ok(_place) = self.checks.acquire().await else {
            return false;
        };
        let password = password.to_owned();
        let check = move || {
            PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
        };
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
    }

    /// Makes a session and returns its token.
    ///
    /// # Errors
    /// When the session database cannot be written.
    pub fn open_session(&self, user: &UserId) -> Result<String, LoginError> {
        let token = random_token();
        let now = self.clock.now();
        self.sessions
            .create(&token, user, now, now.plus_ms(self.session_ms))
            .map_err(|error| LoginError::Unavailable(error.to_string()))?;
        Ok(token)
    }

    /// Ends a session; says whose it was.
    pub fn close_session(&self, token: &str) -> Option<UserId> {
        let user = self.session(token)?.user;
        if let Err(error) = self.sessions.delete(token) {
            tracing::error!(%error, "a session could not be deleted");
        }
        Some(user)
    }

    /// Who is behind a session token.
    pub fn session(&self, token: &str) -> Option<Actor> {
        let found = self.sessions.find(token, self.clock.now());
        let session = found
            .inspect_err(|error| tracing::error!(%error, "sessions.db"))
            .ok()??;
        self.users.get(&session.user).map(actor)
    }

    /// The user logs in at the console: a person, not a program.
    pub fn is_person(&self, user: &UserId) -> bool {
        self.users.contains_key(user)
    }

    /// A person's calendar feed.
    ///
    /// # Errors
    /// When the session database cannot be read.
    pub fn feed(&self, user: &UserId) -> Result<Option<FeedTimes>, StoreError> {
        self.sessions.feed(user)
    }

    /// Gives a person's calendar feed this secret.
    ///
    /// # Errors
    /// When the session database cannot be written.
    pub fn renew_feed(&self, user: &UserId, token: &str) -> Result<(), StoreError> {
        self.sessions.renew_feed(user, token, self.clock.now())
    }

    /// Ends a person's calendar feed.
    ///
    /// # Errors
    /// When the session database cannot be written.
    pub fn end_feed(&self, user: &UserId) -> Result<(), StoreError> {
        self.sessions.end_feed(user).map(|_| ())
    }

    /// Whose calendar feed has this secret.
    pub fn feed_of(&self, token: &str) -> Option<Actor> {
        let found = self.sessions.feed_of(token, self.clock.now());
        let user = found
            .inspect_err(|error| tracing::error!(%error, "sessions.db"))
            .ok()??;
        self.users.get(&user).map(actor)
    }

    /// Who is behind an API token.
    pub fn api_token(&self, token: &str) -> Option<Actor> {
        let token = self.tokens.get(&digest(token))?;
        Some(Actor {
            user: UserId::new(&token.id),
            name: token.id.to_string(),
            role: token.role,
            scope: token.scope.clone(),
        })
    }

    /// Seconds until the next attempt is allowed: doubled with every failure past the free ones.
    fn wait_s(&self, key: &str) -> Result<u32, StoreError> {
        let Some(past) = self
            .sessions
            .attempts(key)?
            .filter(|a| a.failures >= FREE_ATTEMPTS)
        else {
            return Ok(0);
        };
        let doublings = u32::try_from(past.failures - FREE_ATTEMPTS + 1).unwrap_or(u32::MAX);
        let pause_s = 2u32.saturating_pow(doublings.min(16)).min(WAIT_S_MAX);
        let end = past.last_at.plus_ms(i64::from(pause_s) * SECOND_MS);
        let left = end.since_ms(self.clock.now()).max(0);
        Ok(u32::try_from((left + SECOND_MS - 1) / SECOND_MS).unwrap_or(WAIT_S_MAX))
    }
}

fn actor(user: &User) -> Actor {
    Actor {
        user: user.id.clone(),
        name: user.name.clone(),
        role: user.role,
        scope: user.scope.clone(),
    }
}

/// 256 random bits as hex.
pub(crate) fn random_token() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    hex(&bytes)
}

fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// An Argon2id hash in PHC form, for a user in the settings.
///
/// # Errors
/// When the password is longer than 256 bytes or empty.
pub fn hash_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default()
        .hash_password(password.as_bytes())?
        .to_string())
}
