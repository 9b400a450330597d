//! A call with everything that may stand around it, or nothing, which comes to its end where it would be put on the wire.
//!
//! Its time is nearly up: such a call has its address chosen, asks breaker and bulkhead, is not sent, and is settled with
//! all of them. So what stands around calls is measured as calls meet it, without a connection.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use selvedge::base::call::{Call, Request, RestRequest};
use selvedge::base::failure::{Cause, Failure};
use selvedge::base::id::{BackendId, PoliciesId};
use selvedge::call::{Calls, Clients, Shared, run};
use selvedge::observe::drift::Drift;
use selvedge::plan::build;
use selvedge::spec::{Asked, read_texts};
use tokio::time::Instant;

/// A backend of one address without any policy.
pub(crate) const NOTHING: &str = "{ rest: http://127.0.0.1:1 }";

/// A backend of two addresses with every policy that a call of its own meets.
pub(crate) const EVERYTHING: &str = "{
  rest: [http://127.0.0.1:1, http://127.0.0.1:2], concurrency: 1000, hedge: 50ms, retry: { attempts: 3 },
  breaker: { failures: 50%, of: 20, within: 10s, consecutive: 5, slow: { over: 1s, share: 80% } }, balance: { eject: { consecutive: 5 } } }";

/// A call to such a backend.
#[derive(Debug)]
pub(crate) struct Around {
    calls: Arc<Calls>,
    call: Call,
}

impl Around {
    /// A call to a backend that is written so.
    pub(crate) fn of(backend: &str) -> Self {
        let text = format!(
            "backends: {{ a: {backend} }}\nendpoints: {{ GET /a: {{ steps: {{ s: {{ backend: a, get: /a }} }}, result: \"${{s}}\" }} }}\n"
        );
        let look_up = |_: Asked<'_>| Ok(None);
        let reading = read_texts(&[("compositions/a.yaml", &text)], &look_up);
        let built = build(&reading, (&look_up, &|_| Vec::new()));
        let (plan, _) = built.unwrap_or_else(|mistakes| unreachable!("{mistakes:?}"));
        let plan = Arc::new(plan);
        assert_eq!(plan.around.calls.len(), 1, "one call has one row of policies");
        let drift = Drift::new(&plan.promises);
        let shared = Arc::new(Shared::new(&plan, Clients::of(1)));
        let request =
            RestRequest { method: Method::GET, target: "/a".parse().expect("a path"), body: None, operation: None };
        let call = Call {
            backend: BackendId(0),
            request: Request::Rest(request),
            headers: HeaderMap::new(),
            deadline: Instant::now(),
            given: Duration::from_secs(60),
            policies: PoliciesId(0),
            is_attempted_once: false,
            affinity: None,
            anchor: None,
            judge: None,
            keeping: None,
        };
        Self { calls: Arc::new(Calls::new(plan, shared, 0, drift.doubt().clone())), call }
    }

    /// The call, from its beginning to where it would be sent.
    pub(crate) async fn made(&self) -> Failure {
        let call = Call { deadline: Instant::now() + Duration::from_millis(5), ..self.call.clone() };
        let failure = run(&self.calls, call).await.expect_err("it is not sent");
        assert_eq!(failure.cause, Cause::Timeout);
        failure
    }
}
