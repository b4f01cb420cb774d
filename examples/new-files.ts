// Orders from files that come into a folder, counted by currency as they come. It runs until it is told to end, by Ctrl-C or, with all that it
// has read in its output, by SIGTERM; or until nothing has come for as many seconds as `--quiet` says.
//
//   npx beamstorm run examples/new-files.ts --input 'out/orders/*.jsonl'
//
// and in another terminal, for something to count:
//
//   mkdir -p out/orders; for i in $(seq 20); do cp examples/data/orders.jsonl out/orders/.$i; mv out/orders/.$i out/orders/$i.jsonl; sleep 1; done
import { afterDelay, countPerElement, global, jsonLines, map, option, pipeline, repeatedly, seconds, windowInto } from "beamstorm";

export default pipeline({
  options: {
    input: option.string({ default: "out/orders/*.jsonl", help: "files to wait for" }),
    quiet: option.int({ default: 0, min: 0, help: "seconds without a new file after which it ends; 0: it does not end by itself" }),
  },
  build: (p, { input, quiet }) =>
    p
      .apply(
        jsonLines.read(input, {
          watch: { everyMs: seconds(0.5), ...(quiet === 0 ? {} : { stopAfterQuietMs: seconds(quiet) }) },
        }),
      )
      .apply(windowInto(global(), { trigger: repeatedly(afterDelay(seconds(1))), panes: "accumulating" }))
      .apply(map("currency", (order) => (order as { readonly currency: string }).currency))
      .apply(countPerElement())
      .apply(map("print", ({ key, value }) => console.log(`${key}: ${value}`))),
});
