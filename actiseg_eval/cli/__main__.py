"""``python -m actiseg_eval.cli``."""

from actiseg_eval.cli import main

main()
