"""``python -m benchmarks.publish [results.json ...] [--into docs]``"""

from __future__ import absolute_import, division, print_function

import argparse
import io
import os
import sys

from benchmarks.publish import charts, page, results
from benchmarks.workers import ROOT

DOCS = os.path.join(ROOT, "docs")
#: Below the folder of the documentation: what was measured, and what is made of it.
KEPT = "results/benchmarks.json"
PAGE = "benchmarks.rst"


def published(documents):
    """All files: name below the folder of the documentation -> content.

    :param documents: what was measured, as :func:`results.read` gives it.
    """
    kept = results.joined(documents)
    measured = results.Measured(kept)
    files = {KEPT: results.as_text(kept), PAGE: page.made(measured, charts.FILES)}
    for name, make in charts.FILES.items():
        files[name] = make(measured)
    return files


def write(folder, files):
    """Write them, and say where they are."""
    for name, content in sorted(files.items()):
        path = os.path.join(folder, *name.split("/"))
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with io.open(path, "w", encoding="utf-8", newline="\n") as target:
            target.write(content)
        print(path)


def main(given):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.publish",
        description="Make the documentation's page and charts of what the benchmarks measured.")
    parser.add_argument(
        "results", nargs="*", metavar="FILE",
        help="what python -m benchmarks --output wrote; of a benchmark in several files the last "
             "one counts (default: what was published before)")
    parser.add_argument("--into", default=DOCS, metavar="FOLDER",
                        help="of the documentation (the checkout's docs)")
    options = parser.parse_args(given)
    paths = options.results or [os.path.join(options.into, *KEPT.split("/"))]
    try:
        documents = [one for path in paths for one in results.read(path)]
    except (IOError, OSError, ValueError) as error:
        parser.error(str(error))
    write(options.into, published(documents))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
