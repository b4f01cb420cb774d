"""Counts a stream by windows of a thousand elements: a line of the output for each window, appended when it is complete."""
import sys

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp


class Numbers(beam.DoFn, RestrictionProvider):
  """The numbers below the element, each a millisecond of event time behind the one before, about `rate` of them a second."""
  def __init__(self, rate):
    self.rate = rate

  def create_tracker(self, restriction):
    return OffsetRestrictionTracker(restriction)

  def initial_restriction(self, element):
    return OffsetRange(0, element)

  def restriction_size(self, element, restriction):
    return restriction.size()

  def truncate(self, element, restriction):
    return None

  @beam.DoFn.unbounded_per_element()
  def process(
      self,
      element,
      tracker=beam.DoFn.RestrictionParam(),
      watermark=beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider())):
    begin = n = tracker.current_restriction().start
    while n < begin + self.rate / 20:
      if not tracker.try_claim(n):
        return
      yield TimestampedValue(n, Timestamp(micros=n * 1000))
      watermark.set_watermark(Timestamp(micros=n * 1000))
      n += 1
    tracker.defer_remainder(Duration(micros=50_000))


class Append(beam.DoFn):
  def __init__(self, path):
    self.path = path

  def process(self, count, window=beam.DoFn.WindowParam):
    with open(self.path, 'a') as lines:
      lines.write('%d %d %d\n' % (int(window.start), count[0], count[1]))


def main(output, numbers, rate, argv):
  with beam.Pipeline(options=PipelineOptions(argv)) as p:
    (
        p
        | beam.Create([int(numbers)])
        | beam.ParDo(Numbers(int(rate)))
        | beam.WindowInto(FixedWindows(1))
        | beam.Map(lambda n: (n % 3, 1))
        | beam.CombinePerKey(sum)
        | beam.ParDo(Append(output)))


if __name__ == '__main__':
  main(*sys.argv[1:4], sys.argv[4:])
