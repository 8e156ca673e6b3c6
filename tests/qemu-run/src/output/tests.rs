//! Lines as guests print them, and lines cut short by a crash.

use super::*;

#[test]
fn lines_are_read_by_their_first_word() {
    let log = "boot\r\nFIGURE bulk_us 1234\r\nFIGURE bulk_sha256 00ff\r\nSTAT packets_sent 7\r\nREJECT replayed 2\r\n\
               PLOT 0 12000 1200 0 0\r\nPLOT 20000 24000 2400 9600 1200\r\nSELFTEST: end\r\n\
               EVENTS established=1 readable=190\r\n";
    let output = Output::parse(log);
    assert_eq!(output.figure("bulk_us"), Some(1_234));
    assert_eq!(output.figure("bulk_sha256"), None);
    assert_eq!(output.figures["bulk_sha256"], "00ff");
    assert_eq!(output.stats["packets_sent"], 7);
    assert_eq!(output.rejects["replayed"], 2);
    assert_eq!(output.samples, [[0, 12_000, 1_200, 0, 0], [20_000, 24_000, 2_400, 9_600, 1_200]]);
    let events = [("established".to_owned(), 1), ("readable".to_owned(), 190)];
    assert_eq!(output.events, Some(events.into()));
    assert_eq!(output.malformed, 0);
}

#[test]
fn what_is_cut_short_is_counted_and_left_out() {
    let output = Output::parse(
        "FIGURE x\nSTAT a -1\nREJECT a b\nPLOT 1 2 3 4\nPLOT 1 2 3 4 5 6\nPLOTS 1\nPLOT\nEVENTS a=1 b\nEVENTS a=x",
    );
    assert_eq!(output, Output { malformed: 8, ..Output::default() });
}
