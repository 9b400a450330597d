//! A large project, generated: the same files on every run.
//!
//! It is a company of *domains*. Each has a gRPC backend with the proto files of its resources, a REST
//! backend, and a composition file with the endpoints, parts and graph fields of its resources.

mod compositions;
mod protos;
mod schema;

/// How large a project is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) domains: usize,
    /// Resources of each domain. Three of them have thirty messages, ten endpoints and five graph fields.
    pub(crate) resources: usize,
}

/// The files of a project of this size: paths from its folder, and texts.
pub(crate) fn project(size: Size) -> Vec<(String, String)> {
    let mut files = vec![
        ("compositions/gateway.yaml".to_owned(), compositions::GATEWAY.to_owned()),
        ("proto/acme/shared/v1/shared.proto".to_owned(), protos::SHARED.to_owned()),
        ("schema/acme.graphql".to_owned(), schema::text(size)),
    ];
    for domain in 0..size.domains {
        let resources: Vec<Resource> = (0..size.resources).map(|number| Resource { domain, number }).collect();
        let name = domain_name(domain);
        files.push((format!("compositions/{name}.yaml"), compositions::text(domain, &resources)));
        for resource in &resources {
            files.push((resource.proto_path(), protos::text(resource)));
        }
    }
    files
}

/// What one resource of a domain is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    domain: usize,
    number: usize,
}

const DOMAINS: [&str; 10] =
    ["orders", "catalog", "shipping", "billing", "accounts", "loyalty", "returns", "search", "content", "support"];
const RESOURCES: [&str; 10] =
    ["Article", "Basket", "Contract", "Delivery", "Entry", "Filing", "Grant", "Holding", "Invoice", "Journal"];

fn domain_name(domain: usize) -> String {
    format!("{}{}", DOMAINS[domain % DOMAINS.len()], domain / DOMAINS.len() + 1)
}

impl Resource {
    /// Its number among all resources of projects with ten in each domain; names differ by it.
    fn serial(&self) -> usize {
        self.domain * RESOURCES.len() + self.number
    }

    /// Its message: `Article0`.
    fn message(&self) -> String {
        format!("{}{}", RESOURCES[self.number % RESOURCES.len()], self.serial())
    }

    /// The same in lower case, for paths, parts and fields: `article0`.
    fn path(&self) -> String {
        self.message().to_lowercase()
    }

    fn domain(&self) -> String {
        domain_name(self.domain)
    }

    fn package(&self) -> String {
        format!("acme.{}.v1", self.domain())
    }

    fn proto_path(&self) -> String {
        format!("proto/acme/{}/v1/{}.proto", self.domain(), self.path())
    }

    /// The resource before it in its domain, which it belongs to; the first belongs to itself.
    fn owner(&self) -> Self {
        Self { number: self.number.saturating_sub(1), ..*self }
    }

    /// Every third resource has an endpoint that compares several.
    fn is_compared(&self) -> bool {
        self.serial().is_multiple_of(3)
    }

    /// Two of three resources name their owner in the graph.
    fn has_owner_field(&self) -> bool {
        !self.is_compared()
    }
}
