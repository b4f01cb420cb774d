// The best players of each game: reads CSV with a schema, keeps the greatest N per key, writes JSON lines.
//
//   npx beamstorm run examples/top-per-key.ts --input examples/data/scores.csv --top 2
import { csv, jsonLines, map, option, pipeline, schema, topPerKey, withKeys } from "beamstorm";

const Score = schema.row({ game: schema.string, player: schema.string, points: schema.int32 });

export default pipeline({
  options: {
    input: option.string({ default: "examples/data/scores.csv", help: "CSV files with game, player and points" }),
    top: option.int({ default: 3, min: 1, help: "how many players of each game" }),
    output: option.string({ default: "out/top-per-key/best.jsonl", help: "file to write" }),
  },
  build: (p, { input, top, output }) =>
    p
      .apply(csv.read(input, Score))
      .apply(withKeys(({ game }) => game))
      .apply(topPerKey(top, (a, b) => a.points - b.points))
      .apply(map("best", ({ key, value }) => ({ game: key, best: value.map(({ player, points }) => `${player} (${points})`) })))
      .apply(jsonLines.write(output)),
});
