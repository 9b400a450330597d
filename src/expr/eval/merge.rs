//! `$merge` at run time: objects become one without a copy in between.
//!
//! Members that one part has are written as that part gives them, a reply's by its bytes. Only where
//! several parts have one are their values looked at.

use std::collections::HashMap;

use super::template::put;
use super::{Machine, Slot, Written};
use crate::base::value::{Kind, Sink, Text, Value, ValueKind, View, member_key};
use crate::expr::error::{ErrorKind, EvalError};
use crate::expr::eval::Env;
use crate::expr::library::kind_name;
use crate::expr::node::{Clash, Member, Merge, Node, Whole};

/// What one part has for a place.
enum Piece<'a> {
    /// Not evaluated yet.
    Node(&'a Node),
    /// An object whose members are written out; none is evaluated yet.
    Members(&'a [Member]),
    /// A node of a document.
    View(View<'a>),
    /// Anything else.
    Value(Value<'a>),
}

/// What a piece is to a merge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// An empty optional.
    Absent,
    Null,
    Leaf,
    Object,
}

/// What the pieces for one place make together.
enum Joined<'a> {
    Absent,
    Null,
    One(Piece<'a>),
    Object(Vec<Joint<'a>>),
}

/// A member of a merged object.
struct Joint<'a> {
    name: Text<'a>,
    first: Piece<'a>,
    more: Vec<Piece<'a>>,
    /// The number of the last object that added a piece: of equal names in one object the first counts.
    from: usize,
}

impl<'a, E: Env + ?Sized> Machine<'a, '_, E> {
    /// The value of a merge.
    pub(super) fn merge(&mut self, merge: &'a Merge) -> Result<Value<'a>, EvalError> {
        let joined = self.merged(merge)?;
        Ok(self.joined_value(joined, merge.clash)?.unwrap_or(Value::Optional(None)))
    }

    /// Writes a merge.
    pub(super) fn write_merge<S: Sink>(&mut self, merge: &'a Merge, out: &mut S) -> Result<Written, EvalError> {
        let joined = self.merged(merge)?;
        self.write_joined(joined, merge.clash, out)
    }

    fn merged(&mut self, merge: &'a Merge) -> Result<Joined<'a>, EvalError> {
        if merge.whole == Whole::Member {
            return self.join(merge.parts.iter().map(|part| Piece::Node(&part.node)).collect(), merge.clash, None);
        }
        let mut objects = Vec::with_capacity(merge.parts.len());
        for part in &merge.parts {
            objects.extend(self.part(&part.node)?);
        }
        if objects.len() == 1 {
            return Ok(objects.pop().map_or(Joined::Null, Joined::One));
        }
        self.union(objects).map(Joined::Object)
    }

    /// The object that a part is; `None` for null.
    fn part(&mut self, node: &'a Node) -> Result<Option<Piece<'a>>, EvalError> {
        if let Node::Leaf(inner) = node {
            return self.part(inner).or_else(|error| {
                self.failures.push(error);
                Ok(None)
            });
        }
        let piece = self.looked_at(Piece::Node(node))?;
        match piece.nature() {
            Nature::Absent | Nature::Null => Ok(None),
            Nature::Object => Ok(Some(piece)),
            Nature::Leaf => {
                let message = format!("`$merge` takes objects, not {}", kind_name(piece.kind()));
                Err(EvalError::new(ErrorKind::Type, message))
            }
        }
    }

    /// The members of several objects, each where it first appears.
    fn union(&mut self, objects: Vec<Piece<'a>>) -> Result<Vec<Joint<'a>>, EvalError> {
        let mut joints: Vec<Joint<'a>> = Vec::new();
        let mut places: HashMap<Text<'a>, usize> = HashMap::new();
        for (from, object) in objects.into_iter().enumerate() {
            for (name, piece) in self.members(object)? {
                match places.get(&name).map(|at| &mut joints[*at]) {
                    Some(joint) if joint.from == from => {}
                    Some(joint) => {
                        joint.more.push(piece);
                        joint.from = from;
                    }
                    None => {
                        places.insert(name.clone(), joints.len());
                        joints.push(Joint { name, first: piece, more: Vec::new(), from });
                    }
                }
            }
        }
        Ok(joints)
    }

    /// The members of one object.
    fn members(&mut self, object: Piece<'a>) -> Result<Vec<(Text<'a>, Piece<'a>)>, EvalError> {
        let members: Vec<(Text<'a>, Piece<'a>)> = match object {
            Piece::View(view) => view.members().map(|(name, view)| (name, Piece::View(view))).collect(),
            Piece::Members(members) => {
                let mut taken = Vec::with_capacity(members.len());
                for member in members {
                    if self.takes(member)? {
                        taken.push((Text::Borrowed(&member.name), Piece::Node(&member.value)));
                    }
                }
                taken
            }
            Piece::Value(value) => {
                let entries = value.entries().into_iter().flatten();
                let named = |(key, value)| crate::base::value::key_text(&key).map(|key| (key, value));
                entries.filter_map(named).map(|(key, value)| (Text::from(key), Piece::Value(value))).collect()
            }
            Piece::Node(_) => Vec::new(),
        };
        self.spend(members.len())?;
        Ok(members)
    }

    /// What several values for one place make.
    fn join(&mut self, pieces: Vec<Piece<'a>>, clash: Clash, name: Option<&str>) -> Result<Joined<'a>, EvalError> {
        let mut present = Vec::with_capacity(pieces.len());
        let mut nothing = Joined::Absent;
        for piece in pieces {
            let piece = self.looked_at(piece)?;
            match piece.nature() {
                Nature::Absent => {}
                Nature::Null => nothing = Joined::Null,
                Nature::Leaf | Nature::Object => present.push(piece),
            }
        }
        let is_object = |piece: &Piece<'a>| piece.nature() == Nature::Object;
        if present.len() > 1 && !present.iter().all(is_object) {
            let deciding = match clash {
                Clash::First => 0,
                Clash::Last => present.len() - 1,
                Clash::Fails => return Err(clashing(name)),
                Clash::Null => {
                    self.failures.push(clashing(name));
                    return Ok(Joined::Null);
                }
            };
            match is_object(&present[deciding]) {
                true => present.retain(is_object),
                false => return Ok(Joined::One(present.swap_remove(deciding))),
            }
        }
        match present.len() {
            0 => Ok(nothing),
            1 => Ok(present.pop().map_or(nothing, Joined::One)),
            _ => self.union(present).map(Joined::Object),
        }
    }

    /// A piece as far as a merge must know it: written objects stay unevaluated.
    fn looked_at(&mut self, piece: Piece<'a>) -> Result<Piece<'a>, EvalError> {
        let Piece::Node(node) = piece else { return Ok(piece) };
        match node {
            Node::Object(members) => Ok(Piece::Members(members)),
            Node::Path { .. } | Node::Local { .. } => Ok(match self.found(node) {
                Slot::View(view) => Piece::View(view),
                Slot::Value(value) => Piece::Value(value),
            }),
            Node::Inspected(inspected) => Ok(match self.inspected(inspected)? {
                Slot::View(view) => Piece::View(view),
                Slot::Value(value) => Piece::Value(value),
            }),
            Node::Conditional(conditional) => {
                let taken = self.condition(&conditional.when).map_err(|error| error.at(conditional.span))?;
                self.looked_at(Piece::Node(if taken { &conditional.then } else { &conditional.otherwise }))
            }
            Node::Outcome { var, done, otherwise } => {
                let side = if self.is_done(*var) { done } else { otherwise };
                self.looked_at(Piece::Node(side))
            }
            Node::Leaf(inner) => self.looked_at(Piece::Node(inner)).or_else(|error| {
                self.failures.push(error);
                Ok(Piece::Value(Value::Null))
            }),
            other => Ok(match self.eval(other)? {
                Value::View(view) => Piece::View(view),
                Value::Optional(Some(held)) => Piece::Value((*held).clone()),
                value => Piece::Value(value),
            }),
        }
    }

    fn joint(&mut self, joint: Joint<'a>, clash: Clash) -> Result<Joined<'a>, EvalError> {
        if joint.more.is_empty() {
            return Ok(Joined::One(joint.first));
        }
        let pieces = std::iter::once(joint.first).chain(joint.more).collect();
        self.join(pieces, clash, Some(&joint.name))
    }

    fn write_joined<S: Sink>(&mut self, joined: Joined<'a>, clash: Clash, out: &mut S) -> Result<Written, EvalError> {
        match joined {
            Joined::Absent => return Ok(Written::Absent),
            Joined::Null => out.null(),
            Joined::One(Piece::Node(node)) => return self.write(node, out),
            Joined::One(Piece::Members(members)) => self.write_object(members, out)?,
            Joined::One(Piece::View(view)) => out.view(view),
            Joined::One(Piece::Value(value)) => {
                self.env.budget().write(&value)?;
                return put(&value, out);
            }
            Joined::Object(joints) => {
                out.begin_object();
                for joint in joints {
                    let mark = out.mark();
                    out.key(&member_key(&joint.name));
                    let joined = self.joint(joint, clash)?;
                    if self.write_joined(joined, clash, out)? == Written::Absent {
                        out.rewind(mark);
                    }
                }
                out.end_object();
            }
        }
        Ok(Written::Present)
    }

    /// The value; `None` for an empty optional.
    fn joined_value(&mut self, joined: Joined<'a>, clash: Clash) -> Result<Option<Value<'a>>, EvalError> {
        Ok(match joined {
            Joined::Absent => None,
            Joined::Null => Some(Value::Null),
            Joined::One(Piece::Node(node)) => super::template::present(self.eval(node)?),
            Joined::One(Piece::Members(members)) => Some(self.object(members)?),
            Joined::One(Piece::View(view)) => Some(view.value()),
            Joined::One(Piece::Value(value)) => Some(value),
            Joined::Object(joints) => {
                let mut made = Vec::with_capacity(joints.len());
                for joint in joints {
                    let name = Value::Text(joint.name.clone());
                    let joined = self.joint(joint, clash)?;
                    made.extend(self.joined_value(joined, clash)?.map(|value| (name, value)));
                }
                Some(Value::Map(made.into()))
            }
        })
    }
}

impl Piece<'_> {
    fn nature(&self) -> Nature {
        match self {
            Self::Members(_) => Nature::Object,
            Self::View(view) if view.is_null() => Nature::Null,
            Self::View(view) if view.kind() == Kind::Object => Nature::Object,
            Self::Value(Value::Null) => Nature::Null,
            Self::Value(Value::Optional(None)) => Nature::Absent,
            Self::Value(value) if value.kind() == ValueKind::Map => Nature::Object,
            Self::Node(_) | Self::View(_) | Self::Value(_) => Nature::Leaf,
        }
    }

    fn kind(&self) -> ValueKind {
        match self {
            Self::View(view) => view.value().kind(),
            Self::Value(value) => value.kind(),
            Self::Node(_) | Self::Members(_) => ValueKind::Map,
        }
    }
}

fn clashing(name: Option<&str>) -> EvalError {
    let of = name.map(|name| format!("`{name}`")).unwrap_or_else(|| "the same member".to_owned());
    EvalError::new(ErrorKind::Clash, format!("two parts of `$merge` have a value for {of}"))
}

#[cfg(test)]
mod tests;
