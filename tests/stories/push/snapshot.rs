use super::{
    SNAPSHOT, actor, carried_out, counts, feeder, line, lines, planned, problem, push, statuses,
    supplied, upsert,
};
use crate::matrix::snapshot as everything;
use domain::access::account::TokenScope;
use domain::base::kind::Kind;
use domain::exchange::line::Line;
use persistence::StoreError;
use persistence::push::{Confirmed, Decision, Snapshot};
use persistence::transaction::WriteOptions;
use serde_json::{Value, json};
use tests::tables::record;
use tests::{Answer, Call, Node, story};

fn numbered(numbers: std::ops::Range<u32>) -> String {
    let all: Vec<Value> = numbers
        .map(|number| line(&number.to_string(), &format!("Praxis {number}")))
        .collect();
    lines(&all)
}

async fn done(node: &Node, token: &str, body: &str) -> Answer {
    let plan = planned(node, token, body).await.expect(200);
    carried_out(node, token, body, &plan).await.expect(200)
}

story!(a_snapshot_is_planned_and_then_carried_out, async |node| {
    let token = feeder(node, "hessen").await;
    let member = json!({
        "kind": "relationship", "type": "member_of", "publication": "published",
        "external_id": {"system": "cms", "id": "m"},
        "from": {"kind": "actor", "external_id": {"system": "cms", "id": "1"}},
        "to": {"kind": "network", "external_id": {"system": "cms", "id": "n"}},
    });
    let network = json!({"kind": "network", "name": "Netz", "home_region": "hessen", "publication": "published", "external_id": {"id": "n"}});
    let body = lines(&[
        member.clone(),
        network.clone(),
        line("1", "Eins"),
        line("2", "Zwei"),
    ]);
    let before = everything(node).await;
    let plan = planned(node, &token, &body).await.expect(200);
    assert_eq!(counts(&plan), json!({"created": 4}));
    assert_eq!(
        (&plan.json["applied"], &plan.json["lines"]),
        (&json!(false), &json!(4))
    );
    assert_eq!(plan.json["blocked_by"], json!([]));
    assert_eq!(plan.json["examples"].as_array().unwrap().len(), 4);
    assert!(plan.json["examples"][0]["id"].is_null());
    // Planning changes nothing, and the plan is reproducible.
    assert_eq!(everything(node).await, before);
    let again = planned(node, &token, &body).await.expect(200);
    assert_eq!(again.json["plan_hash"], plan.json["plan_hash"]);
    let applied = carried_out(node, &token, &body, &plan).await.expect(200);
    assert_eq!(counts(&applied), json!({"created": 4}));
    assert_eq!(applied.json["applied"], true);
    assert_eq!(applied.json["plan_hash"], plan.json["plan_hash"]);

    // A plan is applied once; its result is then unchanged.
    carried_out(node, &token, &body, &plan)
        .await
        .problem(409, "stale-plan");
    let head = node.store.log().head().await.unwrap();
    let unchanged = done(node, &token, &body).await;
    assert_eq!(counts(&unchanged), json!({"unchanged": 4}));
    assert_eq!(node.store.log().head().await.unwrap(), head);

    // Missing records are deleted with their relationships.
    let less = lines(&[network, line("2", "Zwei, neu"), line("3", "Drei")]);
    let plan = planned(node, &token, &less).await.expect(200);
    let expected = json!({"created": 1, "updated": 1, "unchanged": 1, "deleted": 2});
    assert_eq!(counts(&plan), expected);
    let examples = plan.json["examples"].as_array().unwrap();
    let updated = examples
        .iter()
        .find(|one| one["status"] == "updated")
        .unwrap();
    assert_eq!(
        (&updated["line"], &updated["members"]),
        (&json!(2), &json!(["name"]))
    );
    let applied = carried_out(node, &token, &less, &plan).await.expect(200);
    assert_eq!(counts(&applied), expected);
    let keys: Vec<_> = supplied(node)
        .await
        .into_iter()
        .filter_map(|row| row.external_id)
        .collect();
    assert_eq!(keys, ["2", "3", "n"]);
    tests::audit::audit(node.store.db()).await;
});

story!(
    a_plan_that_is_not_what_would_happen_is_stale,
    async |node| {
        let token = feeder(node, "hessen").await;
        done(node, &token, &numbered(0..2)).await;
        let body = lines(&[line("0", "Umbenannt"), line("1", "Praxis 1")]);
        let plan = planned(node, &token, &body).await.expect(200);
        // Another snapshot …
        let other = lines(&[line("0", "Umbenannt"), line("1", "Auch umbenannt")]);
        let before = everything(node).await;
        carried_out(node, &token, &other, &plan)
            .await
            .problem(409, "stale-plan");
        assert_eq!(everything(node).await, before);
        // … or another directory.
        let changed = [upsert("actor", "1", &actor("Inzwischen"))];
        push(node, &token, &changed).await.expect(200);
        let before = everything(node).await;
        carried_out(node, &token, &body, &plan)
            .await
            .problem(409, "stale-plan");
        assert_eq!(everything(node).await, before);
        let plan = planned(node, &token, &body).await.expect(200);
        carried_out(node, &token, &body, &plan).await.expect(200);

        // Neither planning nor a plan hash: nothing happens.
        for query in [
            "",
            "?dry_run=false",
            &format!(
                "?dry_run=true&plan_hash={}",
                plan.json["plan_hash"].as_str().unwrap()
            ),
        ] {
            let call = node.post(&format!("{SNAPSHOT}{query}")).token(&token);
            let call = call.body("application/x-ndjson", body.as_str());
            call.await.problem(400, "invalid-parameter");
        }
    }
);

async fn planned_actors(node: &Node, token: &str, body: &str) -> Answer {
    let path = format!("{SNAPSHOT}?kind=actor&dry_run=true");
    let call = node.post(&path).token(token);
    call.body("application/x-ndjson", body).await.expect(200)
}

fn with_actors(node: &Node, token: &str, body: &str, plan: &Answer) -> Call {
    let hash = plan.json["plan_hash"].as_str().unwrap();
    let path = format!("{SNAPSHOT}?kind=actor&plan_hash={hash}");
    let call = node.post(&path).token(token);
    call.body("application/x-ndjson", body)
}

story!(a_plan_knows_what_goes_along, async |node| {
    let token = feeder(node, "hessen").await;
    done(node, &token, &numbered(0..3)).await;
    let body = numbered(0..2);
    let plan = planned_actors(node, &token, &body).await;
    assert_eq!(counts(&plan), json!({"unchanged": 2, "deleted": 1}));
    assert_eq!(plan.json["relationships"], 0);
    let rows = supplied(node).await;
    let end = |row: &record::Model| json!({"kind": "actor", "id": row.id});
    let edge = json!({"type": "cooperates_with", "from": end(&rows[2]), "to": end(&rows[0])});
    let edge = node.post("/v1/relationships").json(&edge).await.expect(201);
    let edge = format!("/v1/relationships/{}", edge.id());
    with_actors(node, &token, &body, &plan)
        .await
        .problem(409, "stale-plan");
    // The current content is part of the plan, too.
    let plan = planned_actors(node, &token, &body).await;
    assert_eq!(plan.json["relationships"], 1);
    let published = json!({"publication": "published"});
    let published = node.patch(&edge).if_match("*").json(&published);
    published.await.expect(200);
    with_actors(node, &token, &body, &plan)
        .await
        .problem(409, "stale-plan");
    let plan = planned_actors(node, &token, &body).await;
    with_actors(node, &token, &body, &plan).await.expect(200);
    node.get(&edge).await.problem(410, "gone");
});

story!(what_goes_along_counts_as_deleted, async |node| {
    let token = feeder(node, "hessen").await;
    done(node, &token, &numbered(0..13)).await;
    let key =
        |id: u32| json!({"kind": "actor", "external_id": {"system": "cms", "id": id.to_string()}});
    let edges: Vec<Value> = (1..11)
        .map(|number| {
            let edge = json!({"type": "cooperates_with", "publication": "published", "from": key(number), "to": key(0)});
            upsert("relationship", &number.to_string(), &edge)
        })
        .collect();
    let made = push(node, &token, &edges).await.expect(200);
    assert_eq!(statuses(&made), ["created"; 10]);
    let body = numbered(0..2);
    let plan = planned_actors(node, &token, &body).await;
    assert_eq!(plan.json["relationships"], 9);
    assert_eq!(plan.json["blocked_by"], json!([]), "11 and 9 are 20");
    let body = numbered(0..1);
    let plan = planned_actors(node, &token, &body).await;
    assert_eq!(counts(&plan), json!({"unchanged": 1, "deleted": 12}));
    let refused = with_actors(node, &token, &body, &plan).await;
    let refused = refused.problem(409, "deletion-threshold-exceeded");
    assert_eq!(refused.json["deletions"], 22);
});

story!(a_snapshot_that_breaks_off_leaves_nothing, async |node| {
    let token = feeder(node, "hessen").await;
    done(node, &token, &numbered(0..3)).await;
    let before = everything(node).await;
    let lines = |numbers: std::ops::Range<u64>| -> Vec<Line> {
        let line = |number: u64| Line::whole(number, line(&number.to_string(), "Anders"));
        numbers.map(line).collect()
    };
    let kinds = [Kind::Actor];
    let mut snapshot = Snapshot {
        system: "cms",
        kinds: &kinds,
        unreadable: 0,
        unreadable_hash: "",
        plan: None,
        skip_invalid: false,
        confirmed: Confirmed::default(),
        exported: None,
    };
    let whole = async |_, at| Ok((lines(at..(at + 2).min(4)), (at + 2).min(4)));
    let rehearsal = WriteOptions {
        dry_run: true,
        ..WriteOptions::default()
    };
    let options = WriteOptions::default();
    let caller = domain::access::rules::Caller::node();
    let store = &node.store;
    let planned = store.push().snapshot(&caller, &snapshot, whole, &rehearsal);
    let (plan, decision) = planned.await.unwrap();
    assert_eq!(decision, Decision::Planned);
    let hash = plan.hash();
    snapshot.plan = Some(&hash);
    // The first lines are written when the others cannot be read.
    let broken = async |_, at| match at {
        0 => Ok((lines(0..2), 2)),
        _ => Err(StoreError::Corrupt("the spool is gone".to_owned())),
    };
    let failed = store
        .push()
        .snapshot(&caller, &snapshot, broken, &options)
        .await;
    failed.unwrap_err();
    assert_eq!(everything(node).await, before);
    let (_, decision) = store
        .push()
        .snapshot(&caller, &snapshot, whole, &options)
        .await
        .unwrap();
    assert_eq!(decision, Decision::Done);
    assert_eq!(supplied(node).await.len(), 4);
});

story!(much_goes_only_when_an_admin_says_so, async |node| {
    let token = feeder(node, "hessen").await;
    done(node, &token, &numbered(0..30)).await;
    // Twenty are always allowed.
    let twenty = numbered(0..10);
    let plan = planned(node, &token, &twenty).await.expect(200);
    assert_eq!(
        (counts(&plan), &plan.json["blocked_by"]),
        (json!({"unchanged": 10, "deleted": 20}), &json!([]))
    );
    // An empty one, one without lines, and one that lacks more.
    for body in ["", "\n\n", &numbered(0..9)] {
        let plan = planned(node, &token, body).await.expect(200);
        assert_eq!(
            plan.json["blocked_by"],
            json!(["deletion-threshold-exceeded"])
        );
        let before = everything(node).await;
        let refused = carried_out(node, &token, body, &plan).await;
        let refused = refused.problem(409, "deletion-threshold-exceeded");
        assert_eq!(refused.json["records"], 30);
        assert_eq!(everything(node).await, before);
    }
    let body = numbered(0..9);
    let plan = planned(node, &token, &body).await.expect(200);
    let confirmed = |token: &str| {
        let hash = plan.json["plan_hash"].as_str().unwrap();
        let path = format!("{SNAPSHOT}?plan_hash={hash}&approve_deletions=true");
        node.post(&path)
            .token(token)
            .body("application/x-ndjson", body.as_str())
    };
    confirmed(&token).await.problem(403, "forbidden");
    let narrowed = node.narrowed(&[TokenScope::Sync]).await;
    confirmed(&narrowed).await.problem(403, "forbidden");
    let applied = confirmed(&node.admin).await.expect(200);
    assert_eq!(counts(&applied), json!({"unchanged": 9, "deleted": 21}));
    assert_eq!(supplied(node).await.len(), 9);
});

story!(a_snapshot_of_some_kinds_leaves_the_others, async |node| {
    let token = feeder(node, "hessen").await;
    let network = json!({"name": "Netz", "home_region": "hessen"});
    let items = [
        upsert("network", "n", &network),
        upsert("actor", "1", &actor("Eins")),
        upsert("actor", "2", &actor("Zwei")),
    ];
    push(node, &token, &items).await.expect(200);
    let table = "external_id.id,name,home_region,publication\r\n1,Eins,hessen,published\r\n";
    let csv = |query: &str, table: &str| -> Call {
        let call = node.post(&format!("{SNAPSHOT}?{query}")).token(&token);
        call.body("text/csv", table)
    };
    // The kind of a table must be known.
    csv("dry_run=true", table)
        .await
        .problem(400, "invalid-parameter");
    let plan = csv("dry_run=true&kind=actor", table).await.expect(200);
    assert_eq!(counts(&plan), json!({"unchanged": 1, "deleted": 1}));
    assert_eq!(plan.json["records"], 2);
    let empty = csv("dry_run=true&kind=network", "name\n").await.expect(200);
    assert_eq!(counts(&empty), json!({"deleted": 1}));
    // Lines of one kind have it too, and others are invalid then.
    let of_actors = |body: String| {
        let call = node
            .post(&format!("{SNAPSHOT}?dry_run=true&kind=actor"))
            .token(&token);
        call.body("application/x-ndjson", body)
    };
    let plan = of_actors(lines(&[line("2", "Zwei")])).await.expect(200);
    assert_eq!(counts(&plan), json!({"unchanged": 1, "deleted": 1}));
    let mut other = line("n", "Netz");
    other["kind"] = json!("network");
    let plan = of_actors(lines(&[line("2", "Zwei"), other]))
        .await
        .expect(200);
    assert_eq!(
        counts(&plan),
        json!({"unchanged": 1, "deleted": 1, "failed": 1})
    );
    // All of them at once.
    let plan = planned(node, &token, &lines(&[line("2", "Zwei")]))
        .await
        .expect(200);
    assert_eq!(counts(&plan), json!({"unchanged": 1, "deleted": 2}));
});

story!(
    lines_that_are_refused_hold_up_the_others_unless_told,
    async |node| {
        let token = feeder(node, "hessen").await;
        done(node, &token, &numbered(0..3)).await;
        let mut bad = line("1", "");
        bad["colour"] = json!("red");
        let body = lines(&[line("0", "Null"), bad, line("0", "Zweimal")]);
        let plan = planned(node, &token, &body).await.expect(200);
        assert_eq!(
            counts(&plan),
            json!({"updated": 1, "deleted": 1, "failed": 2})
        );
        assert_eq!(plan.json["blocked_by"], json!(["items-refused"]));
        let refused = carried_out(node, &token, &body, &plan).await;
        let refused = refused.problem(422, "items-refused");
        let told: Vec<_> = refused.json["items"].as_array().unwrap().iter().collect();
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|one| problem(one) == "validation-failed"));
        let skipping = |body: &str, plan: &Answer| {
            let hash = plan.json["plan_hash"].as_str().unwrap();
            let path = format!("{SNAPSHOT}?plan_hash={hash}&skip_invalid=true");
            node.post(&path)
                .token(&token)
                .body("application/x-ndjson", body)
        };
        // The record of a rejected line stays unchanged.
        skipping(&body, &plan).await.expect(200);
        let rows = supplied(node).await;
        let names: Vec<_> = rows
            .iter()
            .map(|row| row.name.as_deref().unwrap())
            .collect();
        assert_eq!(names, ["Null", "Praxis 1"]);

        // A line without a key may belong to any record, so nothing can be missing.
        for unknown in [
            "{\"kind\": \"actor\", \"name\": \"Ohne Schlüssel\"}",
            "{\"kind\": \"akteur\"}",
            "[]",
            "{",
            "{\"a\": 1, \"a\": 2}",
        ] {
            let body = format!("{}{unknown}\n", numbered(0..1));
            let plan = planned(node, &token, &body).await.expect(200);
            assert_eq!(plan.json["counts"]["failed"], 1, "{unknown}");
            skipping(&body, &plan).await.problem(422, "items-refused");
        }
        // The violations of a line are part of the plan.
        let one = planned(node, &token, "{").await.expect(200);
        let other = planned(node, &token, "\n{").await.expect(200);
        assert_ne!(one.json["plan_hash"], other.json["plan_hash"]);
        assert_eq!(
            statuses(&push(node, &token, &[upsert("actor", "1", &actor("x"))]).await),
            ["updated"]
        );
    }
);
