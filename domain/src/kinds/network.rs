//! Networks and their sub-networks: clusters, alliances, associations that are networks.

use crate::base::filter::{Filter, Form};
use crate::base::kind::Kind;
use crate::base::rename::Rename;
use crate::base::vocabulary::Coded;
use crate::kinds::actor::{Sector, ValueChain};
use crate::kinds::common::{Described, lifetime};
use crate::kinds::dates::Dates;
use crate::kinds::record_type::RecordType;
use crate::value::edtf;
use crate::value::text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// Type of a network.
    NetworkType "network_type" {
        Cluster "cluster" "Cluster" "Cluster";
        ClinicNetwork "clinic_network" "Klinikverbund" "Clinic network";
        ThematicNetwork "thematic_network" "Themennetzwerk" "Thematic network";
        Alliance "alliance" "Bündnis" "Alliance";
        Association "association" "Verein" "Association";
        Umbrella "umbrella" "Dachorganisation" "Umbrella organisation";
        Platform "platform" "Plattform" "Platform";
    }
}

crate::vocabulary! {
    /// Lifecycle phase of a network.
    NetworkPhase "network_phase" {
        Idea "idea" "Idee" "Idea";
        Concept "concept" "Konzept" "Concept";
        Pilot "pilot" "Pilotbetrieb" "Pilot";
        Running "running" "Laufend" "Running";
        Ended "ended" "Beendet" "Ended";
    }
}

/// How to join a network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Joining {
    /// Whether new members are welcome.
    pub open: Option<bool>,
    /// Invited audiences, in order.
    #[schema(max_items = 100)]
    pub audiences: Vec<text::Line>,
    /// Benefits of membership, in order.
    #[schema(max_items = 100)]
    pub benefits: Vec<text::Line>,
    /// Steps to join.
    #[schema(min_length = 1, max_length = 2000)]
    pub how: Option<String>,
    /// Application page (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub url: Option<String>,
}

/// A network of actors, or of networks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
#[validate(schema(function = "check", skip_on_field_errors = false))]
pub struct Network {
    /// Members of every described kind.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// Type of the network.
    pub network_type: Option<NetworkType>,
    /// Legal form as written.
    #[schema(min_length = 1, max_length = 100, example = "e.V.")]
    pub legal_form: Option<String>,
    /// Sector of society of the network.
    pub sector: Option<Sector>,
    /// Lifecycle phase of the network.
    pub phase: Option<NetworkPhase>,
    /// Activities of the network, in order.
    #[schema(max_items = 100)]
    pub activities: Vec<text::Line>,
    /// Rings of the value chain of the network.
    #[schema(max_items = 3, value_type = BTreeSet<ValueChain>)]
    pub value_chain: Vec<ValueChain>,
    /// When the network was founded.
    pub founded: Option<edtf::EdtfDate>,
    /// When the network ceased to exist.
    pub dissolved: Option<edtf::EdtfDate>,
    /// How to join the network.
    pub joining: Option<Joining>,
}

fn check(body: &Network) -> Result<(), ValidationError> {
    lifetime(body.founded.as_ref(), body.dissolved.as_ref())
}

impl RecordType for Network {
    const KIND: Kind = Kind::Network;
    const A: &'static str = "a network";
    const TAG: &'static str = "Networks";
    const TAG_DE: &'static str = "Netzwerke";
    const ABOUT: &'static str = "Networks and their sub-networks.";
    const TEXTS: &'static [&'static str] = &["activities", "joining"];
    const RENAMES: &'static [Rename] = &[Rename::member("form", "network_type")];
    const FILTERS: &'static [Filter] = &[
        Filter::code(
            "network_type",
            "/network_type",
            NetworkType::vocabulary,
            "The type of the network.",
            "cluster",
        ),
        Filter {
            name: "open",
            path: "/joining/open",
            form: Form::Flag,
            about: "Whether new members are welcome.",
            example: "true",
        },
        Filter::code(
            "sector",
            "/sector",
            Sector::vocabulary,
            "Sector of society.",
            "public",
        ),
        Filter::code(
            "value_chain",
            "/value_chain/*",
            ValueChain::vocabulary,
            "Rings of the value chain.",
            "core",
        ),
        Filter::code(
            "phase",
            "/phase",
            NetworkPhase::vocabulary,
            "Lifecycle phase of the network.",
            "running",
        ),
    ];
    const STANDS_FOR_ITS_MEMBERS: bool = true;
    const SUGGESTION_RANK: u8 = 0;
    const DATES: Dates = Dates::Lifetime;
    const EXAMPLE: &'static str = r#"{"name":"Nordhessen viszeral","network_type":"clinic_network","summary":"engagiert sich im Bereich der Chirurgie, Gastroenterologie und Onkologie","home_region":"nordhessen","source":{"document":"000"}}"#;

    fn described(&self) -> Option<&Described> {
        Some(&self.described)
    }
}
