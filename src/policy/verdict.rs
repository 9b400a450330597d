//! The one table of verdicts: what each end of an attempt says of the backend, and whether the call may be sent again.
//!
//! Breaker, ejection, bulkhead and retry read it and nothing else. `docs/POLICIES.md` shows it, made from here.

use crate::base::attempt::{Again, Event, Health, Load, Verdict};

/// A row of the table: the events that it is about, in words and as a test; what they mean; why.
#[derive(Debug)]
pub struct Row {
    /// The events, for the manual.
    pub events: &'static str,
    /// Whether an event is among them.
    is: fn(Event) -> bool,
    /// What they mean unless a backend says otherwise.
    pub verdict: Verdict,
    /// The reason, for the manual.
    pub reason: &'static str,
}

/// Which events mean something else for a backend than the table says, the first that fits counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exceptions(pub Vec<(Event, Health)>);

macro_rules! rows {
    ($($events:literal: $pattern:pat $(if $guard:expr)? => $health:ident, $load:ident, $again:ident, $reason:literal;)*) => {
        /// The table, read from its top: the first row that an event fits counts.
        pub static ROWS: &[Row] = &[$(Row {
            events: $events,
            is: |event| matches!(event, $pattern $(if $guard)?),
            verdict: Verdict { health: Health::$health, load: Load::$load, again: Again::$again },
            reason: $reason,
        },)*];
    };
}

rows! {
    "no connection: refused, unreachable, timed out, no such name, TLS handshake failed":
        Event::Connect => Hard, Unsaid, Always, "Nothing was sent.";
    "not taken: REFUSED_STREAM, GOAWAY before the call":
        Event::Unsent => Neutral, Unsaid, Always, "The backend says that it did no work. It goes out again at once.";
    "the connection ended before a reply":
        Event::Reset => Hard, Unsaid, Idempotent, "The backend may have worked on it.";
    "no reply within the call's time":
        Event::Timeout => Hard, TooMuch, Idempotent, "The backend may still work on it.";
    "no reply within what was left of the request's time":
        Event::Hurried => Neutral, Unsaid, Never, "Clients in a hurry, and steps that start late, say nothing about a backend.";
    "the reply was cut short or cannot be read":
        Event::BadReply => Hard, Unsaid, Idempotent, "It worked, and badly.";
    "the reply is larger than `max_reply`":
        Event::TooLarge => Neutral, Unsaid, Never, "A limit of the gateway; it would be as large again.";
    "a `fail` rule that blames the backend":
        Event::Failed => Hard, Unsaid, Idempotent, "The composition says that this reply is a failure.";
    "a `fail` rule that blames the client":
        Event::Refused => Success, Bearable, Never, "The backend answered as it should.";
    "501":
        Event::Status(501) => Success, Bearable, Never, "A backend that cannot do this is not ill.";
    "429":
        Event::Status(429) => Soft, TooMuch, Idempotent, "It asks for less, not before the time that it names.";
    "503, 504":
        Event::Status(503 | 504) => Hard, TooMuch, Idempotent, "The backend, or what stands before it, cannot answer now.";
    "500, 502, 505 and above":
        Event::Status(500..) => Hard, Unsaid, Idempotent, "The backend, or what stands before it, failed.";
    "any other status":
        Event::Status(_) => Success, Bearable, Never, "An answer: also 401, 403, 404, 409 are what a healthy backend says.";
    "UNAVAILABLE, DEADLINE_EXCEEDED":
        Event::Grpc(14 | 4) => Hard, TooMuch, Idempotent, "The backend cannot answer now.";
    "INTERNAL, UNKNOWN, DATA_LOSS":
        Event::Grpc(13 | 2 | 15) => Hard, Unsaid, Idempotent, "The backend failed.";
    "RESOURCE_EXHAUSTED":
        Event::Grpc(8) => Soft, TooMuch, Idempotent, "It asks for less, not before the time that it names.";
    "CANCELLED":
        Event::Grpc(1) => Neutral, Unsaid, Never, "Somebody gave up; whether the backend is well is not said.";
    "any other gRPC status":
        Event::Grpc(_) => Success, Bearable, Never, "An answer: NOT_FOUND or PERMISSION_DENIED are what a healthy backend says.";
    "the client left, a second call was faster":
        Event::Left => Neutral, Unsaid, Never, "Nobody waits for it.";
    "a limit of the gateway, an open breaker, a value that cannot be sent":
        Event::Local => Neutral, Unsaid, Never, "The backend was not asked.";
}

/// What an event means.
pub fn verdict(event: Event, exceptions: &Exceptions) -> Verdict {
    let row = ROWS.iter().find(|row| (row.is)(event));
    let nothing = Verdict { health: Health::Neutral, load: Load::Unsaid, again: Again::Never };
    let verdict = row.map_or(nothing, |row| row.verdict);
    match exceptions.0.iter().find(|(known, _)| *known == event) {
        None => verdict,
        Some((_, health)) => {
            let again = match (health, verdict.again) {
                (Health::Success, _) => Again::Never,
                (Health::Hard | Health::Soft, Again::Never) => Again::Idempotent,
                (_, again) => again,
            };
            let load = match (health, verdict.load) {
                (Health::Success, _) => Load::Bearable,
                (Health::Soft, _) | (Health::Hard, Load::TooMuch) => Load::TooMuch,
                (Health::Hard | Health::Neutral, _) => Load::Unsaid,
            };
            Verdict { health: *health, load, again }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(event: Event) -> Health {
        verdict(event, &Exceptions::default()).health
    }

    #[test]
    fn every_status_of_grpc_has_its_verdict() {
        let hard: Vec<u8> = (0..=16).filter(|code| health(Event::Grpc(*code)) == Health::Hard).collect();
        let soft: Vec<u8> = (0..=16).filter(|code| health(Event::Grpc(*code)) == Health::Soft).collect();
        assert_eq!((hard, soft), (vec![2, 4, 13, 14, 15], vec![8]));
    }

    #[test]
    fn of_http_statuses_only_those_from_500_are_hard_but_not_501() {
        let hard: Vec<u16> = (100..=600).filter(|status| health(Event::Status(*status)) == Health::Hard).collect();
        let expected: Vec<u16> = (500..=600).filter(|status| *status != 501).collect();
        assert_eq!(hard, expected);
        assert_eq!(health(Event::Status(429)), Health::Soft);
    }

    #[test]
    fn who_asks_for_less_or_does_not_answer_in_time_has_too_much() {
        let is_too_much = |event: &Event| verdict(*event, &Exceptions::default()).load == Load::TooMuch;
        let statuses: Vec<Event> = (100..=600).map(Event::Status).filter(is_too_much).collect();
        assert_eq!(statuses, [429, 503, 504].map(Event::Status));
        let statuses: Vec<Event> = (0..=16).map(Event::Grpc).filter(is_too_much).collect();
        assert_eq!(statuses, [4, 8, 14].map(Event::Grpc));
        assert!(is_too_much(&Event::Timeout) && !is_too_much(&Event::Hurried) && !is_too_much(&Event::Connect));
        let own = Exceptions(vec![(Event::Status(500), Health::Soft), (Event::Status(503), Health::Neutral)]);
        assert_eq!(verdict(Event::Status(500), &own).load, Load::TooMuch);
        assert_eq!(verdict(Event::Status(503), &own).load, Load::Unsaid);
    }

    #[test]
    fn every_row_can_be_reached() {
        let statuses = (100..=600).map(Event::Status).chain((0..=16).map(Event::Grpc));
        let others = [
            Event::Connect,
            Event::Reset,
            Event::Unsent,
            Event::Timeout,
            Event::Hurried,
            Event::BadReply,
            Event::TooLarge,
            Event::Failed,
            Event::Refused,
            Event::Local,
            Event::Left,
        ];
        let events: Vec<Event> = statuses.chain(others).collect();
        for row in ROWS {
            let first = |event: &Event| ROWS.iter().find(|row| (row.is)(*event)).map(|row| row.events);
            assert!(events.iter().any(|event| first(event) == Some(row.events)), "{}", row.events);
        }
        assert!(events.iter().all(|event| ROWS.iter().any(|row| (row.is)(*event))));
    }

    #[test]
    fn a_backend_may_see_it_differently() {
        let own = Exceptions(vec![(Event::Status(404), Health::Hard), (Event::Status(500), Health::Success)]);
        let hard = Verdict { health: Health::Hard, load: Load::Unsaid, again: Again::Idempotent };
        assert_eq!(verdict(Event::Status(404), &own), hard);
        let success = Verdict { health: Health::Success, load: Load::Bearable, again: Again::Never };
        assert_eq!(verdict(Event::Status(500), &own), success);
        assert_eq!(verdict(Event::Status(503), &own).health, Health::Hard);
    }
}
