//! One row on its stage: backends, a gateway before them, and the clients that ask it all the while.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::backend::{Backend, grpc, rest};
use crate::case::{Bar, Case};
use crate::fixture::{self, Layer, Places};
use crate::gateway::{Held, Process, Start, until};
use crate::load::{self, Answer, Answers, Ask, Load, Pair};
use crate::name_server::{NameServer, Record, Said, Wanted};
use crate::project::Project;
use crate::projects;

/// What all rows share.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) binary: PathBuf,
    pub(crate) length: Length,
    /// Why the gateway refuses a layer, for those that it refuses.
    pub(crate) refused: HashMap<Layer, String>,
    /// Clients' address of a gateway that nothing ever happens to.
    pub(crate) control: SocketAddr,
}

/// In which form rows are played that have two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// The one that is played beside all other tests.
    Short,
    /// Long enough to show what only many times show.
    Full,
}

impl Length {
    /// What a row takes in its short form, or in full.
    pub(crate) fn of<T>(self, short: T, full: T) -> T {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }
}

impl Run {
    /// Why a layer is not there; `None` when it is.
    pub(crate) fn lacks(&self, layer: Layer) -> Option<&str> {
        self.refused.get(&layer).map(String::as_str)
    }
}

/// A project with its backends and the gateway that serves it.
pub(crate) struct Scene {
    pub(crate) run: Arc<Run>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) a: Backend<rest::Reply>,
    pub(crate) b: Backend<grpc::Reply>,
    /// How the connections of B behave.
    pub(crate) manners: grpc::Manners,
    pub(crate) c: Backend<rest::Reply>,
    pub(crate) d: Backend<rest::Reply>,
    pub(crate) e: Backend<rest::Reply>,
    /// What says where hosts are, where a layer asks it: `a.internal` is at 127.0.0.1, and nothing else is anywhere.
    pub(crate) names: NameServer,
    /// Further addresses of A, where a row has them.
    pub(crate) more_of_a: Vec<Backend<rest::Reply>>,
    pub(crate) project: Project,
    pub(crate) gateway: Process,
    /// Figures of the time before the fault.
    pub(crate) control: Control,
    pub(crate) tally: Tally,
    /// What one of the row's requests may take of a worker in one go, which the others of that worker wait for.
    pub(crate) holds: Duration,
    /// KiB of what the row made the gateway hold that its allocator may have left when it is over.
    pub(crate) keeps: u64,
}

/// What is measured while nothing is wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    pub(crate) agg: Duration,
    pub(crate) ctl: Duration,
    pub(crate) held: Held,
    /// Time of a processor that a request to `/agg` takes; those to `/ctl` are counted as nothing.
    pub(crate) request: Duration,
    /// Connections to backends.
    pub(crate) connections: usize,
}

/// What the harness has asked, and what was wrong with the form of the answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    /// Requests by their path.
    asked: BTreeMap<String, u64>,
    malformed: Vec<String>,
    /// Whether there were requests that are counted nowhere.
    beyond: bool,
}

impl Tally {
    fn with<T>(&self, what: impl FnOnce(&mut Counted) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Requests whose path is so.
    pub(crate) fn asked(&self, path: impl Fn(&str) -> bool) -> u64 {
        self.with(|counted| counted.asked.iter().filter(|(asked, _)| path(asked)).map(|(_, count)| count).sum())
    }

    /// The first answer that was none.
    pub(crate) fn malformed(&self) -> Option<String> {
        self.with(|counted| counted.malformed.first().map(|why| format!("{}×, {why}", counted.malformed.len())))
    }

    /// Says that the row sends requests that are not counted: broken ones, or ones that it leaves.
    pub(crate) fn asks_beyond(&self) {
        self.with(|counted| counted.beyond = true);
    }

    /// Whether every request was counted.
    pub(crate) fn is_whole(&self) -> bool {
        self.with(|counted| !counted.beyond)
    }

    /// Counts requests that their clients left before an answer.
    pub(crate) fn left(&self, path: &str, count: u64) {
        self.with(|counted| *counted.asked.entry(path.to_owned()).or_default() += count);
    }

    /// Counts answers to requests of a path, and looks at their form.
    pub(crate) fn add(&self, path: &str, answers: &[Answer]) {
        self.with(|counted| {
            *counted.asked.entry(path.to_owned()).or_default() += answers.len() as u64;
            counted.malformed.extend(answers.iter().filter_map(Answer::malformed));
        });
    }
}

/// Requests in a second to `/agg`; half of the matrix's.
pub(crate) const AGG: u32 = 100;

/// Requests in a second to `/ctl`, and as many to that of the control; half of the matrix's.
pub(crate) const CTL: u32 = 50;

/// How long is looked before the fault.
const BEFORE: Duration = Duration::from_millis(900);

/// How a row changes its stage before the gateway starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    /// Addresses of A besides the first.
    pub(crate) more_of_a: usize,
    /// What stands for the addresses of A; `PORT` in it is the port of the first.
    pub(crate) instead_of_a: Option<String>,
    /// Members that A has besides, each with a comma before it.
    pub(crate) of_a: String,
    pub(crate) start: Start,
}

impl Scene {
    /// Sets the stage of a row.
    ///
    /// # Errors
    /// What the gateway, or this machine, says to that.
    pub(crate) async fn set(run: &Arc<Run>, case: &Case) -> Result<Self, String> {
        let setting = (case.setting)();
        let said = |error: std::io::Error| error.to_string();
        let value = |value: &str| {
            let body = format!("{{\"value\":\"{value}\"}}");
            move |_: &crate::backend::Call| rest::Reply::json(200, &body)
        };
        let a = rest::start(value("a")).await.map_err(said)?;
        let (b, manners) = grpc::start(|_| grpc::Reply::stock(7)).await.map_err(said)?;
        let (c, d) = (rest::start(value("c")).await.map_err(said)?, rest::start(value("d")).await.map_err(said)?);
        let e = rest::start(|_| rest::Reply::json(201, r#"{"done":true}"#)).await.map_err(said)?;
        let mut more_of_a = Vec::new();
        for _ in 0..setting.more_of_a {
            more_of_a.push(rest::start(value("a")).await.map_err(said)?);
        }
        let names = NameServer::start(says_where("a.internal", [127, 0, 0, 1])).await.map_err(said)?;
        let layers: Vec<Layer> = case.needs.iter().chain(case.wants).copied().collect();
        let layers: Vec<Layer> = layers.into_iter().filter(|layer| run.lacks(*layer).is_none()).collect();
        let everywhere = std::iter::once(&a).chain(&more_of_a).map(|one| format!("http://{}", one.address()));
        let port = a.address().port().to_string();
        let places = Places {
            a: setting
                .instead_of_a
                .as_ref()
                .map_or_else(|| everywhere.collect(), |one| vec![one.replace("PORT", &port)]),
            b: b.address(),
            c: c.address(),
            d: d.address(),
            e: e.address(),
            names: names.address,
            of_a: setting.of_a.clone(),
        };
        let name = format!("row-{}", case.row);
        let project = projects::write(&name, &fixture::files(&places, &layers))?;
        let gateway = Process::start(&run.binary, project.root(), &setting.start).await?;
        let (control, tally, run) = (Control::default(), Tally::default(), run.clone());
        let (holds, keeps) = (Duration::ZERO, 0);
        Ok(Self {
            run,
            layers,
            a,
            b,
            manners,
            c,
            d,
            e,
            names,
            more_of_a,
            project,
            gateway,
            control,
            tally,
            holds,
            keeps,
        })
    }

    /// Whether a layer is in force.
    pub(crate) fn has(&self, layer: Layer) -> bool {
        self.layers.contains(&layer)
    }

    /// A figure that can only be had with a layer.
    pub(crate) fn with(&self, layer: Layer, what: (&'static str, &str), bar: impl FnOnce() -> Bar) -> Bar {
        match self.run.lacks(layer) {
            None => bar(),
            Some(reason) => Bar::not_yet(what, reason),
        }
    }

    /// Asks once, on a connection of its own.
    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        let answer = load::ask(self.gateway.clients, ask).await;
        self.tally.add(ask.path(), std::slice::from_ref(&answer));
        answer
    }

    /// Asks at a rate for a while.
    pub(crate) async fn load(&self, load: &Load, during: Duration) -> Answers {
        let (_target, here) = watch::channel(self.gateway.clients);
        let answers = load.run(&here, Instant::now() + during).await;
        self.tally.add(load.ask.path(), &answers.0);
        answers
    }

    /// Asks for `/agg` as the matrix does, for a while.
    pub(crate) async fn agg(&self, during: Duration) -> Answers {
        self.load(&Load { ask: Ask::get("/agg"), rate: AGG, clients: 32 }, during).await
    }

    /// The same, and of the control at the same time.
    pub(crate) async fn agg_of_both(&self, during: Duration) -> (Answers, Answers) {
        let load = Load { ask: Ask::get("/agg"), rate: AGG, clients: 32 };
        let (_target, there) = watch::channel(self.run.control);
        tokio::join!(self.load(&load, during), load.run(&there, Instant::now() + during))
    }

    /// Measures while nothing is wrong.
    pub(crate) async fn look(&mut self) {
        let watch = self.watch();
        let before = self.gateway.held().unwrap_or_default();
        let answers = self.agg(BEFORE).await;
        let held = self.gateway.held().unwrap_or_default();
        let request = held.processor.saturating_sub(before.processor) / answers.count() as u32;
        let connections = self.connections();
        let ctl = watch.end().await;
        self.control = Control { agg: answers.p99(), ctl: ctl.here, held, request, connections };
    }

    /// Connections of the gateway to its backends.
    pub(crate) fn connections(&self) -> usize {
        let rest = [&self.a, &self.c, &self.d, &self.e].into_iter().chain(&self.more_of_a);
        rest.map(|one| one.record.connections()).sum::<usize>() + self.b.record.connections()
    }

    /// Ends every fault; how long until `/agg` is whole again.
    pub(crate) async fn heal(&self) -> Option<Duration> {
        for backend in [&self.a, &self.c, &self.d, &self.e].into_iter().chain(&self.more_of_a) {
            backend.heal();
        }
        self.b.heal();
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) {
            if self.ask(&Ask::get("/agg")).await.status() == Some(200) {
                return Some(since.elapsed());
            }
            sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// Waits until the gateway holds no more than before, at most five seconds.
    pub(crate) async fn settled(&self, is_settled: impl Fn(Held, usize) -> bool) -> bool {
        let now = || is_settled(self.gateway.held().unwrap_or_default(), self.connections());
        until(Duration::from_secs(5), now).await.is_some()
    }

    /// Begins to ask for `/ctl`, here and of the control, at the same moments.
    pub(crate) fn watch(&self) -> Watch {
        let (over, tally) = (Arc::new(AtomicBool::new(false)), self.tally.clone());
        let mut asking = JoinSet::new();
        for number in 0..WATCHERS {
            let mut pair = Pair::new(Ask::get("/ctl"), (self.gateway.clients, self.run.control));
            let over = over.clone();
            asking.spawn(async move {
                let period = Duration::from_secs(1) * WATCHERS / CTL;
                sleep(period * number / WATCHERS).await;
                while !over.load(Ordering::Relaxed) {
                    pair.ask(period).await;
                }
                (pair.here, pair.there)
            });
        }
        Watch { over, asking, tally }
    }
}

/// A name server that knows one name, whose address holds a second.
pub(crate) fn says_where(name: &'static str, address: [u8; 4]) -> impl FnMut(&str, Wanted) -> Said + Send {
    move |asked, wanted| match wanted {
        _ if asked != name => Said::NoSuchName,
        Wanted::A => Said::Records(1, vec![Record::Address(address.into())]),
        Wanted::Aaaa | Wanted::Srv => Said::Records(1, Vec::new()),
    }
}

/// Pairs of clients that ask for `/ctl`.
const WATCHERS: u32 = 4;

/// Asking for `/ctl` all the while.
pub(crate) struct Watch {
    over: Arc<AtomicBool>,
    asking: JoinSet<(Vec<Answer>, Vec<Answer>)>,
    tally: Tally,
}

impl Watch {
    /// Ends the asking.
    pub(crate) async fn end(self) -> Watched {
        self.over.store(true, Ordering::Relaxed);
        let (here, there): (Vec<_>, Vec<_>) = self.asking.join_all().await.into_iter().unzip();
        let (here, there) = (Answers(here.concat()), Answers(there.concat()));
        self.tally.add("/ctl", &here.0);
        let failed = |answers: &Answers| answers.those(|answer| answer.status() != Some(200));
        let late = here.with_status(504);
        Watched { here: here.p99(), control: there.p99(), failed: failed(&here), late, failed_there: failed(&there) }
    }
}

/// What `/ctl` did meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watched {
    /// The 99th percentile here.
    pub(crate) here: Duration,
    /// That of the control at the same time.
    pub(crate) control: Duration,
    /// Answers here that were not 200.
    pub(crate) failed: usize,
    /// Those of them that were late.
    pub(crate) late: usize,
    /// Answers of the control that were not 200.
    pub(crate) failed_there: usize,
}
