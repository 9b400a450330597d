//! A service that Consul knows: its agent is asked for the instances that are well, and holds back its answer until there
//! are others.
//!
//! Source: Consul, "HTTP API: Health, List Service Instances for Service" and "Blocking Queries".

use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName};
use serde::Deserialize;

use super::super::Clients;
use super::patience::Patience;
use super::{Found, at};
use crate::plan::Consul;
use crate::transport::Instance;

/// What the gateway is known by.
const TOKEN: HeaderName = HeaderName::from_static("x-consul-token");
/// Which state of the service an answer tells.
const INDEX: HeaderName = HeaderName::from_static("x-consul-index");
/// Bytes of an answer that are read at most.
const MAX_ANSWER: usize = 4 << 20;
/// How long an agent may take beyond what it is allowed to wait.
const SLACK: Duration = Duration::from_secs(10);
/// Between two answers at least, also of an agent that holds nothing back.
const PAUSE: Duration = Duration::from_millis(200);

/// An agent that is asked again and again.
#[derive(Debug)]
pub(super) struct Watch {
    consul: Consul,
    agent: Instance,
    headers: HeaderMap,
    /// The state that is known; 0 for none.
    index: u64,
    patience: Patience,
    /// Whether something was asked before.
    is_further: bool,
}

/// One instance of a service.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    node: Node,
    service: Service,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    address: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    /// Empty where it is that of its node.
    #[serde(default)]
    address: String,
    port: u16,
    weights: Option<Weights>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Weights {
    passing: u32,
}

impl Watch {
    pub(super) fn new(consul: Consul, clients: &Clients) -> Self {
        let agent = clients.one_at(&consul.agent);
        let headers = consul.token.iter().map(|token| (TOKEN, token.clone())).collect();
        Self { consul, agent, headers, index: 0, patience: Patience::default(), is_further: false }
    }

    /// The instances that are well, once they may be others than before.
    ///
    /// # Errors
    /// The agent does not answer, or knows none.
    pub(super) async fn next(&mut self) -> Result<Vec<Found>, String> {
        self.patience.wait().await;
        if self.is_further {
            tokio::time::sleep(PAUSE).await;
        }
        self.is_further = true;
        let answer = self.ask().await;
        self.patience.note(&answer);
        let (found, index) = answer.map_err(|why| format!("Consul at {}: {why}", self.consul.agent))?;
        // One that went back belongs to another history, which is asked for from its beginning.
        self.index = if index < self.index { 0 } else { index };
        match found.is_empty() {
            true => Err(format!("Consul at {}: no instance of the service is well", self.consul.agent)),
            false => Ok(found),
        }
    }

    async fn ask(&self) -> Result<(Vec<Found>, u64), String> {
        let Consul { target, wait, .. } = &self.consul;
        // What is held back may be later by a sixteenth, which the agent adds.
        let (held_back, time) = match self.index {
            0 => (String::new(), SLACK),
            index => (format!("&index={index}&wait={}ms", wait.as_millis()), *wait + *wait / 16 + SLACK),
        };
        let target = PathAndQuery::try_from(format!("{target}{held_back}")).map_err(|error| error.to_string())?;
        let asked = async {
            let answer = self.agent.fetch(&target, &self.headers, time).await?;
            if !answer.status.is_success() {
                return Err(format!("it answers {}", answer.status.as_u16()));
            }
            let index = answer.headers.get(&INDEX).and_then(|index| index.to_str().ok()?.parse().ok());
            let index = index.ok_or("it does not say which state it tells (`X-Consul-Index`)")?;
            Ok((found(&answer.whole(MAX_ANSWER).await?)?, index))
        };
        tokio::time::timeout(time, asked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}

/// The instances of an answer, in an order of their own: that of answers is any.
fn found(answer: &[u8]) -> Result<Vec<Found>, String> {
    let entries: Vec<Entry> = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let found = |Entry { node, service }: Entry| {
        let host = if service.address.is_empty() { &node.address } else { &service.address };
        let weight = service.weights.map_or(1, |weights| weights.passing.clamp(1, 65_535));
        at(host, service.port).map(|location| Found { location, weight })
    };
    let mut all = entries.into_iter().map(found).collect::<Result<Vec<_>, String>>()?;
    all.sort_by(|one, other| one.location.as_str().cmp(other.location.as_str()));
    all.dedup_by(|one, other| one.location == other.location);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::found;

    fn shown(answer: &str) -> Result<Vec<(String, u32)>, String> {
        Ok(found(answer.as_bytes())?.into_iter().map(|found| (found.location.to_string(), found.weight)).collect())
    }

    #[test]
    fn instances_are_where_their_service_or_else_their_node_is() {
        let answer = r#"[
            {"Node":{"Node":"n2","Address":"10.1.0.2"},"Service":{"Address":"","Port":80,"Weights":{"Passing":3,"Warning":1}},"Checks":[]},
            {"Node":{"Address":"10.1.0.1"},"Service":{"Address":"fd00::1","Port":8000}},
            {"Node":{"Address":"10.1.0.1"},"Service":{"Address":"10.0.0.9","Port":8000,"Weights":{"Passing":0,"Warning":0}}},
            {"Node":{"Address":"10.1.0.7"},"Service":{"Address":"10.0.0.9","Port":8000}}
        ]"#;
        let expected = [("10.0.0.9:8000", 1), ("10.1.0.2:80", 3), ("[fd00::1]:8000", 1)];
        assert_eq!(shown(answer), Ok(expected.map(|(location, weight)| (location.to_owned(), weight)).into()));
        assert_eq!(shown("[]"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_list_of_instances_is_refused() {
        for answer in [
            "",
            "{}",
            r#"[{"Node":{"Address":"10.1.0.2"}}]"#,
            r#"[{"Node":{"Address":"10.1.0.2"},"Service":{"Address":"","Port":70000}}]"#,
            r#"[{"Node":{"Address":"10.1.0.2"},"Service":{"Address":"","Port":0}}]"#,
            r#"[{"Node":{"Address":"a b"},"Service":{"Address":"","Port":80}}]"#,
        ] {
            assert!(shown(answer).is_err(), "{answer}");
        }
    }
}
