//! The built-in pipelines, for rules and records in the names of the Elastic
//! Common Schema (ECS). The readers give Windows events, web logs and Linux
//! logs the names that rules use, so these are asked for.
//!
//! # Not here
//! The names that readers give.

/// Those for rules that say `taxonomy: ecs`.
pub(super) const ECS: &[&str] = &["ecs-windows", "ecs-linux", "ecs-web"];

/// Names and texts.
pub(super) const TEXTS: &[(&str, &str)] = &[
    ("ecs-linux", include_str!("../../pipelines/ecs-linux.yml")),
    ("ecs-web", include_str!("../../pipelines/ecs-web.yml")),
    ("ecs-windows", include_str!("../../pipelines/ecs-windows.yml")),
];
