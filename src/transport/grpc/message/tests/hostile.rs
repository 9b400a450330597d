//! Whatever descriptors from outside hold, reading them ends, and without a panic.

use std::sync::LazyLock;

use proptest::prelude::*;
use prost::Message as _;

use crate::descriptor::{Library, Sets, Texts};
use crate::transport::grpc::message::{Tables, decode, encode};

/// The descriptors of the test's messages, as protoc would write them.
static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/transport/grpc/message/tests");
    let files = protox::compile(["rich.proto", "old.proto"].map(|file| format!("{folder}/{file}")), [folder]);
    files.expect("the test protos compile").encode_to_vec()
});

/// Reads a set, and if it is one, reads and writes messages by it.
fn read(bytes: &[u8]) {
    let mut sets = Sets::default();
    if sets.add(bytes).is_err() {
        return;
    }
    let Ok(pool) = (Library { texts: &Texts::default(), sets: &sets }).link(&[]) else { return };
    let tables = Tables::build(pool.messages());
    for message in pool.messages() {
        let id = tables.message(message.full_name()).expect("its tables were built");
        let mut wire = Vec::new();
        let _ = encode(&tables, id, b"{}", &mut wire);
        let _ = decode(&tables, id, b"\x08\x01\x12\x02\x08\x01\x1a\x00\x22\x01a");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no_descriptors(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        read(&bytes);
    }

    #[test]
    fn a_set_with_bytes_changed_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = VALID.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read(&bytes);
    }

    #[test]
    fn a_set_with_a_number_changed_is_read_or_refused(picks in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..32), 1..40)) {
        // Small numbers stand where types, labels, numbers and positions do.
        let mut bytes = VALID.clone();
        let small: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] < 32).collect();
        for (pick, number) in picks {
            let at = small[pick.index(small.len())];
            bytes[at] = number;
        }
        read(&bytes);
    }

    #[test]
    fn a_set_that_is_cut_short_is_read_or_refused(at in any::<prop::sample::Index>()) {
        let bytes = &VALID;
        read(&bytes[..at.index(bytes.len())]);
    }
}
