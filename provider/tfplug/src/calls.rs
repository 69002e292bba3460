//! What the server asks of a [`Provider`](crate::Provider), in plain types: one request and one response per call of the protocol.

use std::collections::BTreeMap;
use std::time::SystemTime;

use tokio_util::sync::CancellationToken;

use crate::diagnostic::Diagnostics;
use crate::path::Path;
use crate::schema::Schema;
use crate::types::Type;
use crate::value::Value;

/// What comes with every call.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallContext {
    /// Cancelled when Terraform asks to stop.
    pub(crate) cancel: CancellationToken,
}

/// Every schema that the provider has; resource types are whole names (`mlplat_environment`).
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    pub(crate) provider: Schema,
    /// Empty block when the provider has no meta.
    pub(crate) provider_meta: Schema,
    pub(crate) resources: BTreeMap<String, Schema>,
    /// Only of the resources that have an identity.
    pub(crate) identities: BTreeMap<String, IdentitySchema>,
    pub(crate) data_sources: BTreeMap<String, Schema>,
    pub(crate) ephemerals: BTreeMap<String, Schema>,
    pub(crate) functions: BTreeMap<String, Signature>,
}

/// What identifies a resource.
#[derive(Clone, Debug)]
pub(crate) struct IdentitySchema {
    pub(crate) version: i64,
    pub(crate) attributes: Vec<IdentityAttribute>,
}

/// One attribute of an identity.
#[derive(Clone, Debug)]
pub(crate) struct IdentityAttribute {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) description: String,
    /// Needed to import; otherwise it may be given.
    pub(crate) required_for_import: bool,
}

/// A function's parameters and result.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) summary: String,
    pub(crate) description: String,
    /// Without the variadic one.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) variadic: Option<Parameter>,
    pub(crate) output: Type,
    pub(crate) deprecated: Option<String>,
}

/// One parameter of a function.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) ty: Type,
    pub(crate) allow_null: bool,
    pub(crate) allow_unknown: bool,
}

/// PlanResourceChange. `proposed` is null on destroy, `prior` on create.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanRequest {
    pub(crate) prior: Value,
    pub(crate) proposed: Value,
    pub(crate) config: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) provider_meta: Value,
    pub(crate) identity: Option<Value>,
}

/// The answer to it.
#[derive(Debug, Default)]
pub(crate) struct PlanResponse {
    pub(crate) planned: Value,
    /// Sorted, each once.
    pub(crate) requires_replace: Vec<Path>,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
    pub(crate) diagnostics: Diagnostics,
}

/// ApplyResourceChange. `planned` is null on destroy, `prior` on create.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApplyRequest {
    pub(crate) prior: Value,
    pub(crate) planned: Value,
    pub(crate) config: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) provider_meta: Value,
    pub(crate) identity: Option<Value>,
}

/// The answer to it, and to ReadResource, ImportResourceState and MoveResourceState. A null state means "gone".
#[derive(Debug, Default)]
pub(crate) struct StateResponse {
    pub(crate) state: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) identity: Option<Value>,
    pub(crate) diagnostics: Diagnostics,
}

/// ReadResource.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadRequest {
    pub(crate) state: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) provider_meta: Value,
    pub(crate) identity: Option<Value>,
}

/// OpenEphemeralResource's answer.
#[derive(Debug, Default)]
pub(crate) struct OpenResponse {
    pub(crate) result: Value,
    pub(crate) private: Vec<u8>,
    pub(crate) renew_at: Option<SystemTime>,
    pub(crate) diagnostics: Diagnostics,
}

/// RenewEphemeralResource's answer.
#[derive(Debug, Default)]
pub(crate) struct RenewResponse {
    pub(crate) private: Vec<u8>,
    pub(crate) renew_at: Option<SystemTime>,
    pub(crate) diagnostics: Diagnostics,
}

/// Why a call of a function failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CallFailure {
    pub(crate) message: String,
    /// The argument it is about, from 0.
    pub(crate) argument: Option<usize>,
}
