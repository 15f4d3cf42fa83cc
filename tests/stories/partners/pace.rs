//! Waiting times of partners, and the rate of requests.

use super::newer::page;
use super::trouble::{answering, partners, until};
use actix_web::dev::ServerHandle;
use actix_web::{HttpRequest, HttpResponse};
use api::config::Config;
use api::exchange::partners::pull::{Failed, PartnerSync};
use chrono::TimeDelta;
use persistence::partner::PageOutcome;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tests::node::loopback;
use tests::{Instance, Intake, story};
use tokio::sync::watch;

story!(
    a_lease_is_kept_while_an_answer_is_waited_for,
    async |node| {
        let (told, asked) = watch::channel(false);
        let (answer, answers) = watch::channel(false);
        let waits = move |_| {
            told.send_replace(true);
            let mut answers = answers.clone();
            async move {
                answers.wait_for(|answers| *answers).await.unwrap();
                HttpResponse::Ok().body(page(&[], json!({})).to_string())
            }
        };
        let (base, handle) = answering(waits);
        let intake = Intake::new(node, "fern", &base, json!({})).await;
        let instance = Instance::start(node, Config::default()).await;
        let config = Config {
            outbound_allowlist: loopback(),
            ..Config::default()
        };
        let exchange = PartnerSync::new(instance.store.clone(), &config).unwrap();
        let exchange = exchange.heartbeat(Duration::from_millis(20));
        let lease = instance.store.partners().lease(intake.id).await.unwrap();
        let lease = lease.unwrap();
        let until_when = async || intake.row().await.leased_until.unwrap();
        let (_keep, mut stop) = watch::channel(false);
        let waiting = async {
            until("it is asked", async || *asked.borrow()).await;
            for _ in 0..3 {
                let before = until_when().await;
                assert_eq!(before - instance.now(), TimeDelta::seconds(20));
                instance.later(TimeDelta::seconds(15));
                until("it is prolonged", async || until_when().await > before).await;
                assert!(instance.store.partners().due().await.unwrap().is_empty());
            }
            answer.send_replace(true);
        };
        let (taken, ()) = futures::join!(exchange.step(&lease, Duration::ZERO, &mut stop), waiting);
        assert_eq!(taken.unwrap(), PageOutcome::UpToDate);
        // The lease of the dead instance is not renewed.
        instance.later(TimeDelta::seconds(20));
        let next = instance.store.partners().lease(intake.id).await.unwrap();
        assert!(next.is_some());
        let late = exchange.step(&lease, Duration::ZERO, &mut stop).await;
        assert!(matches!(late, Err(Failed::Lost)), "{late:?}");
        instance.stop().await;
        handle.stop(false).await;
    }
);

type Answer = fn(&HttpRequest) -> HttpResponse;

fn counting(answer: Answer) -> (String, ServerHandle, Arc<AtomicUsize>) {
    let asked: Arc<AtomicUsize> = Arc::default();
    let counter = asked.clone();
    let (base, handle) = answering(move |request| {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(answer(&request))
    });
    (base, handle, asked)
}

fn told(origin: &str, more: Value) -> HttpResponse {
    let mut page = page(&[], more);
    page["origin"] = json!(origin);
    HttpResponse::Ok().body(page.to_string())
}

story!(
    whoever_answers_too_fast_is_not_asked_too_often,
    async |node| {
        let impatient = |_: &HttpRequest| told("eilig", json!({}));
        let endless = |_: &HttpRequest| told("endlos", json!({"up_to_date": false}));
        let forgetful = |request: &HttpRequest| {
            if request.query_string().contains("cursor=") {
                let problem = json!({"type": "/problems/resync-required", "reason": "log_forked"});
                return HttpResponse::Gone().body(problem.to_string());
            }
            told(
                "vergesslich",
                json!({"phase": "snapshot", "up_to_date": false}),
            )
        };
        let answers: [(&str, Answer, Option<&str>); 3] = [
            ("eilig", impatient, None),
            ("endlos", endless, Some("stays the same")),
            ("vergesslich", forgetful, Some("log_forked")),
        ];
        let mut servers = Vec::new();
        for (name, answer, why) in answers {
            let (base, handle, asked) = counting(answer);
            let intake = Intake::new(node, name, &base, json!({})).await;
            servers.push((intake, handle, asked, why));
        }
        let worker = partners(node);
        tokio::time::sleep(Duration::from_secs(2)).await;
        for (intake, _, asked, why) in &servers {
            let asked = asked.load(Ordering::SeqCst);
            let row = intake.row().await;
            assert!((2..=5).contains(&asked), "{}: {asked}", row.name);
            let Some(why) = why else {
                assert_eq!(row.failures, 0);
                continue;
            };
            assert!(row.failures > 0, "{}", row.name);
            let told = row.last_error.unwrap_or_default();
            assert!(told.contains(why), "{}: {told}", row.name);
        }
        worker.stop().await;
        for (_, handle, _, _) in servers {
            handle.stop(false).await;
        }
    }
);
