//! Build numbers: which of them still had the hole.
//!
//! A fix belongs to one cumulative update: build `15.1.2106.13` is fixed,
//! `15.1.2176.2`, although higher, is not. So builds are compared within
//! their cumulative update; only from the first update on that holds the fix
//! from the start is everything fixed. A build that the table does not know
//! is neither.

use crate::book::{BookError, read_yaml};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A build number: major, minor, build, revision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Build([u32; 4]);

impl Build {
    /// Reads four numbers joined by dots, padded with zeros or not. `None` for
    /// anything else, and where the third number is 0: logs that do not know
    /// their build write `15.0.0.0`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = [0; 4];
        let mut texts = text.trim().split('.');
        for part in &mut parts {
            *part = texts.next()?.parse().ok()?;
        }
        (texts.next().is_none() && parts[2] != 0).then_some(Self(parts))
    }

    /// Major and minor number: the product (`15.2` is Exchange 2019).
    pub fn branch(self) -> (u32, u32) {
        (self.0[0], self.0[1])
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(f, "{major}.{minor}.{build}.{revision}")
    }
}

/// Whether a build had the hole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It had; with the product's name, and the first fixed build of its
    /// cumulative update, where there is one.
    Vulnerable { product: String, fixed_by: Option<Build> },
    /// It had not (any more).
    Fixed { product: String },
    /// The table does not know it.
    Unknown,
}

/// First fixed builds, by product.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildTable {
    /// Name of the table.
    pub id: String,
    /// Where its numbers come from.
    pub source: String,
    branches: Vec<Branch>,
    /// Holes that were closed by other updates.
    #[serde(default)]
    holes: Vec<HoleBuilds>,
}

/// Which builds of a product no longer had a hole. Whatever is not named here
/// had it: a table of fixes must not clear a build that it does not know.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoleBuilds {
    id: String,
    /// Which updates closed it.
    by: String,
    products: Vec<HoleProduct>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoleProduct {
    major: u32,
    minor: u32,
    /// The product never had it.
    #[serde(default)]
    never: bool,
    /// The third number from which on every build holds the fix.
    fixed_from: Option<u32>,
    /// By third number: the first fixed fourth one.
    #[serde(default)]
    fixed: BTreeMap<u32, u32>,
}

/// What a table says of a build and a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Immunity {
    /// The product never had the hole.
    Never,
    /// From this build on it is closed.
    Fixed,
    /// It is open, or nobody knows.
    Open,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Branch {
    product: String,
    major: u32,
    minor: u32,
    /// The third number from which on every build holds the fix.
    fixed_from: Option<u32>,
    updates: Vec<Update>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    name: String,
    build: u32,
    /// The first fixed fourth number; none: no fix was made for this update.
    fixed: Option<u32>,
}

impl BuildTable {
    /// Reads a table.
    pub fn parse(file: &str, yaml: &str) -> Result<Self, BookError> {
        read_yaml(file, yaml)
    }

    /// Whether the table knows the hole.
    pub fn has_hole(&self, hole: &str) -> bool {
        self.holes.iter().any(|own| own.id == hole)
    }

    /// Which updates closed `hole`.
    pub fn closed_by(&self, hole: &str) -> &str {
        self.holes.iter().find(|own| own.id == hole).map_or("", |own| &own.by)
    }

    /// What the table says of `build` and `hole`.
    pub fn immunity(&self, hole: &str, build: Build) -> Immunity {
        let [major, minor, number, revision] = build.0;
        let mut products = self.holes.iter().filter(|own| own.id == hole).flat_map(|own| &own.products);
        match products.find(|own| (own.major, own.minor) == (major, minor)) {
            Some(own) if own.never => Immunity::Never,
            Some(own) if own.fixed_from.is_some_and(|from| number >= from) => Immunity::Fixed,
            Some(own) if own.fixed.get(&number).is_some_and(|fixed| revision >= *fixed) => Immunity::Fixed,
            _ => Immunity::Open,
        }
    }

    /// What the table says of `build`.
    pub fn standing(&self, build: Build) -> Standing {
        let [major, minor, number, revision] = build.0;
        let Some(branch) = self.branches.iter().find(|branch| (branch.major, branch.minor) == (major, minor))
        else {
            return Standing::Unknown;
        };
        if branch.fixed_from.is_some_and(|from| number >= from) {
            return Standing::Fixed { product: branch.product.clone() };
        }
        let Some(update) = branch.updates.iter().find(|update| update.build == number) else {
            return Standing::Unknown;
        };
        let product = format!("{} {}", branch.product, update.name);
        match update.fixed {
            Some(fixed) if revision >= fixed => Standing::Fixed { product },
            fixed => Standing::Vulnerable {
                product,
                fixed_by: fixed.map(|revision| Build([major, minor, number, revision])),
            },
        }
    }
}
