//! What is done for the addresses of a backend beside its calls: they are asked whether they are well, and a file that
//! lists them is read again.
//!
//! Each is a task that lives as long as the addresses do: a plan that takes them over takes the tasks along.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Group;
use super::member::Member;
use crate::plan::{Address, Discover, HealthCheck};
use crate::policy::health::Answer;

/// The tasks of a backend. Dropped, they end.
#[derive(Debug)]
pub(in crate::call) struct Tending(Vec<JoinHandle<()>>);

impl Tending {
    /// Starts what a backend's addresses need.
    pub(super) fn of(group: &Arc<Group>, discover: Option<&Discover>) -> Self {
        let mut tasks = Vec::new();
        if let Some(check) = &group.balance.health {
            tasks.push(tokio::spawn(check_health(group.clone(), check.clone())));
        }
        if let Some(discover) = discover {
            tasks.push(tokio::spawn(follow(group.clone(), discover.clone())));
        }
        Self(tasks)
    }
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
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

async fn follow(group: Arc<Group>, Discover { file, every, pattern }: Discover) {
    let mut complained = false;
    loop {
        tokio::time::sleep(varied(every)).await;
        let (file, pattern) = (file.clone(), pattern.clone());
        let read = tokio::task::spawn_blocking(move || listed(&file, &pattern)).await;
        match read.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(addresses) => {
                complained = false;
                group.replace(&addresses);
            }
            // The addresses that were good last stay; each time of trouble is told once.
            Err(why) if !complained => {
                complained = true;
                tracing::warn!(why, "addresses cannot be discovered; those before stay");
            }
            Err(_) => {}
        }
    }
}

/// The addresses that a file lists: one in each line, `host:port`, perhaps with its weight behind it; what stands behind
/// `#` is for people.
///
/// # Errors
/// It cannot be read, it lists none, or a line is none: then nothing of it counts.
pub(super) fn listed(file: &Path, pattern: &Address) -> Result<Vec<Address>, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.split('#').next().unwrap_or_default()));
    let written = lines.filter(|(_, line)| !line.trim().is_empty());
    let address = |(number, line): (usize, &str)| {
        let wrong =
            || format!("{shown}:{number}: `{}` is no address; write `host:port`, and perhaps a weight", line.trim());
        let mut words = line.split_whitespace();
        let authority = words.next().and_then(|word| word.parse::<http::uri::Authority>().ok()).ok_or_else(wrong)?;
        let weight =
            words.next().map_or(Some(1), |word| word.parse().ok().filter(|weight| (1..=65_535).contains(weight)));
        let is_whole = words.next().is_none() && authority.port_u16().is_some() && !authority.as_str().contains('@');
        let weight = weight.filter(|_| is_whole).ok_or_else(wrong)?;
        Ok(Address { authority, weight, ..pattern.clone() })
    };
    let addresses: Vec<Address> = written.map(address).collect::<Result<_, String>>()?;
    if addresses.is_empty() { Err(format!("{shown} lists no address")) } else { Ok(addresses) }
}

/// A tenth more or less, so that many gateways do not ask at the same time.
fn varied(time: Duration) -> Duration {
    time.mul_f64(0.9 + 0.2 * fastrand::f64())
}
