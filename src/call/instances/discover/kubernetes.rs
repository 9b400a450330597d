//! A service of Kubernetes: its endpoint slices are listed once, and then whatever changes is told by the API.
//!
//! Source: Kubernetes, "EndpointSlices" (discovery.k8s.io/v1) and "API Concepts: Efficient detection of changes".

mod slices;

use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::utf8_percent_encode;

use super::super::Clients;
use super::Found;
use super::patience::Patience;
use crate::base::call::COMPONENT;
use crate::plan::{Address, Api, ClientTls, Kubernetes};
use crate::transport::{Fetched, Instance};
use slices::{News, Slices};

/// Where a container finds what it needs to ask the API of its cluster.
const OWN_FILES: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What that API is called in its cluster.
const OWN_HOST: &str = "kubernetes.default.svc";
/// Bytes of a list, or of one event, that are read at most.
const MAX_ANSWER: usize = 8 << 20;
/// How long a list may take to come, and what the API may take beyond what it is allowed to wait.
const SLACK: Duration = Duration::from_secs(10);
/// Between two questions at least, also to an API that does not go on telling.
const PAUSE: Duration = Duration::from_millis(500);

/// An API that is listened to.
#[derive(Debug)]
pub(super) struct Watch {
    kubernetes: Kubernetes,
    clients: Clients,
    slices: Slices,
    /// Where the API was asked last, and the connections to it.
    api: Option<(Address, Instance)>,
    /// What it goes on telling, if it does.
    telling: Option<Telling>,
    patience: Patience,
    /// Whether something was asked before.
    is_further: bool,
}

/// Events that come one after another, each in a line.
#[derive(Debug)]
struct Telling {
    answer: Fetched,
    /// What has come of the next line.
    begun: BytesMut,
}

impl Watch {
    pub(super) fn new(kubernetes: Kubernetes, clients: Clients) -> Self {
        let slices = Slices::new(kubernetes.port.clone());
        Self { kubernetes, clients, slices, api: None, telling: None, patience: Patience::default(), is_further: false }
    }

    /// The endpoints that are ready, once they may be others than before.
    ///
    /// # Errors
    /// The API does not answer, or knows none.
    pub(super) async fn next(&mut self) -> Result<Vec<Found>, String> {
        loop {
            match &mut self.telling {
                None => {
                    if self.ask().await? {
                        return self.found();
                    }
                }
                Some(telling) => {
                    let wait = self.kubernetes.wait + SLACK;
                    let line = tokio::time::timeout(wait, telling.line()).await.unwrap_or(Ok(None));
                    // One that ends, or breaks off, is asked anew for what came since.
                    let news = match line {
                        Ok(Some(line)) => self.slices.hear(&line),
                        Ok(None) | Err(_) => Ok(News::Over),
                    };
                    match news.unwrap_or(News::Forgotten) {
                        News::Other => return self.found(),
                        News::Nothing => {}
                        News::Over => self.telling = None,
                        News::Forgotten => {
                            self.telling = None;
                            self.slices.forget();
                        }
                    }
                }
            }
        }
    }

    fn found(&self) -> Result<Vec<Found>, String> {
        self.slices.found().map_err(|why| self.told(&why))
    }

    /// Asks for a list where none is known, and else to be told what changes. Whether there is a new list.
    async fn ask(&mut self) -> Result<bool, String> {
        self.patience.wait().await;
        if self.is_further {
            tokio::time::sleep(PAUSE).await;
        }
        self.is_further = true;
        let answer = match self.slices.version().map(str::to_owned) {
            None => self.list().await.map(|()| true),
            Some(version) => self.listen(&version).await.map(|()| false),
        };
        self.patience.note(&answer);
        answer.map_err(|why| self.told(&why))
    }

    async fn list(&mut self) -> Result<(), String> {
        let asked = async {
            let answer = self.fetch("", SLACK).await?;
            match answer.status.is_success() {
                true => answer.whole(MAX_ANSWER).await,
                false => Err(format!("it answers {}", answer.status.as_u16())),
            }
        };
        let answer =
            tokio::time::timeout(SLACK, asked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))?;
        self.slices.list(&answer)
    }

    async fn listen(&mut self, version: &str) -> Result<(), String> {
        let wait = self.kubernetes.wait;
        let version = utf8_percent_encode(version, COMPONENT);
        let query =
            format!("&watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={version}", seconds(wait));
        let asked = tokio::time::timeout(SLACK, self.fetch(&query, wait + SLACK));
        let answer = asked.await.unwrap_or_else(|_| Err("no answer in time".to_owned()))?;
        match answer.status {
            status if status.is_success() => self.telling = Some(Telling { answer, begun: BytesMut::new() }),
            // It does not remember what was then: a list comes next.
            StatusCode::GONE => self.slices.forget(),
            status => return Err(format!("it answers {}", status.as_u16())),
        }
        Ok(())
    }

    /// Asks the API with what stands in files now: tokens and certificates are exchanged while the gateway runs.
    async fn fetch(&mut self, query: &str, time: Duration) -> Result<Fetched, String> {
        let kubernetes = self.kubernetes.clone();
        let (address, token, namespace) = tokio::task::spawn_blocking(move || whom(&kubernetes))
            .await
            .unwrap_or_else(|error| Err(error.to_string()))?;
        let service = utf8_percent_encode(&self.kubernetes.service, COMPONENT);
        let namespace = utf8_percent_encode(&namespace, COMPONENT);
        let target = format!(
            "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices\
             ?labelSelector=kubernetes.io%2Fservice-name%3D{service}{query}"
        );
        let target = PathAndQuery::try_from(target).map_err(|error| error.to_string())?;
        let headers: HeaderMap = token.into_iter().map(|token| (AUTHORIZATION, token)).collect();
        let (_, api) = match self.api.take().filter(|(known, _)| *known == address) {
            Some(known) => self.api.insert(known),
            None => self.api.insert((address.clone(), self.clients.one_at(&address))),
        };
        api.fetch(&target, &headers, time).await
    }

    fn told(&self, why: &str) -> String {
        let Kubernetes { service, .. } = &self.kubernetes;
        format!("the Kubernetes service {service}: {why}")
    }
}

impl Telling {
    /// The next event; `None` at the end.
    async fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.begun) {
                return Ok(Some(self.begun.split_to(end + 1).to_vec()));
            }
            if self.begun.len() > MAX_ANSWER {
                return Err("an event is too large".to_owned());
            }
            let Some(piece) = self.answer.piece().await? else {
                let last = self.begun.split().to_vec();
                return Ok(Some(last).filter(|last| !last.is_empty()));
            };
            self.begun.extend_from_slice(&piece);
        }
    }
}

/// The API as it is to be asked now: where it is, what it knows the gateway by, and the namespace.
fn whom(kubernetes: &Kubernetes) -> Result<(Address, Option<HeaderValue>, String), String> {
    let own = Path::new(OWN_FILES);
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let text = |path: &Path| Ok::<_, String>(String::from_utf8_lossy(&read(path)?).trim().to_owned());
    let (address, token) = match &kubernetes.api {
        Api::At { address, token } => (address.clone(), token.clone()),
        Api::OfThisCluster => {
            let tls = Some(ClientTls::trusting(&read(&own.join("ca.crt"))?, OWN_HOST)?);
            let authority = http::uri::Authority::from_static(OWN_HOST);
            let address = Address { location: authority.clone(), authority, prefix: "".into(), tls, weight: 1 };
            (address, Some(own.join("token")))
        }
    };
    let token = token.map(|path| {
        let mut token = HeaderValue::from_str(&format!("Bearer {}", text(&path)?))
            .map_err(|_| format!("{} holds no token", path.display()))?;
        token.set_sensitive(true);
        Ok::<_, String>(token)
    });
    let namespace = match &kubernetes.namespace {
        Some(namespace) => namespace.to_string(),
        None => text(&own.join("namespace"))?,
    };
    Ok((address, token.transpose()?, namespace))
}

/// Whole seconds, and at least one.
fn seconds(time: Duration) -> u64 {
    time.as_secs().max(1)
}
