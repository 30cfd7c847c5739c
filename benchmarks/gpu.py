"""Share of a GPU's matrix-product rate in training an encoder of XLM-R Large's shape.

    python -m benchmarks.gpu [--rows 2048] [--batch 32] [--rounds 3] [--json FILE]

Random weights, random ids, and lengths with the distribution of TyDiQA's English training windows
of at most 384 tokens, so that neither data nor an encoder is needed. In turn:

- ``midway``: packed sequences, torch's variable-length attention, bfloat16, active vocabulary;
- ``tuned``: Trainer with bfloat16, length grouping, dynamic padding, fused AdamW;
- ``default``: Trainer with float32, padded to 384.

The last column is useful work over the best bfloat16 matrix product measured in the same run
(`midway.encoders.limits` states the formula); the aim on an H100 is 45 %. Other options are of
`benchmarks.training`. ``--device cpu --shape tiny`` tries the command where there is no GPU.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import finish, parser
from benchmarks.training import add_options, losses, speeds
from benchmarks.workloads import (
    LARGE,
    SMALL,
    TINY,
    random_workload,
    tydiqa_lengths,
    write_random_encoder,
)

SHAPES = {"large": LARGE, "small": SMALL, "tiny": TINY}
ROWS = 2048


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    made = parser(__doc__ or "")
    made.add_argument("--shape", choices=list(SHAPES), default="large")
    add_options(made, 32)
    made.set_defaults(device="cuda", rows=ROWS)
    options = made.parse_args(argv)
    config = SHAPES[options.shape]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoder = write_random_encoder(config, folder / "encoder")
        lengths = tydiqa_lengths(min(64, options.rows) if options.small else options.rows)
        work = random_workload(lengths, config.vocab_size, folder / "features")
        compare = losses if options.losses else speeds
        document = compare(folder, encoder, work, options)
    if options.json is not None:
        finish("", "", document, options.json, options.device)


if __name__ == "__main__":
    main()
