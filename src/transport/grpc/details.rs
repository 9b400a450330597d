//! Details of errors: what `grpc-status-details-bin` holds beside code and message.
//!
//! The messages of google/rpc/error_details.proto are always known; others are if the backend's rpcs reach them, else their
//! bytes stand in base64. `DebugInfo` is left out, for stack traces are nobody's but the backend's.
//! Source: google/rpc/status.proto, google/rpc/error_details.proto, "Richer error model" of gRPC.

use std::sync::{Arc, LazyLock};

use http::HeaderValue;
use prost::Message as Prost;

use super::message::{self, Tables};
use crate::base::value::{Doc, base64_decode_into};
use crate::descriptor::{DescriptorPool, Library, MessageDescriptor, Sets, Texts};

/// The messages that every backend may say.
static STANDARD: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let roots = ["google/rpc/status.proto", "google/rpc/error_details.proto"].map(str::to_owned);
    let (texts, sets) = (Texts::default(), Sets::default());
    let library = Library { texts: &texts, sets: &sets };
    library.link(&roots).expect("bundled files link, as a test of theirs shows")
});

/// The messages that tables need for details.
pub(super) fn standard() -> impl Iterator<Item = MessageDescriptor> {
    STANDARD.messages().filter(|message| !message.is_map_entry())
}

/// Each detail as JSON, with its `@type`. Bytes that are no status, and details that are not what they say, are left out.
pub(super) fn read(value: &HeaderValue, tables: &Tables) -> Vec<Arc<Doc>> {
    let mut wire = Vec::new();
    if !base64_decode_into(&mut wire, value.as_bytes()) {
        return Vec::new();
    }
    let (Ok(status), Some(any)) = (Status::decode(&*wire), tables.message("google.protobuf.Any")) else {
        return Vec::new();
    };
    let shown = status.details.iter().filter(|detail| !detail.type_url.ends_with("/google.rpc.DebugInfo"));
    shown.filter_map(|detail| message::decode(tables, any, &detail.encode_to_vec()).ok()).map(Arc::new).collect()
}

/// `google.rpc.Status`, as far as it is not said in headers of its own.
#[derive(Clone, PartialEq, Prost)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Prost)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}
