"""Starts one worker of the installed SDK as a container's boot program would: asks the runner for what the worker is to know."""
import argparse
import os
import runpy
import sys

import grpc
from google.protobuf import json_format
from google.protobuf import text_format

from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.portability.api import beam_provision_api_pb2_grpc


def main(argv):
  flags = argparse.ArgumentParser()
  flags.add_argument('--id')
  flags.add_argument('--provision_endpoint')
  given, _ = flags.parse_known_args(argv)
  with grpc.insecure_channel(given.provision_endpoint) as channel:
    info = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel).GetProvisionInfo(
        beam_provision_api_pb2.GetProvisionInfoRequest(), metadata=[('worker_id', given.id)]).info
  os.environ.update(
      WORKER_ID=given.id,
      PIPELINE_OPTIONS=json_format.MessageToJson(info.pipeline_options),
      RUNNER_CAPABILITIES=' '.join(info.runner_capabilities),
      CONTROL_API_SERVICE_DESCRIPTOR=text_format.MessageToString(info.control_endpoint),
      LOGGING_API_SERVICE_DESCRIPTOR=text_format.MessageToString(info.logging_endpoint),
      STATUS_API_SERVICE_DESCRIPTOR=text_format.MessageToString(info.status_endpoint))
  sys.argv = ['sdk_worker_main']
  runpy.run_module('apache_beam.runners.worker.sdk_worker_main', run_name='__main__')


if __name__ == '__main__':
  main(sys.argv[1:])
