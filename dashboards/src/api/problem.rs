//! Errors of the API as `application/problem+json` (RFC 9457).

use crate::app::App;
use crate::backend::BackendError;
use crate::text::Words;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// One error: a stable code, the value at fault, and a text in the language asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    text: String,
}

impl Problem {
    /// A problem whose text is `error-<code>`.
    pub(crate) fn new(words: Words, status: StatusCode, code: &str, detail: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.to_owned(),
            text: words.with(&format!("error-{code}"), &[("detail", detail)]),
        }
    }

    /// Neither a valid session nor a valid token.
    pub(crate) fn unauthenticated(words: Words) -> Self {
        Self::new(words, StatusCode::UNAUTHORIZED, "unauthenticated", "")
    }

    /// A request that cannot be understood.
    pub(crate) fn bad_request(words: Words, detail: &str) -> Self {
        Self::new(words, StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// What the backend answered.
    pub(crate) fn from_error(words: Words, error: &BackendError) -> Self {
        let (code, detail) = match error {
            BackendError::NotFound => ("not-found", ""),
            BackendError::Forbidden => ("forbidden", ""),
            BackendError::Unavailable(why) => ("unavailable", why.as_str()),
            BackendError::Refused { code, detail } => (code.as_str(), detail.as_str()),
        };
        Self {
            status: crate::pages::status_of(error),
            code: code.to_owned(),
            detail: detail.to_owned(),
            text: crate::pages::error_text(words, error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "text": self.text,
        });
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, kind)],
            body.to_string(),
        )
            .into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Result of an API call.
pub(crate) type Answer<T> = Result<axum::Json<T>, Problem>;

/// An address under `/api/` with the wrong method.
pub(crate) async fn wrong_method(
    axum::extract::State(_): axum::extract::State<App>,
    headers: axum::http::HeaderMap,
) -> Problem {
    let words = crate::app::api_words(&headers);
    let mut problem = Problem::bad_request(words, "method");
    problem.status = StatusCode::METHOD_NOT_ALLOWED;
    problem
}
