//! What a connection runs over.

use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};

/// Anything that carries bytes both ways, in their order, until a side ends it: what stands for a socket where there is none.
pub trait Wire: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Wire for T {}
