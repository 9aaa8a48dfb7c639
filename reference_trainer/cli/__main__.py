"""Run the command line with ``python -m reference_trainer.cli``."""

from reference_trainer.cli import main

main()
