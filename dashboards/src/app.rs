//! What every handler has at hand: the backend, the options, and the request's visitor.

use crate::backend::{Actor, Backend, BackendError};
use crate::format::Times;
use crate::options::ConsoleOptions;
use crate::text::{Lang, Words};
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Redirect, Response};
use cems_core::model::{Permission, Registry};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Live streams at once; a wall of screens and a few hundred users fit, and each costs one task
/// and one socket. The stream above it is answered with 503 and the page tries again.
pub(crate) const LIVE_STREAMS_MAX: usize = 1_000;

/// Characters of a session or API token we look up; longer ones are treated as unknown.
const TOKEN_CHARS_MAX: usize = 512;

/// Name of the cookie that keeps the language.
pub(crate) const LANG_COOKIE: &str = "cems_lang";

/// Shared by all handlers.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) options: Arc<ConsoleOptions>,
    pub(crate) streams: Arc<Semaphore>,
}

impl App {
    /// Runs a blocking read of the backend off the async threads.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, BackendError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Backend) -> Result<T, BackendError> + Send + 'static,
    {
        let backend = Arc::clone(&self.backend);
        tokio::task::spawn_blocking(move || read(backend.as_ref()))
            .await
            .unwrap_or_else(|stopped| Err(BackendError::Unavailable(stopped.to_string())))
    }

    /// The cookie's name; with `Secure` the prefix binds it to this host.
    pub(crate) fn session_cookie(&self) -> &'static str {
        if self.options.secure_cookie {
            "__Host-cems_session"
        } else {
            "cems_session"
        }
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Language of a page: cookie, else Chinese. The browser's wish is not asked: in a control room
/// it is whatever the machine was installed with.
pub(crate) fn page_lang(headers: &HeaderMap) -> Lang {
    cookie(headers, LANG_COOKIE)
        .and_then(Lang::from_code)
        .unwrap_or_default()
}

/// A logged-in person looking at a page.
pub(crate) struct Visit {
    pub(crate) app: App,
    pub(crate) words: Words,
    pub(crate) actor: Actor,
    pub(crate) token: String,
    pub(crate) registry: Arc<Registry>,
    pub(crate) times: Times,
    /// Path and query of the request, for links back to it.
    pub(crate) here: String,
}

impl Visit {
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.actor.role.may(permission)
    }

    /// Refuses with [`BackendError::Forbidden`] what the role may not do.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), BackendError> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(BackendError::Forbidden)
        }
    }

    /// A blocking read as this visitor.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, BackendError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Backend, &Actor) -> Result<T, BackendError> + Send + 'static,
    {
        let actor = self.actor.clone();
        self.app.read(move |backend| read(backend, &actor)).await
    }
}

fn here(parts: &Parts) -> String {
    parts
        .uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), |pq| pq.as_str().to_owned())
}

fn short_enough(token: &str) -> Option<String> {
    (!token.is_empty() && token.len() <= TOKEN_CHARS_MAX).then(|| token.to_owned())
}

async fn session(app: &App, parts: &Parts) -> Option<(String, Actor)> {
    let token = short_enough(cookie(&parts.headers, app.session_cookie())?)?;
    app.read(move |backend| Ok(backend.session(&token).map(|actor| (token, actor))))
        .await
        .ok()
        .flatten()
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let words = Words(page_lang(&parts.headers));
        let here = here(parts);
        let Some((token, actor)) = session(app, parts).await else {
            // Only a page can be come back to; a form has to be filled again.
            let back = if parts.method == Method::GET {
                here.as_str()
            } else {
                "/"
            };
            let target = format!("/login?next={}", crate::url::encode(back));
            return Err(Redirect::to(&target).into_response());
        };
        let registry = app.backend.registry();
        let times = Times {
            offset: registry.offset,
            now: app.backend.now(),
            words,
        };
        Ok(Self {
            app: app.clone(),
            words,
            actor,
            token,
            registry,
            times,
            here,
        })
    }
}

/// A program or a page calling the API.
pub(crate) struct Caller {
    pub(crate) app: App,
    pub(crate) words: Words,
    pub(crate) actor: Actor,
    pub(crate) registry: Arc<Registry>,
}

impl Caller {
    /// A blocking read as this caller.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, BackendError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Backend, &Actor) -> Result<T, BackendError> + Send + 'static,
    {
        let actor = self.actor.clone();
        self.app.read(move |backend| read(backend, &actor)).await
    }

    pub(crate) fn require(&self, permission: Permission) -> Result<(), BackendError> {
        if self.actor.role.may(permission) {
            Ok(())
        } else {
            Err(BackendError::Forbidden)
        }
    }
}

/// Language of an API answer, by the `Accept-Language` header.
pub(crate) fn api_words(headers: &HeaderMap) -> Words {
    let header = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
    Words(header.map_or(Lang::Zh, Lang::from_accept_language))
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<App> for Caller {
    type Rejection = crate::api::problem::Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let words = api_words(&parts.headers);
        // A token that is sent decides alone: a wrong one never falls back to the cookie.
        let actor = match bearer(&parts.headers) {
            Some(token) => match short_enough(token) {
                Some(token) => app
                    .read(move |b| Ok(b.api_token(&token)))
                    .await
                    .ok()
                    .flatten(),
                None => None,
            },
            None => session(app, parts).await.map(|(_, actor)| actor),
        };
        let actor = actor.ok_or_else(|| crate::api::problem::Problem::unauthenticated(words))?;
        Ok(Self {
            app: app.clone(),
            words,
            actor,
            registry: app.backend.registry(),
        })
    }
}
