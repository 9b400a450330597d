//! The endpoint slices of one service, as they are listed and as they change.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{Found, at};
use crate::plan::Port;

/// The slices that are known, each with what it has.
#[derive(Debug)]
pub(super) struct Slices {
    /// Which port counts.
    port: Option<Port>,
    known: BTreeMap<String, Slice>,
    /// Up to which change they are known; `None`: they are to be listed.
    version: Option<String>,
}

/// What an event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// There may be other endpoints.
    Other,
    /// Nothing new.
    Nothing,
    /// The API says nothing more, and is to be asked anew.
    Over,
    /// It does not remember what was known; all is to be listed anew.
    Forgotten,
}

#[derive(Debug, Deserialize)]
struct List {
    metadata: Metadata,
    #[serde(default)]
    items: Option<Vec<Slice>>,
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    object: serde_json::Value,
}

/// What an event of the kind `BOOKMARK` tells.
#[derive(Debug, Deserialize)]
struct Bookmark {
    metadata: Metadata,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    name: String,
    resource_version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Slice {
    metadata: Metadata,
    #[serde(default)]
    endpoints: Option<Vec<Endpoint>>,
    #[serde(default)]
    ports: Option<Vec<SlicePort>>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    /// All of them are the same; the first counts.
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    conditions: Conditions,
}

#[derive(Debug, Default, Deserialize)]
struct Conditions {
    /// Unless said, it is.
    ready: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct SlicePort {
    name: Option<String>,
    port: Option<u16>,
}

impl Slices {
    pub(super) fn new(port: Option<Port>) -> Self {
        Self { port, known: BTreeMap::new(), version: None }
    }

    /// Up to which change they are known; `None`: they are to be listed.
    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// They are to be listed anew.
    pub(super) fn forget(&mut self) {
        self.version = None;
    }

    /// Takes a list in place of all that was known.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn list(&mut self, answer: &[u8]) -> Result<(), String> {
        let list: List = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
        let named = |slice: Slice| (slice.metadata.name.clone(), slice);
        self.known = list.items.unwrap_or_default().into_iter().map(named).collect();
        self.version = Some(list.metadata.resource_version.ok_or("the list has no `resourceVersion`")?);
        Ok(())
    }

    /// Takes a change.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn hear(&mut self, line: &[u8]) -> Result<News, String> {
        let Event { kind, object } = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if kind == "BOOKMARK" {
            let Bookmark { metadata } = serde_json::from_value(object).map_err(|error| error.to_string())?;
            self.version = metadata.resource_version.or(self.version.take());
            return Ok(News::Nothing);
        }
        if !matches!(kind.as_str(), "ADDED" | "MODIFIED" | "DELETED") {
            // `ERROR`, as a rule 410: what was known is too old.
            return Ok(News::Forgotten);
        }
        let slice: Slice = serde_json::from_value(object).map_err(|error| error.to_string())?;
        self.version = slice.metadata.resource_version.clone().or(self.version.take());
        match kind.as_str() {
            "DELETED" => drop(self.known.remove(&slice.metadata.name)),
            _ => drop(self.known.insert(slice.metadata.name.clone(), slice)),
        }
        Ok(News::Other)
    }

    /// The endpoints that are ready. One that moves from slice to slice may stand in two for a while.
    ///
    /// # Errors
    /// There are none, or it is not said which of several ports counts.
    pub(super) fn found(&self) -> Result<Vec<Found>, String> {
        let mut all = Vec::new();
        for slice in self.known.values() {
            let endpoints = slice.endpoints.iter().flatten();
            let ready = endpoints.filter(|endpoint| endpoint.conditions.ready.unwrap_or(true));
            let hosts: Vec<&String> = ready.filter_map(|endpoint| endpoint.addresses.first()).collect();
            if hosts.is_empty() {
                continue;
            }
            let port = self.port_of(slice)?;
            for host in hosts {
                all.push(Found { location: at(host, port)?, weight: 1 });
            }
        }
        all.sort_by(|one, other| one.location.as_str().cmp(other.location.as_str()));
        all.dedup_by(|one, other| one.location == other.location);
        if all.is_empty() { Err("no endpoint is ready".to_owned()) } else { Ok(all) }
    }

    fn port_of(&self, slice: &Slice) -> Result<u16, String> {
        let mut ports = slice.ports.iter().flatten().filter(|port| match &self.port {
            None => true,
            Some(Port::Named(name)) => port.name.as_deref() == Some(name),
            Some(Port::Numbered(number)) => port.port == Some(*number),
        });
        match (ports.next().and_then(|port| port.port), ports.next()) {
            (Some(port), None) => Ok(port),
            (None, _) => Err("it has no such port".to_owned()),
            (Some(_), Some(_)) => Err("it has several ports: `port` says which".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"{"kind":"EndpointSliceList","metadata":{"resourceVersion":"10"},"items":[
        {"metadata":{"name":"web-1"},"addressType":"IPv4",
         "endpoints":[{"addresses":["10.0.0.2"],"conditions":{"ready":true,"serving":true}},
                      {"addresses":["10.0.0.1"],"conditions":{}},
                      {"addresses":["10.0.0.3"],"conditions":{"ready":false,"terminating":true}}],
         "ports":[{"name":"http","port":8080,"protocol":"TCP"},{"name":"metrics","port":9090}]},
        {"metadata":{"name":"web-2"},"addressType":"IPv6",
         "endpoints":[{"addresses":["fd00::1"]}],"ports":[{"name":"http","port":8080}]},
        {"metadata":{"name":"web-3"},"endpoints":null,"ports":null}]}"#;

    fn slices(port: Option<Port>) -> Slices {
        let mut slices = Slices::new(port);
        slices.list(TWO.as_bytes()).expect("it is a list");
        slices
    }

    fn http() -> Option<Port> {
        Some(Port::Named("http".into()))
    }

    fn shown(slices: &Slices) -> Vec<String> {
        slices.found().expect("some are ready").iter().map(|found| found.location.to_string()).collect()
    }

    fn event(kind: &str, object: &str) -> Vec<u8> {
        format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n").into_bytes()
    }

    #[test]
    fn those_that_are_ready_are_found_at_their_port() {
        let slices = slices(http());
        assert_eq!(shown(&slices), ["10.0.0.1:8080", "10.0.0.2:8080", "[fd00::1]:8080"]);
        assert_eq!(slices.version(), Some("10"));
        assert_eq!(shown(&self::slices(Some(Port::Numbered(8080)))).len(), 3);
    }

    #[test]
    fn of_several_ports_one_must_be_named() {
        assert!(slices(None).found().is_err_and(|why| why.contains("several ports")));
        assert!(slices(Some(Port::Named("grpc".into()))).found().is_err_and(|why| why.contains("no such port")));
    }

    #[test]
    fn changes_are_taken_up_slice_by_slice() {
        let mut slices = slices(http());
        let changed = r#"{"metadata":{"name":"web-1","resourceVersion":"11"},
            "endpoints":[{"addresses":["10.0.0.9"]},{"addresses":["10.0.0.9"]}],"ports":[{"name":"http","port":8081}]}"#;
        assert_eq!(slices.hear(&event("MODIFIED", changed)), Ok(News::Other));
        assert_eq!(shown(&slices), ["10.0.0.9:8081", "[fd00::1]:8080"]);
        let bookmark = r#"{"kind":"EndpointSlice","metadata":{"resourceVersion":"15"}}"#;
        assert_eq!(slices.hear(&event("BOOKMARK", bookmark)), Ok(News::Nothing));
        assert_eq!(slices.version(), Some("15"));
        for name in ["web-1", "web-2"] {
            let gone = format!(r#"{{"metadata":{{"name":"{name}","resourceVersion":"16"}}}}"#);
            assert_eq!(slices.hear(&event("DELETED", &gone)), Ok(News::Other));
        }
        assert_eq!(slices.found(), Err("no endpoint is ready".to_owned()));
        let added = r#"{"metadata":{"name":"web-4","resourceVersion":"17"},"endpoints":[{"addresses":["10.0.0.4"]}],"ports":[{"name":"http","port":80}]}"#;
        assert_eq!(slices.hear(&event("ADDED", added)), Ok(News::Other));
        assert_eq!(shown(&slices), ["10.0.0.4:80"]);
    }

    #[test]
    fn what_the_api_does_not_remember_is_listed_anew() {
        let mut slices = slices(http());
        let gone = r#"{"kind":"Status","status":"Failure","reason":"Expired","code":410}"#;
        assert_eq!(slices.hear(&event("ERROR", gone)), Ok(News::Forgotten));
        slices.forget();
        assert_eq!(slices.version(), None);
        // What was known stays until the list is there.
        assert_eq!(shown(&slices).len(), 3);
        slices.list(br#"{"metadata":{"resourceVersion":"20"},"items":null}"#).expect("it is a list");
        assert!(slices.found().is_err());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let mut slices = slices(http());
        assert!(slices.hear(b"{\n").is_err() && slices.hear(&event("ADDED", "{}")).is_err());
        assert!(slices.list(b"{}").is_err() && slices.list(br#"{"metadata":{}}"#).is_err());
    }
}
