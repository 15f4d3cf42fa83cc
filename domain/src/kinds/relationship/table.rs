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
pub struct Rule {
    pub code: Type,
    /// Name of the inverse, read from `to`; equal to the type's own name for symmetric ones.
    pub backwards: &'static str,
    /// Labels read from `to`.
    pub backwards_labels: Labels,
    /// Kinds allowed at `from`.
    pub from: &'static [Kind],
    /// Kinds allowed at `to`.
    pub to: &'static [Kind],
    pub same_kind: bool,
    /// Whether it reads the same from both ends; stored with the smaller id in `from`.
    pub symmetric: bool,
    /// Whether a chain of it must not return to its start.
    pub acyclic: bool,
    pub roles: &'static [Role],
    pub meaning: Labels,
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

impl Rule {
    /// The label read from one end, or from both for symmetric types.
    #[must_use]
    pub fn label(&self, side: Side) -> Labels {
        match side {
            Side::From => self.code.labels(),
            Side::To => self.backwards_labels,
        }
    }

    /// The row as served at `/v1/vocabularies/relationship_type`.
    #[must_use]
    pub fn described(&self) -> RuleDescription {
        RuleDescription {
            code: self.code,
            labels: self.code.labels(),
            backwards: self.backwards,
            backwards_labels: self.backwards_labels,
            meaning: self.meaning,
            from: self.from.to_vec(),
            to: self.to.to_vec(),
            same_kind: self.same_kind,
            symmetric: self.symmetric,
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
    pub backwards: &'static str,
    /// Labels read from `to`.
    pub backwards_labels: Labels,
    /// Definition of the type.
    pub meaning: Labels,
    /// Kinds allowed at `from`.
    pub from: Vec<Kind>,
    /// Kinds allowed at `to`.
    pub to: Vec<Kind>,
    pub same_kind: bool,
    /// Whether it reads the same from both ends.
    pub symmetric: bool,
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
    backwards: "",
    backwards_labels: l("", ""),
    from: DESCRIBED,
    to: DESCRIBED,
    same_kind: false,
    symmetric: false,
    acyclic: false,
    roles: &[],
    meaning: l("", ""),
};

static MEMBER_OF: Rule = Rule {
    code: Type::MemberOf,
    backwards: "has_member",
    backwards_labels: l("hat als Mitglied", "has member"),
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
    meaning: l("gehört dem Netzwerk an", "belongs to the network"),
    ..DIRECTED
};
static OPERATES: Rule = Rule {
    code: Type::Operates,
    backwards: "operated_by",
    backwards_labels: l("wird betrieben von", "is operated by"),
    from: BODIES,
    to: &[Kind::Network, Kind::Project, Kind::Region],
    roles: &[
        Role::Operator,
        Role::Management,
        Role::Office,
        Role::ExecutingAgency,
    ],
    meaning: l("führt es als Organisation", "runs it as an organisation"),
    ..DIRECTED
};
static PART_OF: Rule = Rule {
    code: Type::PartOf,
    backwards: "has_part",
    backwards_labels: l("hat als Teil", "has part"),
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
    meaning: l(
        "Teilnetzwerk, Gebiet, Abteilung, Teilprojekt, Veranstaltung einer Reihe",
        "sub-network, region tree, unit, sub-project, event of a series",
    ),
    ..DIRECTED
};
static PARTICIPATES_IN: Rule = Rule {
    code: Type::ParticipatesIn,
    backwards: "has_participant",
    backwards_labels: l("hat als Beteiligten", "has participant"),
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
    meaning: l("arbeitet am Projekt mit", "works on the project"),
    ..DIRECTED
};
static FUNDS: Rule = Rule {
    code: Type::Funds,
    backwards: "funded_by",
    backwards_labels: l("wird gefördert von", "is funded by"),
    from: BODIES,
    to: &[Kind::Project, Kind::Network],
    roles: &[Role::Funder, Role::CoFunder],
    meaning: l(
        "gibt Fördermittel; Programm in `subject`, Förderkennzeichen in `identifiers`, Betrag in `figures`",
        "gives funding; programme in `subject`, grant number in `identifiers`, amount in `figures`",
    ),
    ..DIRECTED
};
static INVOLVED_IN: Rule = Rule {
    code: Type::InvolvedIn,
    backwards: "involves",
    backwards_labels: l("hat als Mitwirkenden", "involves"),
    from: BODIES,
    to: &[Kind::Event],
    roles: &[
        Role::Organiser,
        Role::Host,
        Role::Speaker,
        Role::Participant,
    ],
    meaning: l("wirkt an der Veranstaltung mit", "takes part in the event"),
    ..DIRECTED
};
static CONCERNS: Rule = Rule {
    code: Type::Concerns,
    backwards: "concerned_by",
    backwards_labels: l("ist Gegenstand von", "is concerned by"),
    from: &[Kind::Event],
    to: &[Kind::Project, Kind::Network, Kind::Region, Kind::Event],
    meaning: l(
        "Gegenstand einer Veranstaltung; ein Bericht über andere",
        "subject of an event; a report on others",
    ),
    ..DIRECTED
};
static SERVES: Rule = Rule {
    code: Type::Serves,
    backwards: "served_by",
    backwards_labels: l("ist Tätigkeitsgebiet von", "is served by"),
    from: UNDERTAKINGS,
    to: &[Kind::Region],
    meaning: l("Tätigkeitsgebiet, nicht Sitz", "area of work, not seat"),
    ..DIRECTED
};
static COOPERATES_WITH: Rule = Rule {
    code: Type::CooperatesWith,
    backwards: "cooperates_with",
    backwards_labels: l("kooperiert mit", "cooperates with"),
    from: UNDERTAKINGS,
    to: UNDERTAKINGS,
    symmetric: true,
    meaning: l(
        "arbeitet zusammen; worüber, sagt `subject`",
        "works together; `subject` says on what",
    ),
    ..DIRECTED
};
static SISTER_OF: Rule = Rule {
    code: Type::SisterOf,
    backwards: "sister_of",
    backwards_labels: l("ist Schwesterprojekt von", "is a sister project of"),
    from: &[Kind::Project],
    to: &[Kind::Project],
    symmetric: true,
    meaning: l("Schwesterprojekt", "sister project"),
    ..DIRECTED
};
static RESULTED_FROM: Rule = Rule {
    code: Type::ResultedFrom,
    backwards: "resulted_in",
    backwards_labels: l("führte zu", "resulted in"),
    from: UNDERTAKINGS,
    to: &[Kind::Project],
    meaning: l("aus dem Projekt hervorgegangen", "came out of the project"),
    ..DIRECTED
};
static SUCCEEDS: Rule = Rule {
    code: Type::Succeeds,
    backwards: "succeeded_by",
    backwards_labels: l("hat als Nachfolger", "is succeeded by"),
    same_kind: true,
    meaning: l(
        "Umbenennung, Zusammenschluss, Folgevorhaben",
        "rename, merger, follow-up",
    ),
    ..DIRECTED
};
static SAME_AS: Rule = Rule {
    code: Type::SameAs,
    backwards: "same_as",
    backwards_labels: l("ist dasselbe wie", "is the same as"),
    same_kind: true,
    symmetric: true,
    meaning: l(
        "zwei Datensätze zu einer Sache, meist auf zwei Knoten",
        "two records of one real thing, usually on two nodes",
    ),
    ..DIRECTED
};
static RELATED_TO: Rule = Rule {
    code: Type::RelatedTo,
    backwards: "related_to",
    backwards_labels: l("steht in Verbindung mit", "is related to"),
    symmetric: true,
    meaning: l(
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
                rule.backwards == rule.code.code(),
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
