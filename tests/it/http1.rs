//! HTTP/1.1 as bytes on a socket: what the client and the scripted REST backends of the tests speak.
//!
//! Hand-made on purpose: a test must be able to send what no good library sends, and to see exactly what arrived.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// One request or response, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The request line or the status line, without its line end.
    pub(crate) first_line: String,
    /// Header fields as sent, in order; names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body with its transfer coding taken off.
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// All values of a header field, joined as HTTP joins them.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        joined(&self.headers, name)
    }

    /// The status of a response; 0 when the first line is no status line.
    pub(crate) fn status(&self) -> u16 {
        self.first_line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// All values of the field `name` (lower case), joined with a comma; `None` when there is none.
pub(crate) fn joined(headers: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> =
        headers.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// What a connection is made of: a socket, perhaps with TLS on it.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// One end of a connection.
pub(crate) struct Connection {
    stream: Box<dyn Wire>,
    /// Bytes that were read and not yet taken.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a server.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(Box::new(stream)))
    }

    /// Takes an end of an open connection.
    pub(crate) fn over(stream: Box<dyn Wire>) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Sends these bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Reads the next request; `None` when the client closed instead.
    pub(crate) async fn request(&mut self) -> io::Result<Option<Message>> {
        let Some(mut message) = self.head().await? else { return Ok(None) };
        message.body = match self.framing(&message) {
            Framing::UntilClose => Vec::new(),
            framing => self.body(framing).await?,
        };
        Ok(Some(message))
    }

    /// Reads the final response to a request made with `method`.
    pub(crate) async fn response(&mut self, method: &str) -> io::Result<Message> {
        loop {
            let Some(mut message) = self.head().await? else {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
            };
            let status = message.status();
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            if method != "HEAD" && status != 204 && status != 304 {
                message.body = self.body(self.framing(&message)).await?;
            }
            return Ok(message);
        }
    }

    /// Everything that arrives until the other side closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await.is_ok_and(|count| count > 0) {}
        std::mem::take(&mut self.buffer)
    }

    /// Ends when the other side has closed or reset the connection.
    pub(crate) async fn closed(&mut self) {
        while self.fill().await.is_ok_and(|count| count > 0) {}
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.buffer).await
    }

    async fn head(&mut self) -> io::Result<Option<Message>> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if self.fill().await? == 0 {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed within a head")),
                };
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(Some(Message { first_line, headers, body: Vec::new() }))
    }

    fn framing(&self, message: &Message) -> Framing {
        if message.header("transfer-encoding").is_some() {
            return Framing::Chunked;
        }
        match message.header("content-length").and_then(|length| length.parse().ok()) {
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        }
    }

    async fn body(&mut self, framing: Framing) -> io::Result<Vec<u8>> {
        match framing {
            Framing::Length(length) => self.exactly(length).await,
            Framing::Chunked => self.chunks().await,
            Framing::UntilClose => Ok(self.rest().await),
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            if self.fill().await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed within a body"));
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("no chunk size: {line:?}")))?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.exactly(size).await?);
            self.line().await?;
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..at]).into_owned();
                self.buffer.drain(..at + 2);
                return Ok(line);
            }
            if self.fill().await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed within a chunk"));
            }
        }
    }
}

/// Where a body ends (RFC 9112, section 6.3).
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}
