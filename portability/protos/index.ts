// Beam's messages, under short names: `beam.pipeline.Pipeline`, `beam.fn.ProcessBundleDescriptor`, `beam.job.RunJobRequest`.
import protobuf from "protobufjs/minimal.js";
import { google, org } from "./gen/beam.js";

// A runner passes on what a newer SDK says: fields that these messages do not know are kept and written again.
protobuf.Reader.discardUnknown = false;

export { google };
export * from "./int64.js";

export namespace beam {
  export import pipeline = org.apache.beam.model.pipeline.v1;
  export import fn = org.apache.beam.model.fn_execution.v1;
  export import job = org.apache.beam.model.job_management.v1;
  export import expansion = org.apache.beam.model.expansion.v1;
  export import interactive = org.apache.beam.model.interactive.v1;
}
