"""How often intervals and tests are right, on data whose truth is known.

    python scripts/simulate_statistics.py [--draws 2000]

Two systems answer the same examples of several languages with several seeds. Right or wrong depends
on the example, which both systems and all seeds share; on the system's seed; on what example and
system have in common; and on chance. For each number of seeds and languages, with seeds that matter
and seeds that do not, the table says

- coverage: of 95 % intervals (aim: 93 to 97 %);
- false alarms: p < 0.05 though the systems are alike (aim: at most about 5 %);
- power: p < 0.05 if the true difference is what `detectable` says for a typical draw (aim: 80 %).
"""

import argparse
from dataclasses import dataclass

import numpy as np

from midway.stats import (
    detectable,
    interaction,
    p_value,
    resample_ratios,
    seed_error,
    summarise,
    swapped_gains,
)

RESAMPLES = 600
CASES = [(seeds, spread) for seeds in (1, 2, 3, 5) for spread in (0.0, 2.0)]


@dataclass(frozen=True)
class Share:
    """What a case came to, in percent.

    Attributes:
        coverage: of the intervals.
        alarms: p < 0.05.
        width: mean half width of the intervals, in points.
        detectable: mean, in points.
    """

    coverage: float
    alarms: float
    width: float
    detectable: float


def draw(
    rng: np.random.Generator,
    *,
    seeds: int,
    languages: int,
    examples: int,
    spread: float,
    gain: float,
) -> np.ndarray:
    """Answers, 1 or 0: ``[language, example, system, seed]``; the second system is `gain` better.

    Args:
        rng: source of randomness.
        seeds: number of seeds.
        languages: number of languages.
        examples: per language.
        spread: standard deviation of a run's score between seeds, in points.
        gain: true difference, in points.
    """
    easy = rng.normal(0.0, 0.2, (languages, examples, 1, 1))
    liking = rng.normal(0.0, 0.1, (languages, examples, 2, 1))
    run = rng.normal(0.0, spread / 100, (1, 1, 2, seeds))
    better = np.array([-gain / 200, gain / 200])[None, None, :, None]
    chance = np.clip(0.5 + easy + liking, 0.05, 0.95) + run + better
    right: np.ndarray = rng.random((languages, examples, 2, seeds)) < chance
    return right.astype(np.float64)


def judged(answers: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """What midway says of them: low, high, p, detectable; as `midway.analysis.estimate` does."""
    seeds = answers.shape[3]
    values = 100 * answers.mean(axis=(0, 1))
    pair = [(range(seeds, 2 * seeds), range(seeds))]
    samples, swapped = [], []
    for language in answers:
        top = language.reshape(len(language), -1)
        whole = np.ones_like(top)
        samples.append(resample_ratios(top, whole, resamples=RESAMPLES, rng=rng))
        swapped.append(swapped_gains(top, whole, pair, resamples=RESAMPLES, rng=rng)[0])
    runs = np.mean(samples, axis=0).T.reshape(2, seeds, RESAMPLES)
    each = np.array(samples).transpose(0, 2, 1).reshape(-1, 2, seeds, RESAMPLES)
    noise = sum(interaction(system) for language in each for system in language) / len(each) ** 2
    error = seed_error(values, np.array([-1.0, 1.0]), noise=noise)
    gain = float(values[1].mean() - values[0].mean())
    replicates = runs[1].mean(axis=0) - runs[0].mean(axis=0)
    found = summarise(gain, replicates, seeds=seeds, error=error, rng=rng)
    p = p_value(gain, np.mean(swapped, axis=0), error, rng=rng)
    return found.low, found.high, p, detectable(found)


def simulate(
    draws: int, *, seeds: int, languages: int, examples: int, spread: float, gain: float = 0.0
) -> Share:
    """Judge many draws."""
    rng = np.random.default_rng([seeds, languages, examples, int(spread), int(10 * gain)])

    def once() -> tuple[float, float, float, float]:
        answers = draw(
            rng, seeds=seeds, languages=languages, examples=examples, spread=spread, gain=gain
        )
        return judged(answers, rng)

    rows = np.array([once() for _ in range(draws)])
    low, high, p, seen = rows.T
    return Share(
        coverage=100 * float(((low <= gain) & (gain <= high)).mean()),
        alarms=100 * float((p < 0.05).mean()),
        width=float((high - low).mean() / 2),
        detectable=float(seen.mean()),
    )


def main() -> None:
    """Print the table."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--draws", type=int, default=2000)
    made.add_argument("--examples", type=int, default=100)
    options = made.parse_args()
    print("seeds  languages  sd of seeds  coverage  false alarms  half width  detectable  power")
    for languages in (1, 4):
        for seeds, spread in CASES:
            how = {"seeds": seeds, "languages": languages, "examples": options.examples}
            alike = simulate(options.draws, **how, spread=spread)
            apart = simulate(options.draws, **how, spread=spread, gain=alike.detectable)
            print(
                f"{seeds:>5}  {languages:>9}  {spread:>11.1f}  {alike.coverage:>7.1f}%  "
                f"{alike.alarms:>11.1f}%  {alike.width:>10.1f}  {alike.detectable:>10.1f}  "
                f"{apart.alarms:>4.0f}%",
                flush=True,
            )


if __name__ == "__main__":
    main()
