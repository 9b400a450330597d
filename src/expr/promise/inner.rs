//! What a contract promises of all that is inside a value: for lists that are walked, and for what is passed on
//! whole. Made from the type of the value at load, so that looking through it takes one step for each node.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Instead, PromiseId, Promised};
use crate::base::value::{Kind, Value, View};
use crate::expr::types::{ObjectType, Type};

/// Types inside one another that are looked through where they have no name; named ones may hold themselves.
const DEPTH_LIMIT: usize = 16;

/// What is promised of what is inside a value.
#[derive(Clone, Debug)]
pub struct Inner {
    /// The shapes of values, which may hold themselves.
    shapes: Arc<[Shape]>,
    /// The shape of the value.
    root: ShapeId,
}

/// A position in [`Inner::shapes`].
type ShapeId = u32;

/// What is promised inside values of one type.
#[derive(Debug)]
enum Shape {
    /// Of members of an object.
    Members(Members),
    /// Of the elements of a list, or the values of a map.
    Each(Place),
}

#[derive(Debug, Default)]
struct Members {
    /// In the order of the contract.
    list: Box<[Member]>,
    /// Which of them must be there, as far as they have a [`bit`].
    required: u64,
}

#[derive(Debug)]
struct Member {
    name: Box<str>,
    place: Place,
}

/// What is promised of one part of a value, and of what is inside that.
#[derive(Clone, Debug, Default)]
struct Place {
    promised: Option<Promised>,
    inside: Option<ShapeId>,
}

/// Who hears what is not as promised.
type Drifted<'d> = dyn Fn(PromiseId, Instead) + 'd;

impl Inner {
    /// What is promised of all that is inside values of a type; `None` where nothing is.
    pub(in crate::expr) fn of(ty: &Type) -> Option<Self> {
        let mut shapes = Shapes::default();
        let root = shapes.of(ty, 0)?;
        shapes.promises.then(|| Self { shapes: shapes.list.into(), root })
    }

    /// What is promised of the items of a list of this type, and of nothing inside them.
    pub(in crate::expr) fn of_items(ty: &Type) -> Option<Self> {
        let Type::List(item) = ty.present() else { return None };
        let promised = Some(item.promised.clone()?);
        Some(Self { shapes: Arc::new([Shape::Each(Place { promised, inside: None })]), root: 0 })
    }

    /// Looks through a value. What no backend sent breaks no promise.
    pub(in crate::expr) fn look_through(&self, value: &Value<'_>, drifted: &Drifted<'_>) {
        match value {
            Value::View(view) => self.look_through_part(*view, drifted),
            Value::Optional(Some(held)) => self.look_through(held, drifted),
            // The items of a list that was made were looked at where they were found, but not what they hold.
            made => {
                let (Shape::Each(place), Some(items)) = (self.shape(self.root), made.elements()) else { return };
                let Some(inside) = place.inside else { return };
                for item in items {
                    if let Value::View(view) = item
                        && view.is_of_reply()
                    {
                        self.inside(inside, view, drifted);
                    }
                }
            }
        }
    }

    /// The same of a part of a document.
    pub(in crate::expr) fn look_through_part(&self, view: View<'_>, drifted: &Drifted<'_>) {
        if view.is_of_reply() {
            self.inside(self.root, view, drifted);
        }
    }

    fn inside(&self, shape: ShapeId, view: View<'_>, drifted: &Drifted<'_>) {
        match self.shape(shape) {
            Shape::Members(members) if view.kind() == Kind::Object => self.members(members, view, drifted),
            // Of a part that is no object only the promise about that part tells.
            Shape::Members(members) if view.is_whole() && view.kind() != Kind::Null => {
                missing(members, Instead::NoObject, view, drifted);
            }
            Shape::Members(_) => {}
            Shape::Each(place) => view.children().for_each(|item| self.place(place, item, drifted)),
        }
    }

    /// Looks at the members that are there, which mostly stand in the order of the contract, and then for those that
    /// are not. Of members with the same name the first counts.
    fn members(&self, members: &Members, view: View<'_>, drifted: &Drifted<'_>) {
        let list = &members.list;
        let (mut next, mut seen) = (0, 0);
        for child in view.children() {
            let is_child = |member: &Member| child.is_under(&member.name);
            let ahead = list[next..].iter().position(is_child).map(|ahead| next + ahead);
            let Some(at) = ahead.or_else(|| list[..next].iter().position(is_child)) else { continue };
            next = at + 1;
            if seen & bit(at) == 0 {
                seen |= bit(at);
                self.place(&list[at].place, child, drifted);
            }
        }
        if seen & members.required != members.required || list.len() > u64::BITS as usize {
            missing(members, Instead::Nothing, view, drifted);
        }
    }

    fn place(&self, place: &Place, found: View<'_>, drifted: &Drifted<'_>) {
        if let Some(promised) = &place.promised
            && !promised.is_kept_by(found)
            && let Some(instead) = promised.instead(found)
        {
            drifted(promised.id, instead);
        }
        if let Some(inside) = place.inside {
            self.inside(inside, found, drifted);
        }
    }

    fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id as usize]
    }
}

/// The bit of a member in a set; those beyond the first 64 have none.
fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1u64.checked_shl(at)).unwrap_or(0)
}

/// Tells of the required members that a value does not have.
fn missing(members: &Members, instead: Instead, view: View<'_>, drifted: &Drifted<'_>) {
    for Member { name, place } in &members.list {
        if let Some(promised) = place.promised.as_ref().filter(|promised| !promised.may_be_absent)
            && view.member(name).is_none()
        {
            drifted(promised.id, instead);
        }
    }
}

impl Place {
    fn is_required(&self) -> bool {
        self.promised.as_ref().is_some_and(|promised| !promised.may_be_absent)
    }

    fn is_empty(&self) -> bool {
        self.promised.is_none() && self.inside.is_none()
    }
}

/// A table that is being made.
#[derive(Default)]
struct Shapes {
    list: Vec<Shape>,
    /// By the names of objects; those of contracts are never shared.
    known: HashMap<String, ShapeId>,
    /// Whether there is a promise anywhere in it.
    promises: bool,
}

impl Shapes {
    fn of(&mut self, ty: &Type, depth: usize) -> Option<ShapeId> {
        if depth > DEPTH_LIMIT {
            return None;
        }
        match ty.present() {
            Type::Optional(held) => self.of(held, depth + 1),
            Type::List(item) | Type::Map(item) => {
                let place = self.place(item.promised.clone(), &item.ty, depth);
                (!place.is_empty()).then(|| self.push(Shape::Each(place)))
            }
            Type::Object(object) if object.makes_promises() => Some(self.object(&**object, depth)),
            _ => None,
        }
    }

    fn object(&mut self, object: &dyn ObjectType, depth: usize) -> ShapeId {
        if let Some(known) = self.known.get(object.name()) {
            return *known;
        }
        let id = self.push(Shape::Members(Members::default()));
        self.known.insert(object.name().to_owned(), id);
        let depth = if object.is_named() { 0 } else { depth };
        let (mut members, mut required) = (Vec::new(), 0);
        for name in object.members() {
            let ty = object.member(&name).unwrap_or(Type::Dyn);
            let place = self.place(object.promised(&name), &ty, depth);
            if !place.is_empty() {
                required |= if place.is_required() { bit(members.len()) } else { 0 };
                members.push(Member { name: name.into(), place });
            }
        }
        self.list[id as usize] = Shape::Members(Members { list: members.into(), required });
        id
    }

    fn place(&mut self, promised: Option<Promised>, ty: &Type, depth: usize) -> Place {
        self.promises |= promised.is_some();
        Place { promised, inside: self.of(ty, depth + 1) }
    }

    fn push(&mut self, shape: Shape) -> ShapeId {
        self.list.push(shape);
        (self.list.len() - 1) as ShapeId
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;

    use super::Inner;
    use crate::base::value::{Doc, Held, Kind, Kinds};
    use crate::expr::{Instead, Item, ObjectType, PromiseId, Promised, Type};

    /// An object of so many required texts, `m0`, `m1` and so on, and an optional object of the same type, `self`.
    #[derive(Debug)]
    struct Texts(u32);

    fn promised(id: u32, kinds: Kinds) -> Promised {
        Promised { id: PromiseId(id), kinds, texts: None, may_be_absent: id == u32::MAX }
    }

    impl ObjectType for Texts {
        fn name(&self) -> &str {
            "Texts"
        }

        fn member(&self, name: &str) -> Option<Type> {
            let same = || Type::Object(Arc::new(Self(self.0))).nullable();
            Some(if name == "self" { same() } else { Type::Text })
        }

        fn members(&self) -> Vec<String> {
            let texts = (0..self.0).map(|at| format!("m{at}"));
            texts.chain(["self".to_owned()]).collect()
        }

        fn promised(&self, name: &str) -> Option<Promised> {
            let at = name.strip_prefix('m').and_then(|at| at.parse().ok());
            Some(at.map_or(promised(u32::MAX, Kinds::of(&[Kind::Object])), |at| promised(at, Kinds::TEXTS)))
        }

        fn makes_promises(&self) -> bool {
            true
        }
    }

    /// What is told of a reply.
    fn told(ty: &Type, json: &str) -> Vec<(u32, Instead)> {
        let told = RefCell::new(Vec::new());
        let reply = Held::whole(Doc::parse(json.to_owned().into()).expect("it is JSON").of_reply());
        let inner = Inner::of(ty).expect("something is promised");
        inner.look_through(&reply.value(), &|promise, instead| told.borrow_mut().push((promise.0, instead)));
        told.into_inner()
    }

    fn texts(count: u32) -> Type {
        Type::Object(Arc::new(Texts(count)))
    }

    #[test]
    fn members_are_found_in_any_order_and_the_first_of_a_name_counts() {
        for kept in [r#"{"m0":"","m1":"","m2":""}"#, r#"{"m2":"","x":1,"m1":"","y":{"m0":1},"m0":"","m1":7}"#] {
            assert_eq!(told(&texts(3), kept), []);
        }
        let missing = [(0, Instead::Of(Kind::Null)), (1, Instead::Nothing)];
        assert_eq!(told(&texts(3), r#"{"m2":"","m0":null,"m0":"","m2":1}"#), missing);
    }

    #[test]
    fn objects_that_hold_themselves_are_looked_through_to_the_end() {
        let found = told(&texts(1), r#"{"m0":"","self":{"self":{"m0":1},"m0":""}}"#);
        assert_eq!(found, [(0, Instead::Of(Kind::Number))]);
        assert_eq!(told(&texts(1), r#"{"m0":"","self":7}"#), [(u32::MAX, Instead::Of(Kind::Number))]);
        assert_eq!(told(&texts(1), "7"), [(0, Instead::NoObject)]);
        assert_eq!(told(&texts(1), "null"), []);
    }

    #[test]
    fn objects_of_many_members_are_looked_at_to_the_last() {
        let json = |skipped: u32| {
            let members = (0..70).filter(|at| *at != skipped).map(|at| format!("\"m{at}\":\"\""));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        assert_eq!(told(&texts(70), &json(70)), []);
        for skipped in [0, 63, 64, 69] {
            assert_eq!(told(&texts(70), &json(skipped)), [(skipped, Instead::Nothing)]);
        }
    }

    #[test]
    fn lists_and_maps_are_looked_through_item_by_item() {
        let item = Item { ty: texts(1), promised: Some(promised(9, Kinds::of(&[Kind::Object]))) };
        for (ty, json) in [
            (Type::list(item.clone()), r#"[{"m0":""},{"m0":1},2]"#),
            (Type::map(item.clone()).nullable(), r#"{"a":{"m0":""},"b":{"m0":1},"c":2}"#),
        ] {
            assert_eq!(told(&ty, json), [(0, Instead::Of(Kind::Number)), (9, Instead::Of(Kind::Number))]);
        }
    }

    #[test]
    fn nothing_is_made_where_nothing_is_promised() {
        for ty in [Type::Dyn, Type::Text, Type::list(Type::Text), Type::map(Type::list(Type::Dyn))] {
            assert!(Inner::of(&ty).is_none(), "{ty}");
        }
        assert!(Inner::of_items(&texts(1)).is_none());
    }
}
