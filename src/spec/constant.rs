//! Constants in scalars: `${env('NAME', 'default')}` and `${file('/run/secrets/x')}`, read once at load.
//!
//! What they hold is never parsed for expressions again, and no diagnostic prints it.

use std::ops::Range;
use std::path::Path;

use crate::base::diagnostic::nearest_file;
use crate::base::file;

/// Files larger than this are no secret and no certificate: the authorities of a whole system take a fifth of it.
const FILE_SIZE_LIMIT: u64 = 1 << 20;

/// What a constant asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// The environment variable of this name.
    Environment(&'a str),
    /// The text of the file at this path.
    File(&'a str),
    /// The paths in the folder of this path, a line each, for a message about what is not there.
    Beside(&'a str),
}

/// Answers a constant: `Ok(None)` if there is no such variable or file, else why it cannot be read.
pub type LookUp<'a> = &'a dyn Fn(Asked<'_>) -> Result<Option<String>, String>;

/// Why a constant has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstantError {
    /// Which bytes of the text are wrong.
    pub bytes: Range<usize>,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to write instead; may be empty.
    pub help: String,
}

/// Looks up in the process's environment and files. A line break at the end of a file is dropped.
///
/// # Errors
/// Why a file that is there cannot be read, or that a text is not UTF-8.
pub fn look_up_in_process(asked: Asked<'_>) -> Result<Option<String>, String> {
    match asked {
        Asked::Environment(name) => match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(error.to_string()),
        },
        Asked::File(path) => match file::read_text(Path::new(path), FILE_SIZE_LIMIT) {
            Ok(text) => {
                Ok(Some(text.strip_suffix('\n').map_or(text.as_str(), |text| text.trim_end_matches('\r')).to_owned()))
            }
            Err(why) if why.is_absent() => Ok(None),
            Err(why) => Err(why.to_string()),
        },
        Asked::Beside(path) => {
            let folder = Path::new(path).parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            let Ok(entries) = std::fs::read_dir(folder) else { return Ok(None) };
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            Ok(Some(names.collect::<Vec<_>>().join("\n")))
        }
    }
}

/// The functions that give constants.
pub const CONSTANTS: &[&str] = &["env", "file"];

/// The text that `env` or `file` stands for.
///
/// # Errors
/// What is wrong and what to write instead: it is not there and has no default, or cannot be read.
pub fn constant_text(
    function: &str,
    (argument, default): (&str, Option<&str>),
    look_up: LookUp<'_>,
) -> Result<String, (String, String)> {
    let (asked, what) = match function {
        "env" => (Asked::Environment(argument), "the environment variable"),
        _ => (Asked::File(argument), "the file"),
    };
    let missing = || {
        let message = format!("{what} `{argument}` is not there and no default is written");
        let help = format!("write a default: `${{{function}('{argument}', '…')}}`");
        (message, if function == "env" { help } else { beside(argument, look_up) + &help })
    };
    match look_up(asked) {
        Ok(found) => found.or(default.map(str::to_owned)).ok_or_else(missing),
        Err(why) => Err((format!("{what} `{argument}` cannot be read: {why}"), String::new())),
    }
}

/// What there is in the folder of a file that is not there, to be followed by what else to do.
fn beside(path: &str, look_up: LookUp<'_>) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
    match look_up(Asked::Beside(path)) {
        Ok(Some(names)) if names.is_empty() => format!("the folder `{folder}` is empty; "),
        Ok(Some(names)) => match nearest_file(name, names.lines()) {
            question if question.ends_with('?') => format!("{question} Else "),
            list => format!("{list}; "),
        },
        _ => format!("there is no folder `{folder}`; "),
    }
}

/// Whether text holds an expression: a `${` that is not written `$${`.
pub fn holds_expression(text: &str) -> bool {
    text.replace("$${", "").contains("${")
}

/// Text with its constants filled in. Text without any is itself; `$${` becomes `${`.
///
/// # Errors
/// An expression that is no constant, a variable or file that is not there and has no default.
pub fn constant(text: &str, look_up: LookUp<'_>) -> Result<String, ConstantError> {
    let mut filled = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find('$').map(|offset| at + offset) {
        filled.push_str(&text[at..found]);
        at = if text[found..].starts_with("$${") {
            filled.push_str("${");
            found + 3
        } else if text[found..].starts_with("${") {
            let mut call = Call { text, at: found + 2, start: found };
            filled.push_str(&call.value(look_up)?);
            call.at
        } else {
            filled.push('$');
            found + 1
        };
    }
    filled.push_str(&text[at..]);
    Ok(filled)
}

/// One `${…}` while it is read.
struct Call<'a> {
    text: &'a str,
    at: usize,
    /// Where `${` stands.
    start: usize,
}

impl Call<'_> {
    fn value(&mut self, look_up: LookUp<'_>) -> Result<String, ConstantError> {
        let name_start = self.skip_blanks();
        let name_length = self.rest().bytes().take_while(u8::is_ascii_alphabetic).count();
        self.at += name_length;
        let function = &self.text[name_start..self.at];
        if !CONSTANTS.contains(&function) || !self.accept('(') {
            return Err(self.no_constant());
        }
        let argument = self.literal()?;
        let default = if self.accept(',') { Some(self.literal()?) } else { None };
        if !self.accept(')') || !self.accept('}') {
            return Err(self.no_constant());
        }
        let found = constant_text(function, (&argument, default.as_deref()), look_up);
        found.map_err(|(message, help)| ConstantError { bytes: self.start..self.at, message, help })
    }

    /// A string literal in single or double quotes.
    fn literal(&mut self) -> Result<String, ConstantError> {
        self.skip_blanks();
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Err(self.no_constant());
        };
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.at += offset + 1;
                    return Ok(value);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, escaped @ ('\\' | '\'' | '"'))) => value.push(escaped),
                    _ => return Err(self.no_constant()),
                },
                _ => value.push(character),
            }
        }
        Err(self.no_constant())
    }

    fn accept(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn skip_blanks(&mut self) -> usize {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.at
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn no_constant(&self) -> ConstantError {
        let length = self.text[self.start..].find('}').map_or(self.text.len() - self.start, |end| end + 1);
        ConstantError {
            bytes: self.start..self.start + length,
            message: "only constants can stand here, because this is read once at load".into(),
            help: "write `${env('NAME', 'default')}` or `${file('/path')}`".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, constant, holds_expression};

    fn look_up(asked: Asked<'_>) -> Result<Option<String>, String> {
        match asked {
            Asked::Environment("HOST") => Ok(Some("db.internal".into())),
            Asked::Environment("TRICK") => Ok(Some("${env('HOST')}".into())),
            Asked::File("/locked") => Err("permission denied".into()),
            _ => Ok(None),
        }
    }

    #[test]
    fn constants_stand_alone_or_in_text() {
        for (text, value) in [
            ("plain", "plain"),
            ("${env('HOST')}", "db.internal"),
            ("http://${ env ( \"HOST\" , 'x' ) }:5432/${env('DB', 'a\\'b}')}", "http://db.internal:5432/a'b}"),
            ("costs 5$ and $${x}", "costs 5$ and ${x}"),
            ("${env('NONE', '')}", ""),
        ] {
            assert_eq!(constant(text, &look_up).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_a_constant_holds_is_not_parsed_again() {
        assert_eq!(constant("${env('TRICK')}", &look_up).as_deref(), Ok("${env('HOST')}"));
    }

    #[test]
    fn a_constant_without_a_value_is_an_error_with_its_place() {
        for (text, bytes, message) in [
            ("a ${env('NONE')}", 2..16, "the environment variable `NONE` is not there and no default is written"),
            ("${file('/locked', 'x')}", 0..23, "the file `/locked` cannot be read: permission denied"),
            ("${args.id}", 0..10, "only constants can stand here, because this is read once at load"),
            ("${env(HOST)}", 0..12, "only constants can stand here, because this is read once at load"),
            ("${env('HOST'}", 0..13, "only constants can stand here, because this is read once at load"),
            ("é ${env('HOST", 3..14, "only constants can stand here, because this is read once at load"),
            ("${", 0..2, "only constants can stand here, because this is read once at load"),
        ] {
            let error = constant(text, &look_up).expect_err(text);
            assert_eq!((error.bytes, error.message.as_str()), (bytes, message), "{text}");
        }
    }

    #[test]
    fn an_escaped_dollar_begins_no_expression() {
        assert!(holds_expression("a${b}") && holds_expression("$${a}${b}"));
        assert!(!holds_expression("$${a}") && !holds_expression("$5 {a}"));
    }
}
