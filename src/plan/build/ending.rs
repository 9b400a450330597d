//! How endpoints end: the statuses of their failures, and that they will go away.

use std::collections::BTreeSet;

use http::HeaderValue;

use super::Planner;
use crate::base::diagnostic::did_you_mean;
use crate::base::failure::Cause;
use crate::base::value::Timestamp;
use crate::plan::{Deprecation, ErrorStatuses, LinkPart};
use crate::spec::{self, Action, Composition, Fail, FailureKind, FieldBody, Located, Named};

impl Planner<'_> {
    /// `errors` of an endpoint. Codes must be of the table of causes, or declared by some `fail`.
    pub(super) fn errors(&self, named: &Named<spec::Endpoint>) -> ErrorStatuses {
        let (mut by_code, mut by_status) = (Vec::new(), Vec::new());
        for written in &named.value.errors {
            match &written.value.kind {
                FailureKind::Status(from) => by_status.push((*from, written.value.status.value)),
                FailureKind::Code(code) => {
                    self.check_code((code, written), &named.path);
                    by_code.push((code.as_str().into(), written.value.status.value));
                }
            }
        }
        ErrorStatuses { by_code: by_code.into(), by_status: by_status.into() }
    }

    fn check_code(&self, (code, written): (&str, &Named<spec::ErrorStatus>), path: &str) {
        let declared = declared_codes(self.spec);
        let known = || Cause::ALL.iter().map(|cause| cause.code()).chain(declared.iter().copied());
        if known().all(|known| known != code) {
            let message = format!("no failure has the code `{code}`");
            let path = format!("{path}.errors");
            self.report.error("unknown-name", (&written.name.place, &path), message, did_you_mean(code, known()));
        }
    }

    /// `deprecated` of an endpoint.
    pub(super) fn deprecation(&self, named: &Named<spec::Endpoint>) -> Option<Box<Deprecation>> {
        let written = named.value.deprecated.as_ref()?;
        let date = |written: Option<&Located<Timestamp>>| written.map(|date| date.value);
        let (since, sunset) = (date(written.since.as_ref()), date(written.sunset.as_ref()));
        let successor = written.successor.as_ref();
        let link = successor.map(|successor| self.link(successor, named)).unwrap_or_default();
        let field = |text: String| HeaderValue::from_str(&text).ok();
        Some(Box::new(Deprecation {
            since,
            sunset,
            deprecation_field: since.and_then(|since| field(format!("@{}", since.seconds))),
            sunset_field: sunset.and_then(|sunset| field(sunset.to_http_date())),
            successor: successor.map(|successor| successor.value.as_str().into()),
            link: link.into(),
        }))
    }

    fn link(&self, successor: &Located<String>, named: &Named<spec::Endpoint>) -> Vec<LinkPart> {
        let path = format!("{}.deprecated.successor", named.path);
        let refuse = |message: String, help: String| {
            self.report.error("bad-successor", (&successor.place, &path), message, help);
            Vec::new()
        };
        let text = successor.value.as_str();
        let parameters: Vec<&str> = named.value.route.parameters().collect();
        let mut link = Vec::new();
        let mut rest = text;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            let Some(at) = parameters.iter().position(|known| *known == name) else {
                let help = did_you_mean(name, parameters);
                return refuse(format!("the endpoint's path has no parameter `{name}`"), help);
            };
            link.extend([LinkPart::Text(before.into()), LinkPart::Parameter(at)]);
            rest = after;
        }
        link.push(LinkPart::Text(rest.into()));
        let is_target = text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://");
        let texts = link.iter().filter_map(|part| if let LinkPart::Text(text) = part { Some(text) } else { None });
        let is_clean = texts.clone().flat_map(|text| text.bytes()).all(is_of_a_link);
        if !is_target || !is_clean {
            let help = "write a path as in `/v2/products/{id}`, or an URL".to_owned();
            return refuse(format!("`{text}` is no path and no URL"), help);
        }
        link
    }
}

/// Every code that some `fail` declares.
fn declared_codes(spec: &spec::Spec) -> BTreeSet<&str> {
    let mut codes = BTreeSet::new();
    spec.backends.iter().for_each(|backend| add_codes(&backend.value.fail, &mut codes));
    spec.parts.iter().for_each(|part| add_codes_of(&part.value, &mut codes));
    spec.endpoints.iter().for_each(|endpoint| add_codes_of(&endpoint.value.composition, &mut codes));
    for field in &spec.graph.fields {
        if let FieldBody::Composition(composition) = &field.value.body {
            add_codes_of(composition, &mut codes);
        }
    }
    codes
}

fn add_codes_of<'s>(composition: &'s Composition, codes: &mut BTreeSet<&'s str>) {
    for step in &composition.steps {
        add_codes(&step.value.fail, codes);
        if let Action::Compose(inner) = &step.value.action {
            add_codes_of(inner, codes);
        }
    }
}

fn add_codes<'s>(rules: &'s [Fail], codes: &mut BTreeSet<&'s str>) {
    codes.extend(rules.iter().filter_map(|rule| rule.code.as_ref()).map(|code| code.value.as_str()));
}

/// Whether a byte may stand in an URL (RFC 3986, section 2), where nothing has to be quoted.
fn is_of_a_link(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}
