"""How fast calls are, against a yardstick that is measured in the same run.

``python -m benchmarks`` runs everything; ``python -m benchmarks --help`` says what there is.  Each
round of the cluster is followed by the same round of two bare echo servers, so that a busy or slow
machine slows them all, and the ratio says more than the figures.

``scenarios``     what is measured: how many processes and greenlets call
``subjects``      who is measured: the cluster, and the echoes (``cluster_subject``, ``echo``)
``worker``        the program of every process that serves or calls
``load``          what a calling process does in a round
``workers``       the parent's side: starts the processes, lets them go at once, collects
``report``        medians, spreads and ratios, as text or JSON

``python -m benchmarks.failover`` measures how soon the survivors of a leader go on, and
``python -m benchmarks.chaos`` counts what is lost while leaders end at random moments.

``member``        the program of every process that leads or follows there
``sources``       its real clients; ``upstream``: the server behind those whose values change
``journal``       what the processes note, in one file
``members``       the parent's side of members
``failover_crew`` the processes of a scenario, round by round; ``failover_report``: their figures
``book``          holds a chaos run against what is promised; ``chaos_report``: what came of it
``npm``           npm's package as another kind of member (``node/member.js``)

``python -m benchmarks.runtimes`` holds calls of native threads against those of greenlets.

``runtime_caller`` the program of a process that calls there, in one runtime or the other
"""
