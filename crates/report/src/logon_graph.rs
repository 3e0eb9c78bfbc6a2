//! Logons between hosts as a graph that is laid out by rule: sources that are no target stand left, targets right.
//!
//! The same logons give the same picture. What finds no room is counted, and stands in the table beside.

use model::Logon;
use std::collections::BTreeMap;

/// Nodes drawn.
const NODES_MAX: usize = 30;
/// The picture's size, and that of its boxes, in its own units.
pub(crate) const WIDTH: i32 = 880;
const BOX_WIDTH: i32 = 250;
const BOX_HEIGHT: i32 = 34;
const ROW: i32 = 52;
const LEFT: i32 = 10;
const RIGHT: i32 = 520;
/// How far an arrow between two targets swings out.
const SWING: i32 = 90;

/// A computer, or an address that is known as none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key<'a> {
    Host(Option<&'a str>),
    Address(&'a str),
}

/// A box.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) label: &'a str,
    /// Whether it is a host of the case.
    pub(crate) is_host: bool,
    pub(crate) x: i32,
    pub(crate) y: i32,
}

impl Node<'_> {
    pub(crate) const WIDTH: i32 = BOX_WIDTH;
    pub(crate) const HEIGHT: i32 = BOX_HEIGHT;

    fn middle(&self) -> i32 {
        self.y + BOX_HEIGHT / 2
    }
}

/// An arrow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Edge {
    /// Begin, two points that bend it, end.
    pub(crate) curve: [(i32, i32); 4],
    /// Where its words stand.
    pub(crate) label: (i32, i32),
    /// Logons, failed ones not among them; and those that failed.
    pub(crate) count: u64,
    pub(crate) failed: u64,
    pub(crate) suspicious: bool,
}

/// What is drawn.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Graph<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) height: i32,
    /// Pairs of source and target without an arrow: beyond the limit, or a computer with itself.
    pub(crate) left_out: usize,
}

/// Logons from one node to another, over accounts and kinds.
#[derive(Default, Clone, Copy)]
struct Sum {
    count: u64,
    failed: u64,
    suspicious: bool,
}

pub(crate) fn graph(logons: &[Logon]) -> Graph<'_> {
    let pairs = pairs(logons);
    let mut ranked: Vec<_> = pairs.iter().filter(|((from, to), _)| from != to).collect();
    // The sort is stable: what weighs the same stays in the order of names.
    ranked.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.suspicious, sum.count, sum.failed)));
    let mut names: Vec<Key<'_>> = Vec::new();
    let mut drawn = Vec::new();
    for ((from, to), sum) in ranked {
        let new = [from, to].into_iter().filter(|key| !names.contains(key)).count();
        if names.len() + new > NODES_MAX {
            continue;
        }
        for key in [from, to] {
            if !names.contains(key) {
                names.push(*key);
            }
        }
        drawn.push((*from, *to, *sum));
    }
    let (targets, sources): (Vec<Key<'_>>, Vec<Key<'_>>) =
        names.into_iter().partition(|key| drawn.iter().any(|(_, to, _)| to == key));
    let nodes: BTreeMap<Key<'_>, Node<'_>> = column(&sources, LEFT).chain(column(&targets, RIGHT)).collect();
    let edges =
        drawn.iter().enumerate().map(|(index, (from, to, sum))| edge(index, &nodes[from], &nodes[to], *sum));
    let rows = i32::try_from(sources.len().max(targets.len())).unwrap_or(0);
    Graph {
        edges: edges.collect(),
        left_out: pairs.len() - drawn.len(),
        height: rows * ROW + 10,
        nodes: nodes.into_values().collect(),
    }
}

fn pairs(logons: &[Logon]) -> BTreeMap<(Key<'_>, Key<'_>), Sum> {
    let mut pairs: BTreeMap<(Key<'_>, Key<'_>), Sum> = BTreeMap::new();
    for logon in logons {
        let from = match &logon.source_host {
            Some(host) => Key::Host(Some(host)),
            None => Key::Address(&logon.source),
        };
        let sum = pairs.entry((from, Key::Host(logon.host.as_deref()))).or_default();
        sum.suspicious |= logon.suspicious;
        let counted = if logon.kind == "failed" { &mut sum.failed } else { &mut sum.count };
        *counted = counted.saturating_add(logon.count);
    }
    pairs
}

fn column<'k, 'a>(keys: &'k [Key<'a>], x: i32) -> impl Iterator<Item = (Key<'a>, Node<'a>)> + use<'k, 'a> {
    keys.iter().zip(0..).map(move |(key, row)| {
        let (label, is_host) = match *key {
            Key::Host(name) => (name.unwrap_or("(no host known)"), true),
            Key::Address("") => ("(source not recorded)", false),
            Key::Address(address) => (address, false),
        };
        (*key, Node { label, is_host, x, y: row * ROW + 8 })
    })
}

fn edge(index: usize, from: &Node<'_>, to: &Node<'_>, sum: Sum) -> Edge {
    let curve = if from.x < to.x {
        let (begin, end) = ((from.x + BOX_WIDTH, from.middle()), (to.x, to.middle()));
        let half = (begin.0 + end.0) / 2;
        [begin, (half, begin.1), (half, end.1), end]
    } else {
        // Between targets, around the right side; a little apart, so that there and back are two.
        let (begin, end) = ((from.x + BOX_WIDTH, from.middle() - 6), (to.x + BOX_WIDTH, to.middle() + 6));
        [begin, (begin.0 + SWING, begin.1), (end.0 + SWING, end.1), end]
    };
    // Words of neighbouring arrows stand at different places.
    let eighths = [4, 3, 5][index % 3];
    Edge {
        curve,
        label: point(&curve, eighths),
        count: sum.count,
        failed: sum.failed,
        suspicious: sum.suspicious,
    }
}

/// The point of the curve at so many eighths of its way (Bézier, third order).
fn point(curve: &[(i32, i32); 4], eighths: i32) -> (i32, i32) {
    let (t, u) = (eighths, 8 - eighths);
    let weights = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
    let sum = |part: fn(&(i32, i32)) -> i32| {
        curve.iter().zip(weights).map(|(own, weight)| part(own) * weight).sum::<i32>() / 512
    };
    (sum(|point| point.0), sum(|point| point.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Span;

    fn logon(source: &str, source_host: Option<&str>, host: &str, kind: &str, count: u64) -> Logon {
        Logon {
            host: Some(host.into()),
            source: source.to_owned(),
            source_host: source_host.map(Into::into),
            user: String::new(),
            kind: kind.to_owned(),
            count,
            span: Span::default(),
            suspicious: source == "203.0.113.7",
        }
    }

    #[test]
    fn targets_stand_right_and_what_is_suspicious_first() {
        let logons = [
            logon("192.0.2.9", None, "A", "network", 90),
            logon("203.0.113.7", None, "A", "network", 2),
            logon("203.0.113.7", None, "A", "failed", 7),
            logon("192.0.2.1", Some("A"), "B", "network", 1),
            logon("127.0.0.1", Some("A"), "A", "network", 5),
        ];
        let graph = graph(&logons);
        let told: Vec<_> =
            graph.nodes.iter().map(|node| (node.label, node.is_host, node.x, node.y)).collect();
        assert_eq!(
            told,
            [
                ("A", true, RIGHT, 8),
                ("B", true, RIGHT, 8 + ROW),
                ("192.0.2.9", false, LEFT, 8 + ROW),
                ("203.0.113.7", false, LEFT, 8),
            ]
        );
        let told: Vec<_> =
            graph.edges.iter().map(|edge| (edge.count, edge.failed, edge.suspicious)).collect();
        assert_eq!(told, [(2, 7, true), (90, 0, false), (1, 0, false)]);
        assert_eq!(graph.left_out, 1);
    }

    #[test]
    fn the_picture_is_bounded_and_keeps_the_suspicious() {
        let mut logons: Vec<_> =
            (0..200).map(|number| logon(&format!("192.0.2.{number}"), None, "A", "network", 5)).collect();
        logons.push(logon("203.0.113.7", None, "A", "network", 1));
        let graph = graph(&logons);
        assert_eq!((graph.nodes.len(), graph.left_out), (NODES_MAX, 201 - (NODES_MAX - 1)));
        assert!(graph.edges[0].suspicious);
        assert!(graph.nodes.iter().all(|node| node.y + Node::HEIGHT < graph.height));
    }
}
