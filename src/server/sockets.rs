//! Sockets that the process was started with, so that one process takes over from another without a moment in which
//! nobody listens.
//!
//! Whoever starts the process hands them over as systemd does: `LISTEN_FDS` says how many there are, from file descriptor
//! 3 on; the first is for clients, the second for operators. Source: sd_listen_fds(3).

use std::net::TcpListener;

use listenfd::ListenFd;

use super::StartError;

/// Sockets that listen already.
#[derive(Debug, Default)]
pub struct Sockets {
    /// For clients.
    pub clients: Option<TcpListener>,
    /// For operators.
    pub operators: Option<TcpListener>,
}

impl Sockets {
    /// Those that the process was started with; none if it was started without. Asked once, before there are threads.
    ///
    /// # Errors
    /// One is no socket that listens for TCP, or there are more than two.
    pub fn inherited() -> Result<Self, StartError> {
        let mut inherited = ListenFd::from_env();
        if inherited.len() > 2 {
            let message = format!("{} sockets were handed over; there is use for two", inherited.len());
            return Err(StartError(message));
        }
        let mut take = |index: usize, whose: &str| {
            let taken = if index < inherited.len() { inherited.take_tcp_listener(index) } else { Ok(None) };
            let socket = taken.and_then(|socket| match socket {
                Some(socket) => socket.set_nonblocking(true).map(|()| Some(socket)),
                None => Ok(None),
            });
            socket
                .map_err(|error| StartError(format!("the socket for {whose} that was handed over is no use: {error}")))
        };
        Ok(Self { clients: take(0, "clients")?, operators: take(1, "operators")? })
    }
}
