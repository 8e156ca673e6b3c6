//! Ticks are round, few, and reach the values.

use super::*;

fn labels(axis: &Axis) -> Vec<String> {
    axis.ticks().map(|(_, label)| label).collect()
}

#[test]
fn ticks_are_round_and_cover_the_values() {
    assert_eq!(labels(&Axis::up_to(47.3, 5, [0.0, 100.0])), ["0", "10", "20", "30", "40", "50"]);
    assert_eq!(labels(&Axis::up_to(0.42, 5, [0.0, 100.0])), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
    assert_eq!(labels(&Axis::exactly(2.3, 5, [0.0, 100.0])), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
    for most in [0.001, 0.7, 1.0, 3.3, 9.99, 64.0, 1e6] {
        let axis = Axis::up_to(most, 6, [0.0, 1.0]);
        assert!(axis.top >= most && axis.ticks().count() <= 8, "{axis:?}");
    }
}

#[test]
fn nothing_at_all_still_has_an_axis() {
    let axis = Axis::up_to(0.0, 4, [10.0, 0.0]);
    assert!(axis.top > 0.0);
    assert_eq!(axis.pixel(0.0), 10.0);
}

#[test]
fn values_become_pixels_and_stay_within() {
    let axis = Axis::exactly(10.0, 5, [100.0, 0.0]);
    assert_eq!(axis.pixel(0.0), 100.0);
    assert_eq!(axis.pixel(5.0), 50.0);
    assert_eq!(axis.pixel(99.0), 0.0);
    assert_eq!(axis.pixel(-1.0), 100.0);
}
