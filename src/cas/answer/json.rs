//! The JSON of §2.5.2: one value is a string, several are a list, what stands inside one another an object.

use serde_json::{Map, Value, json};

use super::{Answer, Success};
use crate::cas::attribute::{Content, Node};
use crate::cas::validation::Refusal;

pub(super) fn write(answer: &Answer) -> String {
    let inside = match answer {
        Answer::Validated(success) => json!({ "authenticationSuccess": authentication_success(success) }),
        Answer::Proxied(ticket) => json!({ "proxySuccess": { "proxyTicket": ticket.expose() } }),
        Answer::Refused(refusal) => json!({ "authenticationFailure": failure(*refusal) }),
        Answer::NotProxied(refusal) => json!({ "proxyFailure": failure(*refusal) }),
    };
    json!({ "serviceResponse": inside }).to_string()
}

fn failure(refusal: Refusal) -> Value {
    json!({ "code": refusal.code.as_str(), "description": refusal.description })
}

fn authentication_success(success: &Success) -> Value {
    let mut all = members(&success.shape.beside);
    let attributes = members(&success.attributes());
    if !attributes.is_empty() {
        all.insert("attributes".to_owned(), Value::Object(attributes));
    }
    if let Some(iou) = &success.iou {
        all.insert("proxyGrantingTicket".to_owned(), iou.expose().into());
    }
    if !success.proxies.is_empty() {
        all.insert("proxies".to_owned(), json!(success.proxies));
    }
    // Last, so that no attribute takes its place.
    all.insert("user".to_owned(), success.user.as_str().into());
    Value::Object(all)
}

fn members(nodes: &[Node]) -> Map<String, Value> {
    let mut all = Map::new();
    for node in nodes {
        let value = value(node);
        match all.get_mut(&node.name) {
            None => {
                all.insert(node.name.clone(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    all
}

fn value(node: &Node) -> Value {
    let mut object = match &node.content {
        Content::Text(text) => return Value::String(text.clone()),
        Content::Nodes(nodes) => members(nodes),
    };
    for (name, value) in &node.marks {
        object.insert((*name).to_owned(), value.as_str().into());
    }
    Value::Object(object)
}
