//! Time limits of request bodies.

use crate::config::Config;
use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures::Stream;
use std::cell::Cell;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Watches the body; the result tells whether it was too slow.
pub(crate) fn watch(request: &mut ServiceRequest, body_rate: BodyRate) -> Rc<Cell<bool>> {
    let late = Rc::new(Cell::new(false));
    match request.take_payload() {
        Payload::None => {}
        body => {
            let body = Box::pin(Body::new(body, body_rate, late.clone()));
            request.set_payload(Payload::Stream { payload: body });
        }
    }
    late
}

#[derive(Debug, Clone, Copy)]
pub struct BodyRate {
    patience: Duration,
    bytes_per_second: u32,
}

impl BodyRate {
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            patience: Duration::from_secs(config.body_timeout_seconds),
            bytes_per_second: config.min_body_bytes_per_second.get(),
        }
    }
}

/// A body with a time limit. Only the time that the reader waits counts: the client is not
/// responsible for slow processing.
struct Body {
    payload: Payload,
    rate: BodyRate,
    left: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    late: Rc<Cell<bool>>,
}

impl Body {
    fn new(payload: Payload, body_rate: BodyRate, late: Rc<Cell<bool>>) -> Self {
        Self {
            payload,
            rate: body_rate,
            left: body_rate.patience,
            waiting: None,
            late,
        }
    }

    /// Bytes have arrived: the wait is over, and they add time, up to the initial limit.
    fn came(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(bytes.into()) / self.rate.bytes_per_second;
        self.left = self.left.saturating_add(earned).min(self.rate.patience);
    }
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = &mut *self;
        if let Poll::Ready(next) = Pin::new(&mut body.payload).poll_next(cx) {
            if let Some(Ok(bytes)) = &next {
                body.came(bytes.len());
            }
            return Poll::Ready(next);
        }
        let left = body.left;
        let (_, timer) = body
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        body.late.set(true);
        let late = std::io::Error::from(ErrorKind::TimedOut);
        Poll::Ready(Some(Err(PayloadError::Io(late))))
    }
}
