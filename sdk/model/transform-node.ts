import type { Coder } from "../../portability/coders/index.js";
import type { Timestamp } from "../../portability/values/index.js";
import type { AsyncCombineFn } from "./combine-fn.js";
import type { DoFn } from "./do-fn.js";
import type { UntypedSource } from "./source.js";
import type { PCollection } from "./pcollection.js";
import type { WindowingStrategy } from "./windowing.js";

/** What happens in a TestStream; watermarks and elements are those of the output `tag`. */
export type TestStreamEvent =
  | { readonly tag: string; readonly timestamp: Timestamp; readonly elements: readonly unknown[] }
  | { readonly tag: string; readonly watermark: Timestamp }
  | { readonly advanceMs: number };

/** What a leaf transform does; composites have none of these. */
export type Primitive =
  | { readonly kind: "impulse" }
  | { readonly kind: "test-stream"; readonly coder: Coder<unknown>; readonly events: readonly TestStreamEvent[] }
  | { readonly kind: "read"; readonly source: UntypedSource }
  /** With the coder of its keys, if it has state. */
  | { readonly kind: "par-do"; readonly doFn: DoFn; readonly keyCoder?: Coder<unknown> }
  | { readonly kind: "flatten" }
  | { readonly kind: "group-by-key"; readonly keyCoder: Coder<unknown>; readonly valueCoder: Coder<unknown> }
  | { readonly kind: "combine-per-key"; readonly combineFn: AsyncCombineFn<unknown, unknown, unknown>; readonly keyCoder: Coder<unknown> }
  | { readonly kind: "window-into"; readonly windowing: WindowingStrategy };

/** When a batch of a key's values is complete: at the first of these limits. */
export interface BatchLimits {
  /** Values. */
  readonly size?: number | undefined;
  /** Bytes of the encoded values. */
  readonly bytes?: number | undefined;
  /** Milliseconds of processing time since its first value. */
  readonly maxBufferingMs?: number | undefined;
}

/** What a composite is, for runners that execute it in their own way. */
export interface KnownComposite {
  readonly urn: string;
  /** Of one that groups into batches. */
  readonly batches?: BatchLimits;
}

/** One applied transform, in the tree of composites. */
export interface TransformNode {
  /** Path of names from the root, joined by `/`: unique in the pipeline, stable from build to build. */
  readonly uniqueName: string;
  readonly children: TransformNode[];
  /** Input PCollections by local name; `in` for a single one. */
  readonly inputs: Map<string, PCollection<unknown>>;
  /** Output PCollections by tag; `out` for a single one. */
  readonly outputs: Map<string, PCollection<unknown>>;
  /** Where the author applied it. */
  readonly site: string | undefined;
  primitive: Primitive | undefined;
  /** Of a composite that runners may execute in their own way. */
  known: KnownComposite | undefined;
}
