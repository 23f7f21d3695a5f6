"""What a method takes by position, for a peer that takes arguments by position only.

A Node.js leader knows no keyword arguments.  Where the real client's class is known they are put
where that class's own method has them; gaps before them are filled with its defaults, and what
comes after the last one is left to the leader's own defaults.
"""

from __future__ import absolute_import, division, print_function

import inspect

from . import _compat
from .method_spec import CALLBACK


class Parameters(object):
    """The positions of one method, without ``self`` and without what takes its callback.

    :param names: in their order.
    :param defaults: those that have one, as a dict.
    :param takes_more: whether it takes further arguments behind them.
    """

    __slots__ = ("names", "defaults", "takes_more")

    def __init__(self, names, defaults, takes_more):
        self.names = names
        self.defaults = defaults
        self.takes_more = takes_more

    def by_position(self, args, kwargs):
        """All arguments of a call as a list.

        :raises ValueError: they do not fit; the text says what does not.
        """
        if len(args) > len(self.names) and not self.takes_more:
            raise ValueError("it takes %d arguments, and %d were given by position"
                             % (len(self.names), len(args)))
        values, gap, rest = list(args), [], dict(kwargs)
        for name in self.names[:len(args)]:
            if name in rest:
                raise ValueError("its argument %s was given twice" % name)
        for name in self.names[len(args):]:
            if name in rest:
                values += gap + [rest.pop(name)]
                gap = []
            elif name in self.defaults:
                gap.append(self.defaults[name])
            else:
                raise ValueError("its argument %s is missing" % name)
        if rest:
            raise ValueError("it has no argument %s that has a position" % sorted(rest)[0])
        return values


def parameters_of(real_class, name, style):
    """The :class:`Parameters` of a class's method, or ``None`` where they cannot be known.

    :param style: with ``"callback"`` the parameter ``callback`` is left out.
    """
    found = [vars(owner)[name] for owner in inspect.getmro(real_class) if name in vars(owner)]
    if not found:
        return None
    method = found[0]
    has_first = not isinstance(method, staticmethod)
    if isinstance(method, (classmethod, staticmethod)):
        method = method.__func__
    told = _compat.positional_parameters(method) if inspect.isfunction(method) else None
    if told is None:
        return None
    names, defaults, takes_more = told
    names = [one for one in (names[1:] if has_first else names)
             if one != "callback" or style != CALLBACK]
    return Parameters(names, defaults, takes_more)
