use rand::SeedableRng;
use rand::rngs::StdRng;
use std::ops::Range;

/// Whether the long variants of the stories run (`TEST_FULL=1`, set by `./test --full`).
#[must_use]
pub fn full() -> bool {
    variable("TEST_FULL").is_some_and(|value| value == "1")
}

/// Reproducible randomness: `TEST_SEED` chooses the seed, and a failing test prints it.
#[must_use]
pub fn chance() -> StdRng {
    let seed = variable("TEST_SEED").and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(1);
    tell(&format!("TEST_SEED={seed}"));
    StdRng::seed_from_u64(seed)
}

/// The seeds in `SIMULATION_SEEDS`: a number of them, or a range such as `17..18`.
#[must_use]
pub fn wanted_seeds() -> Option<Range<u64>> {
    let wanted = variable("SIMULATION_SEEDS")?;
    let (start, end) = wanted.split_once("..").unwrap_or(("0", &wanted));
    let number = |text: &str| text.parse().expect("SIMULATION_SEEDS=200 or 17..18");
    Some(number(start)..number(end))
}

/// Prints a line that is shown when the test fails, or with `--nocapture`.
#[expect(clippy::print_stdout, reason = "the test runner keeps it")]
pub fn tell(line: &str) {
    println!("{line}");
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    std::env::var(name).ok()
}
