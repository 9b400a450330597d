//! One claim for each group of validation rules, with the exact words and places.

use super::{Limits, open, post, refused};
use crate::base::failure::Cause;

fn problems(document: &str) -> Vec<String> {
    let (cause, problems) = refused(document, "{}");
    assert_eq!(cause, Cause::GraphqlValidation, "{document}");
    problems
}

#[track_caller]
fn is_wrong(document: &str, expected: &[&str]) {
    assert_eq!(problems(document), expected, "{document}");
}

/// Valid as a document; its variables may still be missing.
#[track_caller]
fn is_valid(document: &str) {
    if let Err(error) = open().prepare(&post(document, "{}")) {
        assert_eq!(error.cause, Cause::GraphqlVariable, "{document}: {error:?}");
    }
}

#[test]
fn fields_exist_and_have_selections_exactly_when_they_need_them() {
    is_wrong("{ prodct(id: 1) { id } }", &["1:3 `Query` has no field `prodct`; did you mean `product`?"]);
    is_wrong("{ product(id: 1) }", &["1:3 `product` is of type `Product`, so say which of its fields."]);
    is_wrong("{ any { x } }", &["1:3 `any` is of type `Json`, which has no fields to select."]);
    is_wrong("{ __typename { x } }", &["1:3 `__typename` is of type `String!`, which has no fields to select."]);
    is_wrong("{ pets { name } }", &["1:10 `Pet` has no field `name`."]);
    is_wrong("{ product(id: 1) { __schema { types { name } } } }", &["1:20 `Product` has no field `__schema`."]);
    is_wrong("mutation { __type(name: \"A\") { name } }", &["1:12 `Mutation` has no field `__type`."]);
    is_wrong("subscription { __typename }", &["1:16 `Subscription` has no field `__typename`."]);
    is_valid("{ pets { __typename ... on Dog { barks } } pet { name ... on Cat { meows } } }");
    assert_eq!(problems("{ a b c }").len(), 3, "every problem at once");
}

#[test]
fn arguments_are_known_given_once_and_given_when_required() {
    is_wrong("{ product(idd: 1, id: 1) { id } }", &["1:11 `Query.product` has no argument `idd`; did you mean `id`?"]);
    is_wrong("{ product { id } }", &["1:3 `Query.product` requires the argument `id: ID!`."]);
    is_wrong("{ product(id: 1, id: 2) { id } }", &["1:18 Argument `id` is given twice."]);
    is_wrong("{ __typename(a: 1) }", &["1:14 `Query.__typename` has no argument `a`."]);
    is_wrong("{ any @skip }", &["1:7 `@skip` requires the argument `if: Boolean!`."]);
}

#[test]
fn literals_are_of_their_types() {
    is_wrong("{ products(first: \"3\") { id } }", &["1:19 `first` must be Int, not text."]);
    is_wrong("{ products(first: 3.0) { id } }", &["1:19 `first` must be Int, not this number."]);
    is_wrong(
        "{ products(first: 5000000000) { id } }",
        &["1:19 `first` must be Int, a whole number between -2147483648 and 2147483647."],
    );
    is_wrong("{ products(first: null) { id } }", &["1:19 `first` must not be null."]);
    is_wrong("{ products(order: \"PRICE\") { id } }", &["1:19 `order` must be Order, not text."]);
    is_wrong("{ products(order: PRIZE) { id } }", &["1:19 `order` must be a value of Order; did you mean `PRICE`?"]);
    is_wrong("{ products(ids: [1, null]) { id } }", &["1:17 `ids[1]` must not be null."]);
    is_wrong(
        "{ products(filter: {nam: 1}) { id } }",
        &["1:20 `filter.nam` is no field of Filter; did you mean `name`?"],
    );
    is_wrong("{ products(filter: [1]) { id } }", &["1:20 `filter` must be Filter, not a list."]);
    is_wrong("{ products(filter: {one: {}}) { id } }", &["1:20 `filter.one` must give exactly one field of One."]);
    is_wrong("{ products(filter: {one: {id: null}}) { id } }", &["1:20 `filter.one.id` must not be null."]);
    is_wrong(
        "mutation { order(input: {items: [{qty: 1}]}) { id } }",
        &["1:25 `input.items[0].id` is required and missing."],
    );
    is_valid(
        "{ products(ids: 1, filter: {any: {min: 3}, order: NAME}, order: null) { id } any(value: {a: [A, 1.5]}) }",
    );
}

#[test]
fn literals_with_variables_inside_are_checked_around_them() {
    is_wrong(
        "query($v: String) { products(filter: {nam: 1, name: $v}) { id } }",
        &["1:38 `filter.nam` is no field of Filter; did you mean `name`?"],
    );
    is_wrong("query($v: Int!) { products(first: [$v]) { id } }", &["1:35 `first` must be Int, not a list."]);
    is_wrong(
        "query($v: ID!) { products(filter: {min: \"x\", name: $v}) { id } }",
        &[
            "1:35 `filter.min` must be Int, not text.",
            "1:35 Variable `$v` is of type `ID!` and stands where `String` is expected.",
        ],
    );
    is_wrong(
        "query($v: ID!) { products(filter: {one: {id: $v, name: \"x\"}}) { id } }",
        &["1:35 `filter.one` must give exactly one field of One."],
    );
    is_wrong(
        "query($v: ID) { products(filter: {one: {id: $v}}) { id } }",
        &["1:34 Variable `$v` is of type `ID` and stands where `ID!` is expected."],
    );
}

#[test]
fn variables_are_declared_used_and_fit_where_they_stand() {
    is_wrong("{ product(id: $id) { id } }", &["1:15 Variable `$id` is not declared."]);
    is_wrong("query($id: ID!) { any }", &["1:7 Variable `$id` is never used."]);
    is_wrong("query($id: ID!, $id: ID!) { product(id: $id) { id } }", &["1:17 Variable `$id` is declared twice."]);
    is_wrong(
        "query($p: Product) { any(value: $p) }",
        &["1:7 Variable `$p` cannot be of type `Product`, which no client can send."],
    );
    is_wrong("query($p: [Foo] = [1]) { any(value: $p) }", &["1:11 No type is called `Foo`."]);
    is_wrong("query($n: Int = \"x\") { products(first: $n) { id } }", &["1:17 `$n` must be Int, not text."]);
    is_wrong(
        "query($s: String!) { product(id: $s) { id } }",
        &["1:34 Variable `$s` is of type `String!` and stands where `ID!` is expected."],
    );
    is_wrong(
        "query($s: ID) { product(id: $s) { id } }",
        &["1:29 Variable `$s` is of type `ID` and stands where `ID!` is expected."],
    );
    is_wrong(
        "query($s: ID!) { products(ids: $s) { id } }",
        &["1:32 Variable `$s` is of type `ID!` and stands where `[ID!]` is expected."],
    );
    is_wrong(
        "query($s: [ID]) { products(ids: $s) { id } }",
        &["1:33 Variable `$s` is of type `[ID]` and stands where `[ID!]` is expected."],
    );
    is_valid("query($s: [ID!]!) { products(ids: $s) { id } }");
    is_valid("query($n: Int) { products(first: $n) { id } }");
    is_valid("query($n: ID = 1) { product(id: $n) { id } }");
    is_valid("query($b: Boolean!) { __typename @include(if: $b) }");
    is_valid("query($j: Int, $k: Json) { any(value: [{a: $j, b: $k}]) }");
}

#[test]
fn variables_are_followed_into_fragments_of_each_operation() {
    let document = "query A($id: ID!) { ...F } query B { ...F } fragment F on Query { product(id: $id) { id } }";
    is_wrong(document, &["1:79 Variable `$id` is not declared."]);
    is_valid("query A($id: ID!) { ...F } fragment F on Query { ...G } fragment G on Query { product(id: $id) { id } }");
    is_wrong(
        "query A($b: Boolean) { ...F @skip(if: $b) } fragment F on Query { any }",
        &["1:39 Variable `$b` is of type `Boolean` and stands where `Boolean!` is expected."],
    );
}

#[test]
fn fragments_exist_are_used_end_and_can_apply() {
    is_wrong("{ ...Fo } fragment Foo on Query { any }", &["1:3 There is no fragment `Fo`; did you mean `Foo`?"]);
    is_wrong("{ any } fragment F on Query { any }", &["1:9 Fragment `F` is never used."]);
    is_wrong(
        "{ any } fragment F on Query { ...G } fragment G on Query { any }",
        &["1:9 Fragment `F` is never used.", "1:38 Fragment `G` is never used."],
    );
    is_wrong("{ ...F } fragment F on Query { ...F }", &["1:32 Fragment `F` is spread inside itself: F."]);
    assert_eq!(
        problems("{ ...F } fragment F on Query { ...G } fragment G on Query { ...H } fragment H on Query { ...F }")
            .len(),
        1
    );
    is_wrong("{ ... on Sellr { id } }", &["1:7 No type is called `Sellr`; did you mean `Seller`?"]);
    is_wrong("{ ... on Order { a } }", &["1:7 A fragment cannot be on `Order`, which has no fields."]);
    is_wrong(
        "{ product(id: 1) { ... on Seller { id } } }",
        &["1:20 A fragment on `Seller` never applies here, where `Product` stands."],
    );
    is_wrong(
        "{ pets { ... on Human { job } } }",
        &["1:10 A fragment on `Human` never applies here, where `Pet` stands."],
    );
    is_wrong(
        "{ pets { ...F } } fragment F on Product { id }",
        &["1:10 A fragment on `Product` never applies here, where `Pet` stands."],
    );
    assert_eq!(
        refused("{ ...F } fragment F on Query { any } fragment F on Query { any }", "{}").1[0],
        "1:38 1:10 Fragment `F` is defined twice."
    );
    assert_eq!(refused("query A { any } query A { any }", "{}").0, Cause::GraphqlValidation);
    assert_eq!(refused("{ any } query A { any }", "{}").0, Cause::GraphqlValidation);
}

#[test]
fn directives_are_known_and_stand_where_they_may() {
    is_wrong("{ any @skp(if: true) }", &["1:7 There is no directive `@skp`; did you mean `skip`?"]);
    is_wrong("query @skip(if: true) { any }", &["1:7 `@skip` cannot stand on a query."]);
    is_wrong("{ any @skip(if: true) @skip(if: false) }", &["1:23 `@skip` stands here twice."]);
    is_wrong("{ any @deprecated }", &["1:7 `@deprecated` cannot stand on a field."]);
    is_wrong("{ any @skip(if: 1) }", &["1:17 `if` must be Boolean, not this number."]);
}

#[test]
fn a_subscription_asks_for_one_field_always() {
    is_wrong(
        "subscription { ...F ... { b: stock(sku: 2) } } fragment F on Subscription { stock(sku: 1) }",
        &["1:1 A subscription asks for one field, not for `stock`, `b`."],
    );
    is_wrong(
        "subscription { ... @include(if: true) { stock(sku: 1) } }",
        &["1:20 The field of a subscription cannot be skipped."],
    );
    assert_eq!(refused("subscription { stock(sku: 1) stock(sku: 1) }", "{}").0, Cause::GraphqlOperation);
}

#[test]
fn fields_of_one_response_key_can_be_merged() {
    is_wrong(
        "{ a: any a: __typename }",
        &[
            "1:3 1:10 `a` stands for `Query.any` and `Query.__typename`, which are of different types; give one of them an alias.",
            "1:3 1:10 `a` stands for `Query.any` and `Query.__typename`, which are different fields; give one of them an alias.",
        ],
    );
    is_wrong(
        "{ product(id: 1) { id } product(id: 2) { id } }",
        &[
            "1:3 1:25 `product` stands for `Query.product` and `Query.product`, which have different arguments; give one of them an alias.",
        ],
    );
    is_wrong(
        "{ product(id: 1) { x: id } product(id: 1) { x: name } }",
        &[
            "1:20 1:45 `x` stands for `Product.id` and `Product.name`, which are of different types; give one of them an alias.",
            "1:20 1:45 `x` stands for `Product.id` and `Product.name`, which are different fields; give one of them an alias.",
        ],
    );
    is_wrong(
        "{ pet { ... on Dog { loud } ... on Human { loud } } }",
        &[
            "1:22 1:44 `loud` stands for `Dog.loud` and `Human.loud`, which are of different types; give one of them an alias.",
        ],
    );
    is_wrong(
        "{ pet { x: name ... on Dog { x: friend { __typename } } } }",
        &[
            "1:9 1:30 `x` stands for `Animal.name` and `Dog.friend`, which are of different types; give one of them an alias.",
            "1:9 1:30 `x` stands for `Animal.name` and `Dog.friend`, which are different fields; give one of them an alias.",
        ],
    );
    is_wrong(
        "{ ...A ...B } fragment A on Query { x: product(id: 1) { id } } fragment B on Query { x: product(id: 2) { id } }",
        &[
            "1:37 1:86 `x` stands for `Query.product` and `Query.product`, which have different arguments; give one of them an alias.",
        ],
    );
    is_valid("{ pet { ... on Dog { loud(at: 1) } ... on Cat { loud(at: 2) } } }");
    is_valid("{ pet { ... on Dog { x: barks } ... on Cat { x: meows } } }");
    is_valid("{ product(id: 1) { id } product(id: 1) { name } }");
    is_valid("{ products(first: 1, ids: [2]) { id } products(ids: [2], first: 1) { name } }");
    is_valid("{ pet { owner { name } ... on Dog { owner { job } } } }");
}

#[test]
fn limits_are_those_of_the_settings() {
    let limits = Limits { depth: 1, ..Limits::default() };
    let graph = super::graph(super::Settings { limits, introspection: super::Introspection::On });
    assert!(graph.prepare(&post("{ any }", "{}")).is_ok());
    assert!(graph.prepare(&post("{ product(id: 1) { id } }", "{}")).is_err());
}
