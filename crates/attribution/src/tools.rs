//! What software is known to do: an actor that is known for a tool may well do
//! what the tool does, though no report on the actor says so.

use crate::history::{Feature, History, Relation};
use crate::snapshot::{KnownActor, rarity_of};
use knowledge::{Day, ReportId};

/// How much one software that does a technique says that its user does it, too.
const PER_TOOL: f64 = 0.35;
/// Added to the squared length of a software, so that one of few techniques is no perfect match.
const SHORT_ENTRY: f64 = 9.0;
/// A software that more actors have tells nothing by what it does.
const OWNERS_MAX: u32 = 2;

/// A software and the techniques it is known to do, sorted.
#[derive(Clone, Debug)]
struct Tool {
    software: Feature,
    techniques: Vec<Feature>,
    /// In the space of squared rarities among software.
    length: f64,
}

/// The software of one day and what it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tools {
    tools: Vec<Tool>,
    /// Squared rarity of each technique among software.
    squares: Vec<f64>,
    /// Rarity of each technique among actors, by what their software does.
    implied_rarity: Vec<f64>,
    of_actors: Vec<OfActor>,
}

/// What the software of one actor does.
#[derive(Clone, Debug, Default)]
struct OfActor {
    /// Techniques with how much they are implied (0 to 1), sorted.
    implied: Vec<(Feature, f64)>,
    /// Sum of it over the mean of all actors.
    length: f64,
    /// Positions in [`Tools::tools`] of software that few actors have.
    own: Vec<usize>,
}

impl Tools {
    pub fn new(
        history: &History,
        actors: &[KnownActor],
        owners: &[u32],
        counts: impl Fn(&(Day, ReportId)) -> bool,
    ) -> Self {
        let known = |relation: &&Relation| relation.reports.iter().any(&counts);
        let tool = |(software, relations): &(Feature, Vec<Relation>)| {
            let techniques: Vec<Feature> =
                relations.iter().filter(known).map(|relation| relation.feature).collect();
            (!techniques.is_empty()).then_some(Tool { software: *software, techniques, length: 0.0 })
        };
        let mut tools: Vec<Tool> = history.techniques_of.iter().filter_map(tool).collect();
        let mut count = vec![0.0f64; history.len()];
        tools.iter().flat_map(|tool| &tool.techniques).for_each(|feature| count[*feature as usize] += 1.0);
        let squares: Vec<f64> = count.iter().map(|count| rarity_of(tools.len(), *count).powi(2)).collect();
        for tool in &mut tools {
            let sum: f64 = tool.techniques.iter().map(|feature| squares[*feature as usize]).sum();
            tool.length = (sum + SHORT_ENTRY).sqrt();
        }
        let mut of_actors: Vec<OfActor> =
            actors.iter().map(|actor| of_actor(&tools, actor, owners)).collect();
        let mean = of_actors.iter().map(|of| of.length).sum::<f64>() / of_actors.len().max(1) as f64;
        let mut implied = vec![0.0f64; history.len()];
        for of in &mut of_actors {
            of.length /= mean.max(0.5);
            of.implied.iter().for_each(|(feature, much)| implied[*feature as usize] += much);
        }
        let implied_rarity = implied.iter().map(|of| rarity_of(actors.len(), *of)).collect();
        Self { tools, squares, implied_rarity, of_actors }
    }

    /// How well the observed techniques that the actor is not known for are explained by what its
    /// software does; the square of a sum of rarities, normalised as BM25 does.
    pub fn implied(&self, at: usize, actor: &KnownActor, is_observed: &[bool]) -> f64 {
        let of = &self.of_actors[at];
        let observed = of.implied.iter().filter(|(f, _)| is_observed[*f as usize] && !actor.knows(*f));
        let sum: f64 = observed.map(|(f, much)| much * self.implied_rarity[*f as usize]).sum();
        (sum / (1.0 + crate::snapshot::K1 * of.length)).powi(2)
    }

    /// Likeness of the observed techniques to those of each software.
    pub fn likeness(&self, techniques: &[Feature], is_observed: &[bool]) -> Vec<f64> {
        let length = techniques.iter().map(|f| self.squares[*f as usize]).sum::<f64>().sqrt() + 1e-9;
        let of = |tool: &Tool| {
            let shared = tool.techniques.iter().filter(|f| is_observed[**f as usize]);
            shared.map(|f| self.squares[*f as usize]).sum::<f64>() / (tool.length * length)
        };
        self.tools.iter().map(of).collect()
    }

    /// The highest likeness to a software of the actor that few others have.
    pub fn nearest(&self, at: usize, likeness: &[f64]) -> f64 {
        self.of_actors[at].own.iter().map(|tool| likeness[*tool]).fold(0.0, f64::max)
    }
}

fn of_actor(tools: &[Tool], actor: &KnownActor, owners: &[u32]) -> OfActor {
    let mut counts: std::collections::BTreeMap<Feature, f64> = std::collections::BTreeMap::new();
    let mut own = Vec::new();
    for (at, tool) in tools.iter().enumerate() {
        if actor.knows(tool.software) || actor.linked.binary_search(&tool.software).is_ok() {
            tool.techniques.iter().for_each(|feature| *counts.entry(*feature).or_default() += 1.0);
            if owners[tool.software as usize] <= OWNERS_MAX {
                own.push(at);
            }
        }
    }
    let implied: Vec<(Feature, f64)> =
        counts.into_iter().map(|(feature, count)| (feature, 1.0 - (-PER_TOOL * count).exp())).collect();
    OfActor { length: implied.iter().map(|(_, much)| much).sum(), implied, own }
}
