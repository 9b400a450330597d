//! The rows of the matrix, a module for each kind of fault.

mod bytes;
mod clients;
mod connect;
mod deadline;
mod dns;
mod drain;
mod graphql;
mod grpc;
mod hang;
mod hostile;
mod reload;
mod start;
mod status;

use crate::case::Case;

/// Every row, by its number.
pub(crate) fn all() -> Vec<Case> {
    let groups = [
        connect::ROWS,
        hang::ROWS,
        bytes::ROWS,
        status::ROWS,
        clients::ROWS,
        grpc::ROWS,
        deadline::ROWS,
        graphql::ROWS,
        start::ROWS,
        dns::ROWS,
        drain::ROWS,
        reload::ROWS,
        hostile::ROWS,
    ];
    let mut rows = groups.concat();
    rows.sort_by_key(|case| case.row);
    rows
}
