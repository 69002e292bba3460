//! Names of container images, as far as functions must agree on them.

/// Whether a part of an image's name is a placeholder that another tool fills in, so that nothing is known of it:
/// `${tag}` of Flux, `$(params.image)` of Tekton, `{{inputs.parameters.image}}` of Argo Workflows, `<image>`.
#[must_use]
pub fn is_template(part: &str) -> bool {
    part.contains(['$', '{', '}', '<', '>', '%']) || part.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::is_template;

    #[test]
    fn no_image_has_the_signs_of_a_placeholder() {
        for part in ["app", "registry.example:5000", "[fd00::1]:5000", "a_b-c.d:1@sha256:00"] {
            assert!(!is_template(part), "{part}");
        }
        for part in ["${registry}", "$(params.image)", "{{x}}", "<image>", "%IMAGE%"] {
            assert!(is_template(part), "{part}");
        }
    }
}
