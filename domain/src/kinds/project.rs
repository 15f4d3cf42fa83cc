//! Projects with their phases, milestones and outcomes.

use crate::base::fault::{Fault, FaultCode};
use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::rename::Rename;
use crate::base::vocabulary::Coded;
use crate::kinds::actor::Category;
use crate::kinds::common::Described;
use crate::kinds::dates::Dates;
use crate::kinds::record_type::RecordType;
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
    /// State of a milestone.
    MilestoneState "milestone_state" {
        Planned "planned" "Geplant" "Planned";
        Reached "reached" "Erreicht" "Reached";
        Missed "missed" "Verfehlt" "Missed";
        Cancelled "cancelled" "Aufgegeben" "Cancelled";
    }
}

crate::vocabulary! {
    /// Type of an outcome.
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
// Clients generated for Python cannot have a member `phase` of a class `Phase`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[schema(as = DatedPhase)]
pub struct Phase {
    /// Phase of the project.
    pub phase: ProjectPhase,
    /// When the phase took place.
    #[validate(nested)]
    pub valid: Option<Period>,
}

/// A part of what a project builds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// Title of the component.
    #[schema(min_length = 1, max_length = 300, example = "Datenwerkstatt")]
    pub title: String,
    /// Purpose of the component.
    #[schema(min_length = 1, max_length = 5000)]
    pub description: Option<String>,
}

/// A goal with a date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Milestone {
    /// Title of the milestone.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// Date by which it is to be reached.
    pub date: edtf::EdtfDate,
    /// State of the milestone.
    pub state: MilestoneState,
}

/// A result that is not itself a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Outcome {
    /// Type of the outcome.
    pub r#type: OutcomeType,
    /// Title of the outcome.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// Description of the outcome.
    #[schema(min_length = 1, max_length = 5000)]
    pub description: Option<String>,
    /// Audiences of the outcome.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub audiences: Vec<Category>,
    /// Where it is available: a record or a wording of the source.
    #[validate(nested)]
    pub available_at: Option<End>,
    /// Address on the web (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub url: Option<String>,
    /// Topics of the outcome.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub topics: Vec<Slot>,
    /// Counts of the outcome.
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
    /// Members of every described kind.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// Phases in order; the last one is current.
    #[schema(max_items = 20)]
    #[validate(nested)]
    pub phases: Vec<Phase>,
    /// When the project runs.
    #[validate(nested)]
    pub period: Option<Period>,
    /// Sentence under the title.
    #[schema(min_length = 1, max_length = 500)]
    pub tagline: Option<String>,
    /// How the project pursues its goals.
    #[schema(min_length = 1, max_length = 5000)]
    pub approach: Option<String>,
    /// Focal points in order.
    #[schema(max_items = 100)]
    pub focus: Vec<text::Line>,
    /// Components in order.
    #[schema(max_items = 100)]
    pub components: Vec<Component>,
    /// Milestones with their dates.
    #[schema(max_items = 200)]
    pub milestones: Vec<Milestone>,
    /// Results that are not themselves records.
    #[schema(max_items = 200)]
    #[validate(nested)]
    pub outcomes: Vec<Outcome>,
}

fn check(project: &Project) -> Result<(), ValidationError> {
    // A phase without a stated beginning implies nothing about the order of its neighbours.
    let begun: Vec<_> = project
        .phases
        .iter()
        .filter_map(|phase| phase.valid.as_ref()?.from)
        .collect();
    for pair in begun.windows(2) {
        if let [a, b] = pair
            && b.is_before(a)
        {
            return Err(Fault::new(FaultCode::Order)
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
    const TAG_DE: &'static str = "Projekte";
    const ABOUT: &'static str = "Projects with partners, funders and outcomes.";
    const REFERENCES: &'static [ReferenceField] = &[
        ReferenceField::slot("/outcomes/*/topics/*", Kind::Topic),
        ReferenceField::end("/outcomes/*/available_at"),
        ReferenceField::slot("/translations/*/outcomes/*/topics/*", Kind::Topic),
        ReferenceField::end("/translations/*/outcomes/*/available_at"),
    ];
    const RENAMES: &'static [Rename] = &[
        Rename::below("/outcomes/*/available_at/class", "form", "network_type"),
        Rename::below(
            "/translations/*/outcomes/*/available_at/class",
            "form",
            "network_type",
        ),
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
            "Audience of an outcome.",
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
