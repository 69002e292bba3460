//! Placeholder for the module map.
