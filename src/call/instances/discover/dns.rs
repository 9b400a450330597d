//! Name servers: each address of a host, or each place of a service, is an address of the backend.

use std::net::SocketAddr;
use std::time::Duration;

use http::uri::Authority;

use super::super::varied;
use super::Found;
use crate::transport::Network;
use crate::transport::names::{Answer, Service, Unanswered};

/// A name that is asked for whenever the answer before holds no longer.
#[derive(Debug)]
pub(super) struct Watch {
    question: Question,
    /// How long an answer counts at most.
    every: Option<Duration>,
    network: Network,
    /// How long the next look waits.
    pause: Duration,
}

/// What name servers are asked.
#[derive(Debug)]
pub(super) enum Question {
    /// The addresses of a host, at each of which something listens at this port.
    Host(Box<str>, u16),
    /// The places of a service.
    Service(Box<str>),
}

impl Watch {
    pub(super) fn new(question: Question, every: Option<Duration>, network: Network) -> Self {
        Self { question, every, network, pause: Duration::ZERO }
    }

    /// What name servers say, in an order that does not depend on theirs.
    ///
    /// # Errors
    /// They say nothing, or that there is nothing.
    pub(super) async fn next(&mut self) -> Result<Vec<Found>, String> {
        tokio::time::sleep(self.pause).await;
        let answered = self.ask().await;
        self.pause = varied(match &answered {
            Ok(Answer { ttl, .. }) => self.every.map_or(*ttl, |every| every.min(*ttl)),
            Err(Unanswered { pause, .. }) => *pause,
        });
        let mut found = answered.map_err(|unanswered| format!("{}: {}", self.question.name(), unanswered.why))?.records;
        found.sort_by(|one, other| one.location.as_str().cmp(other.location.as_str()));
        found.dedup();
        Ok(found)
    }

    async fn ask(&self) -> Result<Answer<Found>, Unanswered> {
        match &self.question {
            Question::Host(name, port) => {
                let Answer { records, ttl } = self.network.addresses(name).await?;
                let found =
                    records.into_iter().filter_map(|address| at(&SocketAddr::new(address, *port).to_string(), 1));
                Ok(Answer { records: found.collect(), ttl })
            }
            Question::Service(name) => {
                let Answer { records, ttl } = self.network.services(name).await?;
                Ok(Answer { records: nearest(&records), ttl })
            }
        }
    }
}

impl Question {
    fn name(&self) -> &str {
        match self {
            Self::Host(name, _) | Self::Service(name) => name,
        }
    }
}

/// The places that are asked before all others: those of the lowest priority (RFC 2782).
fn nearest(services: &[Service]) -> Vec<Found> {
    let lowest = services.iter().map(|service| service.priority).min();
    let nearest = services.iter().filter(|service| Some(service.priority) == lowest);
    // A weight of 0 is the smallest one, not none.
    let found = |service: &Service| at(&format!("{}:{}", service.host, service.port), service.weight.max(1).into());
    nearest.filter_map(found).collect()
}

/// An address that was found; `None` if it can stand in no URL, which a name server may well say.
fn at(location: &str, weight: u32) -> Option<Found> {
    Some(Found { location: location.parse::<Authority>().ok()?, weight })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_services_only_the_nearest_count() {
        let service = |host: &str, priority, weight| Service { host: host.into(), port: 80, priority, weight };
        let services = [service("far", 2, 9), service("one", 1, 0), service("other", 1, 3), service("no url", 1, 1)];
        let found: Vec<_> =
            nearest(&services).into_iter().map(|found| (found.location.to_string(), found.weight)).collect();
        assert_eq!(found, [("one:80".to_owned(), 1), ("other:80".to_owned(), 3)]);
    }
}
