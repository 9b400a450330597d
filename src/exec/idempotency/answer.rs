//! An answer as bytes that another replica gives again: what its client sees, and nothing of what only the log may read.

use bytes::Bytes;
use http::StatusCode;

use crate::base::failure::{Cause, Failure};
use crate::base::packed::{Packer, Unpacker};
use crate::base::value::Doc;
use crate::exec::endpoint::Answered;
use crate::exec::partial::{Note, Partial};

/// What the log reads of a failure that another replica met.
const LOG: &str = "the answer of the first request with this key, which another replica had";

/// An answer, or the failure that was answered.
pub(super) fn packed(outcome: &Result<Answered, Failure>) -> Vec<u8> {
    let mut out = Packer::default();
    match outcome {
        Ok(answered) => {
            out.byte(0);
            pack_answer(answered, &mut out);
        }
        Err(failure) => {
            out.byte(1);
            pack_failure(failure, &mut out);
        }
    }
    out.finish()
}

/// Reads one; `None` for bytes that are none.
pub(super) fn read(bytes: Bytes) -> Option<Result<Answered, Failure>> {
    let mut bytes = Unpacker::new(bytes);
    let outcome = match bytes.byte()? {
        0 => Ok(answered(&mut bytes)?),
        1 => Err(failure(&mut bytes)?),
        _ => return None,
    };
    bytes.rest().is_empty().then_some(outcome)
}

fn pack_answer(Answered { status, headers, body, partial }: &Answered, out: &mut Packer) {
    out.number(status.as_u16().into());
    out.fields(headers);
    out.option(body.as_ref(), |out, body| out.part(body));
    out.number(partial.notes.len() as u64);
    for Note { step, code, count } in &partial.notes {
        out.part(step.as_bytes());
        out.part(code.as_bytes());
        out.number(*count as u64);
    }
}

fn answered(bytes: &mut Unpacker) -> Option<Answered> {
    let status = StatusCode::from_u16(bytes.number()?.try_into().ok()?).ok()?;
    let (headers, body) = (bytes.fields()?, bytes.option(Unpacker::part)?);
    let note = |bytes: &mut Unpacker| {
        Some(Note { step: bytes.text()?, code: bytes.text()?, count: bytes.number()?.try_into().ok()? })
    };
    Some(Answered { status, headers, body, partial: Partial { notes: bytes.list(note)? } })
}

fn pack_failure(failure: &Failure, out: &mut Packer) {
    out.part(failure.cause.code().as_bytes());
    out.option(failure.status, |out, status| out.number(status.into()));
    out.option(failure.code.as_deref(), |out, code| out.part(code.as_bytes()));
    out.option(failure.detail.as_deref(), |out, detail| out.part(detail.as_bytes()));
    out.option(failure.with.as_deref(), |out, with| out.part(with.bytes()));
    out.option(failure.undo_failed.as_deref(), |out, steps| {
        out.number(steps.len() as u64);
        steps.iter().for_each(|step| out.part(step.as_bytes()));
    });
}

fn failure(bytes: &mut Unpacker) -> Option<Failure> {
    let code = bytes.text()?;
    let cause = Cause::ALL.iter().copied().find(|cause| cause.code() == &*code)?;
    Some(Failure {
        status: bytes.option(|bytes| bytes.number()?.try_into().ok())?,
        code: bytes.option(Unpacker::text)?.map(Into::into),
        detail: bytes.option(Unpacker::text)?.map(Into::into),
        with: bytes.option(|bytes| Doc::parse(bytes.part()?).ok())?.map(Into::into),
        undo_failed: bytes.option(|bytes| bytes.list(Unpacker::text))?.map(Into::into),
        ..Failure::new(cause, LOG)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{HeaderValue, LOCATION};

    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was() {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static("/orders/1"));
        let mut partial = Partial::default();
        partial.add("cards", "timeout");
        let body = Some(Bytes::from_static(br#"{"id":1.10}"#));
        let before = Answered { status: StatusCode::CREATED, headers, body, partial };
        let after = read(packed(&Ok(before.clone())).into()).and_then(Result::ok).expect("it is an answer");
        assert_eq!((after.status, after.headers, after.body), (before.status, before.headers, before.body));
        assert_eq!(after.partial.header(), "cards;code=timeout");
    }

    #[test]
    fn a_failure_keeps_what_its_client_reads_and_nothing_else() {
        let with = Doc::parse(Bytes::from_static(br#"{"left":2}"#)).expect("JSON");
        let before = Failure {
            status: Some(402),
            code: Some("no_credit".into()),
            with: Some(with.into()),
            undo_failed: Some([Box::from("paid")].into()),
            ..Failure::told(Cause::Refused, "There is no credit left.")
        };
        let bytes = packed(&Err(Failure { log: "db-7 said no".into(), ..before.clone() }));
        assert!(!bytes.windows(4).any(|some| some == b"db-7"));
        let after = read(bytes.into()).and_then(Result::err).expect("it is a failure");
        assert_eq!((after.status(), after.code(), after.client_text()), (402, "no_credit", "There is no credit left."));
        assert_eq!(after.with.map(|with| with.bytes().clone()).as_deref(), Some(&br#"{"left":2}"#[..]));
        assert_eq!((after.undo_failed, &*after.log), (before.undo_failed, LOG));
    }

    #[test]
    fn bytes_that_are_no_answer_are_refused() {
        let whole = packed(&Err(Failure::told(Cause::Refused, "no")));
        for length in 0..whole.len() {
            assert!(read(Bytes::copy_from_slice(&whole[..length])).is_none(), "{length}");
        }
        assert!(read(Bytes::from([whole, vec![0]].concat())).is_none(), "something behind it");
    }
}
