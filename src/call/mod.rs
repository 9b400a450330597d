//! One backend call with everything around it, in its fixed order: one function, one screen.

use crate::base::call::{Call, Reply};
use crate::base::failure::Failure;
use crate::transport::Transport;

/// Makes a call: within its deadline, one attempt at one address.
///
/// The order of what stands around the attempt is the order of the lines below; a policy is one
/// line here.
///
/// # Errors
/// Whatever kept the reply from coming. A reply that says failure is judged by the step that asked.
pub async fn run(transport: &Transport, call: Call) -> Result<Reply, Failure> {
    transport.send(call).await
}
