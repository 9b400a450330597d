//! Where the projects of one run are: in a folder that goes when the run ends.

use std::fs;
use std::path::Path;

use crate::project::Project;

/// Makes the project `name` of this run anew.
///
/// # Errors
/// What the file system says.
pub(crate) fn write(name: &str, files: &[(String, String)]) -> Result<Project, String> {
    Project::write(&format!("{}/{name}", of_this_run()), files)
}

/// Takes them all away.
pub(crate) fn remove() {
    // What cannot be removed is left to whoever cleans the target folder.
    let _ = fs::remove_dir_all(Path::new(env!("CARGO_TARGET_TMPDIR")).join(of_this_run()));
}

fn of_this_run() -> String {
    format!("faults-{}", std::process::id())
}
