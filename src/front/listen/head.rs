//! The rules for the head of an HTTP/1 request (RFC 9112, sections 2 to 6).

use std::ops::Range;

use super::authority;
use super::limits::Limits;
use super::refusal::Refusal;

/// Longest method taken. The longest registered one has 17 letters.
const METHOD_LENGTH: usize = 32;

/// What a request line holds beside its target: a method, two spaces, the version, CR.
const REQUEST_LINE_REST: usize = METHOD_LENGTH + "  HTTP/1.1\r".len();

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By a length in bytes; 0 when no body was announced.
    Sized(u64),
    /// By chunks.
    Chunked,
}

/// The end of a head that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeadEnd {
    /// Bytes from the first one of the head to the empty line after it, inclusive.
    pub(super) length: usize,
    pub(super) framing: Framing,
}

/// The authority of a target in absolute form.
#[derive(Debug)]
struct Authority {
    /// Where it lies in the head.
    place: Range<usize>,
    /// The port that the scheme of the target implies.
    default_port: &'static [u8],
}

/// One request head, judged line by line while its bytes arrive. All positions count from its first byte.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Up to where that line was searched for its end.
    searched: usize,
    /// Where the header lines begin, once the request line was read.
    block: Option<usize>,
    /// Header lines read.
    fields: usize,
    is_http10: bool,
    /// Whether the one empty line that may precede a request (RFC 9112, section 2.2) was there.
    is_preceded: bool,
    /// The authority of a target in absolute form.
    authority: Option<Authority>,
    host: Option<Range<usize>>,
    length: Option<u64>,
    is_chunked: bool,
}

impl Head {
    /// Judges the lines that are complete in `bytes`, which begin with the head's first byte every time.
    /// `None` asks for more bytes.
    pub(super) fn read(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<HeadEnd>, Refusal> {
        loop {
            let end = memchr::memchr(b'\n', &bytes[self.searched..]).map(|at| self.searched + at);
            if self.line == 0 {
                check_first_byte(bytes)?;
            }
            self.check_size(end.unwrap_or(bytes.len()), limits)?;
            let Some(end) = end else {
                self.searched = bytes.len();
                return Ok(None);
            };
            let line = self.line..line_end(bytes, self.line, end)?;
            (self.line, self.searched) = (end + 1, end + 1);
            match self.block {
                None => self.read_first_line(bytes, line, limits)?,
                Some(_) if line.is_empty() => return self.finish(bytes, end + 1).map(Some),
                Some(_) => self.read_field(bytes, line, limits)?,
            }
        }
    }

    /// Checks the size of the present line, of which the bytes up to `end` are known, and of the lines before it.
    fn check_size(&self, end: usize, limits: &Limits) -> Result<(), Refusal> {
        match self.block {
            None if end - self.line > limits.target + REQUEST_LINE_REST => Err(Refusal::TARGET_TOO_LONG),
            Some(block) if end - block > limits.header_block => Err(Refusal::HEADERS_TOO_LARGE),
            _ => Ok(()),
        }
    }

    fn read_first_line(&mut self, bytes: &[u8], line: Range<usize>, limits: &Limits) -> Result<(), Refusal> {
        if line.is_empty() {
            if self.is_preceded {
                return Err(Refusal::bad("Empty lines precede the request line."));
            }
            self.is_preceded = true;
            return Ok(());
        }
        let text = &bytes[line.clone()];
        let mut parts = text.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::bad("The request line is not method, target and version."));
        };
        if target.len() > limits.target {
            return Err(Refusal::TARGET_TOO_LONG);
        }
        check_method(method)?;
        self.is_http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(Refusal::bad("The version is not HTTP/1.1 or HTTP/1.0.")),
        };
        let start = line.start + method.len() + 1;
        self.authority = read_target(method, target)?.map(|authority| authority.moved_by(start));
        self.block = Some(self.line);
        Ok(())
    }

    fn read_field(&mut self, bytes: &[u8], line: Range<usize>, limits: &Limits) -> Result<(), Refusal> {
        self.fields += 1;
        if self.fields > limits.header_fields {
            return Err(Refusal::HEADERS_TOO_LARGE);
        }
        let (name, value) = split_field(&bytes[line.clone()])?;
        match framing_field(name) {
            Some(FramingField::Host) => self.read_host(bytes, line.start + value.start..line.start + value.end),
            Some(FramingField::ContentLength) => self.read_length(&bytes[line][value]),
            Some(FramingField::TransferEncoding) => self.read_encoding(&bytes[line][value]),
            None => Ok(()),
        }
    }

    fn read_host(&mut self, bytes: &[u8], value: Range<usize>) -> Result<(), Refusal> {
        if self.host.is_some() {
            return Err(Refusal::bad("There is more than one Host."));
        }
        if !authority::is_valid(&bytes[value.clone()]) {
            return Err(Refusal::bad("The Host is not a host name with an optional port."));
        }
        self.host = Some(value);
        Ok(())
    }

    /// A second length is refused even when it is equal: no sender may generate it (RFC 9110, section 8.6).
    fn read_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.length.is_some() {
            return Err(Refusal::bad("There is more than one Content-Length."));
        }
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(Refusal::bad("The Content-Length is not a number."));
        }
        let length =
            value.iter().try_fold(0_i64, |length, digit| length.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
        let Some(length) = length else { return Err(Refusal::bad("The Content-Length is too large a number.")) };
        self.length = Some(length.unsigned_abs());
        Ok(())
    }

    fn read_encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.is_chunked {
            return Err(Refusal::bad("There is more than one Transfer-Encoding."));
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::bad("The Transfer-Encoding is not chunked."));
        }
        self.is_chunked = true;
        Ok(())
    }

    fn finish(&self, bytes: &[u8], length: usize) -> Result<HeadEnd, Refusal> {
        if self.is_chunked && self.is_http10 {
            return Err(Refusal::bad("HTTP/1.0 has no Transfer-Encoding."));
        }
        if self.is_chunked && self.length.is_some() {
            return Err(Refusal::bad("There are both Content-Length and Transfer-Encoding."));
        }
        self.check_host(bytes)?;
        let framing = if self.is_chunked { Framing::Chunked } else { Framing::Sized(self.length.unwrap_or(0)) };
        Ok(HeadEnd { length, framing })
    }

    /// HTTP/1.1 needs a Host (RFC 9112, section 3.2). One that differs from a target in absolute form is
    /// refused, although the target would take precedence: whatever reads the Host alone would be deceived.
    fn check_host(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(host) = &self.host else {
            return if self.is_http10 { Ok(()) } else { Err(Refusal::bad("There is no Host.")) };
        };
        let Some(authority) = &self.authority else { return Ok(()) };
        if authority::are_equal(&bytes[authority.place.clone()], &bytes[host.clone()], authority.default_port) {
            return Ok(());
        }
        Err(Refusal::bad("The Host differs from the request target."))
    }
}

impl Authority {
    fn moved_by(self, distance: usize) -> Self {
        Self { place: self.place.start + distance..self.place.end + distance, ..self }
    }
}

/// The fields that decide where a request goes and where it ends.
pub(super) enum FramingField {
    Host,
    ContentLength,
    TransferEncoding,
}

/// Whether `name` is one of the fields that decide on framing, in any case.
pub(super) fn framing_field(name: &[u8]) -> Option<FramingField> {
    match name.len() {
        4 if name.eq_ignore_ascii_case(b"host") => Some(FramingField::Host),
        14 if name.eq_ignore_ascii_case(b"content-length") => Some(FramingField::ContentLength),
        17 if name.eq_ignore_ascii_case(b"transfer-encoding") => Some(FramingField::TransferEncoding),
        _ => None,
    }
}

/// Splits a field line, without its line end, into its name and where its value lies without the white space
/// around it. Refuses obsolete line folding and white space before the colon (RFC 9112, section 5).
pub(super) fn split_field(line: &[u8]) -> Result<(&[u8], Range<usize>), Refusal> {
    if matches!(line, [b' ' | b'\t', ..]) {
        return Err(Refusal::bad("A header line is folded."));
    }
    let Some(colon) = memchr::memchr(b':', line) else { return Err(Refusal::bad("A header line has no colon.")) };
    let name = &line[..colon];
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Refusal::bad("A header name is not a token."));
    }
    let raw = &line[colon + 1..];
    if !is_text(raw) {
        return Err(Refusal::bad("A header value has a control character."));
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = raw.iter().position(|byte| !is_space(byte)).unwrap_or(raw.len());
    let end = raw.iter().rposition(|byte| !is_space(byte)).map_or(start, |at| at + 1);
    Ok((name, colon + 1 + start..colon + 1 + end))
}

/// Whether all bytes may stand in a field value (RFC 9110, section 5.5).
pub(super) fn is_text(bytes: &[u8]) -> bool {
    // Without an early exit the loop runs over many bytes at once.
    bytes.iter().fold(true, |is_text, byte| is_text & ((*byte >= b' ' && *byte != 0x7f) || *byte == b'\t'))
}

/// Where the line that begins at `start` ends without its CRLF, whose LF is at `newline`.
pub(super) fn line_end(bytes: &[u8], start: usize, newline: usize) -> Result<usize, Refusal> {
    if newline == start || bytes[newline - 1] != b'\r' {
        return Err(Refusal::bad("A line ends in LF without CR."));
    }
    Ok(newline - 1)
}

/// A TLS handshake or other noise is answered at once, not after the wait for a line end.
fn check_first_byte(bytes: &[u8]) -> Result<(), Refusal> {
    match bytes.first() {
        Some(byte) if !is_token(*byte) && !matches!(byte, b'\r' | b'\n') => {
            Err(Refusal::bad("The connection does not speak HTTP."))
        }
        _ => Ok(()),
    }
}

fn check_method(method: &[u8]) -> Result<(), Refusal> {
    if method.is_empty() || method.len() > METHOD_LENGTH || !method.iter().all(|byte| is_token(*byte)) {
        return Err(Refusal::bad("The method is not a token."));
    }
    if method == b"CONNECT" {
        return Err(Refusal::bad("This gateway opens no tunnels."));
    }
    Ok(())
}

/// Checks a target (RFC 9112, section 3.2) and returns the authority of one in absolute form.
fn read_target(method: &[u8], target: &[u8]) -> Result<Option<Authority>, Refusal> {
    if target.first() == Some(&b'/') {
        return check_path(target).map(|()| None);
    }
    if target == b"*" && method == b"OPTIONS" {
        return Ok(None);
    }
    let schemes: [(&[u8], &'static [u8]); 2] = [(b"http://", b"80"), (b"https://", b"443")];
    for (scheme, default_port) in schemes {
        if target.len() < scheme.len() || !target[..scheme.len()].eq_ignore_ascii_case(scheme) {
            continue;
        }
        let rest = &target[scheme.len()..];
        let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        if !authority::is_valid(&rest[..length]) {
            break;
        }
        check_path(&rest[length..])?;
        return Ok(Some(Authority { place: scheme.len()..scheme.len() + length, default_port }));
    }
    Err(Refusal::bad("The request target is not a path."))
}

/// Checks the bytes of path and query. Beyond RFC 3986 this takes what clients send unencoded and every parser
/// reads alike; a fragment is refused, because parsers drop it silently.
fn check_path(path: &[u8]) -> Result<(), Refusal> {
    let query = memchr::memchr(b'?', path).unwrap_or(path.len());
    let in_path = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b'<' | b'>' | b'^' | b'`');
    let in_query = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b'<' | b'>' | b'"');
    if path[..query].iter().all(in_path) && path[query..].iter().all(in_query) {
        return Ok(());
    }
    Err(Refusal::bad("The request target has a character that must be percent-encoded."))
}

/// Whether `byte` may stand in a token (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let others = b"!#$%&'*+-.^_`|~";
        let mut at = 0;
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        table
    };
    TOKEN[byte as usize]
}
