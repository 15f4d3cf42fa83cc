use crate::base::json::merge_patch;
use crate::base::kind::Kind;
use crate::validation::body::tests::cases::{Case, ID, joins};
use serde_json::{Value, json};

pub(crate) fn rules_of_relationships() -> Vec<Case> {
    let stated = json!({"from": {"as_stated": "Die MedEcon Ruhr", "id": null, "kind": null}});
    let open = json!({
        "from": {"as_stated": "a", "id": null},
        "to": {"class": {"kind": "network"}, "as_stated": "b", "id": null, "kind": null},
    });
    // The same key at both ends, of an actor and of `kind`.
    let keyed = |kind: &str, key: Value| {
        let mut body = joins(
            "related_to",
            "actor",
            kind,
            &json!({"from": key, "to": key}),
        );
        merge_patch(
            &mut body,
            &json!({"from": {"id": null}, "to": {"id": null}}),
        );
        body
    };
    let class = |kind: &str| {
        let class = json!({"kind": kind, "category": "hospital", "network_type": "cluster", "level": "state"});
        json!({"from": {"class": class, "as_stated": "a", "id": null, "kind": null}})
    };
    let role = |role: &str| json!({"roles": ["member", role]});
    let case = |body, errors| (Kind::Relationship, body, errors);
    let none = || json!({});
    vec![
        case(
            joins("member_of", "actor", "network", &role("chair")),
            vec![],
        ),
        case(joins("member_of", "actor", "network", &stated), vec![]),
        case(joins("part_of", "region", "region", &none()), vec![]),
        case(
            joins("serves", "event", "region", &none()),
            vec![("/from", "end-kind")],
        ),
        case(
            joins("serves", "actor", "topic", &none()),
            vec![("/to", "end-kind")],
        ),
        case(
            joins("part_of", "actor", "network", &none()),
            vec![("/to", "same-kind")],
        ),
        case(
            joins("member_of", "actor", "network", &open),
            vec![("/to", "open-ends")],
        ),
        case(
            joins("related_to", "actor", "actor", &json!({"to": {"id": ID}})),
            vec![("/to", "same-ends")],
        ),
        case(
            keyed("actor", json!({"slug": "a"})),
            vec![("/to", "same-ends")],
        ),
        case(
            keyed(
                "actor",
                json!({"external_id": {"system": "cms", "id": "1"}}),
            ),
            vec![("/to", "same-ends")],
        ),
        case(keyed("network", json!({"slug": "a"})), vec![]),
        case(
            joins("member_of", "actor", "network", &class("network")),
            vec![
                ("/from/class/category", "class-member"),
                ("/from/class/level", "class-member"),
            ],
        ),
        case(
            joins("serves", "actor", "region", &class("region")),
            vec![
                ("/from", "end-kind"),
                ("/from/class/category", "class-member"),
                ("/from/class/network_type", "class-member"),
            ],
        ),
        case(
            joins("member_of", "actor", "network", &role("funder")),
            vec![("/roles/1", "role")],
        ),
        case(
            joins("serves", "actor", "region", &json!({"roles": ["member"]})),
            vec![("/roles/0", "role")],
        ),
    ]
}
