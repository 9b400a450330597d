//! The proto files: ten messages, an enum and a service for each resource.

use super::Resource;

/// What all domains import.
pub(crate) const SHARED: &str = r#"syntax = "proto3";
package acme.shared.v1;

import "google/protobuf/timestamp.proto";

message Money {
  int64 cents = 1;
  string currency = 2;
}

message Page {
  int32 size = 1;
  string token = 2;
}

message Audit {
  string created_by = 1;
  google.protobuf.Timestamp created_at = 2;
  optional string changed_by = 3;
  google.protobuf.Timestamp changed_at = 4;
}
"#;

/// The file of a resource.
pub(crate) fn text(resource: &Resource) -> String {
    TEMPLATE.replace("PACKAGE", &resource.package()).replace("NAME", &resource.message())
}

const TEMPLATE: &str = r#"syntax = "proto3";

// What is known about each NAME, and how to ask for it.
package PACKAGE;

import "acme/shared/v1/shared.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

service NAMEs {
  // One, by its id.
  rpc Get(GetNAMERequest) returns (NAME);
  // A page of them.
  rpc List(ListNAMERequest) returns (ListNAMEResponse);
  // Many, by their ids; unknown ones are left out.
  rpc BatchGet(BatchGetNAMERequest) returns (BatchGetNAMEResponse);
  // Makes a new one.
  rpc Create(CreateNAMERequest) returns (NAME);
}

enum NAMEState {
  NAME_STATE_UNSPECIFIED = 0;
  NAME_STATE_OPEN = 1;
  NAME_STATE_HELD = 2;
  NAME_STATE_CLOSED = 3;
}

message NAME {
  string id = 1;
  string owner_id = 2;
  string title = 3;
  NAMEState state = 4;
  acme.shared.v1.Money total = 5;
  repeated Line lines = 6;
  map<string, string> labels = 7;
  google.protobuf.Timestamp opened_at = 8;
  acme.shared.v1.Audit audit = 9;
  optional string note = 10;
  google.protobuf.Int64Value limit = 11;
  oneof party {
    Person person = 12;
    string company = 13;
  }

  // One position of it.
  message Line {
    string sku = 1;
    int64 quantity = 2;
    acme.shared.v1.Money price = 3;
    Discount discount = 4;
    repeated string tags = 5;

    message Discount {
      string code = 1;
      double percent = 2;
    }
  }

  message Person {
    string first_name = 1;
    string last_name = 2;
    string email = 3;
    bool newsletter = 4;
  }
}

message GetNAMERequest {
  string id = 1;
  bool with_lines = 2;
}

message ListNAMERequest {
  string owner_id = 1;
  acme.shared.v1.Page page = 2;
  repeated NAMEState states = 3;
  google.protobuf.Timestamp since = 4;
}

message ListNAMEResponse {
  repeated NAME items = 1;
  string next_token = 2;
  int64 total = 3;
}

message BatchGetNAMERequest {
  repeated string ids = 1;
}

message BatchGetNAMEResponse {
  map<string, NAME> found = 1;
}

message CreateNAMERequest {
  string owner_id = 1;
  string title = 2;
  repeated NAME.Line lines = 3;
  optional string note = 4;
}
"#;
