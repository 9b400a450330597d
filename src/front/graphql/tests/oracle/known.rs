//! Where async-graphql says something else than we do, and why that is no mistake of ours.

use super::introspection::Difference;
use super::verdicts::Verdict;

/// A way in which the answers to introspection differ.
pub(super) struct KnownDifference {
    /// What differs, and why.
    pub(super) name: &'static str,
    pub(super) matches: fn(&Difference) -> bool,
}

/// Documents that the two sides judge differently for one reason.
pub(super) struct KnownVerdicts {
    /// Why ours is right.
    pub(super) reason: &'static str,
    pub(super) theirs: Verdict,
    /// The documents' names in the corpus.
    pub(super) names: &'static [&'static str],
}

pub(super) const INTROSPECTION: &[KnownDifference] = &[
    KnownDifference {
        name: "each side describes what every schema has in its own words",
        matches: |found| {
            let built_in = ["Int.", "Float.", "String.", "Boolean.", "ID.", "__"];
            let of_type = |path: &str| built_in.iter().any(|name| path.starts_with(name));
            found.path.ends_with(".description")
                && (found.path.starts_with("directives.") || found.path.strip_prefix("types.").is_some_and(of_type))
        },
    },
    KnownDifference {
        name: "theirs gives the description of `__Schema` for that of the schema, which has none",
        matches: |found| found.path == "description" && found.ours == Some(serde_json::Value::Null),
    },
    KnownDifference {
        name: "theirs leaves out the types that nothing uses",
        matches: |found| found.path == "types.length",
    },
    KnownDifference {
        name: "theirs has no interfaces of interfaces: the specification wants a list there (4.2.2)",
        matches: |found| found.path.contains(".interfaces") && found.ours.is_some() != found.theirs.is_some(),
    },
    KnownDifference {
        name: "theirs refuses null for `includeDeprecated`, as the newest specification does; ours takes it, as older tools send it",
        matches: |found| found.path.starts_with("types.__") && found.path.contains(".args.includeDeprecated.type"),
    },
];

pub(super) const VERDICTS: &[KnownVerdicts] = &[
    KnownVerdicts {
        reason: "its rule for the places of variables is never called, so it takes any variable anywhere",
        theirs: Verdict::Valid,
        names: &[
            "an Int where an ID stands",
            "a String where an ID stands",
            "an Int where a String stands",
            "an Int where a scalar of the schema stands",
            "a nullable variable where null is refused",
            "a nullable variable with a null default where null is refused",
            "a nullable variable for a directive",
            "a variable of an item where a list stands",
            "a variable of a list where an item stands",
            "a list of nullable items where none may be null",
            "a nullable variable in a list of non-null items",
            "a wrong variable in an input",
            "a nullable variable for a required field of an input",
            "a nullable variable for a one-of",
            "a wrong variable in a fragment",
            "a wrong variable for one of two operations",
        ],
    },
    KnownVerdicts {
        reason: "it compares fields only within one selection set and one type, and never their types",
        theirs: Verdict::Valid,
        names: &[
            "a conflict below",
            "a conflict between a field and a fragment",
            "a conflict of an interface with an object",
            "different types on different objects",
            "a leaf and an object on different objects",
            "null and never null on different objects",
            "different scalars on different objects",
            "different types below different objects",
        ],
    },
    KnownVerdicts {
        reason: "it leaves values to whoever resolves the field: that an Int has 32 bits, and what an enum and an input are",
        theirs: Verdict::Valid,
        names: &[
            "too large an Int",
            "too small an Int",
            "text for an enum",
            "text for an input",
            "a list for an input",
        ],
    },
    KnownVerdicts {
        reason: "it has no rule for the root of a subscription",
        theirs: Verdict::Valid,
        names: &[
            "a subscription of two fields",
            "a subscription of two fields in fragments",
            "a subscription of one field that may be skipped",
        ],
    },
    KnownVerdicts {
        reason: "its parser keeps the last of two fields of an object; ours looks at the text before",
        theirs: Verdict::Valid,
        names: &["a field of an input twice", "a field of an object twice in a scalar of the schema"],
    },
    KnownVerdicts {
        reason: "its parser takes what the grammar does not have; ours looks at the text before",
        theirs: Verdict::Valid,
        names: &["empty brackets of variables", "a fragment that is called on"],
    },
    KnownVerdicts {
        reason: "its parser reads minus zero as a double",
        theirs: Verdict::Invalid,
        names: &["minus zero for an Int"],
    },
    KnownVerdicts {
        reason: "it knows no type of `__typename`",
        theirs: Verdict::Valid,
        names: &["a selection on a type name"],
    },
    KnownVerdicts {
        reason: "it does not look at directives of variables",
        theirs: Verdict::Valid,
        names: &["skip on a variable"],
    },
    KnownVerdicts {
        reason: "it looks for the type of a default before it knows that there is one",
        theirs: Verdict::Panic,
        names: &["a list of an unknown type with a default"],
    },
];
