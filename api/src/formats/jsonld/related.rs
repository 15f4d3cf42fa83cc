//! The relationships of a record, as members of its node.

use super::{Node, exact};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::{RelationshipRole, RelationshipType};
use serde_json::{Value, json};
use uuid::Uuid;

/// Adds what the included relationships say about the record `id`.
pub(super) fn relate(node: &mut Node<'_>, id: Uuid, included: &Value) {
    let relationships = included.get("relationship").and_then(Value::as_object);
    for relationship in relationships.into_iter().flatten().map(|(_, one)| one) {
        add(node, id, relationship, included);
    }
}

fn add(node: &mut Node<'_>, id: Uuid, relationship: &Value, included: &Value) -> Option<()> {
    let of_type = relationship.get("type")?.as_str()?;
    let of_type = RelationshipType::parse(of_type)?;
    let id = id.to_string();
    let end_id = |end: &str| {
        relationship
            .pointer(&format!("/{end}/id"))
            .and_then(Value::as_str)
    };
    let forward = end_id("from") == Some(&id);
    let other = relationship.get(if forward { "to" } else { "from" })?;
    let other = End::read(node, other, included)?;
    match (of_type, forward) {
        (RelationshipType::MemberOf, true) => {
            let role = membership(
                relationship,
                ("memberOf", &other.named),
                &node.members,
                &other.id,
            );
            node.add("memberOf", role);
        }
        (RelationshipType::MemberOf, false) => {
            let own = node.members.clone();
            let role = membership(
                relationship,
                ("member", &other.named),
                &json!({"@id": other.id}),
                own.get("@id")?.as_str()?,
            );
            node.add("member", role);
        }
        (RelationshipType::PartOf, forward) => {
            let name = match (node.kind, forward) {
                (Kind::Region, true) => "containedInPlace",
                (Kind::Region, false) => "containsPlace",
                (Kind::Event, true) => "superEvent",
                (Kind::Event, false) => "subEvent",
                (_, true) => "parentOrganization",
                (_, false) => "subOrganization",
            };
            node.add(name, other.named);
        }
        (RelationshipType::Funds, false) => node.add("funder", other.named),
        (RelationshipType::Serves, true) => node.add("areaServed", other.named),
        (RelationshipType::InvolvedIn, false) => {
            let roles = relationship.get("roles").and_then(Value::as_array);
            let is = |role: RelationshipRole| {
                roles.is_some_and(|roles| roles.contains(&json!(role.code())))
            };
            let name = if is(RelationshipRole::Organiser) || is(RelationshipRole::Host) {
                "organizer"
            } else if is(RelationshipRole::Speaker) {
                "performer"
            } else {
                "contributor"
            };
            node.add(name, other.named);
        }
        (RelationshipType::Concerns, true) => node.add("about", other.named),
        (RelationshipType::ParticipatesIn, false) => node.add("member", other.named),
        (RelationshipType::Operates, false) if node.kind == Kind::Project => {
            node.add("parentOrganization", other.named);
        }
        (RelationshipType::SameAs, _) => node.add("sameAs", json!(other.id)),
        // schema.org has no words for these; the relationships themselves are at their addresses.
        (
            RelationshipType::Operates
            | RelationshipType::ParticipatesIn
            | RelationshipType::Funds
            | RelationshipType::InvolvedIn
            | RelationshipType::Concerns
            | RelationshipType::Serves
            | RelationshipType::CooperatesWith
            | RelationshipType::SisterOf
            | RelationshipType::ResultedFrom
            | RelationshipType::Succeeds
            | RelationshipType::RelatedTo,
            _,
        ) => {}
    }
    Some(())
}

/// The other end of a relationship: a record that is visible.
struct End {
    id: String,
    /// The reference with its name and type.
    named: Value,
}

impl End {
    fn read(node: &Node<'_>, end: &Value, included: &Value) -> Option<Self> {
        let kind = super::kind_of(end)?;
        let id = Uuid::try_parse(end.get("id")?.as_str()?).ok()?;
        let record = included.get(kind.code())?.get(id.to_string())?;
        let mut named = json!({
            "@id": node.place.of(kind, id),
            "@type": super::types(kind, record).first(),
        });
        if let Some(name) = record.get("name") {
            insert(&mut named, &["name"], name.clone());
        }
        Some(Self {
            id: node.place.of(kind, id),
            named,
        })
    }
}

/// A membership with its roles and dates, as schema.org and as the Organization Ontology have it.
fn membership(
    relationship: &Value,
    (name, other): (&str, &Value),
    member: &Value,
    organisation: &str,
) -> Value {
    let mut role = json!({
        "@type": ["OrganizationRole", "org:Membership"],
        "org:member": {"@id": member.get("@id")},
        "org:organization": {"@id": organisation},
    });
    insert(&mut role, &[name], other.clone());
    for (name, pointer) in [("startDate", "/valid/from"), ("endDate", "/valid/to")] {
        let date = relationship.pointer(pointer).and_then(Value::as_str);
        if let Some(date) = date.and_then(exact) {
            insert(&mut role, &[name], date);
        }
    }
    let roles = relationship.get("roles").and_then(Value::as_array);
    if let Some(roles) = roles.filter(|roles| !roles.is_empty()) {
        insert(&mut role, &["roleName"], json!(roles));
    }
    role
}
