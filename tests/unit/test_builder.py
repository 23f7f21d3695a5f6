# -*- coding: utf-8 -*-
from __future__ import absolute_import, division, print_function

import functools
import gc
import logging
import os

import pytest

from clusterclient_sync import delegation, forced, registry
from clusterclient_sync.builder import ClientBuilder, cluster, fingerprint
from clusterclient_sync.client import ClusterClient
from clusterclient_sync.data_client import DataClientBase
from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.method_spec import Plan


class Core(object):
    """Notes what it is asked, in place of the real one."""

    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        def method(*args):
            self.asked.append((name,) + args)
            return "answer"

        return method


class Recorded(ClusterClient):
    """A cluster client that is never started."""

    def _start(self, plan, options):
        self.plan, self.options, self._gate = plan, options, Core()

    def subscribe(self, registration, listener=None):
        return ("subscribe", registration, listener)

    def unsubscribe(self, registration, listener=None):
        return ("unsubscribe", registration, listener)

    def close(self, timeout=None):
        registry.release(self)
        return ("close", timeout)


class Base(object):
    def inherited(self):
        """Of a base of the user's."""


class Real(Base):
    """The real one."""

    constant = 5
    Nested = Base

    def __init__(self, servers="a", **options):
        pass

    def subscribe(self, registration, listener):
        """Subscribe there."""

    def unsubscribe(self, registration, listener=None):
        pass

    def publish(self, registration):
        pass

    def get_config(self, data_id):
        """Get one."""

    def get_later(self, data_id, callback):
        pass

    @staticmethod
    def version():
        pass

    @classmethod
    def kind(cls):
        pass

    @property
    def state(self):
        raise AssertionError("is not asked")

    def init(self):
        pass

    def ready(self):
        pass

    def _private(self):
        pass

    def close(self):
        pass


class WithBase(DataClientBase):
    def get(self):
        pass

    def handlers(self, name):
        """One's own, under a name that the base has too."""

    def emit(self, name, *args):
        pass


class Bare(object):
    def get(self):
        pass


class Making(object):
    """A factory that is neither a function nor a class."""

    def __call__(self):
        return Real()

    def __getattr__(self, name):
        return self  # has a __name__ too, of a kind


@pytest.fixture(autouse=True)
def forget_clients():
    yield
    registry._live.clear()


def build(client_class=Real, **options):
    return ClientBuilder(client_class, options, base=Recorded)


def targets(plan):
    return {spec.name: spec.target for spec in plan.specs.values()}


def refused(function, *args, **kwargs):
    with pytest.raises(ConfigurationError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


# -- auto-generation


def test_every_public_method_of_the_class_is_delegated():
    assert targets(build().create().plan) == {
        "subscribe": "subscribe", "unsubscribe": "unsubscribe", "publish": "publish",
        "close": "close", "get_config": "invoke", "get_later": "invoke", "inherited": "invoke",
        "version": "invoke", "kind": "invoke"}


def test_what_the_base_class_brings_is_not_delegated_but_what_the_class_defines_is():
    client = build(WithBase).create()
    assert targets(client.plan) == {"get": "invoke", "handlers": "invoke"}


def test_without_auto_generate_only_what_is_named_is_delegated():
    client = build(auto_generate=False).delegate("get_config").create()
    assert targets(client.plan) == {"get_config": "invoke"}
    assert not hasattr(client, "get_later")
    assert client.plan.close_name == "close"


def test_unsubscribe_comes_with_subscribe():
    client = build(auto_generate=False).delegate("subscribe", "subscribe").create()
    assert targets(client.plan) == {"subscribe": "subscribe", "unsubscribe": "unsubscribe"}

    class Watcher(object):
        def watch(self, registration, listener):
            pass

    client = build(Watcher).delegate("watch", "subscribe").create()
    assert targets(client.plan) == {"watch": "subscribe"}
    assert client.unsubscribe(1) == ("unsubscribe", 1, None)


def test_what_is_explicit_counts_before_what_is_generated():
    client = (build().delegate("get_config", "invoke_oneway").delegate("inherited", "subscribe")
              .delegate("version", "close").create())
    told = targets(client.plan)
    assert told["get_config"] == "invoke_oneway"
    assert told["inherited"] == "subscribe" and "subscribe" not in told
    assert told["version"] == "close" and "close" not in told
    assert client.plan.close_name == "version"


def test_classes_of_the_old_style_serve_too():
    class Old:
        def get(self, callback):
            pass

        def close(self):
            pass

    plan = build(Old).create("a").plan
    assert targets(plan) == {"get": "invoke", "close": "close"}
    assert plan.specs["get"].style == "callback"


# -- delegate


def test_the_style_follows_the_parameter_named_callback():
    specs = build().delegate("kind", style="callback").create().plan.specs
    assert specs["get_later"].style == "callback"
    assert specs["get_config"].style == "return"
    assert specs["version"].style == "return"
    assert specs["kind"].style == "callback"
    assert build().delegate("get_later", style="return").create().plan.specs[
        "get_later"].style == "return"


def test_how_reaches_the_spec():
    spec = build().delegate("get_config", timeout=0.5, idempotent=True,
                            remote_name="getConfig").create().plan.specs["get_config"]
    assert (spec.timeout, spec.idempotent, spec.remote_name) == (0.5, True, "getConfig")
    spec = build().delegate("publish", "publish", replay=False).create().plan.specs["publish"]
    assert (spec.replay, spec.remote_name) == (False, "publish")


def test_a_second_delegate_for_a_method_counts():
    builder = build().delegate("get_config", timeout=1).delegate("get_config", "invoke_oneway")
    spec = builder.create().plan.specs["get_config"]
    assert (spec.target, spec.timeout) == ("invoke_oneway", None)
    builder = build().delegate("subscribe", "subscribe").delegate("subscribe", "subscribe")
    assert targets(builder.create().plan)["subscribe"] == "subscribe"
    builder = build().delegate("kind", "subscribe").delegate("kind", "invoke")
    assert targets(builder.create().plan)["subscribe"] == "subscribe"


def test_a_method_that_the_class_lacks():
    text = refused(build().delegate, "get_confg")
    assert "has no method get_confg" in text and "did you mean get_config" in text
    assert "inherited" in text
    assert "no method" in refused(build().delegate, "constant")
    assert "no method" in refused(build().delegate, "Nested")
    assert "no method" in refused(build().delegate, "state")


def test_an_unknown_target():
    text = refused(build().delegate, "get_config", "invokeOneway")
    assert "did you mean invoke_oneway" in text
    for target in ("subscribe", "unsubscribe", "publish", "invoke", "close"):
        assert target in text
    for wrong in (None, 5, ["invoke"], ""):
        assert "no target" in refused(build().delegate, "get_config", wrong)


def test_an_unknown_how():
    text = refused(build().delegate, "get_config", idempotnt=True)
    assert "idempotnt" in text and "did you mean idempotent" in text
    assert "remote_name" in text and "replay" not in text
    assert "replay" in refused(build().delegate, "get_config", replay=False)


@pytest.mark.parametrize("how", [
    {"timeout": 0}, {"timeout": True}, {"timeout": "1"}, {"idempotent": 1}, {"remote_name": ""},
    {"remote_name": 5}, {"remote_name": "close"}, {"style": "async"}, {"style": 5},
])
def test_a_how_of_a_wrong_type(how):
    assert "%s must be" % list(how)[0] in refused(build().delegate, "get_config", **how)


@pytest.mark.parametrize("name", ["ready", "is_leader", "epoch", "on", "once", "off", "emit",
                                  "call", "resign"])
def test_reserved_names(name):
    assert "reserved" in refused(build().delegate, name)
    assert "reserved" in refused(build().override, name, 1)


@pytest.mark.parametrize("name", ["subscribe", "unsubscribe", "publish", "close"])
def test_reserved_names_that_delegate_to_themselves(name):
    assert targets(build().delegate(name, name).create().plan)[name] == name
    for target in ("invoke", "invoke_oneway", "subscribe", "close"):
        if target != name:
            assert "only be delegated to %s" % name in refused(build().delegate, name, target)
    assert "reserved" in refused(build().override, name, 1)


@pytest.mark.parametrize("name", ["", None, 5, "_core", "__init__"])
def test_names_that_are_none(name):
    refused(build().delegate, name)
    refused(build().override, name, 1)


@pytest.mark.parametrize("target", ["subscribe", "unsubscribe", "close"])
def test_two_methods_for_what_a_real_client_has_once(target):
    builder = build().delegate("get_config", target)
    text = refused(builder.delegate, "inherited", target)
    assert "get_config is delegated to %s already" % target in text
    assert "inherited" not in [spec.name for spec in builder._delegates]


def test_two_publishing_methods_are_two():
    client = build().delegate("get_config", "publish").create()
    assert targets(client.plan)["get_config"] == targets(client.plan)["publish"] == "publish"


def test_two_methods_of_one_name_on_the_wire():
    builder = build().delegate("get_config", remote_name="getConfig")
    assert "on the wire already" in refused(builder.delegate, "kind", remote_name="getConfig")
    assert "on the wire" in refused(build().delegate("kind", remote_name="inherited").create)


# -- factories and dynamic classes


def test_a_factory_needs_a_name():
    for factory in (lambda: Real(), functools.partial(Real, "a"), Making()):
        assert "option name" in refused(build, factory)
        assert build(factory, name="made").create().plan.real_class is None
        registry._live.clear()
    assert "not 'Real'" in refused(build, "Real")


def test_a_factory_is_checked_when_the_real_client_is_there():
    plan = (build(lambda: Real(), name="zk").delegate("get_config").delegate("missing")
            .delegate("lost").create().plan)
    assert targets(plan) == {"get_config": "invoke", "missing": "invoke", "lost": "invoke"}
    assert plan.specs["get_config"].style is None and plan.real_class is None
    text = refused(delegation.check_real, plan, plan.make_real())
    assert "lost, missing" in text and "get_config" not in text and "zk" in text


def test_the_close_of_a_real_client_that_a_factory_made(caplog):
    plan = build(lambda: Real(), name="zk").create().plan
    assert delegation.check_real(plan, Real()) == "close"
    assert caplog.records == []
    options = build(name="x")._make_options()
    assert delegation.check_real(plan, Bare(), options) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "close_with" in caplog.records[0].getMessage()
    assert delegation.check_real(plan, Bare(), options.replace(close_with=repr)) is None
    assert len(caplog.records) == 1
    plan = build(lambda: Real(), name="zk").delegate("version", "close").create().plan
    assert delegation.check_real(plan, Real()) == "version"


def test_a_class_with_getattr_is_checked_like_a_factory():
    class Proxy(object):
        def __getattr__(self, name):
            if name.startswith("get"):
                return lambda: name
            raise AttributeError(name)

    plan = build(Proxy).delegate("get_a").delegate("set_a").create().plan
    assert targets(plan) == {"get_a": "invoke", "set_a": "invoke"}
    assert plan.specs["get_a"].style is None
    text = refused(delegation.check_real, plan, plan.make_real())
    assert "set_a" in text and "get_a" not in text


def test_the_real_unsubscribe():
    real = Real()
    assert delegation.unsubscribe_method(build().create().plan, real) == real.unsubscribe
    plan = build().delegate("version", "unsubscribe").create().plan
    assert delegation.unsubscribe_method(plan, real) == real.version
    plan = build(lambda: Real(), name="f").create().plan
    assert delegation.unsubscribe_method(plan, real) == real.unsubscribe
    assert delegation.unsubscribe_method(plan, Bare()) is None


def test_a_class_without_close_is_a_warning_at_creation(caplog):
    assert build(Bare).create().plan.close_name is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Bare" in caplog.records[0].getMessage()
    build(Bare, close_with=repr).create()
    build(Real).create()
    assert len(caplog.records) == 1


# -- the client


def test_methods_ask_the_core():
    client = build().delegate("version", "invoke_oneway").create()
    specs = client.plan.specs
    assert client.get_config("a", callback=repr) == "answer"
    assert client.version(1) == "answer"
    assert client.publish({"a": 1}) == "answer"
    assert client._gate.asked == [
        ("invoke", specs["get_config"], ("a",), {"callback": repr}),
        ("invoke_oneway", specs["version"], (1,), {}),
        ("publish", specs["publish"], {"a": 1})]


def test_methods_under_other_names():
    class Watcher(object):
        def watch(self, registration, listener):
            """Watch it."""

        def unwatch(self, registration, listener=None):
            pass

        def put(self, registration):
            pass

        def shutdown(self):
            pass

    client = (build(Watcher).delegate("watch", "subscribe").delegate("unwatch", "unsubscribe")
              .delegate("put", "publish").delegate("shutdown", "close").create())
    assert client.watch("r", repr) == ("subscribe", "r", repr)
    assert client.watch("r") == ("subscribe", "r", None)
    assert client.unwatch("r") == ("unsubscribe", "r", None)
    assert client.put("r") == "answer"
    assert client._gate.asked == [("publish", client.plan.specs["put"], "r")]
    assert client.shutdown() == ("close", None)
    assert client.plan.close_name == "shutdown"
    assert client.watch.__name__ == "watch" and client.watch.__doc__ == "Watch it."


def test_a_client_looks_like_the_real_one():
    client = build().create()
    assert isinstance(client, Recorded)
    assert type(client).__name__ == "ClusterClient[Real]"
    assert client.__doc__ == "The real one."
    assert (client.get_config.__name__, client.get_config.__doc__) == ("get_config", "Get one.")
    client = build(lambda: Real(), name=u"\u4e2d").create()
    assert type(client).__name__ == "ClusterClient[?]"


def test_overrides_are_attributes_of_the_client():
    value = object()
    client = build().override("foo", value).override("get_config", value).create()
    assert client.foo is value
    assert client.get_config is value


def test_the_name_is_that_of_the_class():
    client = build().create()
    assert client.plan.name == client.options.name == "Real"
    assert build(name="other").create().plan.name == "other"


def test_create_makes_the_real_client_from_its_arguments():
    class Keeping(object):
        def __init__(self, *args, **kwargs):
            self.given = args, kwargs

        def close(self):
            pass

    plan = build(Keeping).create("a", b=2).plan
    assert plan.make_real().given == (("a",), {"b": 2})
    assert plan.arguments == (("a",), {"b": 2})


def test_create_does_not_change_the_builder():
    builder = build().delegate("get_config", timeout=1)
    one = builder.create("a")
    builder.delegate("kind", "invoke_oneway").override("foo", 1)
    two = builder.create("a")
    assert one is not two and type(one) is not type(two)
    assert targets(one.plan)["kind"] == "invoke" and not hasattr(one, "foo")
    assert targets(two.plan)["kind"] == "invoke_oneway"


def test_options_are_checked_by_cluster_and_variables_by_create(monkeypatch):
    assert "did you mean port" in refused(cluster, Real, prot=1)
    monkeypatch.setenv("CLUSTERCLIENT_PORT", "x")
    builder = build()
    assert "CLUSTERCLIENT_PORT" in refused(builder.create)


def test_cluster_gives_a_builder_of_cluster_clients():
    builder = cluster(Real, port=1000)
    assert isinstance(builder, ClientBuilder)
    assert builder._base is ClusterClient


def test_cluster_close():
    client = build().create()
    closed = []
    client.close = lambda timeout=None: closed.append(timeout)
    cluster.close(client)
    cluster.close(client, timeout=2)
    assert closed == [None, 2]
    for wrong in (Real(), None, "client", build()):
        assert "create()" in refused(cluster.close, wrong)


# -- one process, one real client


def test_clients_of_one_name_must_agree():
    kept = [build().create("a", timeout=1), build().create("a", timeout=1)]
    text = refused(build().create, "b", timeout=1)
    assert "Real" in text and "127.0.0.1:7777" in text
    refused(build().create, "a", timeout=2)
    refused(build(WithBase, name="Real").create)
    kept.append(build(name="other").create("b"))
    kept.append(build(port=1000).create("b"))
    for client in kept[:2]:
        registry.release(client)
    build().create("b")


def test_a_client_that_was_refused_is_not_counted():
    first = build().create("a")
    refused(build().create, "b")
    registry.release(first)
    registry.release(first)
    assert registry._live == {}


def test_a_client_that_does_not_start_is_not_counted():
    class Failing(Recorded):
        def _start(self, plan, options):
            raise ValueError("no")

    with pytest.raises(ValueError):
        ClientBuilder(Real, base=Failing).create("a")
    assert registry._live == {}
    build().create("b")


def test_a_client_that_is_dropped_is_forgotten():
    client = build().create("a")
    del client
    gc.collect()
    build().create("b")


def test_single_mode_knows_no_address():
    kept = build(single_mode=True, port=1000).create("a")
    assert "single mode" in refused(build(single_mode=True, port=2000).create, "b")
    build(port=1000).create("b")
    assert kept.options.single_mode


def test_another_process_has_clients_of_its_own(monkeypatch):
    parent = build().create("a")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    build().create("b")
    assert all(key[0] == 1 for key in registry._live)
    assert parent.plan.arguments == (("a",), {})


def test_factories_that_do_the_same_agree():
    def make(address, name="f"):
        return build(lambda: address, name=name).create()

    kept = [make("a"), make("a")]
    refused(make, "b")
    refused(build(lambda: "a", name="f").create)
    refused(build(Real, name="f").create)
    kept.append(build(functools.partial(Real, "a"), name="p").create())
    kept.append(build(functools.partial(Real, "a"), name="p").create())
    refused(build(functools.partial(Real, "b"), name="p").create)
    assert len(kept) == 4


def test_arguments_that_cannot_be_compared_are_different():
    class Odd(object):
        def __eq__(self, other):
            raise ValueError("ambiguous")

        __hash__ = None

    odd = Odd()
    kept = [build().create(odd), build().create(odd)]
    refused(build().create, Odd())
    assert len(kept) == 2


# -- fingerprints


def test_a_fingerprint_is_the_same_everywhere():
    assert fingerprint(Real, ("a", 1), {"b": [True, None, 1.5]}) == (
        u"%s:Real:3c673217cb80d5fbad6d208c0cef921b2b3c9c93" % __name__)


def test_a_fingerprint_does_not_depend_on_what_has_no_order():
    members = [("m%d" % number, number) for number in range(30)] + [("$type", "mine")]
    # 0 and 8 fall into one slot of a small table: the first that came stands first.
    nested = {"x": dict(members), "s": set([0, 8])}
    backwards = {"s": set([8, 0]), "x": dict(reversed(members))}
    assert list(nested["s"]) != list(backwards["s"])
    assert fingerprint(Real, (nested,), nested) == fingerprint(Real, (backwards,), backwards)


def test_a_fingerprint_tells_classes_and_arguments_apart():
    told = {fingerprint(Real, (), {}), fingerprint(Bare, (), {}), fingerprint(Real, (1,), {}),
            fingerprint(Real, (), {"a": 1}), fingerprint(Real, ("a", 1), {}),
            fingerprint(Real, (["a"],), {})}
    assert len(told) == 6


def test_a_fingerprint_of_what_cannot_be_encoded_has_no_hash():
    deep = []
    for _ in range(5000):
        deep = [deep]
    for argument in (object(), deep):
        assert fingerprint(Real, (argument,), {}) == u"%s:Real" % __name__


def test_a_fingerprint_of_a_factory():
    partial = functools.partial(functools.partial(Real, "a"), b=1)
    assert fingerprint(partial, (), {"c": 2}) == fingerprint(Real, ("a",), {"b": 1, "c": 2})
    assert u"<lambda>" in fingerprint(lambda: 1, (), {})
    assert u":Making" in fingerprint(Making(), (), {})


# -- forced roles


class RecordedLeader(Recorded, forced.Leader):
    pass


class RecordedFollower(Recorded, forced.Follower):
    pass


@pytest.mark.parametrize("role, public, is_leader", [
    (RecordedLeader, forced.Leader, True), (RecordedFollower, forced.Follower, False)])
def test_forced_roles(role, public, is_leader):
    client = role(Real, "a", b=2, cluster_options={"port": 1000})
    assert isinstance(client, role) and isinstance(client, public)
    assert client.options.is_leader is is_leader and client.options.port == 1000
    assert client.plan.arguments == (("a",), {"b": 2})
    assert client.get_config("x") == "answer"
    assert type(client).__name__ == "ClusterClient[Real]"
    role(Real, "a", b=2, cluster_options={"port": 1000, "is_leader": is_leader})


def test_a_forced_role_that_is_contradicted():
    assert "is_leader" in refused(RecordedLeader, Real, cluster_options={"is_leader": False})
    assert "is_leader" in refused(RecordedFollower, Real, cluster_options={"is_leader": True})
    assert "is_leader" in refused(RecordedLeader, Real, cluster_options={"is_leader": 1})
    assert "dict" in refused(RecordedLeader, Real, cluster_options=[1])
    assert "no option" in refused(RecordedLeader, Real, cluster_options={"prot": 1})


def test_a_plan_without_a_close_name_asks_for_nothing():
    plan = Plan("n", Bare, {}, close_name=None)
    assert delegation.check_real(plan, Real()) is None
