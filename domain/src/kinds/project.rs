//! Projects with their phases, milestones and outcomes.

use crate::base::fault::Fault;
use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::vocabulary::Coded;
use crate::kinds::actor::Category;
use crate::kinds::common::Described;
use crate::kinds::record_type::{Dates, RecordType};
use crate::kinds::relationship::end::End;
use crate::value::edtf::{self, Period};
use crate::value::figure::Figure;
use crate::value::reference::{ReferenceField, Slot};
use crate::value::text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// A phase of a project.
    ProjectPhase "project_phase" {
        Idea "idea" "Idee" "Idea";
        Concept "concept" "Konzept" "Concept";
        Running "running" "Laufend" "Running";
        Completed "completed" "Abgeschlossen" "Completed";
        Cancelled "cancelled" "Abgebrochen" "Cancelled";
    }
}

crate::vocabulary! {
    /// What became of a milestone.
    MilestoneState "milestone_state" {
        Planned "planned" "Geplant" "Planned";
        Reached "reached" "Erreicht" "Reached";
        Missed "missed" "Verfehlt" "Missed";
        Cancelled "cancelled" "Aufgegeben" "Cancelled";
    }
}

crate::vocabulary! {
    /// What an outcome is.
    OutcomeType "outcome_type" {
        Solution "solution" "Lösungsansatz" "Solution";
        Recommendation "recommendation" "Handlungsempfehlung" "Recommendation";
        Publication "publication" "Veröffentlichung" "Publication";
        Service "service" "Dienstleistung" "Service";
        Innovation "innovation" "Innovation" "Innovation";
        Measure "measure" "Maßnahme" "Measure";
    }
}

/// A phase and when it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Phase {
    /// The phase.
    pub phase: ProjectPhase,
    /// When it was.
    #[validate(nested)]
    pub valid: Option<Period>,
}

/// A part of what a project builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// What it is called.
    #[schema(min_length = 1, max_length = 300, example = "Datenwerkstatt")]
    pub title: String,
    /// What it does.
    #[schema(min_length = 1, max_length = 5000)]
    pub description: Option<String>,
}

/// Something to be reached by a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Milestone {
    /// What is to be reached.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// By when.
    pub date: edtf::EdtfDate,
    /// What became of it.
    pub state: MilestoneState,
}

/// A result that is not itself a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Outcome {
    /// What it is.
    pub r#type: OutcomeType,
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// What it is about.
    #[schema(min_length = 1, max_length = 5000)]
    pub description: Option<String>,
    /// For whom.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub audiences: Vec<Category>,
    /// Where it is to be had: a record or a wording of the source.
    #[validate(nested)]
    pub available_at: Option<End>,
    /// Where it is on the web (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub url: Option<String>,
    /// What it is about.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub topics: Vec<Slot>,
    /// Counts.
    #[serde(default)]
    #[schema(max_items = 100)]
    #[validate(nested)]
    pub figures: Vec<Figure>,
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
#[validate(schema(function = "check", skip_on_field_errors = false))]
pub struct Project {
    /// What every described kind shares.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// Its phases in order; the last one is current.
    #[schema(max_items = 20)]
    #[validate(nested)]
    pub phases: Vec<Phase>,
    /// When it runs.
    #[validate(nested)]
    pub period: Option<Period>,
    /// The sentence under its title.
    #[schema(min_length = 1, max_length = 500)]
    pub tagline: Option<String>,
    /// How it goes about its goals.
    #[schema(min_length = 1, max_length = 5000)]
    pub approach: Option<String>,
    /// Its focal points in order.
    #[schema(max_items = 100)]
    pub focus: Vec<text::Line>,
    /// Its parts in order.
    #[schema(max_items = 100)]
    pub components: Vec<Component>,
    /// What is to be reached and when.
    #[schema(max_items = 200)]
    pub milestones: Vec<Milestone>,
    /// Results that are not themselves records.
    #[schema(max_items = 200)]
    #[validate(nested)]
    pub outcomes: Vec<Outcome>,
}

fn check(project: &Project) -> Result<(), ValidationError> {
    // A phase without a stated beginning says nothing about its neighbours' order.
    let begun: Vec<_> = project
        .phases
        .iter()
        .filter_map(|phase| phase.valid.as_ref()?.from)
        .collect();
    for pair in begun.windows(2) {
        if let [a, b] = pair
            && b.is_before(a)
        {
            return Err(Fault::new("order")
                .with("field", "phases")
                .with("later", format!("a phase that begins {b}"))
                .with("earlier", format!("the phase before it ({a})"))
                .into());
        }
    }
    Ok(())
}

impl RecordType for Project {
    const KIND: Kind = Kind::Project;
    const A: &'static str = "a project";
    const TAG: &'static str = "Projects";
    const ABOUT: &'static str = "Projects with partners, funders and outcomes.";
    const REFERENCES: &'static [ReferenceField] = &[
        ReferenceField::slot("/outcomes/*/topics/*", Kind::Topic),
        ReferenceField::end("/outcomes/*/available_at"),
        ReferenceField::slot("/translations/*/outcomes/*/topics/*", Kind::Topic),
        ReferenceField::end("/translations/*/outcomes/*/available_at"),
    ];
    const TEXTS: &'static [&'static str] = &[
        "tagline",
        "approach",
        "focus",
        "components",
        "milestones",
        "outcomes",
    ];
    const FILTERS: &'static [Filter] = &[
        Filter::code(
            "phase",
            "/phases/-/phase",
            ProjectPhase::vocabulary,
            "The current phase.",
            "completed",
        ),
        Filter::code(
            "outcome_audience",
            "/outcomes/*/audiences/*",
            Category::vocabulary,
            "For whom it has outcomes.",
            "municipality",
        ),
    ];
    const SUGGESTION_RANK: u8 = 1;
    const DATES: Dates = Dates::Period;
    const EXAMPLE: &'static str = r#"{"name":"Klinikcluster Ruhr","names":[{"value":"KCR","type":"acronym"}],"period":{"from":"2009"},"home_region":"gesundheitsmetropole-ruhr","source":{"document":"002"}}"#;

    fn described(&self) -> Option<&Described> {
        Some(&self.described)
    }
}
