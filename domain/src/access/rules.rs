//! Rules of access: one pure function over grants.

use crate::base::kind::Kind;
use crate::kinds::common::Publication;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

crate::vocabulary! {
    /// Permissions of a grant; each role includes the weaker ones, except `feeder`.
    Role "role" {
        Reader "reader" "Lesen" "Reader";
        Editor "editor" "Redaktion" "Editor";
        Approver "approver" "Freigabe" "Approver";
        Feeder "feeder" "Zulieferung" "Feeder";
        Admin "admin" "Verwaltung" "Administrator";
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    Node,
    /// In these regions (including descendants, if the grant says so).
    Regions(BTreeSet<Uuid>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub role: Role,
    pub scope: Scope,
    /// The one system whose records a feeder's grant covers, see
    /// [`crate::access::account::pushing`].
    pub system: Option<String>,
}

/// The caller: anonymous, or an account with its grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    pub account: Option<Uuid>,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See it although it is not published.
    Read,
    /// Create, change or delete it.
    Write,
    /// Move it into or out of `published`, or set `publish_at`.
    Publish,
    /// Change the tree of regions, along which permissions are inherited.
    ShapeTree,
    /// Confirm or dispute a relationship in the name of this record.
    Confirm,
    /// Hide a copy on this node, or show it again.
    Hide,
}

/// The properties of a record that the rules depend on.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Whether this node is its origin; no grant applies to a copy.
    pub own: bool,
    pub kind: Kind,
    /// The region whose editors may write it; records without one (topics) belong to the admin.
    pub home_region: Option<Uuid>,
    pub publication: Publication,
    pub system: Option<&'a str>,
}

/// Whether a grant allows an action on a record. Reading published records needs no grant.
#[must_use]
pub fn is_allowed(grant: &Grant, action: Action, subject: &Subject<'_>) -> bool {
    let reached = match action {
        Action::Hide => !subject.own,
        // A copy that is not public is one that this node hides.
        Action::Read => subject.own || is_node_admin(grant),
        Action::Write | Action::Publish | Action::ShapeTree | Action::Confirm => subject.own,
    };
    if !reached {
        return false;
    }
    let here = match (&grant.scope, subject.home_region) {
        (Scope::Node, _) => true,
        (Scope::Regions(regions), Some(home)) => regions.contains(&home),
        // Records without a region belong to the node's admin.
        (Scope::Regions(_), None) => false,
    };
    let homeless = subject.home_region.is_none();
    // Permissions are inherited down the tree of regions: an editor of one region who could change
    // the tree could extend their own permissions.
    let here = here && (action != Action::ShapeTree || grant.scope == Scope::Node);
    let supplied = grant.system.is_none() || grant.system.as_deref() == subject.system;
    here && supplied
        && match (action, grant.role) {
            (_, Role::Admin) | (Action::Read, Role::Reader | Role::Editor | Role::Approver) => true,
            (Action::Write, Role::Editor | Role::Approver)
            | (Action::Publish | Action::Confirm | Action::Hide, Role::Approver) => !homeless,
            // Feeders read the records that their system has supplied, or they could not send them
            // back; they push them, and write nothing outside of pushes.
            (Action::Read, Role::Feeder) => grant.system.is_some(),
            (Action::Write, Role::Reader | Role::Feeder)
            | (
                Action::Publish | Action::Confirm | Action::Hide,
                Role::Reader | Role::Editor | Role::Feeder,
            )
            | (Action::ShapeTree, Role::Reader | Role::Editor | Role::Approver | Role::Feeder) => {
                false
            }
        }
}

fn is_node_admin(grant: &Grant) -> bool {
    grant.role == Role::Admin && grant.scope == Scope::Node
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    Public,
    /// Published records, and some of this node's own drafts.
    Drafts {
        regions: BTreeSet<Uuid>,
        supplied: BTreeMap<String, Scope>,
    },
    /// Published records, and every draft of this node.
    Everything,
}

impl Caller {
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// The node itself: its command line and its jobs.
    #[must_use]
    pub fn node() -> Self {
        Self {
            account: None,
            grants: vec![Grant {
                role: Role::Admin,
                scope: Scope::Node,
                system: None,
            }],
        }
    }

    #[must_use]
    pub fn is_allowed(&self, action: Action, subject: &Subject<'_>) -> bool {
        self.grants
            .iter()
            .any(|grant| is_allowed(grant, action, subject))
    }

    #[must_use]
    pub fn is_node_admin(&self) -> bool {
        self.grants.iter().any(is_node_admin)
    }

    #[must_use]
    pub fn pushes(&self, system: &str) -> bool {
        let mut systems = self.grants.iter().map(|grant| grant.system.as_deref());
        systems.any(|one| one == Some(system))
    }

    #[must_use]
    pub fn can_read(&self, subject: &Subject<'_>) -> bool {
        subject.publication == Publication::Published || self.is_allowed(Action::Read, subject)
    }

    /// [`Caller::can_read`] as a condition for queries.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        Self::reach(&self.grants)
    }

    /// This node's records with a home region that the caller may write, as a condition for
    /// queries.
    #[must_use]
    pub fn writable(&self) -> Visibility {
        Self::reach(self.grants.iter().filter(|grant| match grant.role {
            Role::Editor | Role::Approver | Role::Admin => true,
            Role::Reader | Role::Feeder => false,
        }))
    }

    fn reach<'a>(grants: impl IntoIterator<Item = &'a Grant>) -> Visibility {
        let mut regions = BTreeSet::new();
        let mut supplied: BTreeMap<String, Scope> = BTreeMap::new();
        for grant in grants {
            match (&grant.system, &grant.scope) {
                (None, _) if grant.role == Role::Feeder => {}
                (None, Scope::Node) => return Visibility::Everything,
                (None, Scope::Regions(some)) => regions.extend(some),
                (Some(system), scope) => supplied
                    .entry(system.clone())
                    .or_insert_with(|| Scope::Regions(BTreeSet::new()))
                    .widen(scope),
            }
        }
        if regions.is_empty() && supplied.is_empty() {
            Visibility::Public
        } else {
            Visibility::Drafts { regions, supplied }
        }
    }
}

impl Scope {
    fn widen(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Regions(regions), Self::Regions(more)) => regions.extend(more),
            (Self::Regions(_), Self::Node) => *self = Self::Node,
            (Self::Node, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(home_region: Option<Uuid>, own: bool) -> Subject<'static> {
        Subject {
            own,
            kind: Kind::Actor,
            home_region,
            publication: Publication::Draft,
            system: Some("cms"),
        }
    }

    fn grant(role: Role, scope: Scope) -> Grant {
        Grant {
            role,
            scope,
            system: (role == Role::Feeder).then(|| "cms".to_owned()),
        }
    }

    fn can_read_by_query(caller: &Caller, home: Option<Uuid>, system: &str) -> bool {
        match caller.visibility() {
            Visibility::Public => false,
            Visibility::Everything => true,
            Visibility::Drafts { regions, supplied } => {
                let within = |some: &BTreeSet<Uuid>| home.is_some_and(|home| some.contains(&home));
                within(&regions)
                    || match supplied.get(system) {
                        None => false,
                        Some(Scope::Node) => true,
                        Some(Scope::Regions(some)) => within(some),
                    }
            }
        }
    }

    #[test]
    fn several_grants_for_a_system_are_one() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let in_region = |region| grant(Role::Feeder, Scope::Regions(BTreeSet::from([region])));
        let mut caller = Caller {
            account: None,
            grants: vec![in_region(here), in_region(there)],
        };
        for home in [here, there] {
            assert!(can_read_by_query(&caller, Some(home), "cms"));
        }
        assert_eq!(caller.writable(), Visibility::Public);
        assert!(!can_read_by_query(&caller, None, "cms"));
        caller.grants.push(grant(Role::Feeder, Scope::Node));
        assert!(can_read_by_query(&caller, None, "cms"));
        assert!(!can_read_by_query(&caller, Some(here), "sap"));
    }

    #[test]
    fn a_grant_for_a_system_reaches_its_records_only() {
        let here = Uuid::from_u128(1);
        let pushing = Grant {
            system: Some("cms".to_owned()),
            ..grant(Role::Approver, Scope::Regions(BTreeSet::from([here])))
        };
        for action in [Action::Read, Action::Write, Action::Publish] {
            let own = subject(Some(here), true);
            assert!(is_allowed(&pushing, action, &own), "{action:?}");
            for system in [None, Some("sap")] {
                let other = Subject { system, ..own };
                assert!(
                    !is_allowed(&pushing, action, &other),
                    "{action:?} {system:?}"
                );
            }
            assert!(!is_allowed(&pushing, action, &subject(None, true)));
            assert!(!is_allowed(&pushing, action, &subject(Some(here), false)));
        }
        let caller = Caller {
            account: None,
            grants: vec![pushing],
        };
        assert!(can_read_by_query(&caller, Some(here), "cms"));
        assert!(!can_read_by_query(&caller, Some(here), "sap"));
        assert!(!can_read_by_query(&caller, None, "cms"));
        assert!(caller.pushes("cms") && !caller.pushes("sap"));
    }

    /// The documented role table: read, write, publish, shape the tree, confirm.
    #[test]
    fn each_role_may_what_the_role_table_says() {
        let here = Uuid::from_u128(1);
        let region = || Scope::Regions(BTreeSet::from([here]));
        for (role, allowed) in [
            (Role::Reader, [true, false, false, false, false]),
            (Role::Editor, [true, true, false, false, false]),
            (Role::Approver, [true, true, true, false, true]),
            (Role::Feeder, [true, false, false, false, false]),
            (Role::Admin, [true, true, true, false, true]),
        ] {
            let actions = [
                Action::Read,
                Action::Write,
                Action::Publish,
                Action::ShapeTree,
                Action::Confirm,
            ];
            let may_here =
                actions.map(|a| is_allowed(&grant(role, region()), a, &subject(Some(here), true)));
            assert_eq!(may_here, allowed, "{role:?}");
            for action in actions {
                let elsewhere = subject(Some(Uuid::from_u128(2)), true);
                assert!(!is_allowed(&grant(role, region()), action, &elsewhere));
                // No grant applies to a copy, but the admin must be able to find a hidden one.
                let copy = subject(Some(here), false);
                let finds = role == Role::Admin && action == Action::Read;
                assert_eq!(is_allowed(&grant(role, Scope::Node), action, &copy), finds);
                assert!(!is_allowed(&grant(role, region()), action, &copy));
                let homeless = subject(None, true);
                assert!(!is_allowed(&grant(role, region()), action, &homeless));
            }
        }
    }

    #[test]
    fn approvers_and_admins_hide_copies_of_their_regions() {
        let here = Uuid::from_u128(1);
        let region = || Scope::Regions(BTreeSet::from([here]));
        for (role, may_hide) in [
            (Role::Reader, false),
            (Role::Editor, false),
            (Role::Approver, true),
            (Role::Feeder, false),
            (Role::Admin, true),
        ] {
            let hide = |scope, subject| is_allowed(&grant(role, scope), Action::Hide, &subject);
            assert_eq!(hide(region(), subject(Some(here), false)), may_hide);
            assert_eq!(hide(Scope::Node, subject(Some(here), false)), may_hide);
            let elsewhere = subject(Some(Uuid::from_u128(2)), false);
            assert!(!hide(region(), elsewhere), "{role:?}");
            assert!(!hide(Scope::Node, subject(Some(here), true)), "{role:?}");
        }
    }

    #[test]
    fn only_the_admin_of_the_node_writes_what_has_no_region() {
        let topic = Subject {
            kind: Kind::Topic,
            ..subject(None, true)
        };
        for role in [Role::Reader, Role::Editor, Role::Approver, Role::Feeder] {
            for action in [Action::Write, Action::Publish, Action::ShapeTree] {
                assert!(
                    !is_allowed(&grant(role, Scope::Node), action, &topic),
                    "{role:?} {action:?}"
                );
            }
        }
        assert!(is_allowed(
            &grant(Role::Admin, Scope::Node),
            Action::Write,
            &topic
        ));
    }

    #[test]
    fn the_visibility_of_a_query_agrees_with_sees() {
        let here = Uuid::from_u128(1);
        for role in [
            Role::Reader,
            Role::Editor,
            Role::Approver,
            Role::Feeder,
            Role::Admin,
        ] {
            for scope in [Scope::Node, Scope::Regions(BTreeSet::from([here]))] {
                let caller = Caller {
                    account: None,
                    grants: vec![grant(role, scope)],
                };
                for home in [None, Some(here), Some(Uuid::from_u128(2))] {
                    for system in ["cms", "sap"] {
                        let subject = Subject {
                            system: Some(system),
                            ..subject(home, true)
                        };
                        assert_eq!(
                            caller.can_read(&subject),
                            can_read_by_query(&caller, home, system),
                            "{role:?} {home:?} {system}"
                        );
                    }
                }
            }
        }
    }
}
