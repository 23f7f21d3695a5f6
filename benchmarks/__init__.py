"""How fast calls are, against yardsticks and other libraries that are measured in the same run.

``python -m benchmarks`` runs everything; ``python -m benchmarks --help`` says what there is.  The
rounds of all that are measured take turns: a busy or slow machine slows them all, and the ratios
within a round say more than the figures.

``catalogue``     all benchmarks, and what a benchmark is; ``arguments``: the command line
``figures``       what every benchmark gives: figures with rows, spreads and ratios
``calls``         those of calls: how many processes and greenlets call; ``shapes``: the others
``crews``         the processes of a subject, and the rounds of several in turn
``subjects``      who is measured: the cluster, bare echoes, sockets, and the peers
``environments``  the Python of each subject; ``npm``: npm's package; ``pinning``: their cores
``worker``        the program of every process that serves or calls (``node/caller.js``)
``load``          what a calling process does in a round
``workers``       the parent's side of any process; ``clock``: that of all
``progress``      what a long run says; ``pyperf_file``: rounds for ``pyperf compare_to``

``python -m benchmarks.failover`` measures how soon the survivors of a leader go on, and
``python -m benchmarks.chaos`` counts what is lost while leaders end at random moments.

``member``        the program of every process that leads or follows there (``node/member.js``)
``sources``       its real clients; ``upstream``: the server behind those whose values change
``journal``       what the processes note, in one file
``members``       the parent's side of members
``failover_crew`` the processes of a scenario, round by round; ``failover_report``: their figures
``book``          holds a chaos run against what is promised; ``chaos_report``: what came of it
``report``        how measured times are distributed

``python -m benchmarks.publish`` makes the charts and tables of the documentation from results.

``python -m benchmarks.runtimes`` holds calls of native threads against those of greenlets.
"""
