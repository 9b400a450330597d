//! `google.api.http`: how a rpc is reached over HTTP. Source: google/api/http.proto.

use super::raw;

/// One way to reach a rpc over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpBinding {
    /// The method.
    pub verb: HttpVerb,
    /// The path's template, as written: `/v1/{name=shelves/*}:open`.
    pub template: String,
    /// The field that the body is; `*` for the whole message, nothing for no body.
    pub body: String,
    /// The field of the reply that the answer is; nothing for the whole reply.
    pub response_body: String,
}

/// The method of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpVerb {
    /// `GET`.
    Get,
    /// `PUT`.
    Put,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
    /// `PATCH`.
    Patch,
    /// A method of another name; `*` for any.
    Custom(String),
}

impl HttpBinding {
    /// The binding that a rule states, and its additional ones.
    pub(super) fn all(rule: &raw::HttpRule) -> Vec<Self> {
        [rule].into_iter().chain(&rule.additional_bindings).filter_map(Self::of).collect()
    }

    fn of(rule: &raw::HttpRule) -> Option<Self> {
        let written = [
            (HttpVerb::Get, &rule.get),
            (HttpVerb::Put, &rule.put),
            (HttpVerb::Post, &rule.post),
            (HttpVerb::Delete, &rule.delete),
            (HttpVerb::Patch, &rule.patch),
        ];
        let custom = rule.custom.as_ref().map(|custom| (HttpVerb::Custom(custom.kind.clone()), &custom.path));
        let mut patterns = written.into_iter().filter(|(_, template)| !template.is_empty()).chain(custom);
        let (verb, template) = patterns.next()?;
        let (template, body, response_body) = (template.clone(), rule.body.clone(), rule.response_body.clone());
        Some(Self { verb, template, body, response_body })
    }
}
