"""``python -m midway`` is ``midway``."""

from midway.cli.main import main

main()
