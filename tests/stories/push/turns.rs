use super::{
    actor, carried_out, counts, feeder, line, lines, planned, push, statuses, supplied, upsert,
};
use futures::future::join_all;
use serde_json::json;
use tests::story;

story!(of_two_at_once_one_creates_and_one_finds_it, async |node| {
    let token = feeder(node, "hessen").await;
    let items: Vec<_> = (0..5)
        .map(|number| upsert("actor", &number.to_string(), &actor("Gleich")))
        .collect();
    let both = futures::join!(
        push(node, &token, &items).into_future(),
        push(node, &token, &items).into_future()
    );
    let mut words = [statuses(&both.0), statuses(&both.1)];
    words.sort();
    assert_eq!(words, [["created"; 5], ["unchanged"; 5]]);
    assert_eq!(supplied(node).await.len(), 5);
    tests::audit::audit(node.store.db()).await;
});

story!(the_newest_state_wins_whoever_comes_first, async |node| {
    let token = feeder(node, "hessen").await;
    let pushes = (1..=6).map(|number| {
        let mut item = upsert("actor", "1", &actor(&format!("Stand {number}")));
        item["system_version"] = json!(number);
        push(node, &token, &[item])
    });
    join_all(pushes.map(IntoFuture::into_future)).await;
    let rows = supplied(node).await;
    assert_eq!(rows[0].name.as_deref(), Some("Stand 6"));
});

story!(
    of_two_that_carry_out_one_plan_one_is_too_late,
    async |node| {
        let token = feeder(node, "hessen").await;
        let body = lines(&[line("1", "Eins"), line("2", "Zwei")]);
        let plan = planned(node, &token, &body).await.expect(200);
        let carry = || carried_out(node, &token, &body, &plan);
        let (one, other) = futures::join!(carry().into_future(), carry().into_future());
        let mut both = [one.status, other.status];
        both.sort_unstable();
        assert_eq!(both, [200, 409]);
        let plan = planned(node, &token, &body).await.expect(200);
        assert_eq!(counts(&plan), json!({"unchanged": 2}));
    }
);
