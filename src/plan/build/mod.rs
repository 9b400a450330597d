//! From what is written to what will run: resolves every name, checks every type, orders writes.
//!
//! ```text
//! Reading ─▶ backends, protos, schema ─▶ for each endpoint and field: Tree (where steps run)
//!                                        ─▶ Unit (programs, needs, order) ─▶ Composition
//! ```
//!
//! A composition is compiled once for each place that uses it: parts and inner compositions are put
//! into their user's frame, so that mentioning one member of their result runs only what it needs.

mod alone;
mod answer_cache;
mod args;
mod around;
mod backends;
mod balance;
mod bodies;
mod calls;
mod cookies;
mod cycles;
mod directory;
mod ending;
mod endpoints;
mod fields;
mod gateway;
mod keeping;
mod merge;
mod message;
mod misfits;
mod names;
mod once;
mod operation;
mod outputs;
mod pairs;
mod parents;
mod part_args;
mod passed_on;
mod policies;
mod promises;
mod protos;
mod query;
mod reach;
mod reads;
mod repeat;
mod report;
mod returns;
mod rpcs;
mod sent;
mod steps;
mod sticky;
mod template;
mod times;
mod tls;
mod tree;
mod types;
mod unit;
mod variants;
mod wanted;
mod wiring;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;

use crate::base::diagnostic::Diagnostic;
use crate::base::id::BackendId;
use crate::plan::contract::{Documents, Operation};
use crate::plan::schema::Schema;
use crate::plan::{Around, Endpoint, Field, Fixed, Gateway, Graph, Plan, Promises, Rpc};
use crate::spec::{LookUp, Reading, Spec};

use backends::BackendFacts;
pub use backends::{Reflect, Reflecting};
use report::Report;

/// The time that a call may take where nothing is written.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The time that a whole request may take where nothing is written.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// What is compiled from, and what is found on the way.
struct Planner<'s> {
    spec: &'s Spec,
    /// Definitions that are left out because of mistakes that were reported: their names are known.
    unread: &'s BTreeSet<String>,
    look_up: LookUp<'s>,
    report: Report,
    schema: Arc<Schema>,
    backends: Vec<BackendFacts<'s>>,
    documents: Documents<'s>,
    methods: RefCell<Vec<Rpc>>,
    operations: RefCell<Vec<Arc<Operation>>>,
    promises: Arc<Promises>,
    around: around::Collected,
    keeping: RefCell<keeping::Collected>,
    /// The backends of which something is kept by what it says of itself.
    self_telling: RefCell<BTreeSet<BackendId>>,
    /// What stands for everything that contracts and protos say.
    contracts: u64,
    /// The name servers that are asked where backends are; those of the machine if there is none.
    name_servers: Box<[SocketAddr]>,
    /// The authorities that the machine trusts, once a backend needs them.
    roots: OnceCell<Arc<RootCertStore>>,
}

/// Checks a project and builds its plan; constants come from `look_up`, and what backends say of themselves from
/// `reflect`.
///
/// # Errors
/// Everything that is wrong with it, those that reading found included, in the order of files and
/// lines. With a plan come the warnings.
pub fn build(reading: &Reading, around: (LookUp<'_>, Reflect<'_>)) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
    rebuild(reading, around, &Fixed::default())
}

/// The same for a gateway that runs: what cannot change while it does must be as it was.
///
/// # Errors
/// As for [`build()`].
pub fn rebuild(
    reading: &Reading,
    (look_up, reflect): (LookUp<'_>, Reflect<'_>),
    fixed: &Fixed,
) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
    let report = Report::after_reading(reading);
    let Some(spec) = &reading.spec else { return Err(report.finish().0) };
    let files: Vec<_> = reading.schemas.iter().map(|file| (file.id, reading.sources.text(file.id))).collect();
    let (schema, mistakes) = Schema::read(&files);
    mistakes.into_iter().for_each(|mistake| report.add(mistake));
    let documents = Documents::of(reading);
    let backends = backends::facts(spec, &documents, &report);
    let mut planner = Planner {
        spec,
        unread: &reading.unread,
        look_up,
        report,
        schema: Arc::new(schema),
        backends,
        documents,
        methods: RefCell::default(),
        operations: RefCell::default(),
        promises: Arc::default(),
        around: around::Collected::default(),
        keeping: RefCell::default(),
        self_telling: RefCell::default(),
        contracts: 0,
        name_servers: Box::default(),
        roots: OnceCell::new(),
    };
    planner.name_servers = planner.dns();
    planner.link_protos((spec, reading), reflect);
    let gateway = planner.gateway();
    planner.check_fixed(gateway.as_ref(), fixed);
    let (fields, graph) = planner.graph();
    let endpoints = planner.endpoints(graph.as_ref(), &fields);
    planner.settle_keeping(&endpoints, &fields);
    planner.check_parts();
    planner.check_times();
    planner.check_reads();
    planner.check_policies();
    planner.check_sticky();
    planner.into_plan(gateway, (fields, graph), endpoints)
}

impl Planner<'_> {
    /// What was compiled, unless something is wrong.
    fn into_plan(
        self,
        gateway: Option<Gateway>,
        (fields, graph): (Vec<Field>, Option<Graph>),
        endpoints: Vec<Endpoint>,
    ) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
        let backends: Vec<_> = self.backends.iter().flat_map(|facts| facts.plan(&self)).collect();
        self.check_bodies(&endpoints, &backends);
        let (diagnostics, failed) = self.report.finish();
        let Some(gateway) = gateway.filter(|_| !failed) else { return Err(diagnostics) };
        let plan = Plan {
            backends,
            methods: self.methods.into_inner(),
            operations: self.operations.into_inner(),
            around: Around {
                keeping: self.keeping.into_inner().into_table(),
                self_telling: self.self_telling.into_inner(),
                ..self.around.into_inner()
            },
            endpoints,
            fields,
            schema: self.schema,
            graph,
            promises: self.promises.take(),
            contracts: self.contracts,
            gateway,
        };
        Ok((plan, diagnostics))
    }
}
