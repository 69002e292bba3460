//! The functions under real kustomize and kubectl.
