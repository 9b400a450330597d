//! What the name server of a document answers: its block `names`, read.
//!
//! The form is told in `tests/behaviour/README.md`.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::name_server::{Record, Said, Wanted};

/// What is answered to each question in turn; the last one stands for all further.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone(HashMap<(String, Wanted), Vec<Line>>);

/// One answer, as it is written.
#[derive(Clone, Debug)]
enum Line {
    /// One that has no records.
    Fixed(Said),
    /// Addresses, with the seconds that they hold.
    Addresses(u32, Vec<IpAddr>),
    /// Services: priority, weight, host and the backend whose port it is.
    Services(u32, Vec<(u16, u16, String, String)>),
}

/// The seconds for which records hold where nothing is written.
const TTL: u32 = 60;

/// Reads a block.
///
/// # Errors
/// The line that cannot be read.
pub(crate) fn read(text: &str) -> Result<Zone, String> {
    let mut zone = Zone::default();
    let mut last = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let wrong = || format!("names: this cannot be read: {line}");
        let (asked, said) = line.split_once("->").ok_or_else(wrong)?;
        let words: Vec<&str> = asked.split_whitespace().collect();
        let key = match (words.as_slice(), last) {
            ([], Some(last)) => last,
            ([name, kind], _) => ((*name).to_owned(), wanted(kind).ok_or_else(wrong)?),
            _ => return Err(wrong()),
        };
        zone.0.entry(key.clone()).or_default().push(answer(said.trim()).ok_or_else(wrong)?);
        last = Some(key);
    }
    Ok(zone)
}

impl Zone {
    /// Answers by it, where backends have these ports; a name that it does not have does not exist.
    pub(crate) fn play(mut self, ports: HashMap<String, u16>) -> impl FnMut(&str, Wanted) -> Said + Send + 'static {
        move |name, wanted| {
            let is_known = self.0.keys().any(|(known, _)| known == name);
            match self.0.get_mut(&(name.to_owned(), wanted)) {
                Some(lines) if lines.len() > 1 => lines.remove(0).said(&ports),
                Some(lines) => lines[0].said(&ports),
                None if is_known => Said::Records(TTL, Vec::new()),
                None => Said::NoSuchName,
            }
        }
    }
}

impl Line {
    fn said(&self, ports: &HashMap<String, u16>) -> Said {
        match self {
            Self::Fixed(said) => said.clone(),
            Self::Addresses(ttl, addresses) => {
                Said::Records(*ttl, addresses.iter().map(|address| Record::Address(*address)).collect())
            }
            Self::Services(ttl, services) => {
                let record = |(priority, weight, host, backend): &(u16, u16, String, String)| {
                    let port = ports.get(backend).copied().unwrap_or(1);
                    Record::Service(*priority, *weight, port, host.clone())
                };
                Said::Records(*ttl, services.iter().map(record).collect())
            }
        }
    }
}

fn wanted(word: &str) -> Option<Wanted> {
    match word {
        "A" => Some(Wanted::A),
        "AAAA" => Some(Wanted::Aaaa),
        "SRV" => Some(Wanted::Srv),
        _ => None,
    }
}

fn answer(text: &str) -> Option<Line> {
    match text {
        "no such name" => return Some(Line::Fixed(Said::NoSuchName)),
        "failure" => return Some(Line::Fixed(Said::Failure)),
        "silence" => return Some(Line::Fixed(Said::Silence)),
        _ => {}
    }
    let (records, ttl) = match text.split_once(" for ") {
        Some((records, ttl)) => (records, ttl.strip_suffix('s')?.parse().ok()?),
        None => (text, TTL),
    };
    let records = || records.split(',').map(str::trim);
    let addresses: Option<Vec<IpAddr>> = records().map(|record| record.parse().ok()).collect();
    if let Some(addresses) = addresses {
        return Some(Line::Addresses(ttl, addresses));
    }
    let service = |record: &str| {
        let words: Vec<&str> = record.split_whitespace().collect();
        let [priority, weight, place] = words.as_slice() else { return None };
        let (host, port) = place.split_once(":{")?;
        let backend = port.strip_suffix(".port}")?;
        Some((priority.parse().ok()?, weight.parse().ok()?, host.to_owned(), backend.to_owned()))
    };
    Some(Line::Services(ttl, records().map(service).collect::<Option<_>>()?))
}
