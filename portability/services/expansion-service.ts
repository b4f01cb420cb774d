// Transforms of other SDKs, expanded on request.
import type { beam } from "../protos/index.js";
import type { CallContext } from "./call-context.js";

/** `org.apache.beam.model.expansion.v1.ExpansionService`. A request that cannot be met is answered with `error`, not failed. */
export interface ExpansionService {
  /**
   * Expands one transform. The request's components have the transform's inputs and a producer for each; every id that the answer
   * adds begins with the request's `namespace`, and all others mean what they meant in the request.
   */
  expand(request: beam.expansion.IExpansionRequest, context: CallContext): Promise<beam.expansion.IExpansionResponse>;

  /** The schema transforms that `expand` knows, by identifier. Optional: a service without it fails with UNIMPLEMENTED. */
  discoverSchemaTransform(
    request: beam.expansion.IDiscoverSchemaTransformRequest,
    context: CallContext,
  ): Promise<beam.expansion.IDiscoverSchemaTransformResponse>;
}
