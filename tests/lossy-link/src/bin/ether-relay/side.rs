//! The two ends of the link.

use clap::ValueEnum;

/// One of the two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// The machine behind `--a`.
    A,
    /// The machine behind `--b`.
    B,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::A, Self::B];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its place in an array with something for each side.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    /// The direction of what this side sends, as reports name it.
    pub(crate) fn direction(self) -> &'static str {
        match self {
            Self::A => "a_to_b",
            Self::B => "b_to_a",
        }
    }
}
