//! Abusive input: every row of the table of limits, over real connections.

mod connections;
mod cost;
mod every_parameter;
mod input;
mod memory;
mod parsers;
mod polls;
mod protocol;
mod rates;
mod slow;

/// A POST of JSON with the admin's token, without the body.
fn post(node: &tests::Node, path: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{more}\r\n",
        node.admin
    )
}
