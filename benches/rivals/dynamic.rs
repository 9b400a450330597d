//! async-graphql with a schema that is made when it starts. Its objects are those of the static one, borrowed from one
//! reading of the reply, so that it has no work that it could do without.

use std::any::Any;

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, Object, ResolverContext, Schema, TypeRef};
use async_graphql::{Request, Value};
use bytes::Bytes;
use futures_util::FutureExt as _;

use super::{DOCUMENT, WholeAuthor, WholePage, WholePost};

/// The server.
pub(crate) struct DynamicServer(Schema);

impl DynamicServer {
    pub(crate) fn new() -> Self {
        let schema = Schema::build("Query", None, None);
        let schema = schema.register(query()).register(page()).register(post()).register(author());
        Self(schema.finish().expect("the schema is whole"))
    }

    pub(crate) fn answer(&self, reply: &Bytes) -> Vec<u8> {
        let work = self.0.execute(Request::new(DOCUMENT).data(reply.clone()));
        let response = work.now_or_never().expect("nothing is waited for");
        serde_json::to_vec(&response).expect("it can be written")
    }
}

fn query() -> Object {
    Object::new("Query").field(Field::new("page", TypeRef::named_nn("Page"), |context| {
        FieldFuture::new(async move {
            let page: WholePage = serde_json::from_slice(context.data::<Bytes>()?)?;
            Ok(Some(FieldValue::owned_any(page)))
        })
    }))
}

fn page() -> Object {
    let posts = Field::new("posts", TypeRef::named_nn_list_nn("Post"), |context| {
        FieldFuture::new(async move {
            let posts = &parent::<WholePage>(&context).posts;
            Ok(Some(FieldValue::list(posts.iter().map(|post| FieldValue::borrowed_any(post)))))
        })
    });
    Object::new("Page").field(scalar("total", TypeRef::INT, |page: &WholePage| page.total.into())).field(posts)
}

fn post() -> Object {
    let author = Field::new("author", TypeRef::named_nn("Author"), |context| {
        FieldFuture::new(async move { Ok(Some(FieldValue::borrowed_any(&parent::<WholePost>(&context).author))) })
    });
    Object::new("Post")
        .field(scalar("id", TypeRef::ID, |post: &WholePost| post.id.as_str().into()))
        .field(scalar("slug", TypeRef::STRING, |post: &WholePost| post.slug.as_str().into()))
        .field(scalar("title", TypeRef::STRING, |post: &WholePost| post.title.as_str().into()))
        .field(scalar("views", TypeRef::INT, |post: &WholePost| post.views.into()))
        .field(scalar("rating", TypeRef::FLOAT, |post: &WholePost| post.rating.into()))
        .field(scalar("published", TypeRef::BOOLEAN, |post: &WholePost| post.published.into()))
        .field(author)
}

fn author() -> Object {
    Object::new("Author")
        .field(scalar("id", TypeRef::ID, |author: &WholeAuthor| author.id.as_str().into()))
        .field(scalar("name", TypeRef::STRING, |author: &WholeAuthor| author.name.as_str().into()))
        .field(scalar("city", TypeRef::STRING, |author: &WholeAuthor| author.city.as_str().into()))
}

/// A field that is there already: nothing is waited for.
fn scalar<T: Any>(name: &str, kind: &str, value: impl Fn(&T) -> Value + Send + Sync + 'static) -> Field {
    Field::new(name, TypeRef::named_nn(kind), move |context| FieldFuture::from_value(Some(value(parent(&context)))))
}

fn parent<'a, T: Any>(context: &ResolverContext<'a>) -> &'a T {
    context.parent_value.try_downcast_ref().expect("it is what the field above gave")
}
