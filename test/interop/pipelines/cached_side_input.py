"""Reads a side input in many bundles; a line of the output says how many there were, and how often an element of it was decoded."""
import sys
import uuid

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

# Functions and coders travel apart: what both count by is where both find it.
sys.words_decoded = 0


class Word:
  def __init__(self, text):
    self.text = text


class WordCoder(beam.coders.Coder):
  def encode(self, word):
    return word.text.encode()

  def decode(self, encoded):
    sys.words_decoded += 1
    return Word(encoded.decode())

  def is_deterministic(self):
    return True


class Look(beam.DoFn):
  def start_bundle(self):
    self.bundle = str(uuid.uuid4())

  def process(self, n, words):
    yield '%s %d %d' % (self.bundle, sys.words_decoded, sum(len(word.text) for word in words))


def main(output, numbers, argv):
  beam.coders.registry.register_coder(Word, WordCoder)
  with beam.Pipeline(options=PipelineOptions(argv)) as p:
    words = (
        p
        | 'texts' >> beam.Create(['a', 'bb', 'ccc'])
        | 'words' >> beam.Map(Word).with_output_types(Word)
        | 'deal words' >> beam.Reshuffle())
    (
        p
        | 'numbers' >> beam.Create(range(int(numbers)))
        | 'deal numbers' >> beam.Reshuffle()
        | 'look' >> beam.ParDo(Look(), beam.pvalue.AsIter(words))
        | beam.io.WriteToText(output))


if __name__ == '__main__':
  main(*sys.argv[1:3], sys.argv[3:])
