//! Projects that change while they are served.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::backend::rest::Reply;
use crate::case::{Bar, Beside, Case, row};
use crate::fixture::{FRESH, Layer, WHOLE};
use crate::load::{self, Answers, Ask};
use crate::scene::Scene;

pub(super) const ROWS: &[Case] = &[
    row!(63, "a change that is broken", broken),
    row!(64, "a change again and again", again, needs: &[Layer::Breaker, Layer::Cache], beside: Beside::Nobody),
];

const FILE: &str = "compositions/main.yaml";

async fn broken(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let file = scene.project.root().join(FILE);
    let right = read(&file)?;
    let change = async {
        for (right_word, wrong_word) in
            [("backends:", "backends: ["), ("timeout:", "timeot:"), ("backend: c", "backend: z")]
        {
            write(&file, &right.replacen(right_word, wrong_word, 1))?;
            scene.gateway.signal("HUP").await;
            sleep(Duration::from_millis(800)).await;
        }
        write(&file, &right)?;
        scene.gateway.signal("HUP").await;
        Result::<(), String>::Ok(())
    };
    let (answers, changed) = tokio::join!(scene.agg(Duration::from_secs(3)), change);
    changed?;
    Ok(vec![answers.all("every answer as before", |answer| answer.text() == WHOLE)])
}

/// What `/agg` answers while nothing is asked of B.
const WITHOUT_B: &str = r#"{"a":"a","b":0,"c":"c"}"#;

/// Breakers that operators decide over, and how they stand then.
const DECIDED: [(&str, &str, &str); 2] =
    [("backends.a", "closed", "forced_closed"), ("backends.b", "open", "forced_open")];

/// KiB that the last half of the reloads may add by the line through what was measured: what an allocator does, not what
/// plans leave behind, of which each would be a hundred.
const GROWTH: i64 = 4 << 10;

async fn again(scene: &mut Scene) -> Result<Vec<Bar>, String> {
    let reloads = scene.run.length.of(200, 10_000);
    // Requests are under way all the time, on plans that are not served any more.
    scene.a.play(|call| Reply::json(200, r#"{"value":"a"}"#).after(Duration::from_millis(call.number % 50)));
    for (owner, force, _) in DECIDED {
        decide(scene, owner, force).await?;
    }
    scene.agg(Duration::from_millis(200)).await;
    let (calls_of_c, since, over) = (scene.c.record.count(), Instant::now(), AtomicBool::new(false));
    let asking = async {
        let mut answers = Vec::new();
        while !over.load(Ordering::Relaxed) {
            answers.extend(scene.agg(Duration::from_millis(500)).await.0);
        }
        Answers(answers)
    };
    let changing = async {
        let changed = change(scene, reloads).await;
        over.store(true, Ordering::Relaxed);
        changed
    };
    let (answers, changed) = tokio::join!(asking, changing);
    let (memory, took) = (changed?, since.elapsed());
    let calls_of_c = scene.c.record.count() - calls_of_c;
    let undecided = undecided(scene).await?;
    for (owner, _, _) in DECIDED {
        decide(scene, owner, "auto").await?;
    }
    let growth = growth(&memory[memory.len() / 2..]);
    Ok(vec![
        answers.all("every answer as before", |answer| answer.text() == WITHOUT_B),
        Bar::holds(("reloads", &format!("≥ {reloads}")), taken_up(scene).await?, taken_up(scene).await? >= reloads),
        Bar::holds(("breakers", "as they were"), undecided.as_deref().unwrap_or("as they were"), undecided.is_none()),
        Bar::at_most("calls of C: kept replies stay", calls_of_c, allowed_of_c(took)),
        Bar::at_most("memory: KiB more in the last half", growth, GROWTH),
        Bar::equal("plans that are there at the end", plans(scene).await?, 1),
    ])
}

/// Calls of C while one reply of it is fresh and renewed again and again: a tenth more for times that vary.
fn allowed_of_c(took: Duration) -> u64 {
    let fresh = took.as_millis() / (FRESH.as_millis() * 9 / 10);
    u64::try_from(fresh).unwrap_or(u64::MAX) + 2
}

/// One change in so many is left to be noticed; for the others an operator asks.
const NOTICED: u64 = 10;

/// Changes the project so often, each time waiting until it is served. What memory the gateway had meanwhile, in KiB, after
/// which of the changes.
async fn change(scene: &Scene, reloads: u64) -> Result<Vec<(u64, u64)>, String> {
    let file = scene.project.root().join(FILE);
    let right = read(&file)?;
    let mut memory = Vec::new();
    for number in 1..=reloads {
        let further = format!("endpoints:\n  GET /version: {{ result: {number} }}\n");
        write(&file, &right.replacen("endpoints:\n", &further, 1))?;
        if number % NOTICED != 0 {
            let answer = load::ask(scene.gateway.operators, &Ask::post("/reload", String::new())).await;
            if answer.status() != Some(200) {
                return Err(format!("reload {number}: {}", answer.text()));
            }
        }
        serves(scene, number).await?;
        if number % (reloads / 50) == 0 {
            memory.push((number, scene.gateway.held().ok_or("it has ended")?.memory));
        }
    }
    Ok(memory)
}

/// Waits until this version of the project answers.
async fn serves(scene: &Scene, version: u64) -> Result<(), String> {
    let since = Instant::now();
    loop {
        let served = scene.ask(&Ask::get("/version")).await.text();
        if served == version.to_string() {
            return Ok(());
        }
        if since.elapsed() > Duration::from_secs(5) {
            return Err(format!("version {version} is not served: {served}"));
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// KiB that the line through these figures rises from the first to the last: least squares.
fn growth(memory: &[(u64, u64)]) -> i64 {
    let points: Vec<(f64, f64)> = memory.iter().map(|(number, kib)| (*number as f64, *kib as f64)).collect();
    let count = points.len() as f64;
    let mean_of = |part: fn(&(f64, f64)) -> f64| points.iter().map(part).sum::<f64>() / count;
    let (x, y) = (mean_of(|point| point.0), mean_of(|point| point.1));
    let varies: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let span = points.last().map_or(0.0, |last| last.0) - points.first().map_or(0.0, |first| first.0);
    (together / varies * span).round() as i64
}

/// Lets an operator decide over the breakers that are written somewhere.
async fn decide(scene: &Scene, owner: &str, force: &str) -> Result<(), String> {
    let ask = Ask::post(&format!("/breakers?at={owner}&force={force}"), String::new());
    let answer = load::ask(scene.gateway.operators, &ask).await;
    if answer.status() == Some(200) { Ok(()) } else { Err(format!("{owner}: {}", answer.text())) }
}

/// The first breaker that does not stand as was decided.
async fn undecided(scene: &Scene) -> Result<Option<String>, String> {
    let breakers = told(scene, "/breakers").await?;
    let stands = |owner: &str| {
        let found = breakers.as_array().into_iter().flatten().find(|breaker| breaker["at"] == owner);
        found.map(|breaker| breaker["state"].clone()).unwrap_or_default()
    };
    let other = DECIDED.iter().find(|(owner, _, state)| stands(owner) != *state);
    Ok(other.map(|(owner, _, _)| format!("{owner} is {}", stands(owner))))
}

async fn taken_up(scene: &Scene) -> Result<u64, String> {
    told(scene, "/reload").await?["taken_up"].as_u64().ok_or("nothing is said of reloads".to_owned())
}

/// How many plans there are once nothing is under way any more.
async fn plans(scene: &Scene) -> Result<u64, String> {
    let since = Instant::now();
    loop {
        let plans = told(scene, "/reload").await?["plans"].as_u64().ok_or("nothing is said of plans")?;
        if plans == 1 || since.elapsed() > Duration::from_secs(5) {
            return Ok(plans);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// What operators are told at a path.
async fn told(scene: &Scene, path: &str) -> Result<Value, String> {
    let text = load::ask(scene.gateway.operators, &Ask::get(path)).await.text();
    serde_json::from_str(&text).map_err(|error| format!("{path}: {error}: {text}"))
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| error.to_string())
}

/// Writes a file as editors do, so that nobody reads half of it.
fn write(file: &Path, text: &str) -> Result<(), String> {
    let beside: PathBuf = file.with_extension("new");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file)).map_err(|error| error.to_string())
}
