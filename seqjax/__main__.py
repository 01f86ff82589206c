"""`python -m seqjax`: the command, of the Python that it is asked of."""

import sys

from seqjax.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
