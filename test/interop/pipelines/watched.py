"""Counts while a bundle is under way, until a file appears; calls a service that does not exist, and says so."""
import os
import sys
import time

import apache_beam as beam
from apache_beam.internal.metrics.metric import ServiceCallMetric
from apache_beam.metrics import Metrics, monitoring_infos
from apache_beam.options.pipeline_options import PipelineOptions


class Work(beam.DoFn):
  def __init__(self, path):
    self.path = path
    self.turns = Metrics.counter('watched', 'turns')

  def process(self, word):
    calls = ServiceCallMetric(monitoring_infos.API_REQUEST_COUNT_URN, {monitoring_infos.SERVICE_LABEL: 'store'})
    calls.call('ok')
    yield word
    while not os.path.exists(self.path):
      self.turns.inc()
      time.sleep(0.02)


def main(path, argv):
  with beam.Pipeline(options=PipelineOptions(argv)) as p:
    (
        p
        | 'words' >> beam.Create(['apple'])
        | 'lengths' >> beam.Map(lambda word: (word, len(word)))
        | 'first' >> beam.Keys()
        | 'work' >> beam.ParDo(Work(path))
        | 'count' >> beam.Map(len))


if __name__ == '__main__':
  main(sys.argv[1], sys.argv[2:])
