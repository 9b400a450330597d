//! What the REST backends share: reading a query, and saying no in JSON.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The parameters of a query in the order in which they were written.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The first value of `name`; an empty one counts as absent.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// All values of `name`, written as repeated keys, with commas, or both.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    /// How many rows to answer with: `limit`, from 1 to 100, else `default`.
    ///
    /// # Errors
    /// A `limit` that is no number of that range.
    pub(super) fn limit(&self, default: usize) -> Result<usize, Refusal> {
        let Some(text) = self.one("limit") else { return Ok(default) };
        match text.parse() {
            Ok(limit @ 1..=100) => Ok(limit),
            _ => Err(Refusal::bad("limit must be a whole number from 1 to 100")),
        }
    }

    /// One of `choices` by its name, the first of them when the parameter is absent.
    ///
    /// # Errors
    /// A value that is none of them.
    pub(super) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, Refusal> {
        let wanted = self.one(name).unwrap_or(choices[0].0);
        let found = choices.iter().find(|(choice, _)| *choice == wanted);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
            Refusal::bad(format!("{name} must be one of {}", known.join(", ")))
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(error) => Err(Refusal::bad(error.to_string())),
        }
    }
}

/// A list as the backends answer it: `{"items": […]}`.
pub(super) fn items(items: impl Serialize) -> Response {
    /// The list under its name.
    #[derive(Serialize)]
    struct Items<T> {
        items: T,
    }
    Json(Items { items }).into_response()
}

/// A JSON body.
#[derive(Debug)]
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(error) => Err(Refusal { status: error.status(), code: "invalid_body", message: error.body_text() }),
        }
    }
}

/// A request that a REST backend does not serve: a status and `{"error": code, "message": text}`.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: StatusCode,
    /// What programs read.
    pub(super) code: &'static str,
    /// What people read.
    pub(super) message: String,
}

impl Refusal {
    /// 404: there is no `kind` with this id.
    pub(super) fn unknown(kind: &str, id: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message: format!("there is no {kind} {id}") }
    }

    /// 400: the request itself is wrong.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "bad_request", message: message.into() }
    }

    /// 422: the request is well formed, but what it asks cannot be done.
    pub(super) fn impossible(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, code: "impossible", message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.code, "message": self.message }))).into_response()
    }
}

/// The route for every path that a backend does not have.
pub(super) async fn no_such_path() -> Refusal {
    Refusal { status: StatusCode::NOT_FOUND, code: "not_found", message: "there is nothing at this path".to_owned() }
}

/// The health route of every backend.
pub(super) async fn healthy() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}
