//! Log-in and log-out.

use super::{Params, html};
use crate::app::{App, Visit, page_lang};
use crate::backend::LoginError;
use crate::text::Words;
use crate::view::shell::{Notice, Shell};
use askama::Template;
use axum::RequestExt;
use axum::extract::{ConnectInfo, Form, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Characters of a user name or password we pass on for checking; longer ones are wrong.
const CREDENTIAL_CHARS_MAX: usize = 256;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    shell: Shell,
    next: String,
    user: String,
    accounts: Vec<Account>,
}

struct Account {
    user: String,
    password: String,
    role: String,
}

fn render(app: &App, words: Words, next: &str, user: &str, notice: Option<Notice>) -> Response {
    let here = format!("/login?next={}", crate::url::encode(next));
    let accounts = app
        .options
        .demo_banner
        .iter()
        .flat_map(|demo| &demo.accounts);
    let page = LoginPage {
        shell: Shell::outside(app, words, &here).with_notice(notice),
        next: next.to_owned(),
        user: user.to_owned(),
        accounts: accounts
            .map(|account| Account {
                user: account.user.clone(),
                password: account.password.clone(),
                role: words.code("role", account.role.as_str()),
            })
            .collect(),
    };
    html(&page)
}

/// `GET /login`.
pub(super) async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Params,
) -> Response {
    let words = Words(page_lang(&headers));
    let next = crate::url::local_or_root(query.get("next").map_or("/", String::as_str));
    render(&app, words, next, "", None)
}

/// `POST /login`.
pub(super) async fn enter(State(app): State<App>, request: Request) -> Response {
    let words = Words(page_lang(request.headers()));
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or_else(|| "unknown".to_owned(), |info| info.0.ip().to_string());
    let Form(form) = match request.extract::<Form<BTreeMap<String, String>>, _>().await {
        Ok(form) => form,
        Err(rejection) => return rejection.into_response(),
    };
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let (user, password) = (field("user").trim(), field("password"));
    let next = crate::url::local_or_root(field("next"));
    let too_long = [user, password]
        .iter()
        .any(|text| text.chars().count() > CREDENTIAL_CHARS_MAX);
    let outcome = if too_long {
        Err(LoginError::Wrong)
    } else {
        app.backend.login(user, password, &peer).await
    };
    match outcome {
        Ok(token) => {
            let mut response = Redirect::to(next).into_response();
            set_session(&app, &mut response, &token, None);
            response
        }
        Err(error) => refuse(&app, words, next, user, &error),
    }
}

fn refuse(app: &App, words: Words, next: &str, user: &str, error: &LoginError) -> Response {
    let (status, text) = match error {
        LoginError::Wrong => (StatusCode::UNAUTHORIZED, words.t("login-wrong")),
        LoginError::Slow(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            words.with("login-slow", &[("seconds", &seconds.to_string())]),
        ),
        LoginError::Unavailable(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            words.with("error-unavailable", &[("why", why)]),
        ),
    };
    let page = render(app, words, next, user, Some(Notice::bad(text)));
    let mut response = (status, page).into_response();
    if let LoginError::Slow(seconds) = error {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

fn set_session(app: &App, response: &mut Response, token: &str, max_age: Option<u32>) {
    let secure = if app.options.secure_cookie {
        "; Secure"
    } else {
        ""
    };
    let age = max_age.map_or_else(String::new, |s| format!("; Max-Age={s}"));
    let cookie = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{age}",
        app.session_cookie()
    );
    match HeaderValue::from_str(&cookie) {
        Ok(value) => {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        Err(error) => tracing::error!(%error, "session token does not fit a cookie"),
    }
}

/// `POST /logout`.
pub(super) async fn leave(visit: Visit) -> Response {
    visit.app.backend.logout(&visit.token).await;
    let mut response = Redirect::to("/login").into_response();
    set_session(&visit.app, &mut response, "", Some(0));
    response
}
