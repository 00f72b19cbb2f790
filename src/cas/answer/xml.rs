//! The XML of appendix A.

use super::{Answer, Success};
use crate::cas::attribute::{Content, Node};
use crate::cas::validation::Refusal;
use crate::xml::{Element, Namespace};

pub(super) fn write(answer: &Answer) -> String {
    let inside = match answer {
        Answer::Validated(success) => authentication_success(success),
        Answer::Proxied(ticket) => cas("proxySuccess").child(cas("proxyTicket").text(ticket.expose())),
        Answer::Refused(refusal) => failure("authenticationFailure", *refusal),
        Answer::NotProxied(refusal) => failure("proxyFailure", *refusal),
    };
    cas("serviceResponse").child(inside).write()
}

const fn cas(name: &'static str) -> Element {
    Element::new(Namespace::Cas, name)
}

fn failure(name: &'static str, refusal: Refusal) -> Element {
    cas(name)
        .attribute("code", refusal.code.as_str())
        .text(refusal.description)
}

fn authentication_success(success: &Success) -> Element {
    let attributes = success.attributes();
    let attributes = (!attributes.is_empty()).then(|| cas("attributes").children(elements(&attributes)));
    let iou = success.iou.as_ref();
    let proxies = success
        .proxies
        .iter()
        .map(|proxy| cas("proxy").text(proxy.as_str()));
    let proxies = (!success.proxies.is_empty()).then(|| cas("proxies").children(proxies));
    cas("authenticationSuccess")
        .child(cas("user").text(success.user.as_str()))
        .child_if(attributes)
        .child_if(iou.map(|iou| cas("proxyGrantingTicket").text(iou.expose())))
        .child_if(proxies)
        .children(elements(&success.shape.beside))
}

/// Names are looked at where an operator declares them; one that is none is left out.
fn elements(nodes: &[Node]) -> Vec<Element> {
    let element = |node: &Node| {
        let mut element = Element::named(Namespace::Cas, &node.name)?;
        for (name, value) in &node.marks {
            element = element.attribute(name, value.as_str());
        }
        Some(match &node.content {
            Content::Text(text) => element.text(text.as_str()),
            Content::Nodes(nodes) => element.children(elements(nodes)),
        })
    };
    nodes.iter().filter_map(element).collect()
}
