//! Why manifests cannot be used.

/// Why manifests cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Not YAML; the message has line and column.
    #[error("{file} is not a stream of YAML documents: {reason}")]
    Syntax {
        /// As the user named it.
        file: String,
        /// From the parser.
        reason: String,
    },
    /// An object that lacks what every object has, or whose fields have the wrong type.
    #[error("{file}: {object}: {reason}")]
    Object {
        /// As the user named it.
        file: String,
        /// Kind and name, as far as known.
        object: String,
        /// What is wrong.
        reason: String,
    },
    /// One object stands in the stream twice, so which one counts would be a guess.
    #[error(
        "{file}: {object} is already defined in namespace `{namespace}`. To fix: keep one of the two in what is read"
    )]
    Twice {
        /// The file that brings the second one.
        file: String,
        /// Kind and name.
        object: String,
        /// Of both.
        namespace: String,
    },
    /// No such workload.
    #[error("there is no {wanted}{place}. To fix: name one that is there: {there}")]
    NoWorkload {
        /// What was asked for.
        wanted: String,
        /// ` in namespace …`, or empty when any was good.
        place: String,
        /// The workloads of the stream.
        there: String,
    },
    /// No workload at all.
    #[error(
        "{wanted} not found: these manifests hold no workload. To fix: give rendered manifests that have one \
         (mlplat render OVERLAY > rendered.yaml)"
    )]
    NoWorkloads {
        /// What was asked for.
        wanted: String,
    },
    /// The same kind and name in several namespaces.
    #[error("{wanted} is there in the namespaces {namespaces}. To fix: say which by `--namespace`")]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// Where it is.
        namespaces: String,
    },
    /// No such container in the workload.
    #[error("{workload} has no container `{wanted}`. To fix: use one of {there}")]
    NoContainer {
        /// Kind and name.
        workload: String,
        /// What was asked for.
        wanted: String,
        /// The containers it has.
        there: String,
    },
    /// Several containers, and nothing says which.
    #[error("{workload} has several containers. To fix: say which by `--container`: {there}")]
    WhichContainer {
        /// Kind and name.
        workload: String,
        /// The containers it has.
        there: String,
    },
}
