// Rows of a stream, for runs that are killed.
import { map, option, pipeline, postgresIO, sequence } from "beamstorm";

export const numbers = pipeline({
  options: { url: option.string({ help: "of the server" }), table: option.string({ help: "with columns n and text" }) },
  build: (p, { url, table }) =>
    p
      .apply(sequence({ to: 6000, perSecond: 3000 }))
      .apply(map((n) => ({ n, text: `number ${n}` })))
      .apply(postgresIO.write({ connection: url, table, columns: ["n", "text"], batchElements: 100, maxBufferingMs: 50, shards: 3 })),
});
