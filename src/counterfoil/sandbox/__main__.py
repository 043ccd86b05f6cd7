"""`python -m counterfoil.sandbox`."""

import os
import sys

from counterfoil.sandbox.serve import main

code = main()
sys.stdout.flush()
sys.stderr.flush()
# Everything answered is on disk. The server's own threads may still be at work, and now and then
# the interpreter aborts when it takes itself apart under them: so it does not.
os._exit(code)
