use crate::access::rules::{Grant, Role, Scope};
use std::collections::BTreeSet;

crate::vocabulary! {
    /// Type of an account.
    AccountKind "account_kind" {
        Person "person" "Person" "Person";
        Client "client" "Programm" "Program";
    }
}

crate::vocabulary! {
    /// Scope of a token; scopes only narrow the grants of its account.
    TokenScope "token_scope" {
        Directory "directory" "Verzeichnis lesen und schreiben" "Read and write the directory";
        Sync "sync" "Abgleich mit anderen Systemen" "Synchronise with other systems";
        Admin "admin" "Verwaltung" "Administration";
    }
}

pub type Scopes = BTreeSet<TokenScope>;

/// The part of some grants that remains under these scopes for work on records.
///
/// `directory` is needed for records, `sync` for feeders, and `admin` for what only admins may do:
/// without it an admin works as an approver does.
#[must_use]
pub fn narrow(grants: Vec<Grant>, scopes: &Scopes) -> Vec<Grant> {
    let left = grants.into_iter().filter_map(|grant| {
        let needed = match grant.role {
            Role::Reader | Role::Editor | Role::Approver | Role::Admin => TokenScope::Directory,
            Role::Feeder => TokenScope::Sync,
        };
        if !scopes.contains(&needed) {
            return None;
        }
        let powerless = grant.role == Role::Admin && !scopes.contains(&TokenScope::Admin);
        let role = if powerless {
            Role::Approver
        } else {
            grant.role
        };
        Some(Grant { role, ..grant })
    });
    left.collect()
}

/// The part of some grants that applies to pushing the records of a system, under a token with the
/// scope `sync`.
///
/// A feeder has the permissions of an approver for the records of its system in its regions; an
/// admin of the node has them for all records, as an admin if the token also has the scope `admin`.
#[must_use]
pub fn pushing(grants: Vec<Grant>, system: &str, scopes: &Scopes) -> Vec<Grant> {
    let left = grants.into_iter().filter_map(|grant| match grant.role {
        Role::Feeder => (grant.system.as_deref() == Some(system)).then_some(Grant {
            role: Role::Approver,
            ..grant
        }),
        Role::Admin if scopes.contains(&TokenScope::Admin) => {
            administers_node(&grant).then_some(grant)
        }
        Role::Admin => administers_node(&grant).then(|| Grant {
            role: Role::Approver,
            scope: Scope::Node,
            system: Some(system.to_owned()),
        }),
        Role::Reader | Role::Editor | Role::Approver => None,
    });
    left.collect()
}

#[must_use]
pub fn administers_node(grant: &Grant) -> bool {
    grant.role == Role::Admin && grant.scope == Scope::Node
}

/// Whether a text is a valid account name: 2 to 64 of a-z, 0-9 and `._@-`.
///
/// It is typed at sign-in and is part of HTTP Basic credentials, so it has neither capitals that
/// could be mistaken nor colons.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._@-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::TokenScope::{Admin, Directory, Sync};
    use super::*;
    use crate::base::vocabulary::Coded;

    #[test]
    fn scopes_only_narrow() {
        let grant = |role| Grant {
            role,
            scope: Scope::Node,
            system: None,
        };
        let roles = |scopes: &[TokenScope]| -> Vec<Role> {
            let grants = Role::ALL.iter().map(|role| grant(*role)).collect();
            let left = narrow(grants, &scopes.iter().copied().collect());
            left.into_iter().map(|grant| grant.role).collect()
        };
        let [reader, editor, approver] = [Role::Reader, Role::Editor, Role::Approver];
        assert_eq!(roles(&[Directory, Sync, Admin]), Role::ALL);
        assert_eq!(roles(&[Directory]), [reader, editor, approver, approver]);
        assert_eq!(
            roles(&[Directory, Admin]),
            [reader, editor, approver, Role::Admin]
        );
        assert_eq!(roles(&[Sync]), [Role::Feeder]);
        assert_eq!(roles(&[Admin]), []);
        assert_eq!(roles(&[]), []);
    }

    #[test]
    fn feeders_of_the_system_and_admins_of_the_node_push() {
        let grant = |role, scope, system: Option<&str>| Grant {
            role,
            scope,
            system: system.map(str::to_owned),
        };
        let here =
            || crate::access::rules::Scope::Regions(BTreeSet::from([uuid::Uuid::from_u128(1)]));
        let left = |grant: Grant, scopes: &[TokenScope]| {
            let left = pushing(vec![grant], "cms", &scopes.iter().copied().collect());
            left.into_iter().next()
        };
        let feeder = grant(Role::Feeder, here(), Some("cms"));
        let expected = grant(Role::Approver, here(), Some("cms"));
        assert_eq!(left(feeder, &[Sync]), Some(expected));
        assert_eq!(
            left(grant(Role::Feeder, here(), Some("sap")), &[Sync]),
            None
        );
        let admin = grant(Role::Admin, Scope::Node, None);
        assert_eq!(left(admin.clone(), &[Sync, Admin]), Some(admin.clone()));
        let narrowed = grant(Role::Approver, Scope::Node, Some("cms"));
        assert_eq!(left(admin, &[Sync]), Some(narrowed));
        for role in [Role::Reader, Role::Editor, Role::Approver, Role::Admin] {
            assert_eq!(left(grant(role, here(), None), &[Sync, Admin]), None);
        }
    }

    #[test]
    fn names_can_be_typed_and_sent() {
        for good in ["ab", "anna.muster@klinik.example", "cms-import"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a", "Anna", "a b", "a:b", "käthe", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
