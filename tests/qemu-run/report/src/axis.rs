//! Where things are drawn: values to pixels, and ticks at round numbers.

/// A range of values on a range of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// The value at the end; at the begin it is 0.
    pub(crate) top: f64,
    /// Pixels of 0 and of `top`.
    pub(crate) pixels: [f64; 2],
    /// Between ticks.
    step: f64,
}

impl Axis {
    /// An axis from 0 to a round number that is not below `most`, with at most `ticks` steps.
    pub(crate) fn up_to(most: f64, ticks: usize, pixels: [f64; 2]) -> Self {
        let step = round_step(most, ticks);
        Self { top: (most / step).ceil().max(1.0) * step, pixels, step }
    }

    /// An axis that ends at `most` itself.
    pub(crate) fn exactly(most: f64, ticks: usize, pixels: [f64; 2]) -> Self {
        Self { top: most, pixels, step: round_step(most, ticks) }
    }

    /// The pixel of `value`; beyond the axis, that of its end.
    pub(crate) fn pixel(&self, value: f64) -> f64 {
        let [from, to] = self.pixels;
        from + (to - from) * (value / self.top).clamp(0.0, 1.0)
    }

    /// The ticks, each with its label.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let decimals = (-self.step.log10().floor()).max(0.0) as usize;
        let count = (self.top / self.step + 1e-9).floor() as u32;
        let step = self.step;
        (0..=count)
            .map(move |tick| f64::from(tick) * step)
            .map(move |value| (value, format!("{value:.decimals$}")))
    }
}

/// The least of 1, 2, 5 times a power of ten that divides `most` into at most `ticks` steps.
fn round_step(most: f64, ticks: usize) -> f64 {
    let least = most.max(f64::MIN_POSITIVE) / ticks.max(1) as f64;
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests;
