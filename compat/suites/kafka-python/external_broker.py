"""A pytest plugin for kafka-python's integration tests, on a broker that runs already (KAFKA_URI).

The sdist lacks `test/__init__.py` and `test/service.py`, which its fixtures import. What each test did goes to a file, a
line of JSON for each.
"""
import json
import os
import sys
import types

import pytest


def _module(name, **attributes):
    module = types.ModuleType(name)
    vars(module).update(attributes)
    sys.modules[name] = module


class ExternalService:
    """A broker that something else starts and stops."""

    def __init__(self, host, port):
        pass

    def dump_logs(self):
        pass


class SpawnedService:
    """Would start a broker from a folder with Apache Kafka's programs."""

    def __init__(self, *_):
        raise RuntimeError('this suite starts no brokers')


# Python has a package of this name itself.
_module('test', __path__=[os.path.join(os.getcwd(), 'test')])
_module('test.service', ExternalService=ExternalService, SpawnedService=SpawnedService)


def pytest_collection_modifyitems(items):
    for item in items:
        if 'test_ssl_integration' in item.nodeid:
            item.add_marker(pytest.mark.skip(reason='starts a broker of its own, from the programs of Apache Kafka'))


_failed = set()


def pytest_runtest_logreport(report):
    """Three times for a test: its fixtures, itself, and the end of its fixtures."""
    is_last = report.when == 'teardown'
    if report.nodeid in _failed or not (report.failed or report.skipped or report.when == 'call' or is_last):
        return
    if report.failed:
        _failed.add(report.nodeid)
        _write(report.nodeid, 'failed', report.longreprtext)
    elif report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _failed.add(report.nodeid)
        _write(report.nodeid, 'skipped', reason)
    elif is_last:
        _write(report.nodeid, 'passed', '')


def _write(nodeid, result, text):
    name = nodeid.rsplit('/', 1)[-1]
    with open(os.environ['COMPAT_RESULTS'], 'a', encoding='utf-8') as file:
        file.write(json.dumps({'test': name, 'result': result, 'text': text}) + '\n')
