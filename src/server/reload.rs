//! Taking up a changed project while the gateway runs.
//!
//! The project is read and checked, and the doors to its new plan are made, on a thread of their own beside the old;
//! then all workers get them at once. A project that is wrong changes nothing: what was served before still is, and the
//! log and the operators' address say why.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::inputs::Inputs;
use super::load::{Loaded, load_again};
use super::{Options, StartError};
use crate::base::id::BackendId;
use crate::base::value::{JsonWriter, Sink as _, Timestamp};
use crate::front::admin::Ask;
use crate::front::entrance::{Doors, Entrance};
use crate::front::listen::{Drain, DrainTimes};
use crate::observe::reload::{BackendChanges, Changes, Reload, Reloads, Rendered};
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
}

/// What takes up changed projects.
pub(super) struct Reloader {
    source: Source,
    options: Options,
    fixed: Fixed,
    entrance: Arc<Entrance>,
    reloads: Arc<Reloads>,
    drain: Drain,
    /// What the plan that is served was made of.
    served: Inputs,
    /// What the last attempt was made of.
    tried: Inputs,
}

/// What came of reading a project: doors to its plan, if it is right.
struct Attempt {
    loaded: Loaded,
    doors: Option<Doors>,
}

impl Reloader {
    pub(super) fn new(
        source: &Source,
        options: &Options,
        (entrance, reloads, drain): (&Arc<Entrance>, &Arc<Reloads>, &Drain),
    ) -> Self {
        let fixed = Fixed::of(&entrance.doors().plan().gateway);
        let fixed = Fixed {
            listen: fixed.listen.filter(|_| options.listen.is_none()),
            admin: fixed.admin.filter(|_| options.admin.is_none()),
            ..fixed
        };
        Self {
            source: source.clone(),
            options: options.clone(),
            fixed,
            entrance: entrance.clone(),
            reloads: reloads.clone(),
            drain: drain.clone(),
            served: source.inputs.clone(),
            tried: source.inputs.clone(),
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
                let asked = tokio::select! {
                    () = drain.announced() => return,
                    Some(ask) = asked.recv() => Some(ask),
                    Some(()) = hangup.recv() => None,
                    else => return,
                };
                let Some(reload) = self.reload().await else { continue };
                if let Some(ask) = asked {
                    // Whoever asked may have left.
                    let _ = ask.send(reload);
                }
            }
        })
    }

    /// Takes up the project as it is now; `None` when that broke off.
    async fn reload(&mut self) -> Option<Arc<Reload>> {
        let Attempt { loaded, doors } = self.attempt().await?;
        self.tried = loaded.inputs.clone();
        let changes = doors.map(|doors| self.take_up(doors, &loaded.inputs));
        let diagnostics = rendered(&loaded);
        match &changes {
            Some(changes) => {
                let files = &changes.files;
                tracing::info!(
                    added = files.added.join(" "),
                    changed = files.changed.join(" "),
                    removed = files.removed.join(" "),
                    diagnostics = diagnostics.text,
                    "the project is taken up",
                );
            }
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
    async fn attempt(&self) -> Option<Attempt> {
        let (source, environment) = (self.source.clone(), self.options.environment.clone());
        let (doors, fixed) = (self.entrance.doors(), self.fixed.clone());
        let attempt = tokio::task::spawn_blocking(move || {
            let project = Project { root: &source.root, profile: source.profile.as_deref() };
            let mut loaded = load_again(project, &environment, &fixed);
            let doors = loaded.plan.take().map(|plan| doors.followed_by(&Arc::new(plan)));
            Attempt { loaded, doors }
        });
        attempt.await.inspect_err(|error| tracing::error!(%error, "a reload broke off")).ok()
    }

    /// Lets requests through the new doors.
    fn take_up(&mut self, doors: Doors, inputs: &Inputs) -> Changes {
        let plan = doors.plan().clone();
        if self.options.drain.is_none() {
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
