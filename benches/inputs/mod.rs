//! Replies that the benches read, generated: the same bytes on every run.

/// What [`reply`] gives about 1 KB for.
pub(crate) const ONE_KB: usize = 4;
/// What [`reply`] gives about 22 KB for.
pub(crate) const TWENTY_TWO_KB: usize = 100;

/// A reply with a list of posts: `{"total": …, "posts": [{id, slug, title, views, rating, published, author: {…}}]}`.
pub(crate) fn reply(posts: usize) -> String {
    let posts: Vec<String> = (0..posts).map(post).collect();
    format!(r#"{{"total":{},"next":null,"posts":[{}]}}"#, posts.len(), posts.join(","))
}

fn post(number: usize) -> String {
    let (author, views, rating) = (number % 10, number * 7_919 % 100_000, 1.0 + (number % 8) as f64 / 2.0);
    format!(
        r#"{{"id":"p{number:05}","slug":"a-post-about-number-{number}","title":"What number {number} means — and what it does not","views":{views},"rating":{rating},"published":{published},"author":{{"id":"u{author}","name":"Author {author}","city":"Montréal"}}}}"#,
        published = !number.is_multiple_of(3),
    )
}
