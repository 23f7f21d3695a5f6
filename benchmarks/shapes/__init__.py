"""Benchmarks of shapes: what does not depend on how fast one call is, but on how many there are.

``BENCHMARKS``    all of them: objects with ``name``, ``about`` and ``measure(options, progress)``

``fan_out``       values to 16 followers, and what each of 1 to 500 followers costs
``connections``   calls over 1 to 500 connections, and with 1 to 10,000 in flight
``idle``          5,000 idle followers
``payloads``      values of 1 KiB to 32 MiB, and small calls beside a big one
``blocking``      a real client that takes its time
``start``         the import; ``import_probe`` is its program
``stages``        the parts of a call, each alone; ``stage_probe`` is its program

``benchmark``     their form; ``crew``: the parent's side of their processes
``program``       the program of these, whose parts are ``calling`` (callers), ``source`` and
                  ``fan_out_source`` (the real client) and ``usage`` (CPU, memory, wakes)

Everything is measured over the public interface of the library, in real processes.
"""

from __future__ import absolute_import, division, print_function

from benchmarks.shapes import blocking, connections, fan_out, idle, payloads, stages, start

BENCHMARKS = (fan_out.FAN_OUT, fan_out.FLAT, connections.CONNECTIONS, connections.IN_FLIGHT,
              idle.IDLE, payloads.PAYLOADS, payloads.BESIDE_BIG, blocking.BLOCKING, start.START,
              stages.STAGES)
