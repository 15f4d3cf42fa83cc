//! The network of the simulation: questions wait until somebody answers them.

use api::exchange::partners::pull::{Exchange, Failed};
use api::exchange::partners::transport::{Answer, Ask, Unreadable};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use persistence::Store;
use persistence::partner::{Lease, Taken};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// What a partner answered, or why it did not.
pub(super) type Answered = Result<Answer, String>;

/// A question under way.
pub(super) struct Question {
    /// Path and query.
    pub(super) path: String,
    answer: oneshot::Sender<Answered>,
}

/// The end of the network at which a node asks.
#[derive(Debug)]
struct Wire(mpsc::UnboundedSender<Question>);

/// A node that is taking over a page.
pub(super) struct Flight {
    pub(super) link: usize,
    /// Counts the leases of the link.
    pub(super) turn: u32,
    /// What it asked last, and the answer that is under way.
    pub(super) asked: Option<(Question, Option<Answered>)>,
    /// The path that it asked last.
    pub(super) path: String,
    /// Of which life of the partner the answers are.
    pub(super) generation: u32,
    /// Whether that is another one than that of the answer before.
    pub(super) changed: bool,
    /// Whether an answer came in part only.
    pub(super) cut_off: bool,
    /// Whether an answer was one to an earlier question.
    pub(super) stale: bool,
    step: LocalBoxFuture<'static, Result<Taken, Failed>>,
    questions: mpsc::UnboundedReceiver<Question>,
}

/// How far a flight has come.
pub(super) enum Event {
    Asks,
    Ended(Result<Taken, Failed>),
}

impl Ask for Wire {
    async fn get(&self, url: &str, _: Duration) -> Result<Answer, Unreadable> {
        let (send, answer) = oneshot::channel();
        // `http://node-1/v1/…`
        let path = url.splitn(4, '/').nth(3).unwrap();
        let question = Question {
            path: format!("/{path}"),
            answer: send,
        };
        self.0.send(question).ok().unwrap();
        let answer = answer.await.unwrap();
        Ok(answer?)
    }
}

impl Question {
    pub(super) fn answer(self, with: Answered) {
        // Whoever asked may be gone.
        let _ = self.answer.send(with);
    }
}

impl Flight {
    pub(super) fn start(store: &Store, (link, turn): (usize, u32), lease: Lease) -> Self {
        let (send, questions) = mpsc::unbounded_channel();
        let exchange = Exchange::with(store.clone(), Wire(send));
        let step = async move {
            let (_keep, mut stop) = watch::channel(false);
            exchange.step(&lease, Duration::ZERO, &mut stop).await
        };
        Self {
            link,
            turn,
            asked: None,
            path: String::new(),
            generation: 0,
            changed: false,
            cut_off: false,
            stale: false,
            step: step.boxed_local(),
            questions,
        }
    }

    /// Goes on until it asks or ends.
    pub(super) async fn go(&mut self) -> Event {
        tokio::select! {
            biased;
            outcome = &mut self.step => Event::Ended(outcome),
            question = self.questions.recv() => {
                let question = question.unwrap();
                self.path.clone_from(&question.path);
                self.asked = Some((question, None));
                Event::Asks
            }
        }
    }
}
