//! What a run is told by its boot arguments: words `name=value`.

/// Everything that can be told.
pub struct Settings {
    /// `role`: what is played.
    pub role: Role,
    /// `first`: the seed of the first run.
    pub first: u64,
    /// `seeds`: runs, with one seed after the other.
    pub seeds: u64,
    /// `bytes`: what each stage of the exercise moves.
    pub bytes: usize,
}

/// `role`: what is played.
pub enum Role {
    /// The simulator's runs, and their traces.
    Simulate,
    /// The exercise of the system's parts.
    Shim,
}

impl Settings {
    /// What `arguments` say; or the word that means nothing.
    pub fn parse(arguments: &str) -> Result<Self, &str> {
        let mut settings = Self { role: Role::Simulate, first: 1, seeds: 0, bytes: 1 << 20 };
        for word in arguments.split_whitespace() {
            let (name, value) = word.split_once('=').ok_or(word)?;
            let number = value.parse();
            match (name, value, number) {
                ("role", "simulate", _) => settings.role = Role::Simulate,
                ("role", "shim", _) => settings.role = Role::Shim,
                ("first", _, Ok(value)) => settings.first = value,
                ("seeds", _, Ok(value)) => settings.seeds = value,
                ("bytes", _, Ok(value)) => settings.bytes = usize::try_from(value).map_err(|_| word)?,
                _ => return Err(word),
            }
        }
        if settings.seeds == 0 {
            settings.seeds = match settings.role {
                Role::Simulate => 100,
                Role::Shim => 1,
            };
        }
        Ok(settings)
    }

    /// The seeds, in turn.
    pub fn seeds(&self) -> impl Iterator<Item = u64> {
        self.first..self.first.saturating_add(self.seeds)
    }
}
