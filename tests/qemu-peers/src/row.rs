//! What is compared: a transport, its congestion control, and whose memory it has.

use std::fmt;

use harness::scenario::Profile;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// As the guest knows it.
    pub(crate) transport: &'static str,
    /// As the guest knows it; of udp-sec, which has one, its name.
    pub(crate) control: &'static str,
    /// The profile of udp-sec, and what the others' memory is level with.
    pub(crate) profile: Profile,
}

const fn row(transport: &'static str, control: &'static str, profile: Profile) -> Row {
    Row { transport, control, profile }
}

/// All of them.
pub(crate) static ROWS: [Row; 10] = [
    row("udp-sec", "newreno", Profile::Small),
    row("udp-sec", "newreno", Profile::Medium),
    row("tcp", "none", Profile::Small),
    row("tcp", "reno", Profile::Small),
    row("tcp", "cubic", Profile::Small),
    row("secure-tcp", "reno", Profile::Small),
    row("tcp", "none", Profile::Medium),
    row("tcp", "reno", Profile::Medium),
    row("tcp", "cubic", Profile::Medium),
    row("secure-tcp", "reno", Profile::Medium),
];

impl Row {
    /// The image that has it.
    pub(crate) fn image(&self) -> String {
        let cubic = if self.control == "cubic" { "-cubic" } else { "" };
        format!("peers-{}{cubic}", self.memory())
    }

    /// The profile, in a word.
    pub(crate) const fn memory(&self) -> &'static str {
        match self.profile {
            Profile::Small => "small",
            Profile::Medium => "medium",
            Profile::Host => "host",
        }
    }

    /// Whether it is what is measured, and not what it is measured by.
    pub(crate) fn is_ours(&self) -> bool {
        self.transport == "udp-sec"
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {} {}", self.transport, self.control, self.memory()))
    }
}
