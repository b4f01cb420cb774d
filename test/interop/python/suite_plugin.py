"""What Beam's repository has in its own conftest and does not publish, and which tests are left out here, with the reasons."""
import os

import pytest
from apache_beam.testing.test_pipeline import TestPipeline

# Lines `suite test: reason`; a suite is what SUITE says, or * for all of them.
_GAPS = os.path.join(os.path.dirname(__file__), "known-gaps.txt")


def pytest_addoption(parser):
    parser.addoption("--test-pipeline-options", default="")


def pytest_configure(config):
    TestPipeline.pytest_test_pipeline_options = config.getoption("--test-pipeline-options")
    for marker in ("it_validatesrunner", "it_postcommit", "no_xdist", "uses_dill"):
        config.addinivalue_line("markers", f"{marker}: one of Beam's")


def _known_gaps(suite):
    with open(_GAPS, encoding="utf-8") as lines:
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            test, reason = line.split(":", 1)
            of_suite, name = test.split()
            if of_suite in ("*", suite):
                yield name, reason.strip()


def pytest_collection_modifyitems(items):
    gaps = dict(_known_gaps(os.environ.get("SUITE", "")))
    for item in items:
        if item.name in gaps:
            item.add_marker(pytest.mark.skip(reason=gaps[item.name]))
