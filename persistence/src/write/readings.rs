//! Values of a table that were not taken as they were written, counted for reports.

use crate::write::outcome::Outcome;
use domain::base::fault::FaultCode;
use std::collections::BTreeMap;

/// Examples of each reason.
const EXAMPLES: usize = 10;

#[derive(Debug, Default)]
pub struct Readings {
    pub all: BTreeMap<Reading, Read>,
}

/// What was done to values of a member, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// `read-as` or `left-out`.
    pub code: FaultCode,
    pub pointer: String,
    pub reason: String,
}

#[derive(Debug, Default)]
pub struct Read {
    pub count: u64,
    /// The first ones: cell, value as written, value as taken.
    pub examples: Vec<[String; 3]>,
}

impl Readings {
    /// Takes the notes of a row out of its warnings.
    pub fn take(&mut self, outcome: &mut Outcome) {
        let Ok(applied) = &mut outcome.0 else {
            return;
        };
        for warning in std::mem::take(&mut applied.warnings) {
            let code = warning.fault.code;
            if !matches!(code, FaultCode::ReadAs | FaultCode::LeftOut) {
                applied.warnings.push(warning);
                continue;
            }
            let param = |name: &str| warning.fault.param(name).unwrap_or_default().to_owned();
            let reading = Reading {
                code,
                reason: param("reason"),
                pointer: warning.pointer.clone(),
            };
            let read = self.all.entry(reading).or_default();
            read.count += 1;
            if read.examples.len() < EXAMPLES {
                read.examples
                    .push([param("cell"), param("given"), param("taken")]);
            }
        }
    }
}
