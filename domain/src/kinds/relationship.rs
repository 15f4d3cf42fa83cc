//! Relationships: who works with whom, in which role and when.

pub mod end;
pub mod on;
pub mod table;

use crate::base::fault::{Fault, FaultCode};
use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::nearest::nearest;
use crate::base::rename::Rename;
use crate::base::vocabulary::Coded;
use crate::kinds::common::{Described, Publication};
use crate::kinds::record_type::RecordType;
use crate::value::edtf::{self, Period};
use crate::value::external::{ExternalId, Source};
use crate::value::figure::Figure;
use crate::value::identifier::Identifier;
use crate::value::reference::{ReferenceField, Slot};
use end::End;
use serde::{Deserialize, Serialize};
use table::{Rule, Side};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// The types of relationships; [`table::RULES`] defines what each joins and its inverse.
    RelationshipType "relationship_type" {
        MemberOf "member_of" "ist Mitglied von" "is a member of";
        Operates "operates" "betreibt" "operates";
        PartOf "part_of" "ist Teil von" "is part of";
        ParticipatesIn "participates_in" "ist beteiligt an" "participates in";
        Funds "funds" "fördert" "funds";
        InvolvedIn "involved_in" "wirkt mit bei" "is involved in";
        Concerns "concerns" "betrifft" "concerns";
        Serves "serves" "ist tätig in" "serves";
        CooperatesWith "cooperates_with" "kooperiert mit" "cooperates with";
        SisterOf "sister_of" "ist Schwesterprojekt von" "is a sister project of";
        ResultedFrom "resulted_from" "ist hervorgegangen aus" "resulted from";
        Succeeds "succeeds" "ist Nachfolger von" "succeeds";
        SameAs "same_as" "ist dasselbe wie" "is the same as";
        RelatedTo "related_to" "steht in Verbindung mit" "is related to";
    }
}

crate::vocabulary! {
    /// The roles in relationships; [`table::RULES`] defines the roles of each type.
    RelationshipRole "relationship_role" {
        Member "member" "Mitglied" "Member";
        FoundingMember "founding_member" "Gründungsmitglied" "Founding member";
        Associate "associate" "Assoziiertes Mitglied" "Associate";
        Chair "chair" "Vorsitz" "Chair";
        DeputyChair "deputy_chair" "Stellvertretender Vorsitz" "Deputy chair";
        Coordinator "coordinator" "Koordination" "Coordinator";
        Operator "operator" "Betreiber" "Operator";
        Management "management" "Management" "Management";
        Office "office" "Geschäftsstelle" "Office";
        ExecutingAgency "executing_agency" "Projektträger" "Executing agency";
        Executing "executing" "Durchführung" "Executing organisation";
        ConsortiumLead "consortium_lead" "Konsortialführung" "Consortium lead";
        ConsortiumPartner "consortium_partner" "Konsortialpartner" "Consortium partner";
        CooperationPartner "cooperation_partner" "Kooperationspartner" "Cooperation partner";
        Associated "associated" "Assoziierter Partner" "Associated partner";
        Supporter "supporter" "Unterstützer" "Supporter";
        PilotSite "pilot_site" "Pilotstandort" "Pilot site";
        Funder "funder" "Förderer" "Funder";
        CoFunder "co_funder" "Kofinanzierer" "Co-funder";
        Organiser "organiser" "Veranstalter" "Organiser";
        Host "host" "Gastgeber" "Host";
        Speaker "speaker" "Vortragender" "Speaker";
        Participant "participant" "Teilnehmer" "Participant";
    }
}

/// A relationship between two records; itself a record with version and history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "check", skip_on_field_errors = false))]
pub struct Relationship {
    /// Type of the relationship.
    pub r#type: RelationshipType,
    /// End where the relationship starts. At least one end names a record.
    #[validate(nested)]
    pub from: End,
    /// End where the relationship leads.
    #[validate(nested)]
    pub to: End,
    /// Roles of the `from` end; empty if none is stated.
    #[serde(default)]
    #[schema(max_items = 10, value_type = BTreeSet<RelationshipRole>)]
    pub roles: Vec<RelationshipRole>,
    /// Period of validity.
    #[validate(nested)]
    pub valid: Option<Period>,
    /// Position of the `from` record in the order of the source, within `to`.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: Option<u32>,
    /// Subject: the programme of a funding, the topic of a cooperation.
    #[schema(min_length = 1, max_length = 1000)]
    pub subject: Option<String>,
    /// Remarks; quotes the source if the nature of the relationship is not stated.
    #[schema(min_length = 1, max_length = 5000)]
    pub note: Option<String>,
    /// Grant numbers and the like.
    #[serde(default)]
    #[schema(max_items = 50)]
    #[validate(nested)]
    pub identifiers: Vec<Identifier>,
    /// Amounts and counts.
    #[serde(default)]
    #[schema(max_items = 100)]
    #[validate(nested)]
    pub figures: Vec<Figure>,
    /// Region whose editors may write the relationship; that of `from` if it is an own record,
    /// otherwise of `to`.
    pub home_region: Option<Slot>,
    /// Key in the system that supplies it; never changes once set.
    pub external_id: Option<ExternalId>,
    /// Where the relationship was read.
    pub source: Option<Source>,
    /// Address of the licence of the relationship, if it is not that of the node.
    #[schema(
        format = "http-url",
        max_length = 2000,
        example = "https://creativecommons.org/licenses/by/4.0/"
    )]
    pub licence: Option<String>,
    /// Only `published` is public, and only if both ends are; `draft` if absent at creation.
    pub publication: Option<Publication>,
}

impl RecordType for Relationship {
    const KIND: Kind = Kind::Relationship;
    const A: &'static str = "a relationship";
    const TAG: &'static str = "Relationships";
    const TAG_DE: &'static str = "Beziehungen";
    const ABOUT: &'static str = "Who works with whom, in which role and when.";
    const REFERENCES: &'static [ReferenceField] = &[
        ReferenceField::slot("/home_region", Kind::Region),
        ReferenceField::end("/from"),
        ReferenceField::end("/to"),
    ];
    const RENAMES: &'static [Rename] = &[
        Rename::below("/from/class", "form", "network_type"),
        Rename::below("/to/class", "form", "network_type"),
    ];
    const COMMON: (
        &'static [ReferenceField],
        &'static [&'static str],
        &'static [Filter],
    ) = (&[], &[], &[]);
    const SUGGESTION_RANK: u8 = 5;
    const EXAMPLE: &'static str = r#"{"type":"operates","from":{"kind":"actor","slug":"regionalmanagement-nordhessen"},"to":{"kind":"network","slug":"cluster-gesundheit-nordhessen"},"roles":["management"],"source":{"document":"000"}}"#;

    fn described(&self) -> Option<&Described> {
        None
    }
}

impl Relationship {
    /// The key by which two relationships make the same statement: type, ends, set of roles and
    /// start, for relationships without a stated end. `None` for those that have ended.
    #[must_use]
    pub fn relationship_key(&self) -> Option<String> {
        let valid = self.valid.unwrap_or_default();
        // `..` means ongoing: no end is stated.
        if matches!(valid.to, Some(edtf::End::Date(_))) {
            return None;
        }
        let mut roles: Vec<_> = self.roles.iter().map(|role| role.code()).collect();
        roles.sort_unstable();
        // A copy is kept as received, even if it repeats a role.
        roles.dedup();
        let parts = serde_json::json!([self.r#type, self.from, self.to, roles, valid.from]);
        Some(parts.to_string())
    }
}

fn check(relationship: &Relationship) -> Result<(), ValidationError> {
    let rule = relationship.r#type.rule();
    let found = open_ends(relationship)
        .or_else(|| end_kind(relationship, rule, Side::From))
        .or_else(|| end_kind(relationship, rule, Side::To))
        .or_else(|| same_kind(relationship, rule))
        .or_else(|| same_ends(relationship))
        .or_else(|| unknown_role(relationship, rule));
    match found {
        Some((field, fault)) => Err(fault.with("field", field).into()),
        None => Ok(()),
    }
}

type Found = Option<(String, Fault)>;

fn open_ends(relationship: &Relationship) -> Found {
    (relationship.from.is_open() && relationship.to.is_open())
        .then(|| ("to".to_owned(), Fault::new(FaultCode::OpenEnds)))
}

fn end_kind(relationship: &Relationship, rule: &Rule, side: Side) -> Found {
    let (end, allowed) = match side {
        Side::From => (&relationship.from, rule.from),
        Side::To => (&relationship.to, rule.to),
    };
    let kind = end.kind()?;
    (!allowed.contains(&kind)).then(|| {
        let expected: Vec<_> = allowed.iter().map(|kind| kind.code()).collect();
        let fault = Fault::new(FaultCode::EndKind)
            .with("given", kind)
            .with("end", side.code())
            .with("type", rule.code.code())
            .with("expected", expected.join(", "));
        (side.code().to_owned(), fault)
    })
}

fn same_kind(relationship: &Relationship, rule: &Rule) -> Found {
    let (from, to) = (relationship.from.kind()?, relationship.to.kind()?);
    (rule.same_kind && from != to).then(|| {
        let fault = Fault::new(FaultCode::SameKind)
            .with("type", rule.code.code())
            .with("from", from)
            .with("to", to);
        ("to".to_owned(), fault)
    })
}

fn same_ends(relationship: &Relationship) -> Found {
    let same = relationship.from.is_same_record(&relationship.to);
    same.then(|| ("to".to_owned(), Fault::new(FaultCode::SameEnds)))
}

fn unknown_role(relationship: &Relationship, rule: &Rule) -> Found {
    let (index, unknown) = relationship
        .roles
        .iter()
        .enumerate()
        .find(|(_, role)| !rule.roles.contains(role))?;
    let known: Vec<_> = rule.roles.iter().map(|role| role.code()).collect();
    let fault = Fault::new(FaultCode::Role)
        .with("given", unknown.code())
        .with("type", rule.code.code())
        .with(
            "nearest",
            nearest(unknown.code(), known.iter().copied()).unwrap_or_default(),
        )
        .with("known", known.join(", "));
    Some((format!("roles/{index}"), fault))
}
