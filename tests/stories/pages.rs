//! The pages that the directory began with, rendered again from its answers and held against
//! their texts.
//!
//! Each story does it twice. First the page as a whole: every line that is rendered stands on the
//! page, in the page's order, and what no line covers is the furniture that the story lists. Prose
//! may come from descriptions there, so the facts are rendered a second time, from structured
//! members alone: names, roles, dates, counts with their qualifiers, orders. The sentences around
//! them are the page's, so a fact that is missing, wrong or too much makes a sentence that the page
//! does not have. Last come the traps: what the page does not say and the data must not either.

mod page;
mod render;

mod cluster_gesundheit;
mod clustermanagement;
mod digital_health_factory;
mod klinikcluster;
mod versorgungsnetzwerke;
