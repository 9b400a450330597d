//! `discover.consul` and `discover.kubernetes`: who knows the addresses of a backend while it runs.

use crate::spec::keys::{Entries, Reader, keys};
use crate::spec::yaml::Scalar;

use super::{ClientTls, FilePath, Located, Secret};

keys! {
    /// A service that a Consul agent knows.
    pub struct Consul: "a service of Consul", as in "{ service: catalog, tag: v2 }" {
        /// Its name.
        service: Located<String>,
        /// Only instances with this tag.
        tag: Option<Located<String>>,
        /// The datacenter that is asked; the agent's own unless said.
        datacenter: Option<Located<String>>,
        /// Where the agent is; `http://127.0.0.1:8500` unless said.
        address: Option<Scalar>,
        /// What the agent knows the gateway by: a constant.
        token: Option<Secret>,
        /// TLS to the agent.
        tls: Option<ClientTls>,
    }
}

keys! {
    /// A service of Kubernetes.
    pub struct Kubernetes: "a service of Kubernetes", as in "{ service: catalog, namespace: shop, port: http }" {
        /// Its name.
        service: Located<String>,
        /// Its namespace; that in which the gateway runs unless said.
        namespace: Option<Located<String>>,
        /// The name or the number of its port at the endpoints; the only one unless said.
        port: Option<Scalar>,
        /// Where the API is; that of the cluster in which the gateway runs unless said.
        address: Option<Scalar>,
        /// Beside `address`: the file with what the API knows the gateway by, read anew each time. Its path begins with `/`.
        token: Option<Located<FilePath>>,
        /// Beside `address`: TLS to the API.
        tls: Option<ClientTls>,
    }
    then Kubernetes::check
}

impl Kubernetes {
    fn check(&self, entries: &Entries<'_>, reader: &mut Reader<'_>) {
        if let Some(token) = &self.token {
            refuse_relative(token, "/run/secrets/kubernetes", reader);
        }
        for key in ["token", "tls"] {
            if let (Some(place), None) = (entries.written(key), &self.address) {
                let message =
                    format!("`{key}` belongs to `address`, and the API of the gateway's own cluster needs none");
                let diagnostic = reader.error("misplaced-key", &place.place, message);
                reader.report(diagnostic.help("write `address` too, or leave it out"));
            }
        }
    }
}

/// Refuses the path of a file that is read while the gateway runs, unless it says where that is.
pub(super) fn refuse_relative(file: &Located<FilePath>, example: &str, reader: &mut Reader<'_>) {
    if !file.value.0.starts_with('/') {
        let message = "the path of a file that is read while the gateway runs begins with `/`";
        let diagnostic = reader.error("malformed-path", &file.place, message);
        reader.report(diagnostic.help(format!("write it as in `{example}`")));
    }
}
