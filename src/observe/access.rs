//! The access log: exactly one event per request, with field names of the OpenTelemetry semantic conventions
//! (1.44) where they have one.
//!
//! Query values never reach the log: they carry keys, tokens and personal data.

use std::net::SocketAddr;
use std::time::Duration;

use tracing::Level;

/// The target of access events, to switch them on and off by.
pub const TARGET: &str = "access";

/// The facts about one request and its answer.
#[derive(Clone, Debug)]
pub struct AccessRecord<'a> {
    /// The id that the client also reads.
    pub request_id: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// The path of the target as it came. A query after it is not logged.
    pub path: &'a str,
    /// The endpoint's path template; `None` when no endpoint took the request.
    pub route: Option<&'a str>,
    /// The HTTP version: `1.0`, `1.1` or `2`.
    pub version: &'a str,
    /// The status of the answer, 499 when the client left before it.
    pub status: u16,
    /// From the request's head until the answer was handed over to its last byte.
    pub duration: Duration,
    /// Bytes of the answer's body that were handed to the connection.
    pub bytes_out: u64,
    /// The client: the peer, or what a trusted proxy says.
    pub client: SocketAddr,
    /// The code of the failure that made the answer, if one did.
    pub cause: Option<&'a str>,
    /// What is missing from an answer that is incomplete; `None` for a complete one.
    pub partial: Option<&'a str>,
}

/// Whether access events go anywhere. When not, no record need be put together.
pub fn access_enabled() -> bool {
    tracing::enabled!(target: TARGET, Level::INFO)
}

/// Emits the one event of a request. Costs a flag's reading when the target is switched off.
pub fn access(record: &AccessRecord<'_>) {
    tracing::info!(
        target: TARGET,
        request_id = record.request_id,
        http.request.method = record.method,
        url.path = record.path.split('?').next(),
        http.route = record.route,
        network.protocol.version = record.version,
        http.response.status_code = record.status,
        http.server.request.duration = record.duration.as_secs_f64(),
        http.response.body.size = record.bytes_out,
        client.address = %record.client.ip(),
        client.port = record.client.port(),
        error.r#type = record.cause,
        selvedge.partial = record.partial,
    );
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tracing_subscriber::EnvFilter;

    use super::{AccessRecord, access, access_enabled};

    fn record() -> AccessRecord<'static> {
        AccessRecord {
            request_id: "r-1",
            method: "GET",
            path: "/v1/products/7?token=secret",
            route: Some("/v1/products/{id}"),
            version: "1.1",
            status: 502,
            duration: Duration::from_millis(12),
            bytes_out: 345,
            client: "192.0.2.1:5000".parse().expect("an address"),
            cause: Some("connect_failed"),
            partial: None,
        }
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What `levels` lets through of one access event, and whether it was announced.
    fn logged(levels: &str) -> (String, bool) {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(levels))
            .with_writer(move || writer.clone())
            .json()
            .flatten_event(true)
            .finish();
        let enabled = tracing::subscriber::with_default(subscriber, || {
            access(&record());
            access_enabled()
        });
        let text = String::from_utf8(lines.0.lock().expect("not poisoned").clone()).expect("UTF-8");
        (text, enabled)
    }

    #[test]
    fn a_request_is_one_event_with_conventional_names() {
        let (text, enabled) = logged("info");
        assert!(enabled);
        assert_eq!(text.lines().count(), 1, "{text}");
        let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(event["target"], "access");
        assert_eq!(event["http.request.method"], "GET");
        assert_eq!(event["url.path"], "/v1/products/7");
        assert_eq!(event["http.route"], "/v1/products/{id}");
        assert_eq!(event["http.response.status_code"], 502);
        assert_eq!(event["http.response.body.size"], 345);
        assert_eq!(event["client.address"], "192.0.2.1");
        assert_eq!(event["error.type"], "connect_failed");
        assert_eq!(event["request_id"], "r-1");
        assert_eq!(event.get("selvedge.partial"), None);
    }

    #[test]
    fn query_values_are_not_logged() {
        assert!(!logged("info").0.contains("secret"));
    }

    #[test]
    fn a_switched_off_log_is_silent() {
        assert_eq!(logged("info,access=off"), (String::new(), false));
    }
}
