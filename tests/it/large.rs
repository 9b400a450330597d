//! The project that `benches/start.rs` measures, in small: it is one that starts.

#[path = "../../benches/large/mod.rs"]
mod generated;

use crate::claim::{claims, run};
use crate::gateway::{Running, check};
use crate::project::Project;
use generated::Size;

claims![a_generated_project_starts];

fn a_generated_project_starts() -> Result<(), String> {
    let project = Project::write("large", &generated::project(Size { domains: 2, resources: 6 }))?;
    let checked = check(project.root());
    if !checked.said.is_empty() {
        return Err(checked.text);
    }
    run(async {
        let gateway = Running::start(project.root()).await?;
        gateway.stop().await;
        Ok(())
    })
}
