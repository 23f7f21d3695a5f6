from __future__ import absolute_import, division, print_function

import pytest

from clusterclient_sync.api_client import APIClientBase
from clusterclient_sync.builder import ClientBuilder
from clusterclient_sync.exceptions import ConfigurationError


class Real(object):
    def get(self, key):
        pass

    def put(self, value):
        pass

    def close(self):
        pass


class FakeClient(object):
    """Notes what it is asked."""

    is_leader = True
    epoch = 7

    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        def method(*args, **kwargs):
            self.asked.append((name, args, kwargs))
            return name

        return method


class FakeBuilder(object):
    def __init__(self, client_class, options):
        self.client_class = client_class
        self.options = options
        self.delegates = {}
        self.arguments = None

    def delegate(self, name, to="invoke", **how):
        self.delegates[name] = (to, how)
        return self

    def create(self, *args, **kwargs):
        self.arguments = args, kwargs
        return FakeClient()


class Factory(object):
    """Another ``cluster``, which keeps what it gave."""

    def __call__(self, client_class, **options):
        self.builder = FakeBuilder(client_class, options)
        return self.builder


class API(APIClientBase):
    data_client_class = Real
    delegates = {"get": {"to": "invoke", "idempotent": True}, "put": "publish",
                 "drop": {"timeout": 2}}
    cluster_options = {"port": 1000}

    def get(self, key):
        return self._client.get(key)


def make(api_class=API, *args, **kwargs):
    factory = Factory()
    return api_class(*args, cluster_factory=factory, **kwargs), factory.builder


def test_it_builds_a_client_from_its_attributes():
    api, builder = make(API, "address", retries=2)
    assert builder.client_class is Real
    assert builder.options == {"port": 1000}
    assert builder.delegates == {"get": ("invoke", {"idempotent": True}), "put": ("publish", {}),
                                 "drop": ("invoke", {"timeout": 2})}
    assert builder.arguments == (("address",), {"retries": 2})
    assert api.get("k") == "get"
    assert api._client.asked == [("get", ("k",), {})]


def test_properties_serve_as_well():
    class WithProperties(APIClientBase):
        def __init__(self, port):
            self.port = port
            super(WithProperties, self).__init__("address", cluster_factory=factory)

        @property
        def data_client_class(self):
            return Real

        @property
        def delegates(self):
            return {"put": "invoke_oneway"}

        @property
        def cluster_options(self):
            return {"port": self.port}

    factory = Factory()
    WithProperties(2000)
    assert factory.builder.options == {"port": 2000}
    assert factory.builder.delegates == {"put": ("invoke_oneway", {})}


def test_a_factory_as_a_static_method():
    def make_real():
        return Real()

    class WithFactory(APIClientBase):
        data_client_class = staticmethod(make_real)
        cluster_options = {"name": "real"}

    assert make(WithFactory)[1].client_class is make_real


def test_what_comes_along():
    api = make()[0]
    assert (api.is_leader, api.epoch) == (True, 7)
    assert api.ready(timeout=2) == "ready"
    api.ready()
    api.on("error", repr)
    api.once("error")
    api.off("error", repr)
    assert api.emit("error", 1, 2) == "emit"
    api.close()
    with api as entered:
        assert entered is api
    assert api._client.asked == [
        ("ready", (), {"timeout": 2}), ("ready", (), {"timeout": None}),
        ("on", ("error", repr), {}), ("once", ("error", None), {}), ("off", ("error", repr), {}),
        ("emit", ("error", 1, 2), {}), ("close", (), {"timeout": None}),
        ("close", (), {"timeout": None})]


def test_it_uses_the_ordinary_builder_where_none_is_injected(monkeypatch):
    made = []
    monkeypatch.setattr(ClientBuilder, "create",
                        lambda self, *args, **kwargs: made.append((self, args)) or FakeClient())

    class Ordinary(APIClientBase):
        data_client_class = Real
        delegates = {"get": {"idempotent": True}}

    Ordinary("a")
    Ordinary("a", cluster_factory=None)
    assert [args for _, args in made] == [("a",), ("a",)]
    assert made[0][0]._delegates[0].idempotent is True


@pytest.mark.parametrize("attributes, told", [
    ({"data_client_class": None}, "data_client_class"),
    ({"delegates": ["get"]}, "must be a dict"),
    ({"delegates": {"get": None}}, "get"),
    ({"delegates": {"get": {"name": "put"}}}, "get"),
    ({"delegates": {"get": {5: "put"}}}, "get"),
    ({"delegates": {"got": "invoke"}}, "did you mean get"),
    ({"delegates": {"get": "call"}}, "no target"),
    ({"cluster_options": {"prot": 1}}, "did you mean port"),
])
def test_what_is_wrong_is_told(attributes, told):
    wrong = type("Wrong", (APIClientBase,), dict({"data_client_class": Real}, **attributes))
    with pytest.raises(ConfigurationError) as caught:
        wrong()
    assert told in str(caught.value)


def test_a_forgotten_constructor_is_told():
    class Forgetful(APIClientBase):
        data_client_class = Real

        def __init__(self):
            pass

    api = Forgetful()
    with pytest.raises(ConfigurationError) as caught:
        api.ready()
    assert "super().__init__" in str(caught.value)
    with pytest.raises(AttributeError):
        api.unknown
