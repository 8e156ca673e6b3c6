//! The picture says what the samples say, and renders.

use super::*;
use crate::png;
use crate::series::tests::transfer;

#[test]
fn the_picture_names_the_run_and_its_figures() {
    let svg = draw(&transfer());
    assert!(svg.contains(">A &amp; B</text>") && svg.contains(">a &lt; b</text>"), "{svg}");
    assert!(svg.contains("1.00 Mbit/s over 1.00 s; 1.2 KiB declared lost"), "{svg}");
    // 10 Mbit/s is far above the 1 Mbit/s that were reached.
    assert!(!svg.contains("rate of the link"), "{svg}");
    let slow = crate::series::Transfer { rate: 2e6, ..transfer() };
    assert!(draw(&slow).contains("rate of the link"));
    for words in [
        "congestion window",
        "in flight",
        "loss detected",
        "acknowledged",
        "mean of the whole",
        "KiB",
        "Mbit/s",
    ] {
        assert!(svg.contains(words), "{words}");
    }
}

#[test]
fn everything_lies_within_the_picture() {
    let svg = draw(&transfer());
    let points = svg.split("points=\"").skip(1).filter_map(|rest| rest.split('"').next());
    for pair in points.flat_map(|points| points.split(' ')) {
        let (x, y) = pair.split_once(',').unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{pair}");
    }
}

#[test]
fn a_transfer_without_losses_or_rate_has_no_signs_of_them() {
    let mut clean = transfer();
    clean.rate = 0.0;
    clean.samples.iter_mut().for_each(|sample| sample.lost = 0.0);
    let svg = draw(&clean);
    assert!(!svg.contains("rate of the link"));
    // The sign in the legend is the only one.
    assert_eq!(svg.matches(VERMILION).count(), 1);
}

#[test]
fn the_png_has_twice_the_pixels_and_text_in_it() {
    let transfer = transfer();
    let bytes = png::render(&draw(&transfer)).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(bytes[16..24], [0, 0, 0x07, 0xd0, 0, 0, 0x05, 0xb4]); // 2000 x 1460
    let untitled = crate::series::Transfer { title: String::new(), ..transfer };
    assert_ne!(bytes, png::render(&draw(&untitled)).unwrap());
}
