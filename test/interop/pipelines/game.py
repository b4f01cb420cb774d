"""What Beam's examples of a game compute, from a file into files: the examples themselves read and write services of a cloud."""
import sys

import apache_beam as beam
from apache_beam.examples.complete.game import game_stats, hourly_team_score, leader_board
from apache_beam.options.pipeline_options import PipelineOptions


def windowed(pair, window=beam.DoFn.WindowParam):
    return f"{pair[0]} {window} {pair[1]}"


def main(scores, output, *args):
    with beam.Pipeline(options=PipelineOptions(args)) as p:
        lines = p | beam.io.ReadFromText(scores)
        hourly = lines | hourly_team_score.HourlyTeamScore("2015-11-16-15-30", "2015-11-16-18-30", 60)
        hourly | "hourly" >> beam.Map(windowed) | "write hourly" >> beam.io.WriteToText(f"{output}-hourly")

        events = (
            lines
            | beam.ParDo(game_stats.ParseGameEventFn())
            | beam.Map(lambda event: beam.window.TimestampedValue(event, event["timestamp"]))
        )
        by_user = events | beam.Map(lambda event: (event["user"], event["score"]))
        spammers = by_user | "hours" >> beam.WindowInto(beam.window.FixedWindows(3600)) | game_stats.CalculateSpammyUsers()
        spammers | "spammers" >> beam.Map(windowed) | "write spammers" >> beam.io.WriteToText(f"{output}-spammers")

        view = spammers | beam.CombineGlobally(beam.combiners.ToDictCombineFn()).as_singleton_view()
        honest = (
            events
            | "honest hours" >> beam.WindowInto(beam.window.FixedWindows(3600))
            | beam.Filter(lambda event, spammers: event["user"] not in spammers, view)
            | game_stats.ExtractAndSumScore("team")
        )
        honest | "honest" >> beam.Map(windowed) | "write honest" >> beam.io.WriteToText(f"{output}-honest")

        durations = (
            by_user
            | "sessions" >> beam.WindowInto(beam.window.Sessions(300), timestamp_combiner=beam.window.TimestampCombiner.OUTPUT_AT_EOW)
            | beam.CombinePerKey(lambda _: None)
            | beam.ParDo(game_stats.UserSessionActivity())
            | "hours of sessions" >> beam.WindowInto(beam.window.FixedWindows(3600))
            | beam.CombineGlobally(beam.combiners.MeanCombineFn()).without_defaults()
        )
        durations | beam.io.WriteToText(f"{output}-durations")

        # How many panes there are before the last one is up to the runner: of each team and window the greatest sum is the last.
        teams = events | leader_board.CalculateTeamScores(60, 120)
        last = teams | beam.Map(lambda pair, window=beam.DoFn.WindowParam: ((pair[0], str(window)), pair[1]))
        totals = last | "over all" >> beam.WindowInto(beam.window.GlobalWindows()) | beam.CombinePerKey(max)
        totals | "totals" >> beam.Map(str) | "write totals" >> beam.io.WriteToText(f"{output}-totals")


main(*sys.argv[1:])
