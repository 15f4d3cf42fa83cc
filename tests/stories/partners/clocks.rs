//! Wrong clocks, dead instances, and partners that were away: reading resumes at once.

use super::actor;
use super::newer::page;
use super::trouble::{answering, partners, set, until};
use actix_web::HttpResponse;
use api::config::Config;
use api::exchange::partners::pull::PartnerSync;
use api::exchange::workers::Workers;
use chrono::{DateTime, TimeDelta, Utc};
use domain::base::clock::Clock;
use persistence::Store;
use serde_json::json;
use std::time::Duration;
use tests::node::loopback;
use tests::tables::partner;
use tests::{Backend, Instance, Intake, Neighbour, story};

story!(
    what_a_clock_that_was_ahead_has_noted_holds_nobody_up,
    async |node| {
        let there = Neighbour::start(node.backend, "dort").await;
        let id = actor(&there, "Akteur").await;
        // It reads from its partners while its clock is ahead, and dies.
        let ahead = Instance::start(node, Config::default()).await;
        ahead.later(TimeDelta::days(1));
        let reads = Intake::new(node, "nachbar", &there.base, json!({})).await;
        let fails = Intake::new(node, "kaputt", &there.base, json!({"kinds": ["topic"]})).await;
        for intake in [&reads, &fails] {
            let lease = ahead
                .store
                .partners()
                .lease(intake.id)
                .await
                .unwrap()
                .unwrap();
            let later = ahead.now() + TimeDelta::minutes(10);
            if intake.id == fails.id {
                let failed = ahead.store.partners().note_failure(&lease, "broken", later);
                failed.await.unwrap();
            }
        }
        let mut due = node.store.partners().due().await.unwrap();
        due.sort();
        let mut both = vec![reads.id, fails.id];
        both.sort();
        assert_eq!(due, both);
        reads.pull().await;
        node.get(&format!("/v1/actors/{id}")).await.expect(200);
        // Its lag counts from now, not from tomorrow.
        let shown = reads.shown().await;
        assert!(shown["lag"]["seconds"].as_i64().unwrap() < 60);
        ahead.stop().await;
        there.stop().await;
    }
);

story!(
    how_long_ago_a_partner_was_up_to_date_is_never_in_the_future,
    async |node| {
        let there = Neighbour::start(node.backend, "dort").await;
        let intake = Intake::new(node, "nachbar", &there.base, json!({})).await;
        intake.pull().await;
        let behind = Instance::start(node, Config::default()).await;
        behind.later(-TimeDelta::days(1));
        let lease = behind
            .store
            .partners()
            .lease(intake.id)
            .await
            .unwrap()
            .unwrap();
        behind.later(TimeDelta::seconds(30));
        let failed = behind
            .store
            .partners()
            .note_failure(&lease, "away", behind.now());
        failed.await.unwrap();
        let row = intake.row().await;
        assert!(row.up_to_date_at.unwrap() < behind.now());
        behind.stop().await;
        there.stop().await;
    }
);

story!(
    an_instance_that_died_leaves_its_leases_to_the_next,
    async |node| {
        let there = Neighbour::start(node.backend, "dort").await;
        let intake = Intake::new(node, "nachbar", &there.base, json!({})).await;
        let dead = node
            .store
            .partners()
            .lease(intake.id)
            .await
            .unwrap()
            .unwrap();
        assert!(node.store.partners().due().await.unwrap().is_empty());
        let next = Store::open(&node.database_url, None, Clock::default())
            .await
            .unwrap();
        next.leases().take_over().await.unwrap();
        // With PostgreSQL it may be another instance, which is alive.
        let alone = node.backend == Backend::Sqlite;
        assert_eq!(!next.partners().due().await.unwrap().is_empty(), alone);
        assert_eq!(node.store.partners().prolong(&dead).await.is_err(), alone);
        next.db().clone().close().await;
        there.stop().await;
    }
);

story!(a_partner_that_was_away_is_asked_again_soon, async |node| {
    // The partner is unreachable.
    let gone = Neighbour::start(node.backend, "dort").await;
    let base = gone.base.clone();
    gone.stop().await;
    let wrong = || HttpResponse::Ok().body("<html>");
    let (wrong, handle) = answering(move |_| std::future::ready(wrong()));
    for (name, base, longest) in [("weg", base, 30), ("falsch", wrong, 900)] {
        let intake = Intake::new(node, name, &base, json!({})).await;
        set(node, partner::Column::Failures, 50).await;
        let mut pauses = Vec::new();
        for failures in 51..56 {
            let worker = partners(node);
            until("it fails", async || intake.row().await.failures == failures).await;
            worker.stop().await;
            let row = intake.row().await;
            pauses.push((row.retry_at.unwrap() - row.failed_at.unwrap()).num_seconds());
            set(
                node,
                partner::Column::RetryAt,
                Option::<DateTime<Utc>>::None,
            )
            .await;
        }
        assert!(pauses.iter().all(|pause| *pause <= longest), "{pauses:?}");
        assert!(
            pauses.iter().any(|pause| *pause > longest / 10),
            "{pauses:?}"
        );
    }
    handle.stop(false).await;
});

story!(a_partner_that_never_answers_is_given_up, async |node| {
    let (base, handle) = answering(|request| async move {
        if request.query_string().contains("wait_seconds=") {
            std::future::pending::<()>().await;
        }
        let page = page(&[], json!({}));
        HttpResponse::Ok().body(page.to_string())
    });
    let intake = Intake::new(node, "fern", &base, json!({})).await;
    let config = Config {
        outbound_allowlist: loopback(),
        ..Config::default()
    };
    let exchange = PartnerSync::new(node.store.clone(), &config).unwrap();
    let worker = Workers::start(exchange.wait(Duration::from_secs(1)));
    // It was asked to wait for a second, and has fifteen more to start its response; the transfer
    // of a body may take two minutes, this must not.
    until("it is given up", async || intake.row().await.failures > 0).await;
    let shown = intake.shown().await;
    assert!(
        shown["last_error"].as_str().unwrap().contains("in time"),
        "{shown}"
    );
    worker.stop().await;
    handle.stop(false).await;
});
