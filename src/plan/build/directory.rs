//! Who knows the addresses of a backend while it runs: of what the variant and its backend say, the nearest counts.

use std::cell::OnceCell;
use std::time::Duration;

use http::HeaderValue;
use http::uri::Authority;
use percent_encoding::utf8_percent_encode;

use super::Planner;
use super::around::Said;
use super::backends::Reached;
use super::tls::{Said as SaidOfTls, Secured};
use crate::base::call::COMPONENT;
use crate::plan::{Address, Api, Consul, Directory, Discover, Kubernetes, Port};
use crate::spec::{self, Literal, Scalar};

/// How often a file with addresses is read where nothing is written.
const FILE_READ: Duration = Duration::from_secs(5);
/// How long who tells by himself what is new is asked before he is asked again, where nothing is written.
const NEWS: Duration = Duration::from_secs(60);
/// Where a Consul agent listens unless somebody says otherwise.
const AGENT: &str = "127.0.0.1:8500";

impl Planner<'_> {
    /// Where the addresses of a backend, or of a variant of it, are found while it runs.
    pub(super) fn discover(
        &self,
        backend: &spec::Backend,
        reached: &Reached<'_>,
        addresses: &[Address],
    ) -> Option<Discover> {
        let said =
            Said::of([reached.variant.and_then(|variant| variant.value.discover.as_ref()), backend.discover.as_ref()])?;
        let every = said.time(|discover| discover.every.as_ref());
        let (pattern, path) = (addresses.first()?.clone(), format!("{}.discover", reached.path));
        let directory = said.member(|written| self.directory(written, every, (&pattern, &path)))?;
        Some(Discover { directory, pattern })
    }

    /// Who knows addresses, if somebody is named here.
    fn directory(
        &self,
        written: &spec::Discover,
        every: Option<Duration>,
        (pattern, path): (&Address, &str),
    ) -> Option<Directory> {
        let news = every.unwrap_or(NEWS);
        if let Some(host) = &written.dns {
            let port = host.value.port.unwrap_or_else(|| pattern.port());
            return Some(Directory::Host { name: host.value.name.as_str().into(), port, every });
        }
        if let Some(service) = &written.srv {
            return Some(Directory::Service { name: service.value.0.as_str().into(), every });
        }
        if let Some(file) = &written.file {
            let path = file.value.0.clone().into();
            return Some(Directory::File { path, every: every.unwrap_or(FILE_READ) });
        }
        if let Some(consul) = &written.consul {
            return self.consul(consul, news, &format!("{path}.consul")).map(Directory::Consul);
        }
        let kubernetes = written.kubernetes.as_ref()?;
        self.kubernetes(kubernetes, news, &format!("{path}.kubernetes")).map(Directory::Kubernetes)
    }

    fn consul(&self, written: &spec::Consul, wait: Duration, path: &str) -> Option<Consul> {
        let encoded = |text: &str| utf8_percent_encode(text, COMPONENT).to_string();
        let mut target = format!("/v1/health/service/{}?passing=1", encoded(&written.service.value));
        for (name, value) in [("dc", &written.datacenter), ("tag", &written.tag)] {
            if let Some(value) = value {
                target.push_str(&format!("&{name}={}", encoded(&value.value)));
            }
        }
        let agent = match &written.address {
            Some(address) => self.server(address, written.tls.as_ref(), path),
            None => Some(own_agent()),
        };
        let token = match &written.token {
            Some(secret) => Some(self.token(&secret.0, &format!("{path}.token"))?),
            None => None,
        };
        Some(Consul { agent: agent?, target: target.into(), token, wait })
    }

    fn kubernetes(&self, written: &spec::Kubernetes, wait: Duration, path: &str) -> Option<Kubernetes> {
        let api = match &written.address {
            None => Api::OfThisCluster,
            Some(address) => Api::At {
                address: self.server(address, written.tls.as_ref(), path)?,
                token: written.token.as_ref().map(|file| file.value.0.clone().into()),
            },
        };
        if let (Api::At { .. }, None) = (&api, &written.namespace) {
            let message = "beside `address`, `namespace` must be said".to_owned();
            let help = "the gateway runs in no namespace of another cluster".to_owned();
            self.report.error("missing-key", (&written.place, path), message, help);
        }
        let port = match &written.port {
            Some(port) => Some(self.port(port, &format!("{path}.port"))?),
            None => None,
        };
        Some(Kubernetes {
            api,
            service: written.service.value.as_str().into(),
            namespace: written.namespace.as_ref().map(|namespace| namespace.value.as_str().into()),
            port,
            wait,
        })
    }

    fn port(&self, written: &Scalar, path: &str) -> Option<Port> {
        let Literal::Number(number) = &written.value else {
            return self.constant_text(written, path).map(|name| Port::Named(name.into()));
        };
        let number = number.parse().ok().filter(|number| *number != 0);
        if number.is_none() {
            let message = "this is no number of a port".to_owned();
            let help = "write one from 1 to 65535, or a name".to_owned();
            self.report.error("wrong-type", (&written.place, path), message, help);
        }
        number.map(Port::Numbered)
    }

    /// The address of a server that is no backend.
    fn server(&self, address: &Scalar, tls: Option<&spec::ClientTls>, path: &str) -> Option<Address> {
        let text = self.constant_text(address, &format!("{path}.address"))?;
        let secured = Secured { said: SaidOfTls::of_server(tls), path, config: OnceCell::new() };
        secured.address(&text, (address, &format!("{path}.address")), self.files())
    }

    fn token(&self, secret: &Scalar, path: &str) -> Option<HeaderValue> {
        let text = self.constant_text(secret, path)?;
        let Ok(mut token) = HeaderValue::from_str(text.trim_end()) else {
            let message = "this has characters that no token has".to_owned();
            self.report.error("constant", (&secret.place, path), message, "look at what the constant holds".to_owned());
            return None;
        };
        token.set_sensitive(true);
        Some(token)
    }
}

/// The agent of the machine.
fn own_agent() -> Address {
    let authority = Authority::from_static(AGENT);
    Address { location: authority.clone(), authority, prefix: "".into(), tls: None, weight: 1 }
}
