//! Claims about explanations, on small projects held in memory.

mod carried;
mod edges;
mod forms;
mod operations;
mod reading;

use super::{Form, endpoint, print};
use crate::plan::Plan;

/// The text of the first endpoint of a plan.
fn texted(plan: &Plan) -> String {
    print(&[endpoint(plan, &plan.endpoints[0])], Form::Text)
}

/// The first endpoint of a plan in all forms: its text, its chart, its JSON.
fn printed(plan: &Plan) -> (String, String, serde_json::Value) {
    let explained = [endpoint(plan, &plan.endpoints[0])];
    let json = print(&explained, Form::Json);
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    (print(&explained, Form::Text), print(&explained, Form::Mermaid), json["explanations"][0].clone())
}
