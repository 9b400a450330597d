//! What contracts and the schema promise of replies: a list that grows while programs are made, and whose
//! positions the programs know.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::expr::PromiseId;
use crate::observe::drift::Promise;

/// The promises of a plan that is being built.
#[derive(Debug, Default)]
pub struct Promises {
    numbered: Mutex<Numbered>,
}

#[derive(Debug, Default)]
struct Numbered {
    list: Vec<Promise>,
    /// By backend and field.
    known: HashMap<(Arc<str>, Box<str>), PromiseId>,
}

/// The promises that the contract of one backend makes.
#[derive(Clone, Debug)]
pub struct OfBackend {
    promises: Arc<Promises>,
    backend: Arc<str>,
}

impl Promises {
    /// Adds promises that belong together and gives the position of the first.
    pub fn extend(&self, promises: impl IntoIterator<Item = Promise>) -> usize {
        let mut numbered = self.lock();
        let first = numbered.list.len();
        numbered.list.extend(promises);
        first
    }

    /// Those of a backend's contract.
    pub fn of_backend(self: &Arc<Self>, backend: &str) -> OfBackend {
        OfBackend { promises: self.clone(), backend: backend.into() }
    }

    /// All of them, by position.
    pub fn take(&self) -> Vec<Promise> {
        std::mem::take(&mut self.lock().list)
    }

    fn lock(&self) -> MutexGuard<'_, Numbered> {
        // Nothing that holds the lock can fail half-way.
        self.numbered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfBackend {
    /// The promise about a field, such as `catalog.Product.name`; `expected` says its type.
    pub fn about(&self, field: &str, expected: impl FnOnce() -> String) -> PromiseId {
        let mut numbered = self.promises.lock();
        let key = (self.backend.clone(), Box::from(field));
        if let Some(known) = numbered.known.get(&key) {
            return *known;
        }
        let id = PromiseId(numbered.list.len() as u32);
        let backends = Box::new([Box::from(&*self.backend)]);
        numbered.list.push(Promise { backends, field: field.into(), expected: expected().into() });
        numbered.known.insert(key, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::Promises;
    use std::sync::Arc;

    #[test]
    fn a_field_of_a_backend_is_promised_once() {
        let promises = Arc::new(Promises::default());
        let (catalog, shop) = (promises.of_backend("catalog"), promises.of_backend("shop"));
        let text = || "string".to_owned();
        let name = catalog.about("Product.name", text);
        assert_eq!(name, promises.of_backend("catalog").about("Product.name", text));
        assert_ne!(name, shop.about("Product.name", text));
        assert_ne!(name, catalog.about("Product.id", text));
        let fields: Vec<_> = promises.take().into_iter().map(|promise| promise.field).collect();
        assert_eq!(fields, ["Product.name".into(), "Product.name".into(), "Product.id".into()] as [Box<str>; 3]);
    }
}
