//! Projects that change while they are served.

use std::time::Duration;

use tokio::time::sleep;

use crate::case::{Bar, Case, row};
use crate::fixture::WHOLE;
use crate::scene::Scene;

pub(super) const ROWS: &[Case] =
    &[row!(63, "a change that is broken", broken), row!(64, "the same again and again", again)];

/// SIGHUP, by which a process is told that its project has changed.
const HUP: u32 = 1;

/// What is said of a process that would end of it.
const UNCAUGHT: &str = "SIGHUP is not caught: a changed project is served by starting again";

const FILE: &str = "compositions/main.yaml";

async fn broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    if !scene.gateway.catches(HUP) {
        return Ok(vec![Bar::not_yet(("the old project is served on", "every answer as before"), UNCAUGHT)]);
    }
    let file = scene.project.root().join(FILE);
    let right = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let change = async {
        for (right_word, wrong_word) in
            [("backends:", "backends: ["), ("timeout:", "timeot:"), ("backend: c", "backend: z")]
        {
            let wrong = right.replacen(right_word, wrong_word, 1);
            std::fs::write(&file, wrong).map_err(|error| error.to_string())?;
            scene.gateway.signal("HUP").await;
            sleep(Duration::from_millis(800)).await;
        }
        std::fs::write(&file, &right).map_err(|error| error.to_string())?;
        scene.gateway.signal("HUP").await;
        Result::<(), String>::Ok(())
    };
    let (answers, changed) = tokio::join!(scene.agg(Duration::from_secs(3)), change);
    changed?;
    Ok(vec![answers.all("every answer as before", |answer| answer.text() == WHOLE)])
}

async fn again(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    if !scene.gateway.catches(HUP) {
        return Ok(vec![Bar::not_yet(("no request is lost", "a reload every 100 ms"), UNCAUGHT)]);
    }
    let change = async {
        for _ in 0..40 {
            scene.gateway.signal("HUP").await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let (answers, ()) = tokio::join!(scene.agg(Duration::from_secs(4)), change);
    Ok(vec![answers.all("every answer as before", |answer| answer.text() == WHOLE)])
}
