//! `selvedge serve`: checks a project, then serves it until it is told to end.

use clap::Args;

use super::{Addresses, End, Logging, Project, runtime, say_error};
use crate::plan::Plan;
use crate::server::{Gateway, Options, Sockets, Source, Watching};

#[derive(Args, Debug)]
pub(super) struct Serve {
    #[command(flatten)]
    project: Project,
    /// Takes up a changed project at SIGHUP or POST /reload only, not by itself
    #[arg(long)]
    no_watch: bool,
    #[command(flatten)]
    addresses: Addresses,
    #[command(flatten)]
    logging: Logging,
}

impl Serve {
    pub(super) fn run(&self) -> End {
        let loaded = match self.project.load() {
            Ok(loaded) => loaded,
            Err(end) => return end,
        };
        say_error(&loaded.render());
        let Some(plan) = loaded.plan else { return End::Problems };
        let _log = match self.logging.start(plan.gateway.access_log) {
            Ok(log) => log,
            Err(end) => return end,
        };
        let Project { folder, profile } = &self.project;
        let source = Source::new(folder, profile.as_deref(), loaded.inputs);
        let watching = if self.no_watch { Watching::Off } else { Watching::On };
        let sockets = match Sockets::inherited() {
            Ok(sockets) => sockets,
            Err(error) => return End::Failed(error.to_string()),
        };
        let options = Options {
            listen: self.addresses.listen,
            admin: self.addresses.admin,
            source: Some(Source { watching, ..source }),
            sockets,
            ..Options::default()
        };
        match runtime() {
            Ok(runtime) => runtime.block_on(serve(plan, options)),
            Err(end) => end,
        }
    }
}

async fn serve(plan: Plan, options: Options) -> End {
    let gateway = match Gateway::start(plan, options).await {
        Ok(gateway) => gateway,
        Err(error) => return End::Failed(error.to_string()),
    };
    tracing::info!(clients = %gateway.address(), operators = %gateway.admin_address(), "serving");
    match gateway.run_until_signal().await {
        Ok(()) => End::Fine,
        Err(error) => End::Failed(error.to_string()),
    }
}
