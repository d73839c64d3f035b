//! From a message to what a channel sends: rows as they stand now, words in the reader's language,
//! the reader's address.

use crate::clock::Clock;
use crate::store::{Readers, StoreError};
use cems_config::{Channel, User};
use cems_core::lang::Lang;
use cems_core::model::{
    About, AlarmId, AlarmRow, ChannelKind, DutyBook, MessageRow, Recipient, Registry, UserId,
    UtcOffset,
};
use cems_dashboards::message::{Headline, Letter, Thing, Written, headline, write};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An alarm as state boards show it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// As it stands.
    pub row: AlarmRow,
    /// In words.
    pub words: Vec<Headline>,
    /// The site's clock.
    pub offset: UtcOffset,
}

/// A message ready to go. It holds an address, so it is never printed.
pub struct Parcel {
    /// What the engine decided.
    pub message: MessageRow,
    /// Where the person is reached; `None` for the channel's own address.
    pub address: Option<String>,
    /// In words; at least one language.
    pub written: Vec<Written>,
    /// What it is about, as it stands now.
    pub things: Vec<Thing>,
    /// The alarms among it.
    pub shown: Vec<Shown>,
    /// Name of the site.
    pub site: String,
    /// The site's clock.
    pub offset: UtcOffset,
    /// Where people reach the console.
    pub console: Option<String>,
}

/// Why a message cannot be sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoParcel {
    /// The settings know the person no more.
    #[error("the settings do not know this person")]
    Unknown,
    /// They have no address for this channel.
    #[error("the settings hold no address of this person for the channel")]
    NoAddress,
}

/// The registry in force, whenever it is asked for.
pub type RegistryView = Arc<dyn Fn() -> Arc<Registry> + Send + Sync>;
/// The table of duties in force, whenever it is asked for.
pub type DutiesView = Arc<dyn Fn() -> Arc<DutyBook> + Send + Sync>;

/// What is in force.
#[derive(Clone)]
pub struct InForce {
    /// The registry.
    pub registry: RegistryView,
    /// The table of duties.
    pub duties: DutiesView,
}

/// Where people are reached, and in which language.
struct Contact {
    mail: Option<String>,
    phone: Option<String>,
    lang: Lang,
}

/// Writes messages. Methods ask a database: call them on a thread that may wait.
pub struct Scribe {
    readers: Readers,
    in_force: InForce,
    contacts: BTreeMap<UserId, Contact>,
    console: Option<String>,
    clock: Clock,
}

impl Scribe {
    /// A scribe for these people.
    pub fn new(
        readers: Readers,
        in_force: InForce,
        users: &[User],
        console: Option<String>,
        clock: Clock,
    ) -> Self {
        let contact = |user: &User| Contact {
            mail: user.address(ChannelKind::Mail).map(str::to_owned),
            phone: user.address(ChannelKind::Sms).map(str::to_owned),
            lang: user.lang,
        };
        let entry = |user: &User| (user.id.clone(), contact(user));
        Self {
            readers,
            in_force,
            contacts: users.iter().map(entry).collect(),
            console,
            clock,
        }
    }

    /// Puts a message into words.
    ///
    /// # Errors
    /// Disk or damage of the projections; inside, why it cannot be sent at all.
    pub fn parcel(
        &self,
        message: &MessageRow,
        channel: &Channel,
    ) -> Result<Result<Parcel, NoParcel>, StoreError> {
        let (address, langs) = match self.reader(&message.to, channel) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let registry = (self.in_force.registry)();
        let things = message
            .about
            .iter()
            .map(|about| self.thing(about))
            .collect::<Result<Vec<_>, _>>()?;
        let letter = Letter {
            message,
            things: &things,
            registry: &registry,
            now: self.clock.now(),
            console: self.console.as_deref(),
        };
        let written = langs.iter().map(|lang| write(&letter, (*lang).into()));
        let alarm = |thing: &Thing| match thing {
            Thing::Alarm(row) => Some(self.shown(AlarmRow::clone(row), &registry, &langs)),
            _ => None,
        };
        Ok(Ok(Parcel {
            message: message.clone(),
            address,
            written: written.collect(),
            shown: things.iter().filter_map(alarm).collect(),
            site: registry.site_name.clone(),
            offset: registry.offset,
            console: self.console.clone(),
            things,
        }))
    }

    /// An alarm as it stands, for a state board; `None` when the books do not hold it any more.
    ///
    /// # Errors
    /// Disk or damage of the projections.
    pub fn alarm(&self, id: AlarmId, channel: &Channel) -> Result<Option<Shown>, StoreError> {
        let registry = (self.in_force.registry)();
        let row = self.readers.alarm(id)?;
        Ok(row.map(|row| self.shown(row, &registry, &channel.langs)))
    }

    fn shown(&self, row: AlarmRow, registry: &Registry, langs: &[Lang]) -> Shown {
        let now = self.clock.now();
        let words = langs
            .iter()
            .map(|lang| headline(&row, registry, now, (*lang).into()));
        Shown {
            words: words.collect(),
            offset: registry.offset,
            row,
        }
    }

    fn reader(
        &self,
        to: &Recipient,
        channel: &Channel,
    ) -> Result<(Option<String>, Vec<Lang>), NoParcel> {
        let kind = channel.rule.kind;
        let Recipient::User(user) = to else {
            if kind.is_personal() {
                return Err(NoParcel::NoAddress);
            }
            return Ok((None, channel.langs.clone()));
        };
        let contact = self.contacts.get(user).ok_or(NoParcel::Unknown)?;
        let address = match kind {
            ChannelKind::Mail => contact.mail.clone(),
            ChannelKind::Sms => contact.phone.clone(),
            _ => None,
        };
        if kind.is_personal() && address.is_none() {
            return Err(NoParcel::NoAddress);
        }
        Ok((address, vec![contact.lang]))
    }

    fn thing(&self, about: &About) -> Result<Thing, StoreError> {
        let found = match about {
            About::Alarm(id) => self
                .readers
                .alarm(*id)?
                .map(|row| Thing::Alarm(Box::new(row))),
            About::Fallback(id) => {
                let row = self.readers.fallback(*id)?;
                row.map(|row| Thing::Fallback(Box::new(row)))
            }
            About::Duty(key) => self.readers.duty(key)?.map(|row| {
                let book = (self.in_force.duties)();
                let rule = book.rules.get(&row.rule).cloned();
                Thing::Duty(Box::new(row), rule.map(Box::new))
            }),
        };
        Ok(found.unwrap_or_else(|| Thing::Other(about.clone())))
    }
}
