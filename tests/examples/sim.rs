#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::print_stdout)]
#[path = "../stories/simulation.rs"]
#[allow(dead_code, unused)]
mod simulation;
fn main() { simulation::main_for_dev(); }
