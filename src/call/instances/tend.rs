//! What is done for the addresses of a backend beside its calls: they are asked whether they are well, and looked for where
//! others may be found.
//!
//! Each is a task that lives as long as the addresses do: a plan that takes them over takes the tasks along.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::member::Member;
use super::{Group, discover, varied};
use crate::plan::{Discover, HealthCheck};
use crate::policy::health::Answer;

/// The tasks of a backend. Dropped, they end.
#[derive(Debug)]
pub(in crate::call) struct Tending {
    tasks: Vec<JoinHandle<()>>,
    /// Whether addresses were looked for once, where they are.
    looked: Option<watch::Receiver<bool>>,
}

impl Tending {
    /// Starts what a backend's addresses need.
    pub(super) fn of(group: &Arc<Group>, discover: Option<&Discover>) -> Self {
        let mut tasks = Vec::new();
        if let Some(check) = &group.balance.health {
            tasks.push(tokio::spawn(check_health(group.clone(), check.clone())));
        }
        let looked = discover.map(|discover| {
            let (told, looked) = watch::channel(false);
            tasks.push(tokio::spawn(discover::follow(group.clone(), discover.clone(), told)));
            looked
        });
        Self { tasks, looked }
    }

    /// Waits until addresses were looked for once, where they are.
    pub(super) async fn looked(&self) {
        if let Some(looked) = &self.looked {
            // A task that broke off looks for none any more.
            let _ = looked.clone().wait_for(|looked| *looked).await;
        }
    }
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn check_health(group: Arc<Group>, check: HealthCheck) {
    loop {
        let set = group.set.load_full();
        join_all(set.members.iter().map(|member| ask(&group, member, &check))).await;
        tokio::time::sleep(varied(check.settings.every)).await;
    }
}

async fn ask(group: &Group, member: &Member, check: &HealthCheck) {
    let Some((client, wellness)) = &member.checked else { return };
    let answer = client.ask(&check.question, check.settings.timeout).await;
    let heard = if answer.is_ok() { Answer::Well } else { Answer::Unwell };
    match wellness.hear(heard) {
        None => return,
        Some(Answer::Well) => {
            tracing::info!(address = %member.address, "an address of a backend is well again");
            member.warms_up(Instant::now());
        }
        Some(Answer::Unwell) => {
            let why = answer.err().unwrap_or_default();
            tracing::warn!(address = %member.address, why, "an address of a backend is not well");
        }
    }
    group.look();
}
