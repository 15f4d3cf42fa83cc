//! The relationship table: what each type joins, its roles, and its inverse.
//!
//! This one constant drives validation, labels, filter names and documentation, and is served as a
//! vocabulary.

use crate::base::kind::Kind;
use crate::base::vocabulary::{Coded, Labels};
use crate::kinds::relationship::RelationshipRole as Role;
use crate::kinds::relationship::RelationshipType as Type;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of a table"
)]
pub struct Rule {
    pub code: Type,
    /// Name of the inverse, read from `to`; equal to the type's own name for symmetric ones.
    pub inverse: &'static str,
    /// Labels read from `to`.
    pub inverse_labels: Labels,
    /// Kinds allowed at `from`.
    pub from: &'static [Kind],
    /// Kinds allowed at `to`.
    pub to: &'static [Kind],
    pub same_kind: bool,
    /// Whether it reads the same from both ends; stored with the smaller id in `from`.
    pub symmetric: bool,
    /// Whether a chain of it must not return to its start.
    pub acyclic: bool,
    /// Whether it describes a state, of which today's counts unless a day is given:
    /// [`crate::kinds::relationship::on::RelationshipsOn`].
    pub standing: bool,
    /// Whether filters follow it: what is found by one record is found by the other.
    pub shapes_trees: bool,
    pub roles: &'static [Role],
    pub definition: Labels,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    From,
    To,
}

impl Side {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
        }
    }
}

impl Type {
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        match self {
            Self::MemberOf => &MEMBER_OF,
            Self::Operates => &OPERATES,
            Self::PartOf => &PART_OF,
            Self::ParticipatesIn => &PARTICIPATES_IN,
            Self::Funds => &FUNDS,
            Self::InvolvedIn => &INVOLVED_IN,
            Self::Concerns => &CONCERNS,
            Self::Serves => &SERVES,
            Self::CooperatesWith => &COOPERATES_WITH,
            Self::SisterOf => &SISTER_OF,
            Self::ResultedFrom => &RESULTED_FROM,
            Self::Succeeds => &SUCCEEDS,
            Self::SameAs => &SAME_AS,
            Self::RelatedTo => &RELATED_TO,
        }
    }
}

/// The rule of a type by its name as read from either end: `member_of`, `has_member`.
#[must_use]
pub fn named(name: &str) -> Option<&'static Rule> {
    let mut rules = RULES.iter().copied();
    rules.find(|rule| rule.code.code() == name || rule.inverse == name)
}

impl Rule {
    /// The label read from one end, or from both for symmetric types.
    #[must_use]
    pub fn label(&self, side: Side) -> Labels {
        match side {
            Side::From => self.code.labels(),
            Side::To => self.inverse_labels,
        }
    }

    /// The row as served at `/v1/vocabularies/relationship_type`.
    #[must_use]
    pub fn described(&self) -> RuleDescription {
        RuleDescription {
            code: self.code,
            labels: self.code.labels(),
            inverse: self.inverse,
            inverse_labels: self.inverse_labels,
            definition: self.definition,
            from: self.from.to_vec(),
            to: self.to.to_vec(),
            same_kind: self.same_kind,
            symmetric: self.symmetric,
            standing: self.standing,
            roles: self.roles.to_vec(),
        }
    }
}

/// A row of the relationship table.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleDescription {
    /// Type of relationship.
    pub code: Type,
    /// Labels read from `from`.
    pub labels: Labels,
    /// Name of the inverse, and of the filter on the other side.
    #[schema(example = "has_member")]
    pub inverse: &'static str,
    /// Labels read from `to`.
    pub inverse_labels: Labels,
    /// Definition of the type.
    pub definition: Labels,
    /// Kinds allowed at `from`.
    pub from: Vec<Kind>,
    /// Kinds allowed at `to`.
    pub to: Vec<Kind>,
    pub same_kind: bool,
    /// Whether it reads the same from both ends.
    pub symmetric: bool,
    /// Whether filters count those that may hold today, unless `relationships_on` says otherwise.
    pub standing: bool,
    /// Roles of the type.
    pub roles: Vec<Role>,
}

const fn l(de: &'static str, en: &'static str) -> Labels {
    Labels { de, en }
}

const BODIES: &[Kind] = &[Kind::Actor, Kind::Network];
const UNDERTAKINGS: &[Kind] = &[Kind::Actor, Kind::Network, Kind::Project];
const DESCRIBED: &[Kind] = &[
    Kind::Region,
    Kind::Topic,
    Kind::Actor,
    Kind::Network,
    Kind::Project,
    Kind::Event,
];

pub const RULES: &[&Rule] = &[
    &MEMBER_OF,
    &OPERATES,
    &PART_OF,
    &PARTICIPATES_IN,
    &FUNDS,
    &INVOLVED_IN,
    &CONCERNS,
    &SERVES,
    &COOPERATES_WITH,
    &SISTER_OF,
    &RESULTED_FROM,
    &SUCCEEDS,
    &SAME_AS,
    &RELATED_TO,
];

const DIRECTED: Rule = Rule {
    code: Type::RelatedTo,
    inverse: "",
    inverse_labels: l("", ""),
    from: DESCRIBED,
    to: DESCRIBED,
    same_kind: false,
    symmetric: false,
    acyclic: false,
    standing: false,
    shapes_trees: false,
    roles: &[],
    definition: l("", ""),
};

static MEMBER_OF: Rule = Rule {
    code: Type::MemberOf,
    inverse: "has_member",
    inverse_labels: l("hat als Mitglied", "has member"),
    from: BODIES,
    to: &[Kind::Network],
    roles: &[
        Role::Member,
        Role::FoundingMember,
        Role::Associate,
        Role::Chair,
        Role::DeputyChair,
        Role::Coordinator,
    ],
    definition: l("gehört dem Netzwerk an", "belongs to the network"),
    standing: true,
    ..DIRECTED
};
static OPERATES: Rule = Rule {
    code: Type::Operates,
    inverse: "operated_by",
    inverse_labels: l("wird betrieben von", "is operated by"),
    from: BODIES,
    to: &[Kind::Network, Kind::Project, Kind::Region],
    roles: &[
        Role::Operator,
        Role::Management,
        Role::Office,
        Role::ExecutingAgency,
    ],
    definition: l("führt es als Organisation", "runs it as an organisation"),
    standing: true,
    ..DIRECTED
};
static PART_OF: Rule = Rule {
    code: Type::PartOf,
    inverse: "has_part",
    inverse_labels: l("hat als Teil", "has part"),
    from: &[
        Kind::Actor,
        Kind::Network,
        Kind::Region,
        Kind::Project,
        Kind::Event,
    ],
    to: &[
        Kind::Actor,
        Kind::Network,
        Kind::Region,
        Kind::Project,
        Kind::Event,
    ],
    same_kind: true,
    acyclic: true,
    shapes_trees: true,
    definition: l(
        "Teilnetzwerk, Gebiet, Abteilung, Teilprojekt, Veranstaltung einer Reihe",
        "sub-network, region tree, unit, sub-project, event of a series",
    ),
    standing: true,
    ..DIRECTED
};
static PARTICIPATES_IN: Rule = Rule {
    code: Type::ParticipatesIn,
    inverse: "has_participant",
    inverse_labels: l("hat als Beteiligten", "has participant"),
    from: BODIES,
    to: &[Kind::Project],
    roles: &[
        Role::Executing,
        Role::ConsortiumLead,
        Role::ConsortiumPartner,
        Role::CooperationPartner,
        Role::Associated,
        Role::Supporter,
        Role::PilotSite,
    ],
    definition: l("arbeitet am Projekt mit", "works on the project"),
    ..DIRECTED
};
static FUNDS: Rule = Rule {
    code: Type::Funds,
    inverse: "funded_by",
    inverse_labels: l("wird gefördert von", "is funded by"),
    from: BODIES,
    to: &[Kind::Project, Kind::Network],
    roles: &[Role::Funder, Role::CoFunder],
    definition: l(
        "gibt Fördermittel; Programm in `subject`, Förderkennzeichen in `identifiers`, Betrag in `figures`",
        "gives funding; programme in `subject`, grant number in `identifiers`, amount in `figures`",
    ),
    ..DIRECTED
};
static INVOLVED_IN: Rule = Rule {
    code: Type::InvolvedIn,
    inverse: "involves",
    inverse_labels: l("hat als Mitwirkenden", "involves"),
    from: BODIES,
    to: &[Kind::Event],
    roles: &[
        Role::Organiser,
        Role::Host,
        Role::Speaker,
        Role::Participant,
    ],
    definition: l("wirkt an der Veranstaltung mit", "takes part in the event"),
    ..DIRECTED
};
static CONCERNS: Rule = Rule {
    code: Type::Concerns,
    inverse: "concerned_by",
    inverse_labels: l("ist Gegenstand von", "is concerned by"),
    from: &[Kind::Event],
    to: &[Kind::Project, Kind::Network, Kind::Region, Kind::Event],
    definition: l(
        "Gegenstand einer Veranstaltung; ein Bericht über andere",
        "subject of an event; a report on others",
    ),
    ..DIRECTED
};
static SERVES: Rule = Rule {
    code: Type::Serves,
    inverse: "served_by",
    inverse_labels: l("ist Tätigkeitsgebiet von", "is served by"),
    from: UNDERTAKINGS,
    to: &[Kind::Region],
    definition: l("Tätigkeitsgebiet, nicht Sitz", "area of work, not seat"),
    standing: true,
    ..DIRECTED
};
static COOPERATES_WITH: Rule = Rule {
    code: Type::CooperatesWith,
    inverse: "cooperates_with",
    inverse_labels: l("kooperiert mit", "cooperates with"),
    from: UNDERTAKINGS,
    to: UNDERTAKINGS,
    symmetric: true,
    definition: l(
        "arbeitet zusammen; worüber, sagt `subject`",
        "works together; `subject` says on what",
    ),
    standing: true,
    ..DIRECTED
};
static SISTER_OF: Rule = Rule {
    code: Type::SisterOf,
    inverse: "sister_of",
    inverse_labels: l("ist Schwesterprojekt von", "is a sister project of"),
    from: &[Kind::Project],
    to: &[Kind::Project],
    symmetric: true,
    definition: l("Schwesterprojekt", "sister project"),
    ..DIRECTED
};
static RESULTED_FROM: Rule = Rule {
    code: Type::ResultedFrom,
    inverse: "resulted_in",
    inverse_labels: l("führte zu", "resulted in"),
    from: UNDERTAKINGS,
    to: &[Kind::Project],
    definition: l("aus dem Projekt hervorgegangen", "came out of the project"),
    ..DIRECTED
};
static SUCCEEDS: Rule = Rule {
    code: Type::Succeeds,
    inverse: "succeeded_by",
    inverse_labels: l("hat als Nachfolger", "is succeeded by"),
    same_kind: true,
    definition: l(
        "Umbenennung, Zusammenschluss, Folgevorhaben",
        "rename, merger, follow-up",
    ),
    ..DIRECTED
};
static SAME_AS: Rule = Rule {
    code: Type::SameAs,
    inverse: "same_as",
    inverse_labels: l("ist dasselbe wie", "is the same as"),
    same_kind: true,
    symmetric: true,
    shapes_trees: true,
    definition: l(
        "zwei Datensätze zu einer Sache, meist auf zwei Knoten",
        "two records of one real thing, usually on two nodes",
    ),
    ..DIRECTED
};
static RELATED_TO: Rule = Rule {
    code: Type::RelatedTo,
    inverse: "related_to",
    inverse_labels: l("steht in Verbindung mit", "is related to"),
    symmetric: true,
    definition: l(
        "zusammen genannt, Art nicht angegeben; `note` zitiert",
        "named together, nature not stated; `note` quotes",
    ),
    ..DIRECTED
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_vocabulary_list_the_same_types_in_the_same_order() {
        let table: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(table, Type::ALL);
    }

    #[test]
    fn symmetric_types_read_the_same_backwards() {
        for rule in RULES {
            assert_eq!(
                rule.symmetric,
                rule.inverse == rule.code.code(),
                "{}",
                rule.code.code()
            );
            assert_eq!(
                rule.label(Side::From) == rule.label(Side::To),
                rule.symmetric
            );
        }
    }
}
