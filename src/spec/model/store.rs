//! The address of a store that replicas share, with who the gateway is to it.

use std::cell::RefCell;
use std::fmt;

use http::uri::Authority;
use percent_encoding::percent_decode_str;

use crate::spec::constant::{Asked, constant};
use crate::spec::keys::{Form, FromScalar, Reader, Shape};
use crate::spec::yaml::Scalar;

/// The port of a store that names none.
const PORT: u16 = 6379;

/// A store that replicas share: `redis://host:port/database`, `rediss://…` over TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct Store {
    /// Whether it is spoken to over TLS.
    pub is_secure: bool,
    /// `host:port`.
    pub authority: Authority,
    /// Who the gateway is to it.
    pub user: Option<Box<str>>,
    /// What proves that.
    pub password: Option<Box<str>>,
    /// Which of its databases.
    pub database: u16,
}

/// What proves who the gateway is, is never shown.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_secure, authority, database, .. } = self;
        let scheme = if *is_secure { "rediss" } else { "redis" };
        write!(f, "Store({scheme}://{authority}/{database})")
    }
}

/// Why a text is no store.
enum Wrong {
    /// It is no address.
    Form,
    /// It holds a password, and not a constant that does.
    WrittenPassword,
}

impl FromScalar for Store {
    // What constants hold is put into the parts of the address, and not into its text: a password may have any letters.
    const TAKES_CONSTANTS: bool = false;

    fn shape() -> Shape {
        Shape::Form(Form {
            pattern: "^rediss?://[^/?#]",
            wanted: "the address of a store, such as `redis://127.0.0.1:6379`",
        })
    }

    fn from_scalar(scalar: &Scalar, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = scalar.text() else {
            reader.expected_form::<Self>(scalar);
            return None;
        };
        let constants = Constants::default();
        let look_up = reader.look_up;
        let marked = match constant(text, &|asked| Ok(look_up(asked)?.map(|found| constants.mark(asked, found)))) {
            Ok(marked) => marked,
            Err(mistake) => {
                let place = scalar.place_of(mistake.bytes);
                reader.report(reader.error("bad-constant", &place, mistake.message).help(mistake.help));
                return None;
            }
        };
        match constants.store(&marked) {
            Ok(store) => Some(store),
            Err(Wrong::WrittenPassword) => {
                let message = "a secret does not stand in a composition";
                let help = "write a constant in its place, such as `${file('/run/secrets/store')}` or `${env('NAME')}`";
                reader.report(reader.error("written-secret", &scalar.place, message).help(help));
                None
            }
            Err(Wrong::Form) if marked == text => {
                reader.expected_form::<Self>(scalar);
                None
            }
            Err(Wrong::Form) => {
                let message = "expected the address of a store, such as `redis://127.0.0.1:6379`, and with what its \
                               constants hold this is none";
                reader.report(reader.error("wrong-type", &scalar.place, message));
                None
            }
        }
    }
}

/// What the constants of an address hold, each with a mark that stands for it in the text.
#[derive(Default)]
struct Constants(RefCell<Vec<String>>);

/// Around the number of a constant. Private to whoever uses them, so that no address has them.
const BEGIN: char = '\u{e000}';
const END: char = '\u{e001}';

impl Constants {
    fn mark(&self, asked: Asked<'_>, found: String) -> String {
        // A list of files is for a message, and not for the text.
        if matches!(asked, Asked::Beside(_)) {
            return found;
        }
        let mut held = self.0.borrow_mut();
        held.push(found);
        format!("{BEGIN}{}{END}", held.len() - 1)
    }

    /// Reads an address with marks. One that is a constant as a whole is read as it would be written.
    fn store(&self, marked: &str) -> Result<Store, Wrong> {
        let held = self.0.borrow();
        match &held[..] {
            [whole] if marked == format!("{BEGIN}0{END}") => Self::default().parts(whole, IsWritten::Elsewhere),
            _ => self.parts(marked, IsWritten::Here),
        }
    }

    fn parts(&self, text: &str, written: IsWritten) -> Result<Store, Wrong> {
        let (is_secure, rest) = match (text.strip_prefix("rediss://"), text.strip_prefix("redis://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(Wrong::Form),
        };
        let (before, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (known, place) = before.rsplit_once('@').map_or((None, before), |(known, place)| (Some(known), place));
        let (user, password) = known.map_or(("", ""), |known| known.split_once(':').unwrap_or((known, "")));
        if written == IsWritten::Here && !password.is_empty() && !password.contains(BEGIN) {
            return Err(Wrong::WrittenPassword);
        }
        let authority: Authority = self.filled(place)?.parse().map_err(|_| Wrong::Form)?;
        let authority = match authority.port_u16() {
            _ if authority.host().is_empty() || authority.as_str().contains('@') => return Err(Wrong::Form),
            Some(_) => authority,
            None if authority.as_str() != authority.host() => return Err(Wrong::Form),
            None => format!("{authority}:{PORT}").parse().map_err(|_| Wrong::Form)?,
        };
        let database = match self.filled(database)?.as_str() {
            "" => 0,
            number => number.parse().map_err(|_| Wrong::Form)?,
        };
        let said = |text: &str| Ok(Some(self.filled(text)?.into_boxed_str()).filter(|text| !text.is_empty()));
        Ok(Store { is_secure, authority, user: said(user)?, password: said(password)?, database })
    }

    /// A part with what its constants hold; what is written is percent-decoded (RFC 3986 section 2.1).
    fn filled(&self, part: &str) -> Result<String, Wrong> {
        let held = self.0.borrow();
        let mut filled = String::new();
        for (index, piece) in part.split([BEGIN, END]).enumerate() {
            // Marks come in pairs: what stands between the two of one is the number of a constant.
            match index % 2 {
                0 => filled.push_str(&percent_decode_str(piece).decode_utf8().map_err(|_| Wrong::Form)?),
                _ => filled.push_str(piece.parse().ok().and_then(|number: usize| held.get(number)).ok_or(Wrong::Form)?),
            }
        }
        Ok(filled)
    }
}

/// Where an address is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsWritten {
    /// In the composition.
    Here,
    /// Where a constant reads it.
    Elsewhere,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Store, &'static str> {
        let constants = Constants::default();
        let look_up = |asked: Asked<'_>| {
            let found = match asked {
                Asked::Environment("PASSWORD") => "p@ss:w/ord%41#",
                Asked::Environment("HOST") => "store.internal",
                Asked::Environment("URL") => "rediss://ann:p%40ss@store.internal/3",
                _ => return Ok(None),
            };
            Ok(Some(constants.mark(asked, found.to_owned())))
        };
        let marked = constant(text, &look_up).map_err(|_| "constant")?;
        constants.store(&marked).map_err(|wrong| match wrong {
            Wrong::Form => "form",
            Wrong::WrittenPassword => "password",
        })
    }

    #[test]
    fn an_address_has_its_parts() {
        let said = |text: &str| {
            let store = read(text).expect(text);
            (store.is_secure, store.authority.to_string(), store.user, store.password, store.database)
        };
        let place = |authority: &str, database| (false, authority.to_owned(), None, None, database);
        assert_eq!(said("redis://127.0.0.1:6380"), place("127.0.0.1:6380", 0));
        assert_eq!(said("redis://[::1]:6380/"), place("[::1]:6380", 0));
        assert_eq!(said("redis://a.test/15"), place("a.test:6379", 15));
        assert_eq!(said("redis://${env('HOST')}:${env('PORT', '1')}/2"), place("store.internal:1", 2));
        let password = Some("p@ss:w/ord%41#".into());
        let with = (false, "a.test:6379".to_owned(), Some("ann b".into()), password.clone(), 0);
        assert_eq!(said("redis://ann%20b:${env('PASSWORD')}@a.test"), with);
        let without_user = (true, "a.test:1".to_owned(), None, password, 4);
        assert_eq!(said("rediss://:${env('PASSWORD')}@a.test:1/4"), without_user);
        let whole = (true, "store.internal:6379".to_owned(), Some("ann".into()), Some("p@ss".into()), 3);
        assert_eq!(said("${env('URL')}"), whole);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "localhost:6379",
            "http://a.test",
            "redis://",
            "redis://:1",
            "redis://a.test:x",
            "redis://a.test:",
            "redis://a.test:99999",
            "redis://a.test/x",
            "redis://a.test/1/2",
            "redis://a.test?db=1",
            "redis://a b",
            "${env('HOST')}",
        ] {
            assert_eq!(read(text), Err("form"), "{text}");
        }
        assert_eq!(read("redis://:secret@a.test"), Err("password"));
        assert_eq!(read("redis://${env('HOST')}:secret@a.test"), Err("password"));
        assert_eq!(read("redis://${env('NOBODY')}"), Err("constant"));
    }

    #[test]
    fn nothing_shows_who_the_gateway_is() {
        let shown = format!("{:?}", read("redis://ann:${env('PASSWORD')}@a.test/1"));
        assert_eq!(shown, "Ok(Store(redis://a.test:6379/1))");
    }
}
