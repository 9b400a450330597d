//! The integration tests: one binary, its modules in reading order.
//!
//! `behaviour` plays the documents of `tests/behaviour/`, each a trial of its own; the other trials are claims in Rust.

mod claim;

mod behaviour;
mod compare;
mod document;
mod reflection;
mod reject;
mod script;

mod backend;
mod certificates;
mod coding;
mod gateway;
mod http1;
#[allow(dead_code, reason = "shared with the fault kit")]
mod name_server;
mod project;
mod zone;

mod access;
mod allocations;
mod architecture;
mod causes;
mod cel;
mod command;
mod contract;
mod coverage;
mod documents;
mod explain;
mod fuzz;
mod goodbye;
mod handover;
mod harness;
mod hostile;
mod http_cache;
mod import;
mod large;
mod listener;
mod mutants;
mod oracle;
mod overload;
mod passage;
mod peer;
mod promise;
mod protobuf;
mod reload;
mod schema;
mod secure;
mod serve;
mod sharing;
mod sticky;
mod store;
mod watching;
mod written;

use libtest_mimic::Arguments;

fn main() {
    let mut asked = std::env::args().skip(1);
    if let (Some(protobuf::testee::ARGUMENT), Some(set)) = (asked.next().as_deref(), asked.next()) {
        // Not the tests: what the conformance runner, which one of them starts, talks to.
        return protobuf::testee::serve(&set).expect("the runner can be answered");
    }
    let arguments = Arguments::from_args();
    let trials = [
        harness::trials(),
        goodbye::trials(),
        hostile::trials(),
        http_cache::trials(),
        fuzz::trials(),
        fuzz::played(),
        large::trials(),
        architecture::trials(),
        cel::trials(),
        oracle::trials(),
        behaviour::trials(),
        reject::trials(),
        reject::rejects(),
        promise::trials(),
        overload::trials(),
        passage::trials(),
        listener::trials(),
        peer::trials(),
        protobuf::trials(),
        import::trials(),
        reflection::trials(),
        reload::trials(),
        sharing::trials(),
        sticky::trials(),
        store::trials(),
        watching::trials(),
        handover::trials(),
        command::trials(),
        contract::trials(),
        coverage::trials(),
        causes::trials(),
        documents::trials(),
        mutants::trials(),
        schema::trials(),
        secure::trials(),
        access::trials(),
        allocations::trials(),
        explain::trials(),
        explain::snapshots(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit();
}
