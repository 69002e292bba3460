//! No pod gets a token for the Kubernetes API unasked: the pod or its ServiceAccount says whether it wants one.

use std::collections::HashSet;

use super::Report;
use crate::cluster::{Cluster, is_set, namespace};

const FIELD: &str = "automountServiceAccountToken";

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let decided: HashSet<(String, String)> = cluster
        .all_of("", "ServiceAccount")
        .filter(|account| is_set(account.root().at(&[FIELD])))
        .map(|account| (namespace(account), account.name().into_owned()))
        .collect();
    for workload in &cluster.workloads {
        let spec = workload.spec;
        let account = ["serviceAccountName", "serviceAccount"]
            .into_iter()
            .find_map(|field| spec.text_at(&[field]));
        let account = account.map_or("default".to_owned(), |name| name.into_owned());
        if !is_set(spec.at(&[FIELD])) && !decided.contains(&(workload.namespace(), account)) {
            report.pod(
                workload,
                FIELD,
                "the pod gets a token for the Kubernetes API that nobody asked for",
                "set it to false, or to true where the pod calls the Kubernetes API",
            );
        }
    }
}
