//! Server reflection: a backend is asked what it promises, before any plan exists.
//!
//! `grpc.reflection.v1` is spoken, and where a backend does not know it `v1alpha`, whose messages are the same. Each
//! service's file is asked for by the service's name; imports that did not come with it are asked for by theirs.
//! Source: grpc/reflection/v1/reflection.proto, "GRPC Server Reflection Protocol".

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::uri::PathAndQuery;
use prost::Message as Prost;
use tokio::time::Instant;

use super::messages::{End, Messages, Next};
use super::{Head, RequestBody, headers, is_grpc, status};
use crate::descriptor::Sets;
use crate::plan::Reflecting;
use crate::transport::Network;
use crate::transport::http2::{Broken, ReplyBody};
use crate::transport::instance::Instance;

/// The time that a backend has for all of its answers.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of one message that are read at most.
const MAX_ANSWER: u64 = 64 << 20;
/// Files that are taken at most.
const MAX_FILES: usize = 20_000;
/// The number of the status that says that a rpc is not known.
const UNIMPLEMENTED: u32 = 12;

const V1: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const V1_ALPHA: &str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

/// The files that describe a backend's services, each a `FileDescriptorProto`.
///
/// # Errors
/// Why the backend does not say it, in words for whoever wrote its address.
pub async fn reflect(reflecting: &Reflecting) -> Result<Vec<Bytes>, String> {
    let mut why = String::new();
    // What it knows lives no longer than the runtime that asks.
    let network = Network::asking(&reflecting.name_servers);
    for address in &reflecting.backend.addresses {
        let asking = Asking { instance: Instance::new(address, &network), metadata: &reflecting.metadata, path: V1 };
        let outcome = match tokio::time::timeout(TIMEOUT, asking.everything()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} seconds", TIMEOUT.as_secs()).into()),
        };
        match outcome {
            Ok(files) => return Ok(files),
            Err(error) => why = format!("{}, at {}", error.0, address.location),
        }
    }
    Err(why)
}

/// Why a backend does not answer, and the gRPC status that it answered instead, if it did.
struct Unanswered(String, Option<u32>);

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self(why, None)
    }
}

/// A backend that is being asked.
struct Asking<'a> {
    instance: Instance,
    metadata: &'a HeaderMap,
    /// The rpc of the version that is spoken.
    path: &'static str,
}

impl Asking<'_> {
    async fn everything(mut self) -> Result<Vec<Bytes>, Unanswered> {
        let list = [Question { list_services: Some("*".to_owned()), ..Question::default() }];
        let listed = match self.ask(&list).await {
            Err(Unanswered(_, Some(UNIMPLEMENTED))) => {
                self.path = V1_ALPHA;
                self.ask(&list).await
            }
            other => other,
        };
        let services = match listed {
            Ok(answers) => answers.into_iter().filter_map(|answer| answer.services).flat_map(|list| list.service),
            Err(Unanswered(_, Some(UNIMPLEMENTED))) => return Err("it has no server reflection".to_owned().into()),
            Err(other) => return Err(other),
        };
        let described = services.filter(|service| !service.name.starts_with("grpc.reflection."));
        let mut questions: Vec<Question> = described
            .map(|service| Question { file_containing_symbol: Some(service.name), ..Question::default() })
            .collect();
        let (mut files, mut refused) = (Files::default(), None);
        while !questions.is_empty() {
            for answer in self.ask(&questions).await? {
                // What a server does not have is missed only if something needs it, and then by name.
                refused = refused.or(answer.error);
                for file in answer.files.map(|files| files.file).unwrap_or_default() {
                    files.add(Bytes::from(file))?;
                }
            }
            questions = files.missing();
        }
        match files.bytes.is_empty() {
            true => {
                let why = refused.map(|error| format!(": {}", error.message)).unwrap_or_default();
                Err(format!("it describes no service{why}").into())
            }
            false => Ok(files.bytes),
        }
    }

    /// Asks several questions over one call, which the backend answers in turn.
    async fn ask(&self, questions: &[Question]) -> Result<Vec<Answer>, Unanswered> {
        let mut body = Vec::new();
        for question in questions {
            let message = question.encode_to_vec();
            body.push(0);
            body.extend_from_slice(&(message.len() as u32).to_be_bytes());
            body.extend_from_slice(&message);
        }
        let mut messages = self.exchange(body.into()).await?;
        let mut answers = Vec::new();
        loop {
            match messages.next(MAX_ANSWER).await.map_err(|failure| failure.log.to_string())? {
                Next::Message(message) => {
                    let answer = Answer::decode(message);
                    answers.push(answer.map_err(|_| Unanswered::from("its answer cannot be read".to_owned()))?);
                }
                Next::End(End { code: 0, .. }) => return Ok(answers),
                Next::End(End { code, trailers }) => {
                    return Err(Unanswered(format!("it answers {}", status::words(code, &trailers)), Some(code)));
                }
            }
        }
    }

    /// Sends a body; the reply's messages are still to be read.
    async fn exchange(&self, body: Bytes) -> Result<Messages<ReplyBody>, Unanswered> {
        let mut request = http::Request::new(RequestBody::Whole(Some(body)));
        let path = PathAndQuery::from_static(self.path);
        *request.method_mut() = http::Method::POST;
        let deadline = Instant::now() + TIMEOUT;
        *request.headers_mut() = headers(Head { headers: self.metadata, deadline, previous: 0 });
        let response = self.instance.http2().send(path, request).await.map_err(|broken| match broken {
            Broken::Reset(reason) => format!("it gives the call up: {reason}"),
            Broken::Failed(failure) => failure.log.to_string(),
        })?;
        let (head, body) = response.into_parts();
        if !is_grpc(&head.headers) {
            return Err("it does not speak gRPC".to_owned().into());
        }
        Ok(Messages::new(&head.headers, body))
    }
}

/// The files that came, and the imports that were asked for.
#[derive(Default)]
struct Files {
    bytes: Vec<Bytes>,
    known: Sets,
    /// Names of imports, and whether they were asked for.
    imports: BTreeMap<String, bool>,
}

impl Files {
    fn add(&mut self, file: Bytes) -> Result<(), Unanswered> {
        if let Some(imports) = self.known.add_file(&file).map_err(|error| error.to_string())? {
            self.bytes.push(file);
            for import in imports {
                self.imports.entry(import).or_insert(false);
            }
        }
        if self.bytes.len() > MAX_FILES {
            return Err(format!("it describes itself in more than {MAX_FILES} files").into());
        }
        Ok(())
    }

    /// Questions for imports that neither came nor were asked for.
    fn missing(&mut self) -> Vec<Question> {
        let known = &self.known;
        let missing = self.imports.iter_mut().filter(|(name, asked)| !**asked && !known.contains(name));
        missing
            .map(|(name, asked)| {
                *asked = true;
                Question { file_by_filename: Some(name.clone()), ..Question::default() }
            })
            .collect()
    }
}

/// `ServerReflectionRequest`.
#[derive(Clone, PartialEq, Prost)]
struct Question {
    #[prost(string, optional, tag = "3")]
    file_by_filename: Option<String>,
    #[prost(string, optional, tag = "4")]
    file_containing_symbol: Option<String>,
    #[prost(string, optional, tag = "7")]
    list_services: Option<String>,
}

/// `ServerReflectionResponse`.
#[derive(Clone, PartialEq, Prost)]
struct Answer {
    #[prost(message, optional, tag = "4")]
    files: Option<FileDescriptors>,
    #[prost(message, optional, tag = "6")]
    services: Option<Services>,
    #[prost(message, optional, tag = "7")]
    error: Option<Refusal>,
}

/// `ErrorResponse`.
#[derive(Clone, PartialEq, Prost)]
struct Refusal {
    #[prost(string, tag = "2")]
    message: String,
}

/// `FileDescriptorResponse`.
#[derive(Clone, PartialEq, Prost)]
struct FileDescriptors {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

/// `ListServiceResponse`.
#[derive(Clone, PartialEq, Prost)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    service: Vec<Service>,
}

/// `ServiceResponse`.
#[derive(Clone, PartialEq, Prost)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
}
