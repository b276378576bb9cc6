"""``python -m femtodriver`` is ``femtodrive``."""

from __future__ import annotations

import sys

from femtodriver.cli import main

if __name__ == "__main__":
    sys.exit(main())
