"""Groups words by their first letter, leaves out those of a side input, and weighs them by a second one read by key."""
import sys

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

WORDS = ['apple', 'avocado', 'banana', 'blueberry', 'cherry', 'apple', 'kiwi']
STOP = ['kiwi', 'avocado']
WEIGHTS = [('a', 10), ('b', 2), ('b', 3)]


class Weigh(beam.DoFn):
  def process(self, group, stop, weights):
    letter, words = group
    kept = sorted(word for word in words if word not in stop)
    if kept:
      yield '%s %s %d' % (letter, ','.join(kept), sum(weights[letter]))


def main(output, argv):
  with beam.Pipeline(options=PipelineOptions(argv)) as p:
    stop = p | 'stop' >> beam.Create(STOP)
    weights = p | 'weights' >> beam.Create(WEIGHTS)
    (
        p
        | 'words' >> beam.Create(WORDS)
        | beam.Map(lambda word: (word[0], word))
        | beam.GroupByKey()
        | beam.ParDo(Weigh(), beam.pvalue.AsIter(stop), beam.pvalue.AsMultiMap(weights))
        | beam.io.WriteToText(output))


if __name__ == '__main__':
  main(sys.argv[1], sys.argv[2:])
