//! One call for many keys: members of a crowd wait together, and each gets its rows.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::arrive::expect;
use super::crowd::CrowdId;
use super::env::Env;
use super::frame::{At, End};
use super::judge;
use super::run::{Run, Ticket};
use crate::base::call::{Reply, Share};
use crate::base::failure::{Cause, Failure};
use crate::base::id::StepId;
use crate::base::value::{Held, Value, key_text};
use crate::call::{KnownRow, Row};
use crate::plan::{Action, Batch, Call, Step};

/// Members that have come to the same batched step.
#[derive(Debug)]
pub(super) struct Gathering {
    step: StepId,
    arrived: Vec<Arrived>,
    sent: bool,
}

/// The members that one call asks for.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Steps that wait, with the number of their key.
    waiting: Vec<(At, usize)>,
    /// The distinct keys, as text to find their rows by.
    texts: Vec<String>,
    /// The same as values, as a list.
    keys: Held,
    /// Where what the reply says of each key is kept, in their order; none where nothing is.
    rows: Vec<Option<Row>>,
}

impl Chunk {
    /// The same members and keys in two chunks.
    fn halves(mut self) -> (Self, Self) {
        let Held::List(keys) = &self.keys else { return (Self::of(Vec::new(), Vec::new(), &[]), self) };
        let middle = keys.len() / 2;
        let (first, second) = keys.split_at(middle);
        let texts = self.texts.split_off(middle);
        let (with_first, mut with_second): (Vec<_>, Vec<_>) =
            self.waiting.into_iter().partition(|(_, key)| *key < middle);
        with_second.iter_mut().for_each(|(_, key)| *key -= middle);
        (Self::of(with_first, self.texts, first), Self::of(with_second, texts, second))
    }

    fn of(waiting: Vec<(At, usize)>, texts: Vec<String>, keys: &[Held]) -> Self {
        Self { waiting, texts, keys: Held::List(keys.into()), rows: Vec::new() }
    }
}

/// What the store knows of the rows of members that it was asked for.
#[derive(Debug)]
pub(super) struct Looked {
    /// One of the members, which says of what.
    first: At,
    arrived: Vec<Arrived>,
    /// By the text of their key.
    known: HashMap<String, KnownRow>,
}

/// Whether a call is longer than its batch allows.
fn is_too_long(call: &crate::base::call::Call, batch: &Batch) -> bool {
    match (&call.request, batch.max_url) {
        (crate::base::call::Request::Rest(rest), Some(max)) => rest.target.as_str().len() > max,
        _ => false,
    }
}

/// A member that has come, and its key as text and value; `None` for a null key.
type Arrived = (At, Option<(String, Held)>);

/// The rows of a reply by the text of their key.
type Rows = HashMap<String, Vec<Held>>;

impl<'p> Run<'p> {
    /// A member has come to a batched step: it waits until every member has, or cannot any more.
    pub(super) fn join_batch(&mut self, at: At, call: &'p Call) {
        let Some(batch) = &call.batch else { return };
        let key = {
            let env = self.env(at.frame);
            env.eval(&batch.key).and_then(|key| match key_text(&key) {
                None => Ok(None),
                Some(text) => Held::keep(&key)
                    .map(|held| Some((text, held)))
                    .map_err(|_| Failure::new(Cause::ExpressionFailed, "not a number of JSON")),
            })
        };
        let key = match key {
            Ok(key) => key,
            Err(failure) => return self.fail(at, failure),
        };
        let id = self.frames.frame(at.frame).crowd;
        let gatherings = &mut self.crowds[id.index()].gatherings;
        match gatherings.iter_mut().find(|gathering| gathering.step == at.step && !gathering.sent) {
            Some(gathering) => gathering.arrived.push((at, key)),
            None => gatherings.push(Gathering { step: at.step, arrived: vec![(at, key)], sent: false }),
        }
        self.dispatch_ready_batches(id);
    }

    /// Sends what no further member can join.
    pub(super) fn dispatch_ready_batches(&mut self, id: CrowdId) {
        let crowd = &self.crowds[id.index()];
        let size = crowd.results.len();
        let over = crowd.over;
        let ready = |gathering: &Gathering| !gathering.sent && gathering.arrived.len() + over >= size;
        let Some(at) = crowd.gatherings.iter().position(ready) else { return };
        self.dispatch(id, at);
    }

    /// Nothing is under way any more although members wait: they wait for one another in different
    /// batches. Sends the one that is written first, so that its members can still join a later one;
    /// says whether there was one.
    pub(super) fn dispatch_stalled_batches(&mut self) -> bool {
        let waiting = |crowd: &super::crowd::Crowd<'_>| {
            let unsent = crowd.gatherings.iter().enumerate().filter(|(_, gathering)| !gathering.sent);
            unsent.min_by_key(|(_, gathering)| gathering.step).map(|(index, _)| index)
        };
        let found = (0..self.crowds.len()).find_map(|index| Some((index, waiting(&self.crowds[index])?)));
        let Some((index, gathering)) = found else { return false };
        let members = self.crowds[index].gatherings[gathering].arrived.first();
        let Some(id) = members.map(|(at, _)| self.frames.frame(at.frame).crowd) else { return false };
        self.dispatch(id, gathering);
        true
    }

    fn dispatch(&mut self, id: CrowdId, gathering: usize) {
        let gathering = &mut self.crowds[id.index()].gatherings[gathering];
        gathering.sent = true;
        let arrived = std::mem::take(&mut gathering.arrived);
        let Some(first) = arrived.first().map(|(first, _)| *first) else { return };
        let step = self.frames.step(first);
        let Action::Call(call) = &step.action else { return };
        let (arrived, rows) = self.serve_kept(arrived, (step, call));
        match self.live.calls.look_for(rows) {
            Err(rows) => self.ask_for_rows(first, arrived, rows),
            Ok(looking) => self.look(async move { Looked { first, arrived, known: looking.await } }),
        }
    }

    /// Takes what the store knows of rows, and asks for the others.
    pub(super) fn take_rows(&mut self, Looked { first, arrived, known }: Looked) {
        let Action::Call(call) = &self.frames.step(first).action else { return };
        let Some(batch) = &call.batch else { return };
        let (mut kept, mut unknown) = (HashMap::new(), HashMap::new());
        for (text, known) in known {
            match known {
                KnownRow::Kept(rows) => drop(kept.insert(text, rows)),
                KnownRow::Unknown(row) => drop(unknown.insert(text, row)),
            }
        }
        let others = self.settle_known(arrived, (batch, &kept));
        self.ask_for_rows(first, others, unknown);
    }

    /// Makes calls for the rows of members; what they say of each is kept where `rows` says.
    fn ask_for_rows(&mut self, first: At, arrived: Vec<Arrived>, mut rows: HashMap<String, Row>) {
        let step = self.frames.step(first);
        let Action::Call(call) = &step.action else { return };
        let Some(batch) = &call.batch else { return };
        let (chunks, keyless) = chunks(arrived, batch.max);
        for at in keyless {
            self.settle(at, End::Regular, Held::Null);
        }
        let mut chunks = VecDeque::from(chunks);
        while let Some(mut chunk) = chunks.pop_front() {
            let Some((at, _)) = chunk.waiting.first() else { continue };
            let env = Env { keys: &chunk.keys, ..self.env(at.frame) };
            let rendered = self.rendered((*at, step), call, &env);
            match rendered {
                Ok(rendered) if is_too_long(&rendered, batch) && chunk.texts.len() > 1 => {
                    let (first, second) = chunk.halves();
                    chunks.push_front(second);
                    chunks.push_front(first);
                }
                Ok(mut rendered) => {
                    if let Some(keeping) = &mut rendered.keeping {
                        keeping.share = Share::Rows;
                        let row = |text| rows.remove(text).filter(|row: &Row| row.is_of(rendered.backend));
                        chunk.rows = chunk.texts.iter().map(row).collect();
                    }
                    self.send(Ticket::Batch(chunk), rendered, Duration::ZERO);
                }
                Err(failure) => self.fail_chunk(&chunk, &failure),
            }
        }
    }

    /// Settles the members of whose keys all is known, and gives back the others with where their rows are to be kept.
    fn serve_kept(
        &mut self,
        arrived: Vec<Arrived>,
        (step, call): (&Step, &Call),
    ) -> (Vec<Arrived>, HashMap<String, Row>) {
        let (mut kept, mut unknown) = (HashMap::<String, Held>::new(), HashMap::new());
        let Some(batch) = call.batch.as_ref().filter(|_| call.targets.list.iter().any(|target| target.kept.is_some()))
        else {
            return (arrived, unknown);
        };
        for (at, key) in &arrived {
            let Some((text, key)) = key else { continue };
            if kept.contains_key(text) || unknown.contains_key(text) {
                continue;
            }
            let keys = Held::List([key.clone()].into());
            let alone = self.rendered((*at, step), call, &Env { keys: &keys, ..self.env(at.frame) });
            // What cannot be rendered for one key is said of all of them.
            match alone.ok().and_then(|alone| self.live.calls.row(alone)) {
                Some(KnownRow::Kept(rows)) => drop(kept.insert(text.clone(), rows)),
                Some(KnownRow::Unknown(row)) => drop(unknown.insert(text.clone(), row)),
                None => {}
            }
        }
        (self.settle_known(arrived, (batch, &kept)), unknown)
    }

    /// Settles the members whose rows are known, and gives back the others.
    fn settle_known(&mut self, arrived: Vec<Arrived>, (batch, kept): (&Batch, &HashMap<String, Held>)) -> Vec<Arrived> {
        let mut others = Vec::new();
        for (at, key) in arrived {
            match key.as_ref().and_then(|(text, _)| kept.get(text)) {
                Some(Held::List(rows)) => self.settle_row(at, (batch, rows)),
                _ => others.push((at, key)),
            }
        }
        others
    }

    fn settle_row(&mut self, at: At, (batch, rows): (&Batch, &[Held])) {
        match row(batch, rows) {
            Ok(held) => self.settle(at, End::Regular, held),
            Err(failure) => self.fail(at, failure),
        }
    }

    /// Gives each waiting member its rows.
    pub(super) fn arrive_batch(&mut self, mut chunk: Chunk, outcome: Result<Reply, Failure>) {
        let Some((first, _)) = chunk.waiting.first() else { return };
        let Action::Call(call) = &self.frames.step(*first).action else { return };
        let Some(batch) = &call.batch else { return };
        let rows = outcome.and_then(|reply| {
            let env = Env { reply: Some(&reply), reply_body: &reply.body, keys: &chunk.keys, ..self.env(first.frame) };
            judge::reply(call.guards(), expect(call), &env, &reply)?;
            Ok((rows(batch, &env)?, reply))
        });
        let (rows, reply) = match rows {
            Ok(found) => found,
            Err(failure) => return self.spare_chunk(&chunk, (batch, &failure)),
        };
        let rows: Vec<&[Held]> = chunk.texts.iter().map(|text| rows.get(text).map_or(&[][..], Vec::as_slice)).collect();
        for (rows, row) in rows.iter().zip(chunk.rows.drain(..)) {
            row.into_iter().for_each(|row| self.live.calls.keep_row(row, (rows, &reply)));
        }
        for (at, key) in &chunk.waiting {
            self.settle_row(*at, (batch, rows[*key]));
        }
    }

    /// Gives the members of a chunk that failed what is kept of their rows, and fails the others.
    fn spare_chunk(&mut self, chunk: &Chunk, (batch, failure): (&Batch, &Failure)) {
        for (at, key) in &chunk.waiting {
            let row = chunk.rows.get(*key).and_then(Option::as_ref);
            match row.and_then(|row| self.live.calls.spare(row, failure)) {
                Some(Held::List(rows)) => self.settle_row(*at, (batch, rows)),
                _ if self.is_settled(at.frame) => {}
                _ => self.fail(*at, failure.clone()),
            }
        }
    }

    fn fail_chunk(&mut self, chunk: &Chunk, failure: &Failure) {
        for (at, _) in &chunk.waiting {
            if !self.is_settled(at.frame) {
                self.fail(*at, failure.clone());
            }
        }
    }
}

/// Puts distinct keys, first seen first, into chunks of at most `max`; members without a key apart.
fn chunks(arrived: Vec<Arrived>, max: usize) -> (Vec<Chunk>, Vec<At>) {
    let max = max.max(1);
    let (mut keyless, mut chunks) = (Vec::new(), Vec::<(Vec<_>, Vec<Held>)>::new());
    let mut places: HashMap<String, (usize, usize)> = HashMap::new();
    for (at, key) in arrived {
        let Some((text, held)) = key else {
            keyless.push(at);
            continue;
        };
        let next = places.len();
        let (chunk, place) = *places.entry(text).or_insert((next / max, next % max));
        if chunk == chunks.len() {
            chunks.push(Default::default());
        }
        let (waiting, keys) = &mut chunks[chunk];
        if place == keys.len() {
            keys.push(held);
        }
        waiting.push((at, place));
    }
    let mut texts: Vec<Vec<String>> = chunks.iter().map(|(_, keys)| vec![String::new(); keys.len()]).collect();
    for (text, (chunk, place)) in places {
        texts[chunk][place] = text;
    }
    let chunks = chunks.into_iter().zip(texts).map(|((waiting, keys), texts)| Chunk::of(waiting, texts, &keys));
    (chunks.collect(), keyless)
}

/// The rows of a reply by key. `from` gives a list, or an object whose keys are `index`.
fn rows(batch: &Batch, env: &Env<'_>) -> Result<Rows, Failure> {
    let from = env.eval(&batch.from)?;
    let mut rows = Rows::new();
    let mut add = |index: &Value<'_>, row: &Value<'_>| -> Result<(), Failure> {
        let row = Held::keep(row).map_err(|_| Failure::new(Cause::BadReply, "a row holds no number of JSON"))?;
        let env = Env { row: Some((&row, index)), ..*env };
        if let Some(key) = key_text(&env.eval(&batch.by)?) {
            rows.entry(key).or_default().push(row);
        }
        Ok(())
    };
    if let Some(elements) = from.elements() {
        for (position, row) in elements.enumerate() {
            add(&Value::Int(position as i64), &row)?;
        }
    } else if let Some(entries) = from.entries() {
        for (key, row) in entries {
            add(&key, &row)?;
        }
    } else if !from.is_null() {
        return Err(Failure::new(Cause::BadReply, "`from` gave neither a list nor an object"));
    }
    Ok(rows)
}

/// What a key's rows are to the step that asked.
fn row(batch: &Batch, rows: &[Held]) -> Result<Held, Failure> {
    match rows {
        rows if batch.many => Ok(Held::List(rows.to_vec().into())),
        [] if batch.missing_fails => Err(Failure::new(Cause::BatchMissing, "no row for a key")),
        [] => Ok(Held::Null),
        [row] => Ok(row.clone()),
        _ => Err(Failure::new(Cause::BatchDuplicate, "two rows for one key; is `many: true` meant?")),
    }
}
