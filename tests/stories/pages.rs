//! The source pages of the directory, rendered again from its responses and compared with their
//! texts.
//!
//! Each story does it twice. First the page as a whole: every rendered line occurs on the page, in
//! the page's order, and the remaining text is the furniture that the story lists. Prose may come
//! from descriptions there, so the facts are rendered a second time, from structured members alone:
//! names, roles, dates, counts with their qualifiers, orders. The sentences around them are the
//! page's, so a missing, wrong or superfluous fact results in a sentence that the page does not
//! have. Last come the traps: statements that are neither on the page nor allowed in the data.

mod page;
mod render;

mod cluster_gesundheit;
mod clustermanagement;
mod digital_health_factory;
mod klinikcluster;
mod versorgungsnetzwerke;
