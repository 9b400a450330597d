//! What fits, and what is said of what does not.

use std::sync::Arc;

use super::{At, Declared, Misfit, Rule, misfits, of_message, of_output};
use crate::base::diagnostic::Sources;
use crate::base::value::Value;
use crate::descriptor::{Library, Sets, Texts};
use crate::expr::{Member, Node, ObjectType, Type};
use crate::plan::schema::Schema;

const SCHEMA: &str = "type Query { ok: Boolean }
type Product { id: ID!, name: String!, price: Float, tags: [String!]!, colour: Colour, seller: Seller, related: [Product!] }
type Seller { name: String! }
type Shape { sides: Int }
union Hit = Product | Seller
enum Colour { RED GREEN }
";

fn output(ty: &str) -> Declared {
    let mut sources = Sources::default();
    let file = sources.add("schema/a.graphql", SCHEMA);
    let (schema, mistakes) = Schema::read(&[(file, sources.text(file))]);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let schema = Arc::new(schema);
    of_output(&schema, &schema.type_ref(ty).expect(ty))
}

/// An object type that a test writes.
#[derive(Debug)]
struct Written(Vec<(&'static str, Type)>);

impl ObjectType for Written {
    fn name(&self) -> &str {
        "the object"
    }

    fn member(&self, name: &str) -> Option<Type> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, ty)| ty.clone())
    }

    fn members(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
    }
}

/// An object type that holds a list of itself.
#[derive(Debug)]
struct Endless;

impl ObjectType for Endless {
    fn name(&self) -> &str {
        "Endless"
    }

    fn member(&self, name: &str) -> Option<Type> {
        match name {
            "id" => Some(Type::Bool),
            "related" => Some(Type::list(Type::Object(Arc::new(Self)))),
            _ => None,
        }
    }

    fn members(&self) -> Vec<String> {
        ["id", "related"].map(str::to_owned).into()
    }
}

fn object(members: Vec<(&'static str, Type)>) -> Type {
    Type::Object(Arc::new(Written(members)))
}

/// What is said of a value of a type, without a program.
fn said(ty: &Type, declared: &Declared) -> Vec<String> {
    let path = Node::Path { var: crate::expr::Var(0), steps: Box::default() };
    misfits(&path, ty, declared).iter().map(shown).collect()
}

fn shown(misfit: &Misfit) -> String {
    let step = |at: &At| match at {
        At::Member(name) => format!(".{name}"),
        At::Item(Some(index)) => format!("[{index}]"),
        At::Item(None) => "[]".to_owned(),
    };
    let at: String = misfit.at.iter().map(step).collect();
    format!("{at} {:?}: {}", misfit.rule, misfit.message)
}

#[test]
fn scalars_take_what_answers_take_for_them() {
    for (declared, takes, refuses) in [
        ("Int!", vec![Type::Int, Type::Uint, Type::Dyn], vec![Type::Text, Type::Bool, Type::list(Type::Int)]),
        ("String!", vec![Type::Text, Type::Timestamp, Type::Int], vec![Type::Double, Type::Bool]),
        ("ID!", vec![Type::Text, Type::Int], vec![Type::Bool, Type::Timestamp]),
        ("Boolean!", vec![Type::Bool], vec![Type::Int]),
        ("Colour!", vec![Type::Text], vec![Type::Int]),
        ("[String!]!", vec![Type::list(Type::Text), Type::list(Type::Dyn)], vec![Type::Text, Type::list(Type::Bool)]),
    ] {
        let declared = output(declared);
        takes.iter().for_each(|ty| assert_eq!(said(ty, &declared), Vec::<String>::new(), "{ty} for {declared}"));
        refuses.iter().for_each(|ty| assert_eq!(said(ty, &declared).len(), 1, "{ty} for {declared}"));
    }
}

#[test]
fn null_is_refused_where_it_is_not_declared() {
    let nullable = Type::Text.nullable();
    assert_eq!(said(&nullable, &output("String")), Vec::<String>::new());
    assert_eq!(said(&nullable, &output("String!")), [" Null: this can be null, and String is never null"]);
    assert_eq!(said(&Type::Null, &output("String!")), [" Null: this is null, and String is never null"]);
    // What fails is null and reported, which no type tells; a null of its own counts.
    let leaf = Node::Leaf(Box::new(Node::Path { var: crate::expr::Var(0), steps: Box::default() }));
    assert_eq!(misfits(&leaf, &Type::Text, &output("String!")), []);
    assert_eq!(misfits(&leaf, &nullable, &output("String!")).len(), 1);
}

#[test]
fn members_must_be_known_and_required_ones_there() {
    let found = object(vec![("id", Type::Int), ("nmae", Type::Text), ("tags", Type::list(Type::Text.nullable()))]);
    assert_eq!(
        said(&found, &output("Product!")),
        [
            ".nmae UnknownMember: Product has no member `nmae`",
            ".tags[] Null: this can be null, and String is never null",
        ]
    );
    assert_eq!(
        said(&object(vec![("id", Type::Int), ("tags", Type::Dyn)]), &output("Product!")),
        [" MissingMember: the member `name` of Product is missing"]
    );
    let seller = object(vec![("name", Type::Text), ("price", Type::Text)]);
    assert_eq!(said(&seller, &output("Hit")), [".price Kind: Float is declared here, and this is string"]);
}

#[test]
fn an_empty_map_fits_what_demands_no_member() {
    let empty = Type::map(Type::Never);
    assert_eq!(said(&empty, &output("Shape")), Vec::<String>::new());
    assert_eq!(said(&empty, &Declared::Map(Declared::Anything.into())), Vec::<String>::new());
    assert_eq!(said(&empty, &output("Seller!")), [" MissingMember: the member `name` of Seller is missing"]);
    let seller = object(vec![("name", Type::Text)]);
    assert_eq!(said(&seller, &output("Seller!")), Vec::<String>::new());
    let perhaps = [".name Null: this can be null, and String is never null"];
    assert_eq!(said(&seller.join(&empty), &output("Seller!")), perhaps);
    assert_eq!(said(&empty.join(&seller), &output("Seller!")), perhaps);
}

#[test]
fn types_that_hold_themselves_are_compared_once() {
    let found = Type::Object(Arc::new(Endless));
    let said = said(&found, &output("Product!"));
    assert_eq!(said.iter().filter(|said| said.contains("ID is declared")).count(), 1, "{said:?}");
}

#[test]
fn what_is_written_out_is_held_to_its_enum() {
    let node = Node::Object(Box::new([Member::new("colour", Node::text("GREN"))]));
    let found = misfits(&node, &object(vec![("colour", Type::Text)]), &output("Product"));
    let colour = found.iter().find(|misfit| misfit.rule == Rule::Kind).expect("it is refused");
    assert_eq!(
        (shown(colour).as_str(), colour.help.as_str()),
        (".colour Kind: the enum Colour has no value `GREN`", "did you mean `GREEN`?")
    );
    let half = Node::Const(Value::Double(1.5));
    assert_eq!(misfits(&half, &Type::Double, &output("Int!")).len(), 1);
}

#[test]
fn messages_take_their_protojson() {
    let source = "syntax = \"proto3\"; package t; import \"google/protobuf/timestamp.proto\";
        enum Kind { KIND_UNSPECIFIED = 0; GOOD = 1; }
        message All { int64 count = 1; string long_name = 2; repeated bool flags = 3; map<string, double> sums = 4;
          Kind kind = 5; google.protobuf.Timestamp at = 6; All inner = 7; }";
    let texts = Texts::new([("t.proto".to_owned(), source.into())]);
    let pool = Library { texts: &texts, sets: &Sets::default() }.link(&["t.proto".to_owned()]).expect("it links");
    let declared = of_message(&pool.message("t.All").expect("it is there"));
    let fitting = object(vec![
        ("count", Type::Text),
        ("longName", Type::Text),
        ("flags", Type::list(Type::Bool)),
        ("sums", Type::map(Type::Int)),
        ("at", Type::Timestamp.nullable()),
        ("inner", object(vec![("count", Type::Uint)])),
    ]);
    assert_eq!(said(&fitting, &declared), Vec::<String>::new());
    let wrong = object(vec![("count", Type::Bool), ("long_nam", Type::Text), ("at", Type::Duration)]);
    assert_eq!(said(&wrong, &declared).len(), 3);
}
