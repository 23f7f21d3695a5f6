"""gunicorn's command, as a script: the master that a USR2 starts finds it again by its path."""

from __future__ import absolute_import, division, print_function

import sys

if __name__ == "__main__":
    # The names of the files beside this one are not to be taken for others' modules.
    sys.path[0] = ""
    from gunicorn.app.wsgiapp import run

    run()
