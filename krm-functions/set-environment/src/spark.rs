//! Resources of Spark's drivers and executors, which the Spark operator describes in fields of its own: `coreRequest`,
//! `coreLimit`, `memory` (of the process, in the words of the JVM) and `memoryLimit`.

use krm_fn::workload::Container;
use krm_fn::{Object, Value};

use crate::config::Resources;
use crate::quantity::amount;
use crate::work::Work;

/// Gives a driver or executor the resources.
pub(crate) fn give(object: Object<'_>, container: &Container<'_>, wanted: &Resources, work: &mut Work<'_>) {
    let parts = [
        ("requests", &wanted.requests, "coreRequest", "memory"),
        ("limits", &wanted.limits, "coreLimit", "memoryLimit"),
    ];
    for (part, amounts, cpu, memory) in parts {
        for (name, text) in amounts.iter().flatten() {
            let (key, value) = match name.as_str() {
                "cpu" => (cpu, text.clone()),
                "memory" if part == "requests" => (memory, of_jvm(text)),
                "memory" => (memory, text.clone()),
                _ => {
                    let message = format!(
                        "this kind has no {part} of {name}: it has `cores`, `coreRequest`, `coreLimit`, `memory`, \
                         `memoryLimit` and `gpu`. To fix: set `gpu` in the manifest, and leave {name} out of what takes it"
                    );
                    work.refuse(object, &container.path, message);
                    continue;
                }
            };
            let outcome = work.set(container.node, key, &Value::from(value.as_str()));
            work.note(object, &format!("{}.{key}", container.path), outcome);
        }
    }
}

/// An amount of memory as the JVM writes it; what is no whole number of KiB is rounded up.
fn of_jvm(text: &str) -> String {
    const UNITS: [(f64, &str); 3] = [(1_073_741_824.0, "g"), (1_048_576.0, "m"), (1024.0, "k")];
    let bytes = amount(text).unwrap_or_default();
    let whole = UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes % unit == 0.0);
    let (unit, letter) = whole.unwrap_or(&UNITS[2]);
    format!("{}{letter}", (bytes / unit).ceil())
}

#[cfg(test)]
mod tests {
    use super::of_jvm;

    #[test]
    fn memory_is_written_as_the_jvm_reads_it() {
        for (text, jvm) in [
            ("512Mi", "512m"),
            ("2Gi", "2g"),
            ("1536Mi", "1536m"),
            ("1G", "976563k"),
            ("100", "1k"),
        ] {
            assert_eq!(of_jvm(text), jvm, "{text}");
        }
    }
}
