//! A row of the matrix: what is played, and how its figures stand to their bars.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::fixture::Layer;
use crate::scene::{Scene, Setting};

/// A row.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Its number in the matrix.
    pub(crate) row: u16,
    pub(crate) name: &'static str,
    /// Without these there is nothing to be seen.
    pub(crate) needs: &'static [Layer],
    /// These are in force where the gateway takes them.
    pub(crate) wants: &'static [Layer],
    /// How much it leaves to others.
    pub(crate) beside: Beside,
    /// How its stage differs from that of the others.
    pub(crate) setting: fn() -> Setting,
    /// The gateway does not outlive it, so that there is nothing to be seen of it afterwards.
    pub(crate) ends: bool,
    pub(crate) play: Play,
}

/// Whether other rows may be played at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// It mostly waits.
    Others,
    /// It needs the whole machine, or takes it.
    Nobody,
}

/// Plays a row.
pub(crate) type Play = for<'a> fn(&'a mut Scene) -> Playing<'a>;

/// A row while it is played.
pub(crate) type Playing<'a> = Pin<Box<dyn Future<Output = Result<Vec<Bar>, String>> + Send + 'a>>;

/// Makes a row of a function: `row!(2, "B refuses", refused)`, with what it says besides behind it.
macro_rules! row {
    ($row:literal, $name:literal, $play:path $(, $key:ident: $value:expr)* $(,)?) => {
        crate::case::Case {
            $($key: $value,)*
            ..crate::case::Case {
                row: $row,
                name: $name,
                needs: &[],
                wants: &[],
                beside: crate::case::Beside::Others,
                setting: crate::scene::Setting::default,
                ends: false,
                play: |scene| Box::pin($play(scene)),
            }
        }
    };
}
pub(crate) use row;

/// One figure of a row beside what it should be.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) what: &'static str,
    pub(crate) figure: String,
    pub(crate) bar: String,
    pub(crate) verdict: Verdict,
    /// A time that may not be exceeded, and the bar.
    time: Option<(Duration, Duration)>,
}

/// What a figure says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// Missed.
    Fail,
    /// Missed by a time, which a busy machine can be the reason of.
    Slow,
    /// The gateway has not what it takes; what it says of that.
    NotYet(String),
}

#[allow(clippy::needless_pass_by_value, reason = "a figure is written where it is had")]
impl Bar {
    /// A time that may not be exceeded.
    pub(crate) fn within(what: &'static str, took: Duration, bar: Duration) -> Self {
        let verdict = if took <= bar { Verdict::Pass } else { Verdict::Slow };
        let mut judged = Self::judged(what, (time(took), format!("≤ {}", time(bar))), verdict);
        judged.time = Some((took, bar));
        judged
    }

    /// Lets a time be exceeded by what the control took for an answer meanwhile, since that is the machine's.
    pub(crate) fn allow(&mut self, control: Duration) {
        let Some((took, bar)) = self.time else { return };
        let verdict = if took <= bar + control { Verdict::Pass } else { Verdict::Slow };
        self.bar = format!("≤ {} + {} of the control", time(bar), time(control));
        self.verdict = verdict;
    }

    fn judged(what: &'static str, (figure, bar): (String, String), verdict: Verdict) -> Self {
        Self { what, figure, bar, verdict, time: None }
    }

    /// A number that may not be exceeded.
    pub(crate) fn at_most<T: PartialOrd + Display>(what: &'static str, figure: T, bar: T) -> Self {
        let verdict = if figure <= bar { Verdict::Pass } else { Verdict::Fail };
        Self::judged(what, (figure.to_string(), format!("≤ {bar}")), verdict)
    }

    /// What must be exactly so.
    pub(crate) fn equal<T: PartialEq + Display>(what: &'static str, figure: T, bar: T) -> Self {
        let verdict = if figure == bar { Verdict::Pass } else { Verdict::Fail };
        Self::judged(what, (figure.to_string(), bar.to_string()), verdict)
    }

    /// What must hold, said in words.
    pub(crate) fn holds((what, bar): (&'static str, &str), figure: impl Display, holds: bool) -> Self {
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        Self::judged(what, (figure.to_string(), bar.to_owned()), verdict)
    }

    /// What cannot be seen with this gateway.
    pub(crate) fn not_yet((what, bar): (&'static str, &str), reason: impl Into<String>) -> Self {
        Self::judged(what, ("–".to_owned(), bar.to_owned()), Verdict::NotYet(reason.into()))
    }

    /// The same with a miss taken for one of time: the figure depends on how busy the machine is.
    pub(crate) fn timed(mut self) -> Self {
        if self.verdict == Verdict::Fail {
            self.verdict = Verdict::Slow;
        }
        self
    }
}

/// A time for people.
pub(crate) fn time(duration: Duration) -> String {
    match duration.as_micros() {
        micros if micros >= u128::from(u64::MAX) => "never".to_owned(),
        micros @ ..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        micros => format!("{} ms", micros / 1_000),
    }
}
