//! Which of several failures an answer tells.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::Run;
use crate::base::failure::{Cause, Failure};
use crate::base::id::StepId;
use crate::base::value::Held;
use crate::call::{Calls, Clients, Shared};
use crate::exec::crowd::{Bounds, Wanted};
use crate::exec::frame::{At, FrameId};
use crate::exec::{ClientRequest, Live};
use crate::observe::drift::Doubt;
use crate::plan::{Answer, Plan, build};
use crate::spec::{Asked, read_texts};

const PROJECT: &str = "
backends: { a: { rest: http://127.0.0.1:1 } }
endpoints:
  GET /page:
    steps:
      one: { backend: a, get: /one }
      two: { backend: a, get: /two }
      lines: { for_each: '${[1, 2]}', backend: a, get: '/lines/${item}' }
    result: { one: '${one}', two: '${two}', lines: '${lines}' }
";

fn plan() -> Plan {
    let look_up = |_: Asked<'_>| Ok(None);
    let reading = read_texts(&[("compositions/a.yaml", PROJECT)], &look_up);
    build(&reading, (&look_up, &|_| Vec::new())).map(|(plan, _)| plan).expect("the project is right")
}

/// The code of the answer when calls end as told: the step's frame and number, the cause, and whether
/// the driver has turned before.
async fn code_of(ends: &[(u32, u32, Cause, bool)]) -> String {
    let plan = Arc::new(plan());
    let live = Live::new(
        Calls::new(plan.clone(), Arc::new(Shared::new(&plan, Clients::of(1))), 0, Doubt::default()),
        Arc::default(),
        Arc::default(),
    );
    let (head, ()) = http::Request::new(()).into_parts();
    let request = ClientRequest::new(head, HeaderValue::from_static("r"), IpAddr::V4(Ipv4Addr::LOCALHOST));
    let Answer::Compose(composed) = &live.plan.endpoints[0].answer else { unreachable!() };
    let mut run = Run::new(&live, &request, Instant::now() + Duration::from_secs(9));
    let bounds = Bounds { parallel: 1, deadline: None };
    let crowd =
        run.start_crowd(&composed.composition, Wanted::Steps(&composed.needs), (Held::Null, vec![Held::Null]), bounds);
    while let Some(hungry) = run.hungry.pop_front() {
        run.start_member(hungry);
        while let Some(at) = run.queue.pop_front() {
            run.advance(at);
        }
    }
    for (frame, step, cause, turned) in ends {
        run.turn += u64::from(*turned);
        run.arrive(At { frame: FrameId(*frame), step: StepId(*step) }, Err(Failure::new(*cause, "as told")));
    }
    let failure = run.take_results(crowd).pop().expect("one member").expect_err("a failure");
    failure.code().to_owned()
}

#[tokio::test]
async fn of_failures_of_one_turn_the_most_telling_is_answered() {
    assert_eq!(
        code_of(&[(0, 0, Cause::MissingValue, false), (0, 1, Cause::BackendStatus, false)]).await,
        "backend_status"
    );
    assert_eq!(
        code_of(&[(0, 1, Cause::BackendStatus, false), (0, 0, Cause::MissingValue, false)]).await,
        "backend_status"
    );
    assert_eq!(code_of(&[(0, 0, Cause::BadReply, false), (0, 1, Cause::Refused, false)]).await, "refused");
    // The items of a list fail their step.
    assert_eq!(code_of(&[(1, 0, Cause::BadReply, false), (2, 0, Cause::Timeout, false)]).await, "timeout");
    assert_eq!(code_of(&[(1, 0, Cause::BadReply, false), (0, 1, Cause::Timeout, false)]).await, "timeout");
}

#[tokio::test]
async fn a_failure_of_a_later_turn_changes_nothing() {
    assert_eq!(code_of(&[(0, 0, Cause::MissingValue, true), (0, 1, Cause::Refused, true)]).await, "missing_value");
    assert_eq!(code_of(&[(1, 0, Cause::BadReply, true), (2, 0, Cause::Timeout, true)]).await, "bad_reply");
}

#[test]
fn what_a_composition_declares_is_the_most_telling() {
    let declared = Failure { code: Some("sold_out".into()), ..Failure::new(Cause::ReplyFailed, "") };
    assert!(declared.reticence() < Failure::new(Cause::Refused, "").reticence());
    assert!(Failure::new(Cause::Refused, "").reticence() < Failure::new(Cause::Timeout, "").reticence());
    assert!(Failure::new(Cause::Timeout, "").reticence() < Failure::new(Cause::MissingValue, "").reticence());
}
