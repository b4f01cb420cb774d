"""One long range of numbers: a line of the output for each, with how many functions were at work at the time."""
import sys
import threading
import time

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.core import RestrictionProvider

lock = threading.Lock()
at_work = 0


class Numbers(beam.DoFn, RestrictionProvider):
  def create_tracker(self, restriction):
    return OffsetRestrictionTracker(restriction)

  def initial_restriction(self, element):
    return OffsetRange(0, element)

  def restriction_size(self, element, restriction):
    return restriction.size()

  def process(self, element, tracker=beam.DoFn.RestrictionParam()):
    global at_work
    n = tracker.current_restriction().start
    with lock:
      at_work += 1
    try:
      while tracker.try_claim(n):
        time.sleep(0.02)
        yield '%d %d' % (n, at_work)
        n += 1
    finally:
      with lock:
        at_work -= 1


def main(output, numbers, argv):
  with beam.Pipeline(options=PipelineOptions(argv)) as p:
    # Behind a reshuffle, as writing has side inputs, and tasks with such do not share.
    p | beam.Create([int(numbers)]) | beam.ParDo(Numbers()) | beam.Reshuffle() | beam.io.WriteToText(output)


if __name__ == '__main__':
  main(*sys.argv[1:3], sys.argv[3:])
