//! Services and their rpcs, as descriptors of a pool.

use std::fmt;

use super::http::HttpBinding;
use super::pool::{DescriptorPool, MessageDescriptor, MethodEntry, ServiceEntry};

/// A service.
#[derive(Clone, PartialEq)]
pub struct ServiceDescriptor {
    pub(super) pool: DescriptorPool,
    pub(super) index: u32,
}

impl ServiceDescriptor {
    fn entry(&self) -> &ServiceEntry {
        &self.pool.0.services[self.index as usize]
    }

    /// Its name with its package.
    pub fn full_name(&self) -> &str {
        &self.entry().full_name
    }

    /// Its name without its package.
    pub fn name(&self) -> &str {
        let full_name = self.full_name();
        full_name.rsplit_once('.').map_or(full_name, |(_, name)| name)
    }

    /// The name of its file, as it is imported.
    pub fn file(&self) -> &str {
        &self.entry().file
    }

    /// Its rpcs in declared order.
    pub fn methods(&self) -> impl Iterator<Item = MethodDescriptor> {
        (0..self.entry().methods.len() as u32).map(|index| MethodDescriptor { service: self.clone(), index })
    }

    /// The rpc called `name`.
    pub fn method(&self, name: &str) -> Option<MethodDescriptor> {
        self.methods().find(|method| method.name() == name)
    }
}

impl fmt::Debug for ServiceDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceDescriptor").field(&self.full_name()).finish()
    }
}

/// A rpc.
#[derive(Clone, PartialEq)]
pub struct MethodDescriptor {
    service: ServiceDescriptor,
    index: u32,
}

impl MethodDescriptor {
    fn entry(&self) -> &MethodEntry {
        &self.service.entry().methods[self.index as usize]
    }

    fn message(&self, index: u32) -> MessageDescriptor {
        MessageDescriptor { pool: self.service.pool.clone(), index }
    }

    /// Its name in its service.
    pub fn name(&self) -> &str {
        &self.entry().name
    }

    /// The service that has it.
    pub fn parent_service(&self) -> &ServiceDescriptor {
        &self.service
    }

    /// The pool that it belongs to.
    pub fn parent_pool(&self) -> &DescriptorPool {
        &self.service.pool
    }

    /// What it is asked with.
    pub fn input(&self) -> MessageDescriptor {
        self.message(self.entry().input)
    }

    /// What it answers.
    pub fn output(&self) -> MessageDescriptor {
        self.message(self.entry().output)
    }

    /// Whether it is asked with a stream.
    pub fn is_client_streaming(&self) -> bool {
        self.entry().client_streaming
    }

    /// Whether it answers with a stream.
    pub fn is_server_streaming(&self) -> bool {
        self.entry().server_streaming
    }

    /// Whether its file says that it changes nothing: by `idempotency_level`, or with a `get` in `google.api.http`.
    pub fn only_reads(&self) -> bool {
        let entry = self.entry();
        entry.has_no_side_effects || entry.http.first().is_some_and(|http| http.verb == super::HttpVerb::Get)
    }

    /// How it is reached over HTTP, as its annotation says.
    pub fn http(&self) -> &[HttpBinding] {
        &self.entry().http
    }
}

impl fmt::Debug for MethodDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MethodDescriptor({}/{})", self.service.full_name(), self.name())
    }
}
