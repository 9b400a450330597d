//! Typed positions in the plan's tables. The plan hands them out; at run time they index vectors.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The position as an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }
        }
    )*};
}

ids! {
    /// A backend of the plan.
    BackendId
    /// A rpc of a gRPC backend: a position in the plan's table of methods.
    MethodId
    /// An operation of a REST backend's contract.
    OperationId
    /// An endpoint of the plan.
    EndpointId
    /// A bound field of the graph.
    FieldId
    /// A step of one composition.
    StepId
    /// What stands around calls: a position in the plan's table of policies.
    PoliciesId
    /// How replies are kept: a position in the plan's table of rules for that.
    KeepingId
    /// A circuit breaker.
    BreakerId
    /// A bulkhead.
    BulkheadId
    /// A budget of retries or hedges.
    BudgetId
    /// A composition file.
    FileId
}
