"""`python -m counterfoil.sandbox`."""

import sys

from counterfoil.sandbox.serve import main

sys.exit(main())
