//! HTTP/1 read by the letter of RFC 9112: the requests of a client's bytes, and the answers of a server's.
//!
//! Slow and plain, for it judges what is neither. Where the text can be read in two ways, or is wrong, reading ends.

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The parts of its first line.
    pub(super) first_line: [String; 3],
    /// Names in lower case, with values.
    pub(super) fields: Vec<(String, Vec<u8>)>,
    /// The body without its transfer coding.
    pub(super) body: Vec<u8>,
}

/// The requests at the front of `bytes`, up to the last one of their connection, and how many of them are whole: of the
/// last one the body may be cut short or broken.
pub(super) fn requests(mut bytes: &[u8]) -> (Vec<Message>, usize) {
    let mut requests = Vec::new();
    while let Some((mut request, rest)) = request(bytes) {
        let behind = body(&mut request, rest);
        let is_last = request.is_last();
        requests.push(request);
        let Some(behind) = behind else {
            let whole = requests.len() - 1;
            return (requests, whole);
        };
        if is_last {
            break;
        }
        bytes = behind;
    }
    let whole = requests.len();
    (requests, whole)
}

/// The answers that `bytes` are made of, to requests of these methods in turn, and perhaps one more, to nobody knows what:
/// it may have a body or only say so. Interim ones are left out. What stands behind the last one is given back: it is an
/// answer that is not whole, or none at all.
pub(super) fn answers<'b>(mut bytes: &'b [u8], methods: &[&str]) -> (Vec<Message>, &'b [u8]) {
    let mut answers = Vec::new();
    loop {
        let read = match methods.get(answers.len()) {
            Some(method) => answer(bytes, method),
            None => answer(bytes, "GET").or_else(|| answer(bytes, "HEAD")),
        };
        let Some((answer, rest)) = read else { break };
        bytes = rest;
        if !answer.first_line[1].starts_with('1') {
            answers.push(answer);
        }
    }
    (answers, bytes)
}

impl Message {
    /// The values of a field.
    pub(super) fn values<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m [u8]> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    fn says(&self, name: &str, option: &str) -> bool {
        let mut options = self.values(name).flat_map(|value| value.split(|byte| *byte == b','));
        options.any(|found| found.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
    }

    /// Whether no request follows on the connection (RFC 9112, section 9.3).
    fn is_last(&self) -> bool {
        let is_old = self.first_line[2] == "HTTP/1.0";
        self.says("connection", "close") || (is_old && !self.says("connection", "keep-alive"))
    }
}

/// A request without its body, and what stands behind its head.
fn request(bytes: &[u8]) -> Option<(Message, &[u8])> {
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let (request, rest) = head(bytes)?;
    let [method, target, version] = &request.first_line;
    let is_well_formed = is_token(method.as_bytes())
        && !target.is_empty()
        && target.bytes().all(|byte| byte.is_ascii_graphic())
        && matches!(version.as_str(), "HTTP/1.1" | "HTTP/1.0");
    let hosts = request.values("host").count();
    if !is_well_formed || hosts > 1 || (hosts == 0 && version == "HTTP/1.1") {
        return None;
    }
    match (length(&request)?, is_chunked(&request)?) {
        (Some(_), true) => None,
        (None, true) if request.first_line[2] == "HTTP/1.0" => None,
        _ => Some((request, rest)),
    }
}

/// Reads a request's body; gives back what stands behind it.
fn body<'b>(request: &mut Message, rest: &'b [u8]) -> Option<&'b [u8]> {
    match length(request)? {
        None if is_chunked(request)? => chunks(rest, &mut request.body),
        length => sized(rest, length.unwrap_or(0), &mut request.body),
    }
}

fn answer<'b>(bytes: &'b [u8], method: &str) -> Option<(Message, &'b [u8])> {
    let (mut answer, rest) = head(bytes)?;
    let [version, status, _] = &answer.first_line;
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(version.as_str(), "HTTP/1.1" | "HTTP/1.0") || !is_status {
        return None;
    }
    let is_bare = method == "HEAD" || status.starts_with('1') || status == "204" || status == "304";
    let rest = match (length(&answer)?, is_chunked(&answer)?) {
        _ if is_bare => rest,
        (None, true) => chunks(rest, &mut answer.body)?,
        (Some(length), false) => sized(rest, length, &mut answer.body)?,
        (None, false) => {
            // It lasts until the end of the connection.
            answer.body = rest.to_vec();
            &[]
        }
        (Some(_), true) => return None,
    };
    Some((answer, rest))
}

/// The first line, split at its first two spaces, and the fields.
fn head(bytes: &[u8]) -> Option<(Message, &[u8])> {
    let (first, mut rest) = line(bytes)?;
    let mut parts = std::str::from_utf8(first).ok()?.splitn(3, ' ').map(str::to_owned);
    let first_line = [parts.next()?, parts.next()?, parts.next()?];
    let mut fields = Vec::new();
    loop {
        let (field, behind) = line(rest)?;
        rest = behind;
        if field.is_empty() {
            return Some((Message { first_line, fields, body: Vec::new() }, rest));
        }
        fields.push(split(field)?);
    }
}

/// A line without its end, which is CR LF; neither stands alone.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    Some((&bytes[..at], bytes[at..].strip_prefix(b"\r\n")?))
}

fn split(field: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&field[..colon], field[colon + 1..].trim_ascii());
    let is_text = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
    (is_token(name) && is_text).then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()))
}

fn is_token(name: &[u8]) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(is_sign)
}

/// The declared length; `None` outside if it is none or there are several.
fn length(message: &Message) -> Option<Option<usize>> {
    let mut values = message.values("content-length");
    let Some(value) = values.next() else { return Some(None) };
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit) && values.next().is_none();
    is_number.then(|| std::str::from_utf8(value).ok()?.parse().ok()).map(|length| length.or(Some(usize::MAX)))
}

/// Whether the body is chunked; `None` outside if its coding is another.
fn is_chunked(message: &Message) -> Option<bool> {
    let mut values = message.values("transfer-encoding");
    let Some(value) = values.next() else { return Some(false) };
    (value.eq_ignore_ascii_case(b"chunked") && values.next().is_none()).then_some(true)
}

fn sized<'b>(bytes: &'b [u8], length: usize, body: &mut Vec<u8>) -> Option<&'b [u8]> {
    let (content, rest) = bytes.split_at_checked(length)?;
    body.extend_from_slice(content);
    Some(rest)
}

fn chunks<'b>(mut bytes: &'b [u8], body: &mut Vec<u8>) -> Option<&'b [u8]> {
    loop {
        let (size, rest) = line(bytes)?;
        let digits = size.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(size.len());
        let (digits, extension) = size.split_at(digits);
        if !matches!(extension.trim_ascii_start(), [] | [b';', ..]) {
            return None;
        }
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            return trailers(rest);
        }
        bytes = sized(rest, size, body)?.strip_prefix(b"\r\n")?;
    }
}

fn trailers(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (field, rest) = line(bytes)?;
        bytes = rest;
        if field.is_empty() {
            return Some(bytes);
        }
        split(field)?;
    }
}
