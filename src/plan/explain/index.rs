//! What there is to explain, one line each.

use super::text::lines;
use super::{Form, json};
use crate::plan::{Field, Plan};

/// Every endpoint and every field that a composition answers. Only text and JSON have a form for
/// it; as a chart it is text.
pub fn index(plan: &Plan, form: Form) -> String {
    let endpoints: Vec<(String, String)> = plan
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.name.to_string(), endpoint.summary.as_deref().unwrap_or_default().to_owned()))
        .collect();
    let fields: Vec<(String, String)> = plan.fields.iter().map(|field| entry(plan, field)).collect();
    match form {
        Form::Json => {
            json::object(|object| {
                let entry = |(name, summary): &(String, String), object: &mut json::Object| {
                    object.text("name", name).maybe("summary", Some(&**summary).filter(|summary| !summary.is_empty()));
                };
                object.list("endpoints", &endpoints, entry).list("fields", &fields, entry);
            }) + "\n"
        }
        Form::Text | Form::Mermaid => {
            let sections = [("Endpoints", endpoints), ("Fields of the graph", fields)];
            let sections = sections.into_iter().filter(|(_, entries)| !entries.is_empty());
            let sections = sections.map(|(title, entries)| format!("{title}\n{}", lines(&entries)));
            sections.collect::<Vec<_>>().join("\n")
        }
    }
}

/// A field, and what the schema says that it is.
fn entry(plan: &Plan, field: &Field) -> (String, String) {
    let declared = field.name.split_once('.').and_then(|(parent, name)| {
        let parent = plan.schema.type_named(parent)?;
        plan.schema[parent].field(name)
    });
    let description = declared.and_then(|declared| declared.description.as_deref()).unwrap_or_default();
    (field.name.to_string(), description.lines().next().unwrap_or_default().to_owned())
}
