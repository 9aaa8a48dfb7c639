"""Run the command line as ``python -m actiseg_noise.cli``."""

from actiseg_noise.cli import main

main()
