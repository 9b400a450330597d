//! What the listener takes from one client, in bytes, counts and time. Every limit has a name and a default.

use std::time::Duration;

/// The limits of a listener. [`Limits::default`] suits a listener that faces the internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once. Further ones are refused.
    pub connections: usize,
    /// Connections beyond those that hear at once why they are refused; still further ones are closed.
    pub refusals: usize,
    /// Requests on one HTTP/1 connection; the last answer carries `Connection: close`.
    pub requests_per_connection: u64,
    /// Time from the first byte of a request head to its last, and from accepting a connection to its first byte.
    pub header_read: Duration,
    /// Time that a connection may stay open without a request.
    pub keep_alive_idle: Duration,
    /// Time that a client may keep a reader of its request body waiting, in one piece or in sum.
    pub body_idle: Duration,
    /// Bytes of request body that earn a client one second of waiting back, up to `body_idle`.
    pub body_rate: u32,
    /// Time that a client may leave an answer unread when the socket takes no more.
    pub write_stall: Duration,
    /// Bytes of a request target; a longer one is answered with 414.
    pub target: usize,
    /// Bytes of all header lines together; more are answered with 431. Also the limit for trailers.
    pub header_block: usize,
    /// Header lines; more are answered with 431. Also the limit for trailers.
    pub header_fields: usize,
    /// Bytes of all chunk extensions of one request body; more are answered with 400.
    pub chunk_extensions: usize,
    /// What applies to HTTP/2 only.
    pub http2: Http2Limits,
}

/// The limits of HTTP/2 connections (RFC 9113).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http2Limits {
    /// Requests open at once on one connection.
    pub concurrent_streams: u32,
    /// Bytes of one request body that a client may send ahead of its reader.
    pub stream_window: u32,
    /// Bytes of all request bodies of a connection that a client may send ahead of their readers.
    pub connection_window: u32,
    /// Bytes of one header list after decompression, counted as RFC 9113 section 6.5.2 counts them.
    pub header_list: u32,
    /// Streams that the client reset and no handler has seen yet; more close the connection.
    pub pending_resets: usize,
    /// Streams that the listener reset for the client's errors; more close the connection.
    pub error_resets: usize,
    /// Bytes of one answer that are buffered while the client's window is closed.
    pub send_buffer: usize,
    /// Time between PINGs, and time that a client may take to answer one.
    pub ping: Duration,
}

impl Limits {
    /// The defaults, with connections for at most half of the file descriptors that this process may have, those that are
    /// refused among them. The others are for those to backends: a client's connection without them is good for nothing.
    pub fn of_this_process() -> Self {
        let limits = Self::default();
        let descriptors = std::fs::read_to_string("/proc/self/limits").ok().and_then(|table| descriptors(&table));
        match descriptors {
            Some(most) => limits.within(most),
            None => limits,
        }
    }

    /// The same with no more connections than half of so many descriptors allow.
    fn within(self, descriptors: usize) -> Self {
        let half = descriptors / 2;
        let refusals = self.refusals.min(half / 8);
        Self { connections: self.connections.min(half - refusals), refusals, ..self }
    }
}

/// How many files may be open, by the table that Linux has of a process's limits; `None` where there is no limit.
fn descriptors(table: &str) -> Option<usize> {
    table.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            refusals: 64,
            requests_per_connection: 10_000,
            header_read: Duration::from_secs(10),
            keep_alive_idle: Duration::from_secs(60),
            body_idle: Duration::from_secs(15),
            body_rate: 1024,
            write_stall: Duration::from_secs(15),
            target: 8 << 10,
            header_block: 32 << 10,
            header_fields: 100,
            chunk_extensions: 4 << 10,
            http2: Http2Limits::default(),
        }
    }
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            concurrent_streams: 100,
            stream_window: 64 << 10,
            connection_window: 1 << 20,
            header_list: 16 << 10,
            pending_resets: 20,
            error_resets: 128,
            send_buffer: 64 << 10,
            ping: Duration::from_secs(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, descriptors};

    #[test]
    fn the_soft_limit_of_open_files_counts() {
        let table = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max processes             31801                31801                processes \n\
                 Max open files            {soft}                524288               files     \n"
            )
        };
        assert_eq!(descriptors(&table("1024")), Some(1024));
        assert_eq!(descriptors(&table("unlimited")), None);
        assert_eq!(descriptors("Max processes 1 1 processes\n"), None);
        assert!(Limits::of_this_process().connections <= Limits::default().connections);
    }

    #[test]
    fn half_of_the_files_are_left_for_backends() {
        let within = |most| {
            let limits = Limits::default().within(most);
            (limits.connections, limits.refusals)
        };
        assert_eq!([256, 1024, 1 << 20].map(within), [(112, 16), (448, 64), (10_000, 64)]);
    }
}
