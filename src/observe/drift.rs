//! What replies do not keep of what is promised about them: counted for operators, and said in the
//! log at the first time, the tenth, the hundredth, and so on.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::SystemTime;

use tokio::sync::Notify;

/// Something that replies promise to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Promise {
    /// The backends whose replies it is read from; empty where nothing is called.
    pub backends: Box<[Box<str>]>,
    /// What it is called: `Product.name` of the schema, `catalog.Product.name` of a contract.
    pub field: Box<str>,
    /// The promised type.
    pub expected: Box<str>,
}

/// What stood there instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Found {
    /// The object has no such member.
    Nothing,
    /// The value that should have it is no object.
    NoObject,
    Null,
    Text,
    Boolean,
    Number,
    /// A number that is no whole one of 32 bits.
    NoInt,
    List,
    Object,
    /// An object of an abstract type that does not say of which type it is.
    Nameless,
    /// A value that the enum does not have.
    UnknownValue,
    Other,
}

impl Found {
    /// Every kind, in the order of its counters.
    pub const ALL: &[Self] = &[
        Self::Nothing,
        Self::NoObject,
        Self::Null,
        Self::Text,
        Self::Boolean,
        Self::Number,
        Self::NoInt,
        Self::List,
        Self::Object,
        Self::Nameless,
        Self::UnknownValue,
        Self::Other,
    ];

    /// What it is called in the log and at the operators' address.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::NoObject => "no object that could hold it",
            Self::Null => "null",
            Self::Text => "text",
            Self::Boolean => "true or false",
            Self::Number => "a number",
            Self::NoInt => "a number that is no 32-bit integer",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Nameless => "an object of no known type",
            Self::UnknownValue => "a value that the enum does not have",
            Self::Other => "something else",
        }
    }
}

/// The promises of a plan and how often each was not kept. Shared by all workers.
#[derive(Debug, Default)]
pub struct Drift {
    counted: Box<[Counted]>,
    doubt: Doubt,
}

/// Doubt about what backends say of themselves; the same for plans that follow on each other.
#[derive(Clone, Debug, Default)]
pub struct Doubt(Arc<Notify>);

#[derive(Debug)]
struct Counted {
    promise: Promise,
    /// Also those of a plan before: whoever still runs on it counts here too.
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    count: AtomicU64,
    /// By the position in [`Found::ALL`].
    found: [AtomicU64; Found::ALL.len()],
    /// Seconds since 1970.
    last_seen: AtomicI64,
}

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub struct Broken<'d> {
    /// The promise.
    pub promise: &'d Promise,
    /// How often it was not kept.
    pub count: u64,
    /// What was found instead, and how often.
    pub found: Vec<(Found, u64)>,
    /// When it was last not kept, in seconds since 1970.
    pub last_seen: i64,
}

impl Drift {
    /// Counters for these promises; their positions are their ids.
    pub fn new(promises: &[Promise]) -> Self {
        Self::default().followed_by(promises)
    }

    /// Counters for the promises of the next plan: those that are promised again go on counting.
    pub fn followed_by(&self, promises: &[Promise]) -> Self {
        let known: HashMap<&Promise, &Arc<Counts>> =
            self.counted.iter().map(|counted| (&counted.promise, &counted.counts)).collect();
        let counted = |promise: &Promise| Counted {
            promise: promise.clone(),
            counts: known.get(promise).map(|counts| Arc::clone(counts)).unwrap_or_default(),
        };
        Self { counted: promises.iter().map(counted).collect(), doubt: self.doubt.clone() }
    }

    /// Counts that a promise was not kept.
    pub fn note(&self, promise: usize, found: Found) {
        let Some(counted) = self.counted.get(promise) else { return };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        counted.counts.last_seen.store(now.as_secs() as i64, Ordering::Relaxed);
        counted.counts.found[found as usize].fetch_add(1, Ordering::Relaxed);
        let count = counted.counts.count.fetch_add(1, Ordering::Relaxed) + 1;
        if is_power_of_ten(count) {
            let Promise { backends, field, expected } = &counted.promise;
            let (backends, found) = (backends.join(", "), found.noun());
            tracing::warn!(backends, field = &**field, expected = &**expected, found, count, "a promise is not kept");
        }
    }

    /// Whether what backends say of themselves is in doubt.
    pub fn doubt(&self) -> &Doubt {
        &self.doubt
    }

    /// The promises that were not kept so far, in the order of the plan.
    pub fn broken(&self) -> impl Iterator<Item = Broken<'_>> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.counted.iter().filter(move |counted| read(&counted.counts.count) > 0).map(move |counted| Broken {
            promise: &counted.promise,
            count: read(&counted.counts.count),
            found: Found::ALL
                .iter()
                .zip(&counted.counts.found)
                .map(|(found, count)| (*found, read(count)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            last_seen: counted.counts.last_seen.load(Ordering::Relaxed),
        })
    }
}

impl Doubt {
    /// A reply came that cannot be what its backend promised.
    pub fn raise(&self) {
        self.0.notify_one();
    }

    /// Waits until there is doubt. What was raised before counts once.
    pub async fn raised(&self) {
        self.0.notified().await;
    }
}

fn is_power_of_ten(count: u64) -> bool {
    let mut power = count;
    while power > 1 && power.is_multiple_of(10) {
        power /= 10;
    }
    power == 1
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::{Drift, Found, Promise, is_power_of_ten};

    #[test]
    fn what_is_not_kept_is_counted_by_what_was_found() {
        let promise = |field: &str| Promise {
            backends: Box::new(["catalog".into()]),
            field: field.into(),
            expected: "String!".into(),
        };
        let drift = Drift::new(&[promise("A.a"), promise("A.b")]);
        assert_eq!(drift.broken().count(), 0);
        drift.note(1, Found::Null);
        drift.note(1, Found::List);
        drift.note(1, Found::Null);
        drift.note(7, Found::Null);
        let broken: Vec<_> = drift.broken().collect();
        assert_eq!(broken.len(), 1);
        assert_eq!((&*broken[0].promise.field, broken[0].count), ("A.b", 3));
        assert_eq!(broken[0].found, [(Found::Null, 2), (Found::List, 1)]);
        assert!(broken[0].last_seen > 0);
    }

    #[test]
    fn what_is_promised_again_goes_on_counting() {
        let promise = |field: &str| Promise { backends: Box::new([]), field: field.into(), expected: "Int".into() };
        let before = Drift::new(&[promise("A.a"), promise("A.b")]);
        before.note(1, Found::Null);
        let after = before.followed_by(&[promise("A.b"), promise("A.c")]);
        // A request that began before counts where the next one does.
        before.note(1, Found::Null);
        after.note(0, Found::Null);
        let broken: Vec<_> = after.broken().map(|broken| (&*broken.promise.field, broken.count)).collect();
        assert_eq!(broken, [("A.b", 3)]);
    }

    #[test]
    fn the_log_hears_of_the_first_the_tenth_and_the_hundredth() {
        let said: Vec<u64> = (0..=1_000).filter(|count| is_power_of_ten(*count)).collect();
        assert_eq!(said, [1, 10, 100, 1_000]);
    }

    /// What the log says, line by line.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_log_says_what_is_not_kept_and_how_often() {
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let promise =
            Promise { backends: Box::new(["catalog".into()]), field: "A.a".into(), expected: "String!".into() };
        let drift = Drift::new(&[promise]);
        tracing::subscriber::with_default(lines, || (0..99).for_each(|_| drift.note(0, Found::Null)));
        let said = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
        let said: Vec<&str> = said.lines().collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("WARN") && said[0].contains("a promise is not kept"), "{}", said[0]);
        let fields = r#"backends="catalog" field="A.a" expected="String!" found="null""#;
        assert!(said[0].contains(&format!("{fields} count=1")), "{}", said[0]);
        assert!(said[1].contains(&format!("{fields} count=10")), "{}", said[1]);
    }

    #[test]
    fn every_kind_has_its_own_counter() {
        assert!(Found::ALL.iter().enumerate().all(|(at, found)| *found as usize == at));
    }
}
