//! What backends say of themselves (server reflection), and whether they still say it.

use bytes::Bytes;
use futures_util::future::join_all;

use crate::plan::Reflecting;
use crate::transport::grpc;

/// The last that backends said of themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Reflections(Vec<Reflection>);

#[derive(Clone, Debug)]
struct Reflection {
    asked: Reflecting,
    /// Its files, in an order that does not depend on that in which it says them.
    files: Vec<Bytes>,
}

impl Reflections {
    /// Whether no backend says anything of itself.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the backends, with what they said.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[Bytes])> {
        self.0.iter().map(|reflection| (&*reflection.asked.backend.name, &*reflection.files))
    }

    /// Asks these backends, side by side, on a thread of its own: whoever loads may be in a runtime. One that does not
    /// answer is taken at its word of before, if there is one. Gives what they say, and what is known of them from now on.
    pub(super) fn ask(&self, backends: &[Reflecting]) -> (Vec<Result<Vec<Bytes>, String>>, Self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ask = || match runtime {
            Ok(runtime) => runtime.block_on(join_all(backends.iter().map(grpc::reflect))),
            Err(error) => vec![Err(error.to_string()); backends.len()],
        };
        let asked = std::thread::scope(|scope| scope.spawn(ask).join());
        let asked = asked.unwrap_or_else(|_| vec![Err("asking it broke off".to_owned()); backends.len()]);
        let answers: Vec<_> = backends.iter().zip(asked).map(|(backend, said)| self.or_before(backend, said)).collect();
        let known = backends.iter().zip(&answers);
        let known = known.filter_map(|(backend, said)| Some(Reflection::new(backend, said.as_ref().ok()?)));
        let known = known.collect();
        (answers, Self(known))
    }

    fn or_before(&self, backend: &Reflecting, said: Result<Vec<Bytes>, String>) -> Result<Vec<Bytes>, String> {
        said.or_else(|why| {
            let before = self.0.iter().find(|reflection| reflection.asked.backend.is_same(&backend.backend));
            let before = before.ok_or(why.clone())?;
            tracing::warn!(
                backend = %backend.backend,
                log = why,
                "a backend does not say what it promises: what it said before counts"
            );
            Ok(before.files.clone())
        })
    }

    /// Asks again: whether any backend says something else now. One that does not answer says nothing else.
    pub(super) async fn differ(&self) -> bool {
        let differs = |reflection: &Reflection| {
            let reflection = reflection.clone();
            async move {
                let said = grpc::reflect(&reflection.asked).await;
                said.is_ok_and(|files| Reflection::new(&reflection.asked, &files).files != reflection.files)
            }
        };
        join_all(self.0.iter().map(differs)).await.contains(&true)
    }
}

impl Reflection {
    fn new(asked: &Reflecting, files: &[Bytes]) -> Self {
        let mut files = files.to_vec();
        files.sort_unstable();
        Self { asked: asked.clone(), files }
    }
}
