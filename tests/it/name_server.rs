//! A name server that answers what a test says, over UDP (RFC 1035).

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// What is asked of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// Its addresses of version 4.
    A,
    /// Its addresses of version 6.
    Aaaa,
    /// The places of a service.
    Srv,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Records, with the seconds that they hold; without one, that the name has none of the kind.
    Records(u32, Vec<Record>),
    /// The name does not exist.
    NoSuchName,
    /// The server cannot answer.
    Failure,
    /// Nothing at all.
    Silence,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A or AAAA.
    Address(IpAddr),
    /// SRV: priority, weight, port, and the name of the host.
    Service(u16, u16, u16, String),
}

/// What decides on an answer.
type Play = Box<dyn FnMut(&str, Wanted) -> Said + Send>;

/// A running name server; it ends when this is dropped.
pub(crate) struct NameServer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    play: Arc<Mutex<Play>>,
    _task: JoinSet<()>,
}

impl NameServer {
    /// Starts one on a port of its own.
    ///
    /// # Errors
    /// No port is to be had.
    pub(crate) async fn start(play: impl FnMut(&str, Wanted) -> Said + Send + 'static) -> std::io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let (address, play) = (socket.local_addr()?, Arc::new(Mutex::new(Box::new(play) as Play)));
        let mut task = JoinSet::new();
        task.spawn(serve(socket, play.clone()));
        Ok(Self { address, play, _task: task })
    }

    /// Answers so from now on.
    pub(crate) fn play(&self, play: impl FnMut(&str, Wanted) -> Said + Send + 'static) {
        *self.play.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(play);
    }
}

async fn serve(socket: UdpSocket, play: Arc<Mutex<Play>>) {
    let mut bytes = [0; 1_500];
    let mut last: VecDeque<(Vec<u8>, Said)> = VecDeque::with_capacity(LAST);
    while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
        let Some(question) = Question::read(&bytes[..length]) else { continue };
        // Whoever asks the same again, for the answer was lost or late, gets the same.
        let asked = [question.id, question.section].concat();
        let known = last.iter().find(|(known, _)| *known == asked).map(|(_, said)| said.clone());
        let said = known.unwrap_or_else(|| match question.wanted {
            Some(wanted) => (play.lock().unwrap_or_else(PoisonError::into_inner))(&question.name, wanted),
            None => Said::Records(0, Vec::new()),
        });
        if let Some(answer) = question.answered(&said) {
            let _ = socket.send_to(&answer, from).await;
        }
        last.truncate(LAST - 1);
        last.push_front((asked, said));
    }
}

/// How many questions are remembered with their answers.
const LAST: usize = 16;

/// A question as it came.
struct Question<'b> {
    id: &'b [u8],
    /// In lower case, without a dot at its end.
    name: String,
    wanted: Option<Wanted>,
    /// The section of the message.
    section: &'b [u8],
}

/// Bytes of a message before its question.
const HEAD: usize = 12;

impl<'b> Question<'b> {
    fn read(message: &'b [u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = HEAD;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(message.get(at..at + length)?).to_ascii_lowercase());
            at += length;
        }
        let wanted = match message.get(at..at + 2)? {
            [0, 1] => Some(Wanted::A),
            [0, 28] => Some(Wanted::Aaaa),
            [0, 33] => Some(Wanted::Srv),
            _ => None,
        };
        Some(Self { id: &message[..2], name: labels.join("."), wanted, section: message.get(HEAD..at + 4)? })
    }

    /// The message that says it; `None` for silence.
    fn answered(&self, said: &Said) -> Option<Vec<u8>> {
        let (code, ttl, records) = match said {
            Said::Records(ttl, records) => (0, *ttl, records.as_slice()),
            Said::NoSuchName => (3, 0, [].as_slice()),
            Said::Failure => (2, 0, [].as_slice()),
            Said::Silence => return None,
        };
        // An answer, with recursion as it was asked for; one question, and so many records.
        let mut message =
            [self.id, &[0x81, 0x80 | code, 0, 1], &(records.len() as u16).to_be_bytes(), &[0; 4]].concat();
        message.extend_from_slice(self.section);
        for record in records {
            let (kind, value) = record.written();
            // The name is that of the question.
            message.extend_from_slice(&[0xC0, HEAD as u8, 0, kind, 0, 1]);
            message.extend_from_slice(&ttl.to_be_bytes());
            message.extend_from_slice(&(value.len() as u16).to_be_bytes());
            message.extend_from_slice(&value);
        }
        Some(message)
    }
}

impl Record {
    /// Its type and its value.
    fn written(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Address(IpAddr::V4(address)) => (1, Ipv4Addr::octets(address).to_vec()),
            Self::Address(IpAddr::V6(address)) => (28, Ipv6Addr::octets(address).to_vec()),
            Self::Service(priority, weight, port, host) => {
                let mut value: Vec<u8> = [priority, weight, port].into_iter().flat_map(|n| n.to_be_bytes()).collect();
                for label in host.split('.').filter(|label| !label.is_empty()) {
                    value.push(label.len() as u8);
                    value.extend_from_slice(label.as_bytes());
                }
                value.push(0);
                (33, value)
            }
        }
    }
}
