// What typed file formats have in common: the types that their files store, and in which JavaScript values our code meets them.
// Formats translate these types to and from their own schemas; values of Beamstorm's schemas are translated to and from these, once.

/** Parts of a second that an instant counts. */
export type InstantUnit = "millis" | "micros" | "nanos";

export type AtomicStoredKind = "boolean" | "int32" | "int64" | "float" | "double" | "string" | "bytes" | "date";

/**
 * Values: int64 and instants are bigints, dates days since 1970 as numbers, bytes and fixed Uint8Array, a decimal its unscaled bigint
 * (or, in files, its big-endian bytes), a list an array, a map an array of `{ key, value }`, a row an object.
 */
export type StoredType =
  | { readonly kind: AtomicStoredKind }
  | { readonly kind: "fixed"; readonly length: number }
  | { readonly kind: "instant"; readonly unit: InstantUnit }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "list"; readonly element: Stored }
  | MapType
  | { readonly kind: "row"; readonly fields: readonly StoredField[] }
  /** Something in a file that no schema can ask for. */
  | { readonly kind: "other"; readonly name: string };

export interface MapType {
  readonly kind: "map";
  readonly key: Stored;
  readonly value: Stored;
  /** The names that a file has for an entry's parts, and for what holds the entries, if they are not the value itself. */
  readonly names?: { readonly key: string; readonly value: string; readonly entries: string };
}

export interface Stored {
  readonly type: StoredType;
  readonly nullable: boolean;
}

export interface StoredField extends Stored {
  readonly name: string;
}

/** For messages. */
export function describe(type: StoredType): string {
  if (type.kind === "fixed") return `fixed bytes of length ${type.length}`;
  if (type.kind === "instant") return `an instant in ${type.unit}`;
  return type.kind === "other" ? type.name : type.kind;
}
