//! Answers that many wait for at the same time, made once.

use actix_web::web::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// The answers of one state of the log.
#[derive(Debug, Default)]
pub struct SharedAnswers(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    state: i64,
    made: HashMap<String, Arc<OnceCell<Bytes>>>,
}

impl SharedAnswers {
    /// The answer to a request, made by the first who asks in this state; the others wait for it.
    /// Answers of earlier states are forgotten.
    ///
    /// # Errors
    /// Those of making it; the next one tries again.
    pub async fn get<E>(
        &self,
        state: i64,
        request: &str,
        make: impl AsyncFnOnce() -> Result<Bytes, E>,
    ) -> Result<Bytes, E> {
        let answer = {
            let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if answers.state < state {
                *answers = Answers {
                    state,
                    made: HashMap::new(),
                };
            }
            let made = answers.made.entry(request.to_owned()).or_default();
            made.clone()
        };
        answer.get_or_try_init(|| make()).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::cell::Cell;

    #[test]
    fn an_answer_is_made_once_for_each_state() {
        let shared = SharedAnswers::default();
        let made = Cell::new(0);
        let ask = |state, request: &'static str, fine| {
            let make = async || {
                made.set(made.get() + 1);
                if fine {
                    Ok(Bytes::from_static(b"answer"))
                } else {
                    Err(())
                }
            };
            block_on(shared.get(state, request, make))
        };
        ask(1, "a", false).unwrap_err();
        ask(1, "a", true).unwrap();
        ask(1, "a", false).unwrap();
        assert_eq!(made.get(), 2);
        ask(1, "b", true).unwrap();
        ask(2, "a", true).unwrap();
        assert_eq!(made.get(), 4);
        assert_eq!(shared.0.lock().unwrap().made.len(), 1);
    }
}
