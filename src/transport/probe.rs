//! Asks an address whether it is well, over the connections and the TLS that calls have.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::grpc;
use super::instance::Instance;
use crate::plan::Question;

/// Bytes of an answer that are read at most: what it says does not matter, but the connection is kept.
const MAX_ANSWER: usize = 64 << 10;

impl Instance {
    /// Asks whether the address is well and waits for an answer no longer than `timeout`.
    ///
    /// # Errors
    /// It is not, in words for operators.
    pub async fn ask(&self, question: &Question, timeout: Duration) -> Result<(), String> {
        let asked = async {
            match question {
                Question::Service(service) => grpc::check(self, service, Instant::now() + timeout).await,
                Question::Path(path) => self.get(path, timeout).await,
            }
        };
        match tokio::time::timeout(timeout, asked).await {
            Ok(answer) => answer,
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    async fn get(&self, path: &http::uri::PathAndQuery, timeout: Duration) -> Result<(), String> {
        let answer = self.fetch(path, &HeaderMap::new(), timeout).await?;
        let status = answer.status;
        // A long answer costs its connection and nothing else.
        let _ = answer.whole(MAX_ANSWER).await;
        if status.is_success() { Ok(()) } else { Err(format!("it answers {}", status.as_u16())) }
    }
}
