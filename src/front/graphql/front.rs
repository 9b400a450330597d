//! Serves the graph over HTTP: the page for people, operations for clients.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};

use super::errors;
use super::playground::{self, Playground};
use super::request::{Format, GraphqlRequest};
use super::{Graph, Prepared};
use crate::base::failure::{Cause, Failure};
use crate::base::value::Held;
use crate::exec::graph::{GraphAnswer, Inputs, execute};
use crate::exec::{ClientRequest, Live};
use crate::front::door::overloaded;
use crate::front::listen::{AnswerBody, RequestBody};
use crate::front::rest::PARTIAL;
use crate::plan::Plan;
use crate::plan::operation::{Planned, RequestError};
use crate::policy::overload::{Class, Place};

/// Bytes of a GraphQL request's body that are read at most.
const MAX_BODY: usize = 1 << 20;

/// The graph of a plan as clients reach it.
#[derive(Debug)]
pub struct Front {
    graph: Graph<Planned>,
    path: Arc<str>,
    /// How important a request may be of which nothing is known but that it is for the graph.
    class: Class,
    playground: Option<Playground>,
}

/// The answer to a GraphQL request, and what the access log says of it.
#[derive(Debug)]
pub struct Served {
    /// The answer.
    pub response: Response<AnswerBody>,
    /// The code of the first error, if there was one.
    pub cause: Option<String>,
}

impl Front {
    /// The front of a plan's graph; `None` when it has none.
    pub fn new(plan: &Arc<Plan>) -> Option<Self> {
        let graph = plan.graph.as_ref()?;
        let of_plan = plan.clone();
        let planned = move |operation| Planned::new(of_plan.graph(), &of_plan.fields, operation);
        Some(Self {
            graph: Graph::new(graph.schema.clone(), graph.settings(), planned),
            path: graph.path.as_ref().into(),
            class: plan.fields.iter().map(|field| field.class).max().unwrap_or_default(),
            playground: graph.playground.then(|| Playground::new(&graph.path)),
        })
    }

    /// The path that the graph is served at.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// How important a request may be of which nothing is known but that it is for the graph: as the most important
    /// field.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Whether the graph, or an asset of its page, is served at a path.
    pub fn is_at(&self, path: &str) -> bool {
        *self.path == *path || self.playground.as_ref().is_some_and(|playground| playground.asset(path).is_some())
    }

    /// Answers a request to a path of the graph.
    ///
    /// # Errors
    /// The body cannot be read, or an asset cannot be sent as the client wants it; everything about
    /// GraphQL is in the answer.
    pub async fn serve(
        &self,
        live: &Arc<Live>,
        (mut client, body): (ClientRequest, RequestBody),
        place: &mut Place,
    ) -> Result<Served, Failure> {
        if let Some(page) = self.for_people(&client) {
            return Ok(Served { response: page?, cause: None });
        }
        let ClientRequest { head, taken, .. } = &mut client;
        let format = Format::negotiate(&head.headers);
        let body = match head.method {
            Method::POST => body.read(MAX_BODY, (live.calls.shared().room(), taken)).await?,
            _ => Bytes::new(),
        };
        let method = if head.method == Method::HEAD { Method::GET } else { head.method.clone() };
        let asked = GraphqlRequest::read(&method, head.uri.query(), &head.headers, &body);
        let prepared = asked.and_then(|asked| self.graph.prepare(&asked));
        Ok(match prepared {
            Ok(prepared) => {
                place.be(prepared.operation.class).map_err(overloaded)?;
                answered(run(live.clone(), prepared, client).await?, format)
            }
            Err(error) => refused(&error, &method, format),
        })
    }

    /// The answer when a browser asks for the page or one of its assets.
    fn for_people(&self, client: &ClientRequest) -> Option<Result<Response<AnswerBody>, Failure>> {
        let playground = self.playground.as_ref()?;
        let (method, headers) = (&client.head.method, &client.head.headers);
        if let Some(asset) = playground.asset(client.path()) {
            return Some(asset.answer(method, headers));
        }
        let wanted = matches!(*method, Method::GET | Method::HEAD) && playground::is_wanted(headers);
        wanted.then(|| Ok(playground.page()))
    }
}

/// Runs an operation. One that writes runs in a task of its own: once begun it comes to its end,
/// whether its client stays or not.
async fn run(live: Arc<Live>, prepared: Prepared<Planned>, mut client: ClientRequest) -> Result<GraphAnswer, Failure> {
    let timeout = live.plan.graph.as_ref().map_or_else(Default::default, |graph| graph.timeout);
    let deadline = client.deadline(timeout);
    let writes = prepared.operation.writes;
    let detached = live.detached.clone();
    let work = async move {
        let variables = Held::Doc(prepared.variables, 0);
        let inputs = Inputs { variables: &variables, introspection: &prepared.introspection };
        execute(&live, &prepared.operation, inputs, (&client, deadline)).await
    };
    if !writes {
        return Ok(work.await);
    }
    let broke = |error| Failure::new(Cause::Internal, format!("an operation broke off: {error}"));
    detached.spawn(work).await.map_err(broke)
}

fn answered(answer: GraphAnswer, format: Format) -> Served {
    let mut response = json(answer.body, format, StatusCode::OK);
    if !answer.partial.is_empty()
        && let Ok(value) = HeaderValue::from_str(&answer.partial.header())
    {
        response.headers_mut().insert(PARTIAL, value);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Served { response, cause: answer.codes.into_iter().next() }
}

fn refused(error: &RequestError, method: &Method, format: Format) -> Served {
    let status = StatusCode::from_u16(errors::status(error, format)).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(errors::body(error), format, status);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        // GET is right for the path, but not for a mutation.
        let allowed = if *method == Method::GET { "POST, OPTIONS" } else { "GET, HEAD, POST, OPTIONS" };
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    }
    Served { response, cause: Some(error.cause.code().to_owned()) }
}

fn json(body: Bytes, format: Format, status: StatusCode) -> Response<AnswerBody> {
    let length = body.len();
    let mut response = Response::new(AnswerBody::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}
