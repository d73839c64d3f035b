//! Keys of encrypted lines (SM4, HJ 212-2025, second-hand), encrypted at rest.
//!
//! One small SQLite file holds every key that was ever in force, with the time from which it is,
//! so that old frames can still be read. Each key is sealed with ChaCha20-Poly1305 under a master
//! key that lies in a file of its own, readable by the daemon's user only. Neither file is part of
//! the journal; the journal says that a key changed and shows its fingerprint, never the key.
//!
//! The file may be opened by the daemon and by `cemsd key` at the same time: changes of the one
//! are seen by the other at its next question.

mod error;
mod master;
mod passwords;

pub use error::KeyError;

use crate::text::{hex, unhex};
use cems_core::model::time::DAY_MS;
use cems_core::model::{OutletId, Timestamp};
use cems_protocols::hj212::Sm4Key;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use rusqlite::{Connection, OptionalExtension};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest a key may be in use: 90 days (second-hand: HJ 212-2025 as quoted publicly).
pub const KEY_LIFE_MS: i64 = 90 * DAY_MS;
/// A new key is set when the old one reaches this age: three weeks are left for a logger that is
/// off line at the first attempt.
pub const KEY_ROTATE_MS: i64 = 69 * DAY_MS;

/// Keys kept per owner; the oldest above it are forgotten. With a change every 69 days this is
/// more than ten years, twice what records have to be kept for.
pub const KEYS_PER_OWNER_MAX: usize = 64;

/// Bytes of an SM4 key.
pub const KEY_BYTES: usize = 16;

/// How long one process waits for the other's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLite application id `CEMK`.
const APPLICATION_ID: i64 = 0x4345_4d4b;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS key (
    owner  TEXT NOT NULL,
    since  INTEGER NOT NULL,
    offered INTEGER NOT NULL,
    nonce  BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (owner, since)
) STRICT, WITHOUT ROWID;";

/// Whose key: one for each end of a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyOwner {
    /// The logger of an outlet, as its centre.
    Outlet(OutletId),
    /// An outlet of ours at a centre we upload to.
    Uplink {
        /// The uplink by its id in the settings.
        uplink: String,
        /// Which outlet; every logger number has a key of its own.
        outlet: OutletId,
    },
}

impl fmt::Display for KeyOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outlet(outlet) => write!(f, "outlet/{outlet}"),
            Self::Uplink { uplink, outlet } => write!(f, "uplink/{uplink}/{outlet}"),
        }
    }
}

impl std::str::FromStr for KeyOwner {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["outlet", outlet] if !outlet.is_empty() => Ok(Self::Outlet(OutletId::new(outlet))),
            ["uplink", uplink, outlet] if !uplink.is_empty() && !outlet.is_empty() => {
                Ok(Self::Uplink {
                    uplink: (*uplink).to_owned(),
                    outlet: OutletId::new(outlet),
                })
            }
            _ => Err(KeyError::Owner(text.to_owned())),
        }
    }
}

/// An SM4 key. Never printed: its `Debug` is the fingerprint.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceKey([u8; KEY_BYTES]);

impl DeviceKey {
    /// From its bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// A new one from the operating system's randomness: 16 characters of a-z, A-Z and 0-9, since
    /// a new key travels as text in the field `NewSK` (95 bits).
    #[must_use]
    pub fn random() -> Self {
        const LETTERS: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut key = [0; KEY_BYTES];
        let mut filled = 0;
        while filled < KEY_BYTES {
            let mut bytes = [0; 4 * KEY_BYTES];
            getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
            // Bytes from 248 on would favour the first letters.
            for byte in bytes.into_iter().filter(|byte| *byte < 248) {
                if filled < KEY_BYTES {
                    key[filled] = LETTERS[usize::from(byte % 62)];
                    filled += 1;
                }
            }
        }
        Self(key)
    }

    /// From text as people exchange keys: 16 characters, or 32 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError::Form`], which does not repeat the text.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let bytes = match text.len() {
            KEY_BYTES => Some(text.as_bytes().to_vec()),
            n if n == 2 * KEY_BYTES => unhex(text),
            _ => None,
        };
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(KeyError::Form(text.len()))
    }

    /// The bytes, for the cipher.
    #[must_use]
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The key as the cipher takes it.
    #[must_use]
    pub fn cipher(&self) -> Sm4Key {
        Sm4Key::new(self.0)
    }

    /// The text that `NewSK` carries; `None` for a key that is no printable text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let fits = |b: &u8| b.is_ascii_graphic() && !b";,&=#".contains(b);
        std::str::from_utf8(&self.0)
            .ok()
            .filter(|_| self.0.iter().all(fits))
    }

    /// Sixteen hexadecimal digits that tell keys apart and do not give them away.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::new()
            .chain_update(b"cemsd key fingerprint")
            .chain_update(self.0)
            .finalize();
        hex(&digest[..8])
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", self.fingerprint())
    }
}

/// A key with the time from which it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedKey {
    /// In force from.
    pub since: Timestamp,
    /// The key.
    pub key: DeviceKey,
    /// It was offered to the other end and not yet taken: it may open what comes, but nothing is
    /// enciphered with it.
    pub offered: bool,
}

/// What may be told about a key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KeyListing {
    /// Whose, as `outlet/<id>` or `uplink/<id>/<outlet>`.
    pub owner: String,
    /// In force from.
    pub since: Timestamp,
    /// See [`DeviceKey::fingerprint`].
    pub fingerprint: String,
    /// It is the one in force.
    pub in_force: bool,
}

/// The keys of this daemon. Methods block for a moment and take turns; a change is on disk when
/// the method returns.
pub struct KeyRing {
    inner: Mutex<Inner>,
}

struct Inner {
    connection: Connection,
    cipher: ChaCha20Poly1305,
    /// `PRAGMA data_version` at which `known` was read.
    version: i64,
    /// Newest first.
    known: BTreeMap<String, Vec<DatedKey>>,
}

impl KeyRing {
    /// Opens the keys in `file`, sealed under the master key in `master`. Both are made, readable
    /// by their owner only, when neither exists.
    ///
    /// # Errors
    /// [`KeyError::MasterLost`] when there are keys but no master key; [`KeyError::Sealed`] when
    /// the master key is not the one they were sealed with; whatever the disk says.
    pub fn open(file: &Path, master: &Path) -> Result<Self, KeyError> {
        let fresh = !file.exists();
        let secret = master::read_or_make(master, fresh)?;
        let connection = Connection::open(file)?;
        master::restrict(file)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", true)?;
        let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        if id != 0 && id != APPLICATION_ID {
            return Err(KeyError::NotKeys(file.to_owned()));
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch(passwords::SCHEMA)?;
        let mut inner = Inner {
            connection,
            cipher: ChaCha20Poly1305::new(&Key::from(secret)),
            version: 0,
            known: BTreeMap::new(),
        };
        inner.read()?;
        Ok(Self {
            inner: Mutex::new(inner),
        })
    }

    /// The key in force at `owner`; `None` when there is none.
    ///
    /// # Errors
    /// Disk, or a key that the master key does not open.
    pub fn in_force(&self, owner: &KeyOwner) -> Result<Option<DatedKey>, KeyError> {
        Ok(self.all(owner)?.into_iter().find(|dated| !dated.offered))
    }

    /// Every key of `owner`, the newest first; one that is only offered may stand before the one
    /// in force.
    ///
    /// # Errors
    /// As [`in_force`](Self::in_force).
    pub fn all(&self, owner: &KeyOwner) -> Result<Vec<DatedKey>, KeyError> {
        let mut inner = self.inner();
        inner.refresh()?;
        Ok(inner
            .known
            .get(&owner.to_string())
            .cloned()
            .unwrap_or_default())
    }

    /// Puts a key in force from `since`. The one before stays for reading. A `since` that is not
    /// after that of the last key is moved behind it, so that the order is that of arrival.
    ///
    /// # Errors
    /// Disk.
    pub fn put(&self, owner: &KeyOwner, key: &DeviceKey, since: Timestamp) -> Result<(), KeyError> {
        let mut inner = self.inner();
        inner.insert(&owner.to_string(), key, since, false)?;
        inner.read()
    }

    /// Keeps a key that is about to be offered to the other end, before it leaves: if the answer
    /// is lost, what comes enciphered with it can still be read.
    ///
    /// # Errors
    /// Disk.
    pub fn offer(
        &self,
        owner: &KeyOwner,
        key: &DeviceKey,
        since: Timestamp,
    ) -> Result<(), KeyError> {
        let mut inner = self.inner();
        inner.insert(&owner.to_string(), key, since, true)?;
        inner.read()
    }

    /// The other end has taken an offered key: it is in force. Nothing happens when it was before.
    ///
    /// # Errors
    /// Disk.
    pub fn taken(&self, owner: &KeyOwner, key: &DeviceKey) -> Result<(), KeyError> {
        let mut inner = self.inner();
        inner.refresh()?;
        let name = owner.to_string();
        let since = inner.known.get(&name).and_then(|keys| {
            let found = keys.iter().find(|dated| dated.offered && dated.key == *key);
            found.map(|dated| dated.since)
        });
        let Some(since) = since else { return Ok(()) };
        inner.connection.execute(
            "UPDATE key SET offered = 0 WHERE owner = ?1 AND since = ?2",
            (&name, since.0),
        )?;
        inner.read()
    }

    /// All keys by their fingerprints, by owner, the newest first.
    ///
    /// # Errors
    /// As [`in_force`](Self::in_force).
    pub fn list(&self) -> Result<Vec<KeyListing>, KeyError> {
        let mut inner = self.inner();
        inner.refresh()?;
        let mut all = Vec::new();
        for (owner, keys) in &inner.known {
            let in_force = keys.iter().position(|dated| !dated.offered);
            for (n, dated) in keys.iter().enumerate() {
                all.push(KeyListing {
                    owner: owner.clone(),
                    since: dated.since,
                    fingerprint: dated.key.fingerprint(),
                    in_force: Some(n) == in_force,
                });
            }
        }
        Ok(all)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // `known` is replaced as a whole, so a panic elsewhere leaves it whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Reads again when another connection has written.
    fn refresh(&mut self) -> Result<(), KeyError> {
        let version = self.data_version()?;
        if version == self.version {
            return Ok(());
        }
        self.read()
    }

    fn data_version(&self) -> Result<i64, KeyError> {
        Ok(self
            .connection
            .query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    fn read(&mut self) -> Result<(), KeyError> {
        let version = self.data_version()?;
        let mut known: BTreeMap<String, Vec<DatedKey>> = BTreeMap::new();
        let mut statement = self.connection.prepare(
            "SELECT owner, since, nonce, sealed, offered FROM key ORDER BY owner, since DESC",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let owner: String = row.get(0)?;
            let since: i64 = row.get(1)?;
            let nonce: [u8; 12] = row.get(2)?;
            let sealed: Vec<u8> = row.get(3)?;
            let aad = bound_to(&owner, since);
            let payload = Payload {
                msg: &sealed,
                aad: aad.as_bytes(),
            };
            let key = self
                .cipher
                .decrypt(&Nonce::from(nonce), payload)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| KeyError::Sealed(owner.clone()))?;
            known.entry(owner).or_default().push(DatedKey {
                since: Timestamp(since),
                key: DeviceKey(key),
                offered: row.get(4)?,
            });
        }
        drop(rows);
        drop(statement);
        self.known = known;
        self.version = version;
        Ok(())
    }

    fn insert(
        &mut self,
        owner: &str,
        key: &DeviceKey,
        since: Timestamp,
        offered: bool,
    ) -> Result<(), KeyError> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let last: Option<i64> = transaction
            .query_row(
                "SELECT max(since) FROM key WHERE owner = ?1",
                [owner],
                |row| row.get(0),
            )
            .optional()?
            .flatten();
        let since = last.map_or(since.0, |last| since.0.max(last.saturating_add(1)));
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let aad = bound_to(owner, since);
        let payload = Payload {
            msg: &key.0,
            aad: aad.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| KeyError::Sealed(owner.to_owned()))?;
        transaction.execute(
            "INSERT INTO key (owner, since, nonce, sealed, offered) VALUES (?1, ?2, ?3, ?4, ?5)",
            (owner, since, nonce, sealed, offered),
        )?;
        transaction.execute(
            "DELETE FROM key WHERE owner = ?1 AND since NOT IN \
             (SELECT since FROM key WHERE owner = ?1 ORDER BY since DESC LIMIT ?2)",
            (owner, i64::try_from(KEYS_PER_OWNER_MAX).unwrap_or(i64::MAX)),
        )?;
        Ok(transaction.commit()?)
    }
}

/// What a sealed key is bound to, so that nobody can move it to another owner or time.
fn bound_to(owner: &str, since: i64) -> String {
    format!("{owner}@{since}")
}

#[cfg(test)]
mod tests;
