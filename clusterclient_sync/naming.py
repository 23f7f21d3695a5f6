"""The names that methods have on the wire, where the option ``remote_names`` makes them.

A Node.js peer calls ``getConfig`` what Python calls ``get_config``.  The option maps a whole client
at once; a ``remote_name`` of one delegate counts instead.
"""

from __future__ import absolute_import, division, print_function

import six

from .exceptions import ConfigurationError
from .method_spec import CLOSE
from .options import CAMEL_CASE, is_text, show


def remote_name_of(name, remote_names):
    """The name on the wire of the method ``name``.

    :param remote_names: the option: ``None`` (the same name), ``"camelCase"``, or a callable that
        takes the name and gives the other.
    :raises ConfigurationError: a callable gave what is no name, or ``"close"``, which never
        travels: a Node leader would obey it.
    """
    if remote_names is None:
        return name
    found = camel_case(name) if remote_names == CAMEL_CASE else remote_names(name)
    if not is_text(found) or found in ("", CLOSE):
        raise ConfigurationError(
            u"remote_names gives the method %s the name %s on the wire; a name there is text that "
            u"is not empty and not \"close\". delegate(%s, remote_name=...) gives it another"
            % (name, show(found), show(name)))
    return six.ensure_str(found)


def camel_case(name):
    """``get_config`` as ``getConfig``, and ``import_`` as ``import``."""
    first, _, rest = name.partition("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest.split("_"))
