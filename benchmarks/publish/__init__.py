"""The documentation's page and charts of what the benchmarks measured.

``python -m benchmarks.publish results.json`` makes them of what ``python -m benchmarks --output``
wrote.

``results``  reads documents of results, joins them, keeps what the page needs
``wording``  how numbers, ratios and units are written; ``who``: what each subject is
``page``     the page, of ``tables``
``charts``   the charts, of ``bars`` and ``lines``; ``svg``: their elements
"""
