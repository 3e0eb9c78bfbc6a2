//! Windows artifacts, each one item that is read whole; the crate `artifact`
//! knows them.

use crate::format::{Format, Reader};

/// Registry hives and their transaction logs.
pub(crate) const REGISTRY: Format = Format {
    slug: "registry",
    is: |head, _| artifact::registry::is(head),
    reader: Reader::Whole(|bytes, _, _, sink| artifact::registry::read(bytes, sink)),
};

/// Prefetch files.
pub(crate) const PREFETCH: Format = Format {
    slug: "prefetch",
    is: |head, _| artifact::prefetch::is(head),
    reader: Reader::Whole(|bytes, _, _, sink| artifact::prefetch::read(bytes, sink)),
};

/// Shell links.
pub(crate) const LNK: Format = Format {
    slug: "lnk",
    is: |head, _| artifact::lnk::is(head),
    reader: Reader::Whole(|bytes, _, _, sink| artifact::lnk::read(bytes, sink)),
};

/// Scheduled tasks.
pub(crate) const TASK: Format = Format {
    slug: "task",
    is: |head, _| artifact::task::is(head),
    reader: Reader::Whole(|bytes, _, _, sink| artifact::task::read(bytes, sink)),
};

/// Configurations of IIS.
pub(crate) const IIS_CONFIG: Format = Format {
    slug: "iis-config",
    is: |head, _| artifact::iis_config::is(head),
    reader: Reader::Whole(|bytes, _, _, sink| artifact::iis_config::read(bytes, sink)),
};
