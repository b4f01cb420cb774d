// What the runner makes of a transform, by its URN.
//
// K1. Kinds other than "sdk" are carried out by the runner itself, whatever environment the transform names.
// K2. A transform of any kind here is a leaf: what it contains is never looked at. The exceptions are `combine-per-key`, which
//     the combiner lifting replaces before anything else asks, and what is unsupported: its SDK's expansion runs instead, if there is one.

export type TransformKind =
  /** One empty element; starts a spout. */
  | "impulse"
  /** Elements, watermarks and processing time by a script; each output starts a spout. */
  | "test-stream"
  /** Elements of an unbounded source of a stage host; starts a spout. */
  | "read"
  /** Starts a bolt: elements of equal key meet. */
  | "group-by-key"
  /** Union of PCollections: inside a stage if all come from it, else streams that meet in one component. */
  | "flatten"
  /** A stream whose elements are dealt out anew: a fusion break that the author asked for. */
  | "reshuffle"
  /** Composite that becomes a pre-combine, a grouping and a merge, or what the SDK expanded it to. */
  | "combine-per-key"
  /** Executed by the stage host of its environment. */
  | "sdk"
  /** Known to Beam, not executable by this runner yet. */
  | "unsupported"
  /** Anything else: a composite, or a leaf that nobody can execute. */
  | "unknown";

export const COMBINE_PER_KEY = "beam:transform:combine_per_key:v1";
export const PRECOMBINE = "beam:transform:combine_per_key_precombine:v1";
export const MERGE_ACCUMULATORS = "beam:transform:combine_per_key_merge_accumulators:v1";
export const EXTRACT_OUTPUTS = "beam:transform:combine_per_key_extract_outputs:v1";
export const COMBINE_GROUPED_VALUES = "beam:transform:combine_grouped_values:v1";
export const GROUP_BY_KEY = "beam:transform:group_by_key:v1";
export const FLATTEN = "beam:transform:flatten:v1";
export const TEST_STREAM = "beam:transform:teststream:v1";
export const READ = "beam:transform:read:v1";
export const PAR_DO = "beam:transform:pardo:v1";
export const REDISTRIBUTE = "beam:transform:redistribute_arbitrarily:v1";
export const PAIR_WITH_RESTRICTION = "beam:transform:sdf_pair_with_restriction:v1";
export const SPLIT_AND_SIZE = "beam:transform:sdf_split_and_size_restrictions:v1";
export const PROCESS_SIZED = "beam:transform:sdf_process_sized_element_and_restrictions:v1";
/** Those whose payload is a ParDoPayload. */
export const WITH_PAR_DO_PAYLOAD: ReadonlySet<string> = new Set([PAR_DO, PAIR_WITH_RESTRICTION, SPLIT_AND_SIZE, PROCESS_SIZED]);

const KINDS: ReadonlyMap<string, TransformKind> = new Map<string, TransformKind>([
  ["beam:transform:impulse:v1", "impulse"],
  [GROUP_BY_KEY, "group-by-key"],
  [FLATTEN, "flatten"],
  ["beam:transform:reshuffle:v1", "reshuffle"],
  ["beam:transform:redistribute_by_key:v1", "reshuffle"],
  [REDISTRIBUTE, "reshuffle"],
  [COMBINE_PER_KEY, "combine-per-key"],
  [PAR_DO, "sdk"],
  [PAIR_WITH_RESTRICTION, "sdk"],
  [SPLIT_AND_SIZE, "sdk"],
  [PROCESS_SIZED, "sdk"],
  ["beam:transform:window_into:v1", "sdk"],
  [PRECOMBINE, "sdk"],
  [MERGE_ACCUMULATORS, "sdk"],
  [EXTRACT_OUTPUTS, "sdk"],
  [COMBINE_GROUPED_VALUES, "sdk"],
  ["beam:transform:combine_per_key_convert_to_accumulators:v1", "sdk"],
  [TEST_STREAM, "test-stream"],
  [READ, "unsupported"], // but for sources of our own, see leaf-transforms.ts
  ["beam:transform:create_view:v1", "unsupported"],
  ["beam:transform:map_windows:v1", "unsupported"],
  ["beam:transform:merge_windows:v1", "unsupported"],
  ["beam:transform:to_string:v1", "unsupported"],
  ["beam:transform:sdf_truncate_sized_restrictions:v1", "unsupported"],
]);

export function transformKind(urn: string): TransformKind {
  return KINDS.get(urn) ?? "unknown";
}
