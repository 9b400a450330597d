//! Files that everybody imports and nobody should have to fetch: `google/protobuf`, `google/api`, `google/rpc`,
//! `google/type`.

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("bundled/google/", $name)))),*]
    };
}

/// Names below `google/`, in order, with texts.
const FILES: &[(&str, &str)] = files! {
    "api/annotations.proto" "api/client.proto" "api/field_behavior.proto" "api/http.proto" "api/httpbody.proto"
    "api/launch_stage.proto" "api/resource.proto"
    "protobuf/any.proto" "protobuf/api.proto" "protobuf/descriptor.proto" "protobuf/duration.proto"
    "protobuf/empty.proto" "protobuf/field_mask.proto" "protobuf/source_context.proto" "protobuf/struct.proto"
    "protobuf/timestamp.proto" "protobuf/type.proto" "protobuf/wrappers.proto"
    "rpc/code.proto" "rpc/error_details.proto" "rpc/status.proto"
    "type/calendar_period.proto" "type/color.proto" "type/date.proto" "type/datetime.proto" "type/dayofweek.proto"
    "type/decimal.proto" "type/expr.proto" "type/fraction.proto" "type/interval.proto" "type/latlng.proto"
    "type/localized_text.proto" "type/money.proto" "type/month.proto" "type/phone_number.proto"
    "type/postal_address.proto" "type/quaternion.proto" "type/timeofday.proto"
};

/// The text of a bundled file, such as `google/type/money.proto`.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("google/")?;
    FILES.binary_search_by_key(&name, |(known, _)| known).ok().map(|found| FILES[found].1)
}

/// The names of all bundled files.
pub(super) fn names() -> impl Iterator<Item = String> {
    FILES.iter().map(|(name, _)| format!("google/{name}"))
}
