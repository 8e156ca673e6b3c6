//! Whether what `Debug` prints shows a secret.

use crate::needles::Needle;

/// Whether any four neighbouring bytes of a secret are in `text`, as hexadecimal or as a list of numbers.
#[must_use]
pub fn shown<'n>(text: &str, needles: &'n [Needle]) -> Option<&'n str> {
    let text = text.to_lowercase().replace(['\n', ' '], "");
    let is_shown = |needle: &&Needle| {
        needle.secret.windows(4).any(|four| {
            let hex: String = four.iter().map(|byte| format!("{byte:02x}")).collect();
            let list = four.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            text.contains(&hex) || text.contains(&format!(",{list},"))
        })
    };
    needles.iter().find(is_shown).map(|needle| needle.name.as_str())
}

/// What is printed, and the secrets that it must not show.
#[derive(Debug, Default)]
pub struct Shown {
    texts: Vec<(&'static str, String)>,
}

impl Shown {
    /// Prints `value`, in both ways.
    pub fn add(&mut self, name: &'static str, value: &impl std::fmt::Debug) {
        self.texts.push((name, format!("{value:?}")));
        self.texts.push((name, format!("{value:#?}")));
    }

    /// # Panics
    /// If anything that was printed shows one of `needles`.
    pub fn assert_hide(&self, needles: &[Needle]) {
        for (name, text) in &self.texts {
            assert_eq!(shown(text, needles), None, "{name} shows a secret: {text}");
        }
    }
}
