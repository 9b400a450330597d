//! Plays rows: the stage, a look at it, the fault, its end, the invariants.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::case::{Bar, Beside, Case, Verdict};
use crate::fixture::{self, Layer, Places};
use crate::gateway;
use crate::invariants;
use crate::projects;
use crate::scene::{Length, Run, Scene};

/// Rows that are played at the same time.
const AT_ONCE: u32 = 3;

/// How long one row may take, in its short form and in full.
const LONGEST: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(60 * 60));

/// A row with everything that was measured.
pub(crate) struct Played {
    pub(crate) case: Case,
    pub(crate) bars: Vec<Bar>,
    /// The bars of a first attempt that missed one by its time.
    pub(crate) before: Option<Vec<Bar>>,
    pub(crate) took: Duration,
}

impl Played {
    /// What the row comes to: the worst of its bars.
    pub(crate) fn verdict(&self) -> Verdict {
        let worst = |verdict: &Verdict| match verdict {
            Verdict::Fail | Verdict::Slow => 2,
            Verdict::NotYet(_) => 1,
            Verdict::Pass => 0,
        };
        self.bars.iter().map(|bar| &bar.verdict).max_by_key(|verdict| worst(verdict)).cloned().unwrap_or(Verdict::Pass)
    }
}

/// Asks the gateway which layers it takes.
///
/// # Errors
/// It does not even take the fixture without any, or refuses a layer for another reason than not knowing it.
pub(crate) async fn refused(binary: &Path) -> Result<HashMap<Layer, String>, String> {
    let mut refused = HashMap::new();
    if let Some(mistake) = mistakes(binary, &[]).await?.first() {
        return Err(format!("the fixture is refused: {}: {}", mistake.0, mistake.1));
    }
    for layer in Layer::ALL {
        let mistakes = mistakes(binary, &[layer]).await?;
        let unknown = |code: &str| ["not-supported-yet", "unknown-key", "unknown-word"].contains(&code);
        if let Some((code, message)) = mistakes.iter().find(|(code, _)| !unknown(code)) {
            return Err(format!("the layer {layer:?} is mistaken: {code}: {message}"));
        }
        if let Some((_, message)) = mistakes.first() {
            refused.insert(layer, message.clone());
        }
    }
    Ok(refused)
}

async fn mistakes(binary: &Path, layers: &[Layer]) -> Result<Vec<(String, String)>, String> {
    let project = projects::write("check", &fixture::files(&Places::nowhere(), layers))?;
    Ok(gateway::check(binary, project.root()).await?.mistakes)
}

/// Plays rows, side by side where they let others be; those that miss a bar by its time once more, alone.
///
/// # Errors
/// The control does not start, or the fixture is refused.
pub(crate) async fn all((binary, length): (PathBuf, Length), cases: Vec<Case>) -> Result<Vec<Played>, String> {
    let refused = refused(&binary).await?;
    let nowhere = ([127, 0, 0, 1], 1).into();
    let alone = Arc::new(Run { binary, length, refused, control: nowhere });
    let control = Scene::set(&alone, &CONTROL).await?;
    let run = Arc::new(Run { control: control.gateway.clients, ..Run::clone(&alone) });
    let places = Arc::new(Semaphore::new(AT_ONCE as usize));
    let mut playing = JoinSet::new();
    for (order, case) in cases.into_iter().enumerate() {
        let (run, places) = (run.clone(), places.clone());
        let taken = if case.beside == Beside::Nobody { AT_ONCE } else { 1 };
        let place = places.acquire_many_owned(taken).await.map_err(|error| error.to_string())?;
        playing.spawn(async move {
            let played = play(&run, case).await;
            drop(place);
            (order, played)
        });
    }
    let mut played = playing.join_all().await;
    played.sort_by_key(|(order, _)| *order);
    let mut played: Vec<Played> = played.into_iter().map(|(_, played)| played).collect();
    for row in &mut played {
        let missed = |bars: &[Bar], verdict| bars.iter().any(|bar| bar.verdict == verdict);
        if missed(&row.bars, Verdict::Slow) && !missed(&row.bars, Verdict::Fail) {
            let again = play(&run, row.case).await;
            row.before = Some(std::mem::replace(&mut row.bars, again.bars));
            row.took += again.took;
        }
    }
    Ok(played)
}

/// The gateway that nothing ever happens to.
pub(crate) const CONTROL: Case = crate::case::row!(0, "control", quiet);

async fn quiet(_: &mut Scene) -> Result<Vec<Bar>, String> {
    Ok(Vec::new())
}

async fn play(run: &Arc<Run>, case: Case) -> Played {
    let since = Instant::now();
    let refused = case.needs.iter().find_map(|layer| run.lacks(*layer));
    let bars = match refused {
        Some(reason) => Ok(vec![Bar::not_yet(("everything", ""), reason)]),
        None => timeout(run.length.of(LONGEST.0, LONGEST.1), on_stage(run, &case))
            .await
            .unwrap_or_else(|_| Err("it takes too long".to_owned())),
    };
    let bars = bars.unwrap_or_else(|why| vec![Bar::holds(("the row", "can be played"), why, false)]);
    Played { case, bars, before: None, took: since.elapsed() }
}

async fn on_stage(run: &Arc<Run>, case: &Case) -> Result<Vec<Bar>, String> {
    let mut scene = Scene::set(run, case).await?;
    let since = Instant::now();
    scene.look().await;
    let watch = scene.watch();
    let mut bars = (case.play)(&mut scene).await?;
    if case.ends {
        let control = watch.end().await.control;
        bars.iter_mut().for_each(|bar| bar.allow(control));
        return Ok(bars);
    }
    let recovered = scene.heal().await;
    let watched = watch.end().await;
    bars.iter_mut().for_each(|bar| bar.allow(watched.control));
    bars.extend(invariants::judge(&scene, watched, (since.elapsed(), recovered)).await);
    Ok(bars)
}
