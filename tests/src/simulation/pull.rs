//! Reading pages, with everything that can go wrong on the way.

use super::check::{copies_are_right, partner_of};
use super::wire::{Answered, Event, Flight};
use super::{Link, World};
use crate::replica::Page;
use api::exchange::partners::pull::Failed;
use api::exchange::partners::transport::Answer;
use chrono::TimeDelta;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::exchange::sync::{FeedPhase, PartnerState};
use persistence::StoreError;
use persistence::partner::{NewPartner, PageOutcome, PartnerChange};
use persistence::write::Precondition;
use rand::Rng;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

const FAULT: &str = "fault: ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    LostBefore,
    LostAfter,
    WaitsBefore,
    WaitsAfter,
    AnsweredAsBefore,
    AnsweredAgain,
    CutOff,
    Mangled,
}

impl Link {
    pub(super) fn new(here: usize, there: usize) -> Self {
        Self {
            here,
            there,
            id: Uuid::nil(),
            lease: None,
            turn: 0,
            limit: 500,
            seen: BTreeMap::new(),
            in_tail: false,
            swept: false,
            last: None,
            pages: Vec::new(),
            ends: BTreeMap::new(),
        }
    }

    /// Fails if a page continues the transaction at the end of the previous one.
    fn transactions_are_whole(&mut self, path: &str, answer: &Answer) {
        let page: Page = serde_json::from_slice(&answer.body).unwrap();
        let first = page.entries.first().and_then(|told| told.tx);
        if let (Some(first), Some(last)) = (first, self.ends.get(path)) {
            assert!(first > *last, "the transaction {last} came in parts");
        }
        if let Some(last) = page.entries.last().and_then(|told| told.tx) {
            self.ends.insert(page.next, last);
        }
    }
}

impl World<'_> {
    pub(super) async fn make_partner(&mut self, link: usize) {
        let (kinds, home_regions) = self.any_filter();
        let there = self.links[link].there;
        let new = NewPartner {
            name: format!("node-{there}"),
            url: format!("http://node-{there}"),
            origin: None,
            kinds,
            home_regions,
        };
        let here = &self.nodes[self.links[link].here];
        let made = here.store.partners().create(&Caller::node(), &new).await;
        self.links[link].id = made.unwrap().id;
    }

    fn any_filter(&mut self) -> (Vec<Kind>, Vec<Uuid>) {
        let kinds = match self.rng.random_range(0..8) {
            0 => vec![Kind::Actor],
            1 => vec![Kind::Relationship],
            2 => vec![Kind::Topic, Kind::Actor],
            _ => Vec::new(),
        };
        let homes = match self.rng.random_range(0..5) {
            0 => vec![super::act::region(0)],
            1 => vec![super::act::region(0), super::act::region(1)],
            _ => Vec::new(),
        };
        (kinds, homes)
    }

    /// Starts to read a page, and continues until the network stops it.
    pub(super) async fn pull(&mut self, link: usize) {
        let here = self.links[link].here;
        let flying = self.flights.iter().any(|flight| flight.link == link);
        if self.links[link].lease.is_none() || flying {
            let leased = self.nodes[here].store.partners().lease(self.links[link].id);
            let Some(lease) = leased.await.unwrap() else {
                return;
            };
            self.links[link].lease = Some(lease);
            self.links[link].turn += 1;
        }
        let one = &mut self.links[link];
        let lease = one.lease.clone().unwrap();
        one.limit = [1, 2, 3, 3, 10][self.rng.random_range(0..5)];
        let flight = Flight::start(&self.nodes[here].store, (link, one.turn), lease);
        self.note(format!("{here} pulls from {}", self.links[link].there));
        self.fly(flight).await;
    }

    pub(super) async fn land(&mut self) {
        if self.flights.is_empty() {
            return;
        }
        let which = self.rng.random_range(0..self.flights.len());
        let mut flight = self.flights.remove(which);
        let (question, answered) = flight.asked.take().unwrap();
        let link = &self.links[flight.link];
        self.note(format!("{} goes on with {}", link.here, link.there));
        let answered = match answered {
            Some(answered) => answered,
            None => self.answer(&mut flight).await,
        };
        question.answer(answered);
        self.fly(flight).await;
    }

    async fn fly(&mut self, mut flight: Flight) {
        loop {
            match flight.go().await {
                Event::Ended(outcome) => return self.ended(&flight, outcome).await,
                Event::Asks => {}
            }
            let fate = self.fate();
            if fate != Fate::Answered {
                self.note(format!("  {fate:?}"));
            }
            let lost = || Err(format!("{FAULT}{fate:?}"));
            let (question, _) = flight.asked.take().unwrap();
            let answered = match fate {
                Fate::Answered => self.answer(&mut flight).await,
                Fate::LostBefore => lost(),
                Fate::LostAfter => {
                    drop(self.answer(&mut flight).await);
                    lost()
                }
                Fate::WaitsBefore => {
                    flight.asked = Some((question, None));
                    return self.flights.push(flight);
                }
                Fate::WaitsAfter => {
                    let answered = self.answer(&mut flight).await;
                    flight.asked = Some((question, Some(answered)));
                    return self.flights.push(flight);
                }
                Fate::AnsweredAsBefore => match &self.links[flight.link].last {
                    Some((path, answered)) if *path == flight.path => answered.clone(),
                    Some(_) | None => self.answer(&mut flight).await,
                },
                Fate::AnsweredAgain => match self.some_older(&flight) {
                    Some(answer) => {
                        flight.stale = true;
                        Ok(answer)
                    }
                    None => self.answer(&mut flight).await,
                },
                Fate::Mangled => self.answer(&mut flight).await.map(mangled),
                Fate::CutOff => {
                    flight.cut_off = true;
                    self.answer(&mut flight).await.map(|mut answer| {
                        answer.body.truncate(answer.body.len() / 2);
                        answer
                    })
                }
            };
            question.answer(answered);
        }
    }

    fn fate(&mut self) -> Fate {
        if self.calm {
            return Fate::Answered;
        }
        match self.rng.random_range(0..100) {
            0..4 => Fate::LostBefore,
            4..8 => Fate::LostAfter,
            8..12 => Fate::WaitsBefore,
            12..19 => Fate::WaitsAfter,
            19..24 => Fate::AnsweredAsBefore,
            24..26 => Fate::CutOff,
            26..32 => Fate::AnsweredAgain,
            32..37 => Fate::Mangled,
            _ => Fate::Answered,
        }
    }

    /// A page of changes that was applied before, or an earlier one.
    fn some_older(&mut self, flight: &Flight) -> Option<Answer> {
        let pages = &self.links[flight.link].pages;
        if pages.is_empty() || flight.path.contains("/digest") {
            return None;
        }
        let which = self.rng.random_range(0..pages.len());
        self.links[flight.link].pages.get(which).cloned()
    }

    async fn answer(&mut self, flight: &mut Flight) -> Answered {
        let link = &self.links[flight.link];
        if self.cut.contains(&(link.here, link.there)) {
            return Err(format!("{FAULT}nothing gets through"));
        }
        let there = &self.nodes[link.there];
        flight.changed = flight.generation != there.generation;
        flight.generation = there.generation;
        let path = &flight.path;
        // Pages of this directory would contain everything at once.
        let short = !path.contains("cursor=") && !path.contains("/digest");
        let answer = if short {
            there.ask(&format!("{path}&limit={}", link.limit)).await
        } else {
            there.ask(path).await
        };
        if answer.status == reqwest::StatusCode::OK && !path.contains("/digest") {
            let link = &mut self.links[flight.link];
            link.transactions_are_whole(path, &answer);
            link.last = Some((flight.path.clone(), Ok(answer.clone())));
            // Only pages read after a snapshot are changes.
            if link.swept {
                link.pages.push(answer.clone());
            }
        }
        Ok(answer)
    }

    /// Does the server's work after a page, and checks the copies.
    async fn ended(&mut self, flight: &Flight, outcome: Result<PageOutcome, Failed>) {
        self.note(format!("  {outcome:?}"));
        let superseded = flight.turn != self.links[flight.link].turn;
        let link = &mut self.links[flight.link];
        let (here, there) = (link.here, link.there);
        if superseded {
            let late = matches!(outcome, Err(Failed::Lost | Failed::Partner { .. }));
            // Digests that cannot be compared are dropped.
            let dropped =
                flight.path.contains("/digest") && matches!(outcome, Ok(PageOutcome::UpToDate));
            assert!(
                late || dropped,
                "who lost the lease writes nothing: {outcome:?}"
            );
            return;
        }
        let up_to_date = matches!(outcome, Ok(PageOutcome::UpToDate));
        let digests = flight.path.contains("/digest");
        match outcome {
            // Between page and digests the partner may have become another one.
            Ok(PageOutcome::More) => {
                assert!(!digests || flight.changed, "the digests are not equal");
            }
            Ok(PageOutcome::Unswept) => panic!("a step sweeps"),
            Ok(PageOutcome::UpToDate) => {}
            Ok(PageOutcome::Stopped) => link.lease = None,
            // The partner was changed in the meantime.
            Err(Failed::Lost) => assert!(link.lease.is_none(), "no one else has a lease"),
            Err(Failed::Partner(unreadable)) => {
                let why = unreadable.why;
                // A page that was applied before leads nowhere.
                let injected = why.starts_with(FAULT) || flight.cut_off || flight.stale;
                assert!(injected && !self.calm, "{why}");
                if let Some(lease) = link.lease.take() {
                    let pause = TimeDelta::seconds(self.rng.random_range(0..30));
                    let store = &self.nodes[here].store;
                    let again = store.clock().now() + pause;
                    store
                        .partners()
                        .note_failure(&lease, &why, again)
                        .await
                        .unwrap();
                }
            }
            Err(other) => panic!("{other:?}"),
        }
        let link = &mut self.links[flight.link];
        let (here, there) = (&self.nodes[here], &self.nodes[there]);
        let complete = up_to_date && flight.generation == there.generation;
        if !self.calm {
            copies_are_right(here, there, link, complete).await;
        }
    }

    /// Reads everything, without faults.
    pub(super) async fn catch_up(&mut self, link: usize) {
        for _ in 0..200 {
            let here = self.links[link].here;
            self.let_go_on(link).await;
            self.pull(link).await;
            assert!(self.flights.is_empty());
            let store = &self.nodes[here].store;
            let partner = partner_of(store, self.links[link].id).await;
            let there = &self.nodes[self.links[link].there];
            let head = there.store.log().head().await.unwrap();
            let done = partner.state == PartnerState::Active
                && partner.phase == FeedPhase::Changes
                && !partner.unswept;
            if done && partner.seq == head {
                return;
            }
        }
        panic!("a partner is never caught up with");
    }

    /// Resumes a partner that is paused, and approves pending deletions.
    async fn let_go_on(&mut self, link: usize) {
        let one = &mut self.links[link];
        let store = &self.nodes[one.here].store;
        let partner = partner_of(store, one.id).await;
        let (node, any) = (Caller::node(), Precondition::Any);
        match partner.state {
            PartnerState::AwaitingApproval => {
                let deletions = partner.held_deletions.unwrap();
                assert!(deletions > 20, "a few may always go");
                drop(
                    store
                        .partners()
                        .approve_deletions(&node, one.id, &any)
                        .await
                        .unwrap(),
                );
                one.lease = None;
            }
            PartnerState::Paused => {
                let change = PartnerChange {
                    paused: Some(false),
                    ..PartnerChange::default()
                };
                let changed = store.partners().update(&node, one.id, &any, &change).await;
                drop(changed.unwrap());
                one.lease = None;
            }
            PartnerState::Active => {}
        }
    }

    /// Entries in quarantine are sent again: an operator restarts the partner.
    pub(super) async fn clear_quarantine(&mut self, link: usize) {
        let one = &mut self.links[link];
        let store = &self.nodes[one.here].store;
        if !store.partners().has_quarantined(one.id).await.unwrap() {
            return;
        }
        let partner = partner_of(store, one.id).await;
        let change = PartnerChange {
            url: Some(format!("{}/", partner.url)),
            ..PartnerChange::default()
        };
        let (node, any) = (Caller::node(), Precondition::Any);
        let changed = store.partners().update(&node, one.id, &any, &change);
        drop(changed.await.unwrap());
        one.lease = None;
        one.in_tail = false;
        one.swept = false;
        one.pages.clear();
    }

    pub(super) async fn change_partner(&mut self) {
        let link = self.any_link();
        let change = match self.rng.random_range(0..4) {
            0 => return self.let_go_on(link).await,
            1 => PartnerChange {
                paused: Some(true),
                ..PartnerChange::default()
            },
            _ => {
                let (kinds, homes) = self.any_filter();
                PartnerChange {
                    kinds: Some(kinds),
                    home_regions: Some(homes),
                    ..PartnerChange::default()
                }
            }
        };
        self.note(format!("partner {link}: {change:?}"));
        let one = &mut self.links[link];
        let store = &self.nodes[one.here].store;
        let (node, any) = (Caller::node(), Precondition::Any);
        let changed = store.partners().update(&node, one.id, &any, &change);
        drop(changed.await.unwrap());
        one.lease = None;
        // The unfinished work is abandoned.
        one.in_tail = false;
        one.swept = false;
        one.pages.clear();
    }

    /// A statement fails in the middle of a pull or a write.
    async fn trapped(&mut self, node: usize, how: &str) -> Vec<usize> {
        const PLACES: [&str; 8] = [
            "INSERT ON change",
            "INSERT ON record",
            "DELETE ON record",
            "UPDATE OF next ON partner WHEN NEW.next IS NOT OLD.next",
            "UPDATE OF unswept ON partner WHEN NEW.unswept <> OLD.unswept",
            "UPDATE OF compared_at ON partner WHEN NEW.compared_at IS NOT OLD.compared_at",
            "UPDATE ON sync_state",
            "INSERT ON partner_seen",
        ];
        let place = PLACES[self.rng.random_range(0..PLACES.len())];
        self.note(format!("{node} is going to fail: {how} {place}"));
        self.nodes[node].trap(place, how).await;
        let links = (0..self.links.len()).filter(|link| self.links[*link].here == node);
        let links: Vec<usize> = links.collect();
        for _ in 0..self.rng.random_range(1..4) {
            if self.chance(40) {
                self.write_at(node).await;
            } else {
                let link = links[self.rng.random_range(0..links.len())];
                self.try_pull(link).await;
            }
        }
        links
    }

    pub(super) async fn fail_within(&mut self) {
        let node = self.any_node();
        let how = ["ABORT", "ROLLBACK"][self.rng.random_range(0..2)];
        self.trapped(node, how).await;
        self.nodes[node].untrap().await;
        let here = &self.nodes[node];
        here.truth.is_kept(&here.store).await;
    }

    /// A crash in the middle of a pull or a write.
    pub(super) async fn crash_within(&mut self) {
        let node = self.any_node();
        let links = self.trapped(node, "ABORT").await;
        self.crash_of(node).await;
        let seconds = self.rng.random_range(0..300);
        self.pass(seconds);
        for link in links {
            let link = &mut self.links[link];
            let (here, there) = (&self.nodes[link.here], &self.nodes[link.there]);
            copies_are_right(here, there, link, false).await;
        }
    }

    async fn try_pull(&mut self, link: usize) {
        let (here, there) = (self.links[link].here, self.links[link].there);
        self.flights.retain(|flight| flight.link != link);
        for _ in 0..20 {
            let store = self.nodes[here].store.clone();
            let lease = match &self.links[link].lease {
                Some(lease) => lease.clone(),
                None => match store.partners().lease(self.links[link].id).await {
                    Ok(Some(lease)) => lease,
                    Ok(None) | Err(StoreError::Database(_)) => return,
                    Err(other) => panic!("{other:?}"),
                },
            };
            self.links[link].lease = Some(lease.clone());
            let mut flight = Flight::start(&store, (link, 0), lease);
            let outcome = loop {
                match flight.go().await {
                    Event::Ended(outcome) => break outcome,
                    Event::Asks => {}
                }
                let (question, _) = flight.asked.take().unwrap();
                let answered = self.answer(&mut flight).await;
                question.answer(answered);
            };
            self.note(format!("  {outcome:?}"));
            let partner = partner_of(&store, self.links[link].id).await;
            // Versions may go back in a snapshot, which may be over when they are checked.
            self.links[link].in_tail &= partner.phase == FeedPhase::Changes;
            match outcome {
                Ok(PageOutcome::More) => {}
                Ok(_) | Err(_) => break,
            }
        }
        let link = &mut self.links[link];
        copies_are_right(&self.nodes[here], &self.nodes[there], link, false).await;
    }
}

/// A page with one record that does not match its hash.
fn mangled(mut answer: Answer) -> Answer {
    let Ok(mut page) = serde_json::from_slice::<Value>(&answer.body) else {
        return answer;
    };
    let entries = page["entries"].as_array_mut().into_iter().flatten();
    let mut upserts = entries.filter(|entry| entry["op"] == "upsert");
    if let Some(entry) = upserts.next() {
        entry["hash"] = Value::from(format!("sha256:{}", "0".repeat(64)));
        answer.body = page.to_string().into_bytes();
    }
    answer
}
