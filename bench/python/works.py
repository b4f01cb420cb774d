"""Runs one pipeline on a job server, `works.py HOST:PORT WORK SIZE`, and prints how many seconds its second run took.

The time is that of the pipeline's author: from building it to its end. Each pipeline checks its own result. The first run is a small one,
so that servers have compiled and loaded what they need.
"""
import sys
import time

import apache_beam as beam
from apache_beam.coders import VarIntCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.userstate import CombiningValueStateSpec

PARTS = 16


def numbers(pipeline, count):
  """0 to count - 1, made by several calls behind a shuffle."""
  parts = pipeline | "parts" >> beam.Create(list(range(PARTS))) | beam.Reshuffle()
  return parts | "numbers" >> beam.FlatMap(lambda part: range(part, count, PARTS))


def tiny(pipeline, size):
  assert_that(pipeline | beam.Create(list(range(size))) | beam.Map(lambda n: -n), equal_to([-n for n in range(size)]))


def words(pipeline, size, path):
  lines = pipeline | beam.io.ReadFromText(path)
  counts = lines | beam.FlatMap(lambda line: line.split(" ")) | beam.combiners.Count.PerElement()
  with open(path, encoding="utf-8") as text:
    expected = sum(line.count(" ") + 1 for line in text)
  assert_that(counts | beam.Map(lambda pair: pair[1]) | beam.CombineGlobally(sum), equal_to([expected]))


def maps(pipeline, size):
  mapped = numbers(pipeline, size)
  for step in (3, 5, 7):
    mapped = mapped | f"add {step}" >> beam.Map(lambda n, step=step: n + step)
  assert_that(mapped | beam.CombineGlobally(sum), equal_to([size * (size - 1) // 2 + 15 * size]))


def group(pipeline, size):
  groups = numbers(pipeline, size) | "key" >> beam.Map(lambda n: (n // 10, n)) | beam.GroupByKey()
  sums = groups | "sum" >> beam.Map(lambda group: sum(group[1])) | beam.CombineGlobally(sum)
  assert_that(sums, equal_to([size * (size - 1) // 2]))


class Position(beam.DoFn):
  """How many elements its key has had."""
  SEEN = CombiningValueStateSpec("seen", VarIntCoder(), beam.combiners.CountCombineFn())

  def process(self, element, seen=beam.DoFn.StateParam(SEEN)):
    seen.add(1)
    yield seen.read()


def stateful(pipeline, size):
  keyed = numbers(pipeline, size) | "key" >> beam.Map(lambda n: (f"key {n % 1000}", n))
  assert_that(keyed | beam.ParDo(Position()) | beam.CombineGlobally(max), equal_to([-(-size // 1000)]))


def run(endpoint, work, *args):
  started = time.monotonic()
  options = PipelineOptions(["--runner=PortableRunner", f"--job_endpoint={endpoint}", "--environment_type=LOOPBACK"])
  pipeline = beam.Pipeline(options=options)
  work(pipeline, *args)
  pipeline.run().wait_until_finish()
  return time.monotonic() - started


if __name__ == "__main__":
  _, where, name, count, *texts = sys.argv
  pipeline_of = globals()[name]
  run(where, tiny, 3)
  run(where, pipeline_of, min(int(count), 2000), *texts[-1:])
  print(run(where, pipeline_of, int(count), *texts[:1]))
