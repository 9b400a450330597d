//! The same answer from the same reply by other means: what a person would write by hand, what a GraphQL server made of Rust
//! types does, and what one does whose schema is known only when it starts, as a gateway's is. All of them read the reply
//! anew each time, as a request does.

mod dynamic;

pub(crate) use dynamic::DynamicServer;

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Request, Schema, SimpleObject};
use bytes::Bytes;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};

/// What [`crate::DOCUMENT`] asks for.
const DOCUMENT: &str = "{ page { total posts { id slug title views rating published author { id name } } } }";

/// An answer by its members: two that say the same in other letters are equal.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Answer<'r> {
    #[serde(borrow)]
    data: Data<'r>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Data<'r> {
    #[serde(borrow)]
    page: Page<'r>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Page<'r> {
    total: i32,
    #[serde(borrow)]
    posts: Vec<Post<'r>>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Post<'r> {
    id: &'r str,
    slug: &'r str,
    title: &'r str,
    views: i32,
    rating: f64,
    published: bool,
    #[serde(borrow)]
    author: Author<'r>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Author<'r> {
    id: &'r str,
    name: &'r str,
}

impl<'r> Answer<'r> {
    /// Reads an answer back.
    pub(crate) fn read(bytes: &'r [u8]) -> Self {
        serde_json::from_slice(bytes).expect("it is an answer")
    }
}

/// By hand: types of just what is asked for, whose texts borrow from the reply, with serde_json.
pub(crate) fn by_hand(reply: &[u8]) -> Vec<u8> {
    let page = serde_json::from_slice(reply).expect("it is a reply");
    serde_json::to_vec(&Answer { data: Data { page } }).expect("it can be written")
}

/// async-graphql over Rust types of everything that the reply has.
pub(crate) struct Server(Schema<Query, EmptyMutation, EmptySubscription>);

impl Server {
    pub(crate) fn new() -> Self {
        Self(Schema::new(Query, EmptyMutation, EmptySubscription))
    }

    pub(crate) fn answer(&self, reply: &Bytes) -> Vec<u8> {
        let work = self.0.execute(Request::new(DOCUMENT).data(reply.clone()));
        let response = work.now_or_never().expect("nothing is waited for");
        serde_json::to_vec(&response).expect("it can be written")
    }
}

struct Query;

#[Object]
impl Query {
    async fn page(&self, context: &Context<'_>) -> async_graphql::Result<WholePage> {
        Ok(serde_json::from_slice(context.data::<Bytes>()?)?)
    }
}

#[derive(Deserialize, SimpleObject)]
struct WholePage {
    total: i32,
    posts: Vec<WholePost>,
}

#[derive(Deserialize, SimpleObject)]
struct WholePost {
    id: String,
    slug: String,
    title: String,
    views: i32,
    rating: f64,
    published: bool,
    author: WholeAuthor,
}

#[derive(Deserialize, SimpleObject)]
struct WholeAuthor {
    id: String,
    name: String,
    city: String,
}
