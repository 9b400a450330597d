// Writes vectors.json, one test a line, from the tests of @bufbuild/cel-spec that concern values like JSON's.
// See README.md.
import { writeFileSync } from "node:fs";
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";

const WELL_KNOWN = { "google.protobuf.Duration": "duration", "google.protobuf.Timestamp": "timestamp" };

class Skipped extends Error {}

function value(written) {
  const [[kind, held]] = Object.entries(written);
  switch (kind) {
    case "nullValue": return null;
    case "boolValue": return held;
    case "stringValue": return held;
    case "int64Value": return { int: String(held) };
    case "uint64Value": return { uint: String(held) };
    case "doubleValue": return { double: Object.is(held, -0) ? "-0" : String(held) };
    case "bytesValue": return { bytes: Array.from(Buffer.from(held, "base64")) };
    case "typeValue": return { type: held };
    case "listValue": return (held.values ?? []).map(value);
    case "mapValue": return { map: (held.entries ?? []).map((entry) => [value(entry.key), value(entry.value)]) };
    case "objectValue": {
      const known = WELL_KNOWN[held["@type"].split("/").pop()];
      if (known) return { [known]: held.value };
    }
  }
  throw new Skipped(kind);
}

function vector(name, test) {
  const { expr, bindings, disableCheck, container, checkOnly } = test;
  const messages = expr.replaceAll(/google\.protobuf\.(Duration|Timestamp)\b(?!\s*\{)/g, "");
  if (container || checkOnly || /TestAllTypes|google\.protobuf|proto2?\./.test(messages)) throw new Skipped("proto");
  const made = { name, expr };
  for (const [variable, bound] of Object.entries(bindings ?? {})) {
    if (!bound.value) throw new Skipped("unknown");
    (made.bindings ??= {})[variable] = value(bound.value);
  }
  if (disableCheck) made.unchecked = true;
  if ("evalError" in test || "anyEvalErrors" in test) made.error = true;
  else if ("value" in test) made.value = value(test.value);
  else if ("typedResult" in test) made.value = value(test.typedResult.result ?? { none: null });
  else if ("unknown" in test || "anyUnknowns" in test) throw new Skipped("unknown");
  else made.value = true;
  return made;
}

const lines = [];
function walk(suite, path) {
  for (const inner of suite.suites ?? []) walk(inner, `${path}${inner.name}/`);
  for (const { original } of suite.tests ?? []) {
    try {
      lines.push(JSON.stringify(vector(path + original.name, original)));
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
    }
  }
}
walk(tests, "");
writeFileSync(new URL("vectors.json", import.meta.url), `[\n${lines.join(",\n")}\n]\n`);
console.log(`${lines.length} tests`);
