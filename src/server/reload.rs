//! Taking up a changed project while the gateway runs.
//!
//! The project is read and checked, and the doors to its new plan are made, on a thread of their own beside the old;
//! then all workers get them at once. A project that is wrong changes nothing: what was served before still is, and the
//! log and the operators' address say why.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::StartError;
use super::inputs::Inputs;
use super::load::{Before, Loaded, load_again};
use super::watch::Watch;
use crate::base::id::BackendId;
use crate::base::value::{JsonWriter, Sink as _, Timestamp};
use crate::front::admin::Ask;
use crate::front::entrance::{Doors, Entrance};
use crate::front::listen::{Drain, DrainTimes};
use crate::observe::reload::{BackendChanges, Changes, FileChanges, Reload, Reloads, Rendered};
use crate::plan::{Backend, Fixed, Plan, Succession};
use crate::spec::Project;

/// Where a project is read again.
#[derive(Clone, Debug)]
pub struct Source {
    /// The project's folder.
    pub root: PathBuf,
    /// The profile that is read over its files.
    pub profile: Option<String>,
    /// What the plan that the gateway starts with was made of.
    pub inputs: Inputs,
    /// Whether its files are watched.
    pub watching: Watching,
    /// When backends are asked again that say themselves what they promise.
    pub asking: Asking,
}

impl Source {
    /// A project that was read, which is watched from now on.
    pub fn new(root: &Path, profile: Option<&str>, inputs: Inputs) -> Self {
        let (profile, asking) = (profile.map(str::to_owned), Asking::default());
        Self { root: root.to_owned(), profile, inputs, watching: Watching::On, asking }
    }
}

/// Whether a project's files are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watching {
    /// What changes is taken up by itself.
    On,
    /// It is taken up when somebody asks for it.
    Off,
}

/// When backends are asked again what they promise.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// How long after the last time.
    pub every: Duration,
    /// How long after the last time at least, when a reply is not what one of them promised.
    pub pause: Duration,
}

impl Default for Asking {
    fn default() -> Self {
        Self { every: Duration::from_secs(5 * 60), pause: Duration::from_secs(30) }
    }
}

/// What the command line says over a project, now as at the start.
#[derive(Clone, Debug)]
pub(super) struct HeldTo {
    /// Variables that stand before those of the process's environment.
    pub(super) environment: HashMap<String, String>,
    /// What cannot change.
    pub(super) fixed: Fixed,
    /// Whether the project says how long the phases of a shutdown last.
    pub(super) tells_drain: bool,
}

/// What takes up changed projects.
pub(super) struct Reloader {
    source: Source,
    held_to: HeldTo,
    entrance: Arc<Entrance>,
    reloads: Arc<Reloads>,
    drain: Drain,
    watch: Option<Watch>,
    /// What the plan that is served was made of.
    served: Inputs,
    /// What the last attempt was made of.
    tried: Inputs,
    /// When backends were last asked what they promise.
    asked_at: Instant,
    /// When they are asked again.
    ask_at: Instant,
}

/// Why a project is read again.
enum Trigger {
    /// An operator asked for it.
    Operator(Ask),
    /// The process was sent a signal.
    Signal,
    /// Files, or what backends say of themselves, may be others.
    Noticed,
    /// It is time to ask backends what they promise.
    Due,
    /// A reply was not what its backend promised.
    Doubt,
}

/// What came of reading a project: doors to its plan, if it is right.
struct Attempt {
    loaded: Loaded,
    doors: Option<Doors>,
}

impl Reloader {
    pub(super) fn new(
        source: Source,
        held_to: HeldTo,
        (entrance, reloads, drain): (&Arc<Entrance>, &Arc<Reloads>, &Drain),
    ) -> Self {
        Self {
            held_to,
            watch: watch(&source),
            asked_at: Instant::now(),
            ask_at: Instant::now() + source.asking.every,
            entrance: entrance.clone(),
            reloads: reloads.clone(),
            drain: drain.clone(),
            served: source.inputs.clone(),
            tried: source.inputs.clone(),
            source,
        }
    }

    /// Takes up the project whenever it is asked for, until the gateway shuts down.
    ///
    /// # Errors
    /// Signals cannot be listened for.
    pub(super) fn run(
        mut self,
        mut asked: mpsc::Receiver<Ask>,
    ) -> Result<impl Future<Output = ()> + Send + 'static, StartError> {
        let mut hangup =
            signal(SignalKind::hangup()).map_err(|error| StartError(format!("cannot listen for signals: {error}")))?;
        let drain = self.drain.clone();
        Ok(async move {
            loop {
                let trigger = tokio::select! {
                    () = drain.announced() => return,
                    Some(ask) = asked.recv() => Trigger::Operator(ask),
                    Some(()) = hangup.recv() => Trigger::Signal,
                    trigger = self.noticed() => trigger,
                };
                self.follow(trigger).await;
            }
        })
    }

    /// The next that happens by itself.
    fn noticed(&self) -> impl Future<Output = Trigger> + Send + use<> {
        let changed = self.watch.as_ref().map(Watch::changed);
        let changed = async move {
            match changed {
                Some(changed) => changed.await,
                None => std::future::pending().await,
            }
        };
        let (is_asked, ask_at) = (!self.served.reflections.is_empty(), self.ask_at);
        let doubt = self.entrance.doors().drift().doubt().clone();
        async move {
            tokio::select! {
                () = changed => Trigger::Noticed,
                () = sleep_until(ask_at), if is_asked => Trigger::Due,
                () = doubt.raised(), if is_asked => Trigger::Doubt,
            }
        }
    }

    async fn follow(&mut self, trigger: Trigger) {
        match trigger {
            Trigger::Operator(ask) => {
                if let Some(reload) = self.reload(|_| true).await {
                    // Whoever asked may have left.
                    let _ = ask.send(reload);
                }
            }
            Trigger::Signal => drop(self.reload(|_| true).await),
            Trigger::Noticed => drop(self.reload(|changes| !changes.is_empty()).await),
            Trigger::Doubt => self.ask_at = self.ask_at.min(self.asked_at + self.source.asking.pause),
            Trigger::Due => {
                let differ = self.tried.reflections.differ().await;
                self.note_asked();
                if differ {
                    self.reload(|changes| !changes.is_empty()).await;
                }
            }
        }
    }

    fn note_asked(&mut self) {
        self.asked_at = Instant::now();
        self.ask_at = self.asked_at + self.source.asking.every;
    }

    /// Takes up the project as it is now, if it is worth it for what changed since the last attempt; `None` when it is
    /// not, or when that broke off.
    async fn reload(&mut self, is_worth_it: impl Fn(&FileChanges) -> bool) -> Option<Arc<Reload>> {
        let Attempt { loaded, doors } = self.attempt().await?;
        self.note_asked();
        if !is_worth_it(&loaded.inputs.changes_since(&self.tried)) {
            return None;
        }
        self.tried = loaded.inputs.clone();
        let changes = doors.map(|doors| self.take_up(doors, &loaded.inputs));
        let diagnostics = rendered(&loaded);
        match &changes {
            Some(Changes { files, .. }) => tracing::info!(
                added = files.added.join(" "),
                changed = files.changed.join(" "),
                removed = files.removed.join(" "),
                diagnostics = diagnostics.text,
                "the project is taken up",
            ),
            None => tracing::error!(
                diagnostics = diagnostics.text,
                "the project is wrong and not taken up: what was served before still is"
            ),
        }
        let reload = Arc::new(Reload { at: now(), changes, diagnostics });
        self.reloads.note(reload.clone());
        Some(reload)
    }

    /// Reads the project and makes the doors to its plan, beside those that requests go through.
    async fn attempt(&mut self) -> Option<Attempt> {
        let (source, HeldTo { environment, fixed, .. }) = (self.source.clone(), self.held_to.clone());
        let before = Before { fixed, reflections: self.served.reflections.clone() };
        let (doors, mut watch) = (self.entrance.doors(), self.watch.take());
        let attempt = tokio::task::spawn_blocking(move || {
            if let Some(watch) = &mut watch {
                watch.renew();
            }
            let project = Project { root: &source.root, profile: source.profile.as_deref() };
            let mut loaded = load_again(project, &environment, &before);
            if let Some(watch) = &mut watch {
                watch.follow(&loaded.inputs);
            }
            let doors = loaded.plan.take().map(|plan| doors.followed_by(&Arc::new(plan)));
            (Attempt { loaded, doors }, watch)
        });
        let (attempt, watch) = attempt.await.inspect_err(|error| tracing::error!(%error, "a reload broke off")).ok()?;
        self.watch = watch;
        if let Some(doors) = &attempt.doors {
            doors.looked().await;
        }
        Some(attempt)
    }

    /// Lets requests through the new doors.
    fn take_up(&mut self, doors: Doors, inputs: &Inputs) -> Changes {
        let plan = doors.plan().clone();
        if self.held_to.tells_drain {
            let gateway = &plan.gateway;
            self.drain.change(DrainTimes { delay: gateway.drain_delay, timeout: gateway.drain_timeout });
        }
        let previous = self.entrance.replace(doors);
        let changes =
            Changes { files: inputs.changes_since(&self.served), backends: backend_changes(previous.plan(), &plan) };
        self.served = inputs.clone();
        // A large plan is not freed in passing.
        tokio::task::spawn_blocking(move || drop(previous));
        changes
    }
}

fn watch(source: &Source) -> Option<Watch> {
    if source.watching == Watching::Off {
        return None;
    }
    let watch = Watch::start(&source.root, &source.inputs);
    watch
        .inspect_err(|error| tracing::warn!(%error, "the project is not watched; SIGHUP and POST /reload take it up"))
        .ok()
}

fn rendered(loaded: &Loaded) -> Rendered {
    let mut json = JsonWriter::default();
    json.begin_array();
    loaded.write_json(&mut json);
    json.end_array();
    Rendered { text: loaded.render_with("what was served before still is"), json: json.bytes }
}

fn backend_changes(previous: &Plan, next: &Plan) -> BackendChanges {
    let succession = Succession::between(previous, next);
    let mut changes = BackendChanges::default();
    let mut followed = vec![false; previous.backends.len()];
    for (index, backend) in next.backends.iter().enumerate() {
        match succession.predecessor(BackendId::from(index)) {
            Some(predecessor) => {
                followed[predecessor.index()] = true;
                changes.kept.push(backend.to_string());
            }
            None => changes.begun.push(backend.to_string()),
        }
    }
    let ended = previous.backends.iter().zip(followed).filter(|(_, followed)| !followed);
    changes.ended = ended.map(|(backend, _)| Backend::to_string(backend)).collect();
    changes
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp { seconds: since.as_secs() as i64, nanos: 0 }
}
