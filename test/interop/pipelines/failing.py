"""Fails in the code of its author."""
import sys

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


def divide(number):
  return 1 / number


if __name__ == '__main__':
  with beam.Pipeline(options=PipelineOptions(sys.argv[1:])) as p:
    p | beam.Create([1, 0]) | 'divide them' >> beam.Map(divide)
