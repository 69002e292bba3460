//! No volume is a folder of the node, neither of a pod nor behind a PersistentVolume.

use krm_fn::Node;

use super::Report;
use crate::cluster::{Cluster, is_set};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for (subject, around) in &cluster.around {
        let volumes = around.node.at(&["volumes"]).into_iter().flat_map(Node::items);
        for (at, volume) in volumes
            .enumerate()
            .filter(|(_, volume)| is_set(volume.at(&["hostPath"])))
        {
            report.object(
                *subject,
                format!("{}.volumes[{at}].hostPath", around.path),
                format!(
                    "volume {} is a folder of the node",
                    volume.text_at(&["name"]).unwrap_or_default()
                ),
                "use an emptyDir, a ConfigMap or a PersistentVolumeClaim",
            );
        }
    }
    for &subject in &cluster.subjects {
        let object = subject.object;
        if object.kind() == "PersistentVolume" && is_set(object.root().at(&["spec", "hostPath"])) {
            report.object(
                subject,
                "spec.hostPath",
                "the volume is a folder of whichever node a pod lands on",
                "use a storage class, or a `local` volume with node affinity",
            );
        }
    }
}
