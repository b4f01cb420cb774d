// Beam's messages and services under short names: `beam.pipeline.Pipeline`, `beam.fn.IProcessBundleDescriptor`, `beam.job.JobState`.
//
// The generated code in gen/ is never edited by hand: it comes from src/ by `npm run generate`. A message is written as a plain
// object (`beam.pipeline.IPipeline`) or an instance; `encode(…).finish()` gives its bytes and `decode(bytes)` an instance. 64-bit
// fields are `Long`s: see int64.ts for the one place where they meet `bigint`.
import protobuf from "protobufjs/minimal.js";
import { google, org } from "./gen/beam.js";

// Fields that a newer peer has added must survive a round trip through us; protobufjs would drop them by default.
protobuf.Reader.discardUnknown = false;

export { google };
export * from "./int64.js";

/** Beam's messages, by the packages that they are in. */
export namespace beam {
  /** Pipelines, coders, schemas, metrics, window functions. */
  export import pipeline = org.apache.beam.model.pipeline.v1;
  /** The Fn API and the provision service. */
  export import fn = org.apache.beam.model.fn_execution.v1;
  /** Jobs and artifacts. */
  export import job = org.apache.beam.model.job_management.v1;
  /** Cross-language expansion. */
  export import expansion = org.apache.beam.model.expansion.v1;
  /** Test streams that are served or recorded. */
  export import interactive = org.apache.beam.model.interactive.v1;
}
