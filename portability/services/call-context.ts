// What a call carries besides its messages, on either side of it.

/** Names the worker that makes a call of the Fn API or of the provision service; one value, opaque text. */
export const WORKER_ID_METADATA = "worker_id";

/** Names a data stream besides the default one. */
export const DATA_STREAM_ID_METADATA = "data_stream_id";

export interface CallContext {
  /** Metadata by lower-case name. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Aborted when the call is over before its end: the caller has cancelled it, its deadline has passed or the connection is lost.
   * A service then stops working for the call; a client gives up by aborting.
   */
  readonly signal: AbortSignal;
}
