//! Operations kept from one request to the next, found by the full text of their document.
//!
//! Two generations approximate least-recently-used: what is used moves to the young one; when that
//! is full it becomes the old one, and what was old and unused goes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::plan::operation::selection::{Operation, Selection};

/// About how many bytes one field of an operation takes.
const BYTES_PER_FIELD: usize = 400;

/// A bounded store of operations. Documents are compared in full: no hash stands for them.
#[derive(Debug)]
pub(super) struct OperationCache<T> {
    /// Bytes, estimated, that one generation may hold.
    capacity: usize,
    generations: RwLock<Generations<T>>,
}

#[derive(Debug)]
struct Generations<T> {
    young: Generation<T>,
    old: Generation<T>,
    /// Bytes in the young generation.
    weight: usize,
}

/// The operations of each document.
type Generation<T> = HashMap<Box<str>, Vec<Kept<T>>>;

#[derive(Debug)]
struct Kept<T> {
    /// The operation that the request named.
    name: Option<Box<str>>,
    operation: Arc<T>,
}

impl<T: AsRef<Operation>> OperationCache<T> {
    /// A store that takes about this many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new(), weight: 0 };
        Self { capacity: bytes / 2, generations: RwLock::new(generations) }
    }

    /// The operation that was kept for a document and the name that the request gave.
    pub(super) fn find(&self, document: &str, name: Option<&str>) -> Option<Arc<T>> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(operation) = find(&generations.young, document, name) {
            return Some(operation);
        }
        let operation = find(&generations.old, document, name)?;
        drop(generations);
        self.keep(document, name, operation.clone());
        Some(operation)
    }

    /// Keeps an operation.
    pub(super) fn keep(&self, document: &str, name: Option<&str>, operation: Arc<T>) {
        let weight = document.len() + count(&(*operation).as_ref().selection) * BYTES_PER_FIELD;
        if weight > self.capacity {
            return;
        }
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        let generations = &mut *generations;
        if find(&generations.young, document, name).is_some() {
            return;
        }
        if generations.weight + weight > self.capacity {
            generations.old = std::mem::take(&mut generations.young);
            generations.weight = 0;
        }
        generations.weight += weight;
        let kept = Kept { name: name.map(Into::into), operation };
        generations.young.entry(document.into()).or_default().push(kept);
    }
}

fn find<T>(generation: &Generation<T>, document: &str, name: Option<&str>) -> Option<Arc<T>> {
    let kept = generation.get(document)?.iter().find(|kept| kept.name.as_deref() == name)?;
    Some(kept.operation.clone())
}

fn count(selection: &Selection) -> usize {
    selection.fields.iter().map(|field| 1 + count(&field.selection)).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::OperationCache;
    use crate::plan::operation::selection::{Operation, OperationKind, Selection};
    use crate::plan::schema::TypeId;

    fn operation() -> Arc<Operation> {
        let selection = Selection::default();
        let (kind, root) = (OperationKind::Query, TypeId(0));
        Arc::new(Operation { kind, name: None, root, variables: Vec::new(), selection })
    }

    #[test]
    fn an_operation_is_found_by_its_document_and_name() {
        let cache = OperationCache::new(1_000);
        let kept = operation();
        cache.keep("query A { a }", Some("A"), kept.clone());
        assert!(cache.find("query A { a }", Some("A")).is_some_and(|found| Arc::ptr_eq(&found, &kept)));
        assert!(cache.find("query A { a }", None).is_none());
        assert!(cache.find("query A { a } ", Some("A")).is_none());
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let cache = OperationCache::new(200);
        cache.keep("{ used }", None, operation());
        for number in 0..1_000 {
            cache.keep(&format!("{{ a{number} }}"), None, operation());
            assert!(cache.find("{ used }", None).is_some(), "{number}");
        }
        assert!(cache.find("{ a0 }", None).is_none());
        let generations = cache.generations.read().expect("not poisoned");
        assert!(generations.young.len() + generations.old.len() < 40);
    }
}
