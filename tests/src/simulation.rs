//! Nodes that read each other's feeds in a virtual network, with a virtual clock, with all the
//! faults of networks, machines and operators. All events are drawn from a seed, so a failing seed
//! fails again.
//!
//! Only the network is replaced: requests and responses use the feed as the application serves it,
//! and the partner code as the server runs it.

mod act;
mod check;
mod node;
mod pull;
mod reader;
mod truth;
mod wire;

use crate::database::Backend;
use api::exchange::partners::transport::Answer;
pub use node::Cluster;
use node::SimNode;
use persistence::lease::Lease;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reader::Reader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use uuid::Uuid;
use wire::{Answered, Flight};

pub const STEPS: usize = 200;

/// Initial time of the clocks: 2026-01-01, in microseconds.
const BEGINNING: i64 = 1_767_225_600_000_000;

const SECOND: i64 = 1_000_000;

struct Link {
    here: usize,
    there: usize,
    id: Uuid,
    lease: Option<Lease>,
    turn: u32,
    limit: usize,
    /// The versions of the copies when last checked, and whether that was among the changes.
    seen: BTreeMap<Uuid, i64>,
    in_tail: bool,
    /// Whether the last snapshot has ended, including its sweep.
    swept: bool,
    last: Option<(String, Answered)>,
    /// The pages since, for replay.
    pages: Vec<Answer>,
    /// By address of the next page: the last transaction of the page before.
    ends: BTreeMap<String, i64>,
}

struct World<'a> {
    rng: StdRng,
    calm: bool,
    cluster: &'a mut Cluster,
    nodes: Vec<SimNode>,
    links: Vec<Link>,
    flights: Vec<Flight>,
    readers: Vec<Reader>,
    /// Pairs of nodes without a connection.
    cut: BTreeSet<(usize, usize)>,
    trace: Arc<Trace>,
    named: u32,
}

pub type Trace = std::sync::Mutex<Vec<String>>;

/// Runs all events of the seed, heals everything, and fails unless all invariants hold.
pub async fn simulate(cluster: &mut Cluster, seed: u64, trace: Arc<Trace>) {
    let mut world = World::new(cluster, seed, trace).await;
    for number in 0..STEPS {
        world.note(format!("{number}."));
        world.step().await;
    }
    world.heal().await;
    world.end().await;
}

impl<'a> World<'a> {
    async fn new(cluster: &'a mut Cluster, seed: u64, trace: Arc<Trace>) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let count = [3, 3, 3, 3, 4, 5][rng.random_range(0..6)];
        let mut nodes = Vec::new();
        for number in 0..count {
            // No two clocks agree.
            let skew = rng.random_range(-600..600) * SECOND;
            let clock = Arc::new(AtomicI64::new(BEGINNING + skew));
            let origin = format!("node-{number}");
            nodes.push(SimNode::new(cluster, origin, clock).await);
        }
        let mut world = Self {
            rng,
            calm: false,
            cluster,
            nodes,
            links: Vec::new(),
            flights: Vec::new(),
            readers: Vec::new(),
            cut: BTreeSet::new(),
            trace,
            named: 0,
        };
        world.readers = (0..count).map(Reader::new).collect();
        for here in 0..count {
            for there in 0..count {
                // At least a ring.
                let next = (here + 1) % count == there;
                if here != there && (next || world.chance(60)) {
                    world.links.push(Link::new(here, there));
                    let link = world.links.len() - 1;
                    world.make_partner(link).await;
                }
            }
        }
        world
    }

    fn note(&self, line: String) {
        self.trace.lock().unwrap().push(line);
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn any_node(&mut self) -> usize {
        self.rng.random_range(0..self.nodes.len())
    }

    fn any_link(&mut self) -> usize {
        self.rng.random_range(0..self.links.len())
    }

    fn pass(&mut self, seconds: i64) {
        self.note(format!("{seconds} s pass"));
        for node in &self.nodes {
            node.clock.fetch_add(seconds * SECOND, Ordering::SeqCst);
        }
    }

    async fn step(&mut self) {
        match self.rng.random_range(0..1000) {
            0..400 => self.write().await,
            400..720 => {
                let link = self.any_link();
                self.pull(link).await;
            }
            720..770 => self.land().await,
            770..830 => self.follow().await,
            830..845 => self.crash().await,
            845..858 => self.crash_within().await,
            858..866 => self.fail_within().await,
            866..879 => self.back_up().await,
            879..888 => self.restore().await,
            888..891 => self.recreate().await,
            891..903 => self.cut_or_mend(),
            903..916 => self.change_partner().await,
            916..924 => self.hide().await,
            924..930 => self.set_a_clock(),
            930..975 => self.read().await,
            _ => {
                let seconds = [1, 7, 45, 200, 400, 4000, 90_000];
                let seconds = seconds[self.rng.random_range(0..seconds.len())];
                self.pass(seconds);
            }
        }
    }

    async fn follow(&mut self) {
        let node = self.any_node();
        self.note(format!("{node} follows its log"));
        self.nodes[node].follow().await;
        self.nodes[node].remember();
    }

    async fn crash(&mut self) {
        let node = self.any_node();
        self.note(format!("{node} crashes"));
        self.crash_of(node).await;
    }

    async fn crash_of(&mut self, node: usize) {
        self.leave_the_air(node);
        self.nodes[node].crash(self.cluster).await;
    }

    fn leave_the_air(&mut self, node: usize) {
        let links = &self.links;
        self.flights
            .retain(|flight| links[flight.link].here != node);
        for link in self.links.iter_mut().filter(|link| link.here == node) {
            link.lease = None;
        }
    }

    async fn back_up(&mut self) {
        let node = self.any_node();
        if self.cluster.backend() == Backend::Postgres {
            self.leave_the_air(node);
        }
        self.note(format!("{node} is backed up"));
        self.nodes[node].back_up(self.cluster).await;
    }

    async fn restore(&mut self) {
        let (node, which) = (self.any_node(), self.rng.random_range(0..100));
        self.leave_the_air(node);
        if self.nodes[node].restore(self.cluster, which).await {
            self.note(format!("{node} goes back to a backup"));
            self.another_life(node);
            // The log may have grown beyond the position that others know of the lost one.
            if self.chance(50) {
                for _ in 0..self.rng.random_range(1..12) {
                    self.write_at(node).await;
                }
            }
        }
    }

    async fn recreate(&mut self) {
        let node = self.any_node();
        self.note(format!("{node} is created again"));
        self.leave_the_air(node);
        self.nodes[node].recreate(self.cluster).await;
        self.another_life(node);
        for link in 0..self.links.len() {
            if self.links[link].here == node {
                self.make_partner(link).await;
            }
        }
    }

    fn another_life(&mut self, node: usize) {
        for reader in &mut self.readers {
            reader.another_life(node);
        }
        for link in &mut self.links {
            if link.here == node {
                link.seen.clear();
                link.in_tail = false;
            }
            if link.here == node || link.there == node {
                link.swept = false;
                link.last = None;
                link.pages.clear();
                link.ends.clear();
            }
        }
    }

    fn set_a_clock(&mut self) {
        let node = self.any_node();
        let ahead = [90_000, 300_000][self.rng.random_range(0..2)];
        let right = self.nodes[node].ahead > 0;
        self.note(format!("the clock of {node} is put right: {right}"));
        self.nodes[node].set_clock(if right { 0 } else { ahead });
    }

    fn cut_or_mend(&mut self) {
        let (a, b) = (self.any_node(), self.any_node());
        if self.cut.is_empty() || self.chance(50) {
            self.note(format!("nothing gets through from {a} to {b}"));
            self.cut.insert((a, b));
        } else {
            self.note("everything gets through".to_owned());
            self.cut.clear();
        }
    }

    /// Ends all faults, and runs until nothing happens any more.
    async fn heal(&mut self) {
        self.note("healing".to_owned());
        self.cut.clear();
        while !self.flights.is_empty() {
            self.land().await;
        }
        self.calm = true;
        for node in &mut self.nodes {
            node.set_clock(0);
        }
        // Pauses after errors and leases of dead instances have expired, but no daily job is due.
        self.pass(100);
        for link in 0..self.links.len() {
            self.clear_quarantine(link).await;
        }
        self.come_to_rest().await;
        check::all_is_well(self).await;
        self.readers_are_right().await;
    }

    async fn come_to_rest(&mut self) {
        for _ in 0..20 {
            let before = check::heads(self).await;
            for node in &mut self.nodes {
                node.follow().await;
                node.remember();
            }
            for link in 0..self.links.len() {
                self.catch_up(link).await;
            }
            if check::heads(self).await == before {
                return;
            }
        }
        panic!("the nodes do not come to rest");
    }

    async fn end(mut self) {
        self.flights.clear();
        for node in self.nodes {
            node.remove().await;
        }
        self.cluster.clear();
    }
}
