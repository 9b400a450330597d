//! Clients of several replicas: each request goes to one that says it is ready, and never a second time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::gateway::Process;
use crate::load::{self, Answers, Ask, Client, Load};

/// How often each replica is asked whether it is ready.
const ASKED: Duration = Duration::from_millis(50);

/// The replicas, and what is known of them. It follows their readiness until the last of its clones is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Balancer {
    replicas: Arc<Mutex<Vec<Replica>>>,
    answered: Arc<AtomicUsize>,
    _following: Arc<JoinSet<()>>,
}

#[derive(Clone, Copy, Debug)]
struct Replica {
    clients: SocketAddr,
    operators: SocketAddr,
    is_ready: bool,
}

impl Balancer {
    /// No replica yet.
    pub(crate) fn new() -> Self {
        let replicas = Arc::<Mutex<Vec<Replica>>>::default();
        let mut following = JoinSet::new();
        following.spawn(follow(replicas.clone()));
        Self { replicas, answered: Arc::default(), _following: Arc::new(following) }
    }

    /// Sends requests to this one too, as soon as it says that it is ready.
    pub(crate) fn add(&self, process: &Process) {
        let Process { clients, operators, .. } = *process;
        locked(&self.replicas).push(Replica { clients, operators, is_ready: false });
    }

    /// Forgets one that has ended.
    pub(crate) fn remove(&self, process: &Process) {
        locked(&self.replicas).retain(|replica| replica.clients != process.clients);
    }

    /// Waits until so many are ready, at most five seconds; says whether they are.
    pub(crate) async fn has_ready(&self, count: usize) -> bool {
        let ready = || locked(&self.replicas).iter().filter(|replica| replica.is_ready).count();
        crate::gateway::until(Duration::from_secs(5), || ready() >= count).await.is_some()
    }

    /// How many requests were answered, or lost, so far.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Asks the replicas in turn until nobody holds `going` any more; every answer.
    pub(crate) async fn run(&self, load: Load, going: std::sync::Weak<()>) -> Answers {
        let period = Duration::from_secs(1) * load.clients / load.rate;
        let mut clients = JoinSet::new();
        for number in 0..load.clients {
            let (balancer, ask, going) = (self.clone(), load.ask.clone(), going.clone());
            let mut turn = Instant::now() + Duration::from_secs(1) * number / load.rate;
            clients.spawn(async move {
                let (mut connections, mut answers) = (HashMap::new(), Vec::new());
                while going.strong_count() > 0 {
                    sleep_until(turn.into()).await;
                    answers.push(balancer.ask(&mut connections, (&ask, number as usize + answers.len())).await);
                    balancer.answered.fetch_add(1, Ordering::Relaxed);
                    turn = (turn + period).max(Instant::now());
                }
                answers
            });
        }
        Answers(clients.join_all().await.into_iter().flatten().collect())
    }

    /// Asks the next replica that is ready, over the connection that this client has to it.
    async fn ask(&self, kept: &mut HashMap<SocketAddr, Client>, (ask, turn): (&Ask, usize)) -> load::Answer {
        let chosen = {
            let replicas = locked(&self.replicas);
            let ready: Vec<_> = replicas.iter().filter(|replica| replica.is_ready).collect();
            kept.retain(|address, _| replicas.iter().any(|replica| replica.clients == *address));
            // With none that is ready, whoever is asked refuses.
            ready.get(turn % ready.len().max(1)).map_or(NOBODY, |replica| replica.clients)
        };
        kept.entry(chosen).or_insert_with(|| Client::of(chosen)).ask(ask).await
    }
}

/// Where nobody listens.
const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

async fn follow(replicas: Arc<Mutex<Vec<Replica>>>) {
    loop {
        let known: Vec<Replica> = locked(&replicas).clone();
        for Replica { clients, operators, .. } in known {
            let is_ready = load::ask(operators, &Ask::get("/readyz")).await.status() == Some(200);
            let mut replicas = locked(&replicas);
            replicas.iter_mut().filter(|replica| replica.clients == clients).for_each(|it| it.is_ready = is_ready);
        }
        sleep(ASKED).await;
    }
}

fn locked(replicas: &Mutex<Vec<Replica>>) -> MutexGuard<'_, Vec<Replica>> {
    replicas.lock().unwrap_or_else(PoisonError::into_inner)
}
