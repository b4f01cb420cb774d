"""Beam Python's suite for portable runners, on the job server at JOB_ENDPOINT; with STREAMING=1 as streaming pipelines.

The tests of draining, which Beam's class of portable runners leaves out, are among them: their pipelines start draining. So are those that Beam
skips for everybody.
"""
import os

import apache_beam as beam
# The module, not the class: pytest would run that, too.
from apache_beam.options import pipeline_options as options_of
from apache_beam.runners.portability import portable_runner_test
from apache_beam.runners.portability.fn_api_runner import fn_runner_test


class BeamstormTest(portable_runner_test.PortableRunnerTest):
    @classmethod
    def _get_job_endpoint(cls):
        return os.environ["JOB_ENDPOINT"]

    @classmethod
    def tearDownClass(cls):
        pass  # the server is not ours

    def create_options(self):
        options = super().create_options()
        options.view_as(options_of.PortableOptions).environment_type = "LOOPBACK"
        options.view_as(options_of.PortableOptions).environment_config = None
        options.view_as(options_of.StandardOptions).streaming = os.environ.get("STREAMING") == "1"
        return options

    def create_pipeline(self, is_drain=False):
        options = self.create_options()
        if is_drain:
            options.view_as(options_of.DebugOptions).add_experiment("drain")
        return beam.Pipeline(self.get_runner(), options)


for _name in (
    "test_draining_sdf_with_sdf_initiated_checkpointing",
    "test_sdf_default_truncate_when_bounded",
    "test_sdf_default_truncate_when_unbounded",
    "test_sdf_with_truncate",
):
    setattr(BeamstormTest, _name, getattr(fn_runner_test.FnApiRunnerTest, _name))

for _name in (
    "test_batch_pardo_trigger_flush",
    "test_large_elements",
    "test_pardo_large_input",
    "test_pardo_side_input_sparse_dependencies",
    "test_teststream_pardo_timers",
):
    setattr(BeamstormTest, _name, getattr(fn_runner_test.FnApiRunnerTest, _name).__wrapped__)
