"""Names on the wire, as the option ``remote_names`` makes them."""

from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync import cluster
from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.naming import camel_case, remote_name_of


class Store(object):
    def get_config(self, key):
        """Nothing."""

    def get_all(self):
        """Nothing."""

    def announce_it(self, registration):
        """Nothing."""

    def subscribe(self, registration, listener):
        """Nothing."""

    def unsubscribe(self, registration, listener=None):
        """Nothing."""

    def close(self):
        """Nothing."""


def specs(builder):
    """Method to (target, name on the wire)."""
    plan = builder._make_plan(builder._make_options(), (), {})
    return {spec.name: (spec.target, spec.remote_name) for spec in plan.specs.values()}


@pytest.mark.parametrize("name, expected", [
    ("get", "get"), ("get_config", "getConfig"), ("get_http_url", "getHttpUrl"),
    ("import_", "import"), ("get__x", "getX"), ("get_2nd", "get2nd"), ("getConfig", "getConfig"),
    ("get_URL", "getURL")])
def test_camel_case(name, expected):
    assert camel_case(name) == expected
    assert remote_name_of(name, "camelCase") == expected
    assert remote_name_of(name, None) == name


def test_a_whole_client_is_mapped_but_for_what_has_a_name_of_its_own():
    builder = (cluster(Store, remote_names="camelCase")
               .delegate("announce_it", "publish")
               .delegate("get_all", remote_name="listEverything"))
    assert specs(builder) == {
        "get_config": ("invoke", "getConfig"), "get_all": ("invoke", "listEverything"),
        "announce_it": ("publish", "announceIt"), "subscribe": ("subscribe", "subscribe"),
        "unsubscribe": ("unsubscribe", "unsubscribe"), "close": ("close", "close")}


def test_a_callable_names_them():
    builder = cluster(Store, remote_names=lambda name: u"v2." + name)
    found = specs(builder)
    assert found["get_config"] == ("invoke", "v2.get_config")
    assert isinstance(found["get_config"][1], str)


def test_a_factorys_methods_are_mapped_too():
    builder = cluster(lambda: Store(), name="s", remote_names="camelCase").delegate("get_config")
    assert specs(builder) == {"get_config": ("invoke", "getConfig")}


@pytest.mark.parametrize("name", ["", "close", u"close", None, 7, b"\xff"])
def test_what_a_callable_gives_must_be_a_name(name):
    with pytest.raises(ConfigurationError) as caught:
        cluster(Store, remote_names=lambda _: name).delegate("get_config")
    assert "remote_names" in str(caught.value) and "get_config" in str(caught.value)


def test_two_methods_of_one_name_are_told():
    with pytest.raises(ConfigurationError) as caught:
        specs(cluster(Store, remote_names=lambda name: "same"))
    assert "on the wire already" in str(caught.value)


@pytest.mark.parametrize("value", ["snake_case", "", 7, True, {}])
def test_the_option_takes_nothing_else(value):
    with pytest.raises(ConfigurationError) as caught:
        cluster(Store, remote_names=value)
    assert '"camelCase"' in str(caught.value)
