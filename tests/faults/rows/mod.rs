//! The rows of the matrix, a module for each kind of fault.

mod breaker;
mod bulkhead;
mod bytes;
mod cache;
mod clients;
mod connect;
mod deadline;
mod dns;
mod drain;
mod graphql;
mod grpc;
mod hang;
mod hedge;
mod hostile;
mod http2;
mod identity;
mod instances;
mod limits;
mod logs;
mod overload;
mod redis;
mod reload;
mod start;
mod status;
mod tls;

use crate::case::Case;

/// Every row, by its number.
pub(crate) fn all() -> Vec<Case> {
    let groups = [
        connect::ROWS,
        hang::ROWS,
        bytes::ROWS,
        status::ROWS,
        instances::ROWS,
        breaker::ROWS,
        clients::ROWS,
        grpc::ROWS,
        http2::ROWS,
        deadline::ROWS,
        graphql::ROWS,
        bulkhead::ROWS,
        cache::ROWS,
        identity::ROWS,
        redis::ROWS,
        reload::ROWS,
        start::ROWS,
        logs::ROWS,
        limits::ROWS,
        dns::ROWS,
        drain::ROWS,
        hostile::ROWS,
        overload::ROWS,
        hedge::ROWS,
        tls::ROWS,
    ];
    let mut rows = groups.concat();
    rows.sort_by_key(|case| case.row);
    rows
}
