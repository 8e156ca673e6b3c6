//! The running state of an [`ErrorModel`]: is this packet hit?

use crate::config::ErrorModel;
use crate::random::Random;

#[derive(Clone, Debug)]
pub(crate) struct Errors {
    model: ErrorModel,
    random: Random,
    /// Hits in a row so far (`Random` with a bound).
    run: u32,
    /// Whether the channel is in its bad state (`GilbertElliott`).
    bad: bool,
}

impl Errors {
    pub(crate) fn new(model: ErrorModel, random: Random) -> Self {
        Self { model, random, run: 0, bad: false }
    }

    /// Goes on with another model, from its start.
    pub(crate) fn reconfigure(&mut self, model: ErrorModel) {
        *self = Self::new(model, self.random.clone());
    }

    /// Decides the fate of the next packet.
    pub(crate) fn hit(&mut self) -> bool {
        match self.model {
            ErrorModel::None => false,
            ErrorModel::Random { ppm, burst_max } => {
                let hit = self.random.chance(ppm) && self.run < burst_max;
                self.run = if hit { self.run.saturating_add(1) } else { 0 };
                hit
            }
            ErrorModel::GilbertElliott { to_bad_ppm, to_good_ppm, good_ppm, bad_ppm } => {
                self.bad ^= self.random.chance(if self.bad { to_good_ppm } else { to_bad_ppm });
                self.random.chance(if self.bad { bad_ppm } else { good_ppm })
            }
        }
    }

    /// The generator behind the model, for what follows from a hit.
    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }
}

#[cfg(test)]
mod tests;
