//! What a call carries, and where it goes, as data.

use std::time::Duration;

/// What a call asks.
#[derive(Debug)]
pub struct Asked {
    /// The verb with path and query, or the rpc.
    pub operation: String,
    /// Cookies.
    pub cookies: Vec<Pair>,
    /// What it sends.
    pub body: Option<Body>,
}

/// What a call sends.
#[derive(Debug)]
pub enum Body {
    /// JSON, over REST.
    Json(String),
    /// The parameters of a form, over REST.
    Form(Vec<String>),
    /// The parts of a form, over REST.
    Multipart(Vec<String>),
    /// What goes out as it is, over REST.
    Raw(String),
    /// The message of a gRPC call.
    Message(String),
}

/// A header field or a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair {
    /// A name and its value.
    Set(String, String),
    /// A name that is left out, whatever else would set it.
    Removed(String),
    /// Every entry of a map.
    Map(String),
}

/// Which variant of a backend a request goes to.
#[derive(Debug)]
pub struct Choice {
    /// Those that it may go to; at least one.
    pub variants: Vec<Variant>,
    /// The value that decides; `None` where the shares alone do, or there is but one.
    pub by: Option<String>,
}

/// A variant of a backend, and what a call does only there.
#[derive(Debug, Default)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its share among those of all, where shares decide.
    pub share: Option<u64>,
    /// Parameters of the query.
    pub query: Vec<String>,
    /// Header fields or metadata.
    pub headers: Vec<Pair>,
    /// The time that the call may take, where that is less than it may take elsewhere.
    pub within: Option<Duration>,
}
