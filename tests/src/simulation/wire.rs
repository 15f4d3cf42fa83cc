//! The network of the simulation: requests wait until they are answered.

use api::exchange::partners::pull::{Failed, PartnerSync};
use api::exchange::partners::transport::{Answer, PartnerTransport, Unreadable};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use persistence::Store;
use persistence::lease::Lease;
use persistence::partner::PageOutcome;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// The response of a partner, or the reason for its absence.
pub(super) type Answered = Result<Answer, String>;

pub(super) struct Question {
    pub(super) path: String,
    answer: oneshot::Sender<Answered>,
}

#[derive(Debug)]
struct Wire(mpsc::UnboundedSender<Question>);

pub(super) struct Flight {
    pub(super) link: usize,
    pub(super) turn: u32,
    /// The last request, and its pending response.
    pub(super) asked: Option<(Question, Option<Answered>)>,
    pub(super) path: String,
    pub(super) generation: u32,
    pub(super) changed: bool,
    pub(super) cut_off: bool,
    pub(super) stale: bool,
    step: LocalBoxFuture<'static, Result<PageOutcome, Failed>>,
    questions: mpsc::UnboundedReceiver<Question>,
}

pub(super) enum Event {
    Asks,
    Ended(Result<PageOutcome, Failed>),
}

impl PartnerTransport for Wire {
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
        // The requester may be gone.
        let _ = self.answer.send(with);
    }
}

impl Flight {
    pub(super) fn start(store: &Store, (link, turn): (usize, u32), lease: Lease) -> Self {
        let (send, questions) = mpsc::unbounded_channel();
        let exchange = PartnerSync::with(store.clone(), Wire(send));
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
