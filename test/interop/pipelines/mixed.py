"""Flattens PCollections with different coders, in fixed windows, through sums per key, a reshuffle and several outputs."""
import sys

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


def split(number):
  if number % 2:
    yield beam.pvalue.TaggedOutput('odd', str(number))
  else:
    yield number


def check(total):
  if total != sum(range(0, 1000, 2)):
    raise ValueError('the even numbers sum up to %d' % total)


def main(output, argv):
  with beam.Pipeline(options=PipelineOptions(argv)) as p:
    numbers = p | 'numbers' >> beam.Create(list(range(1000)))
    outputs = numbers | 'split' >> beam.FlatMap(split).with_outputs('odd', main='even')
    texts = outputs.odd | 'as text' >> beam.Map(str).with_output_types(str) | 'deal texts' >> beam.Reshuffle()
    anything = outputs.even | 'as number' >> beam.Map(int).with_output_types(int) | 'deal numbers' >> beam.Reshuffle()
    total = outputs.even | 'total' >> beam.CombineGlobally(sum)
    merged = (texts, anything) | beam.Flatten()
    (
        merged
        | 'stamp' >> beam.Map(lambda value: beam.window.TimestampedValue(value, int(value)))
        | beam.WindowInto(beam.window.FixedWindows(100))
        | beam.Reshuffle()
        | 'key' >> beam.Map(lambda value: (type(value).__name__, int(value)))
        | beam.CombinePerKey(sum)
        | 'with window' >> beam.Map(
            lambda pair, window=beam.DoFn.WindowParam: '%s %d %d' % (pair[0], int(window.start), pair[1]))
        | 'unwindow' >> beam.WindowInto(beam.window.GlobalWindows())
        | beam.io.WriteToText(output))
    total | 'check' >> beam.Map(check)


if __name__ == '__main__':
  main(sys.argv[1], sys.argv[2:])
