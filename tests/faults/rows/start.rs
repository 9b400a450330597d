//! Projects that are wrong.

use std::time::Duration;

use crate::case::{Bar, Case, row};
use crate::fixture::{self, Places};
use crate::gateway;
use crate::projects;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[row!(66, "start with a broken project", broken)];

async fn broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let mut bars = Vec::new();
    let breaks: [(&str, (&str, &str)); 4] = [
        ("YAML that does not parse", ("backends:", "backends: [")),
        ("a key that nobody knows", ("timeout: 1s", "timeot: 1s")),
        ("a backend that is not there", ("backend: c,", "backend: z,")),
        ("a proto that does not compile", ("returns (Stock)", "returns (Stocks)")),
    ];
    for (what, (right, wrong)) in breaks {
        let mut files = fixture::files(&Places::nowhere(), &[]);
        files.iter_mut().for_each(|(_, text)| *text = text.replacen(right, wrong, 1));
        let project = projects::write("broken", &files)?;
        let checked = gateway::check(&scene.run.binary, project.root()).await?;
        let (status, took, said) = gateway::refuses(&scene.run.binary, project.root().to_owned()).await?;
        let codes = (status.code(), checked.status.code());
        let told = said.contains("error") && !checked.mistakes.is_empty();
        let is_one = codes == (Some(1), Some(1)) || codes == (Some(78), Some(78));
        bars.push(Bar::holds((what, "1 or 78 of serve and check, and why"), format!("{codes:?}"), is_one && told));
        bars.push(Bar::within("  serve took", took, Duration::from_secs(1)));
        bars.push(Bar::within("  check took", checked.took, Duration::from_secs(1)));
    }
    Ok(bars)
}
