// Schema types that are built of others, and those that they are built of.
import type { AtomicKind, SchemaType, RowShape, RowSchema, Schema } from "./schema-type.js";

export function atomic<T>(kind: AtomicKind): Schema<T> {
  return { shape: { kind }, nullable: false };
}

export function array<E>(element: Schema<E>): Schema<readonly E[]> {
  return { shape: { kind: "array", element }, nullable: false };
}

/** Like an array, and possibly larger than memory where a runner supports it. */
export function iterable<E>(element: Schema<E>): Schema<Iterable<E>> {
  return { shape: { kind: "iterable", element }, nullable: false };
}

export function map<K, V>(key: Schema<K>, value: Schema<V>): Schema<ReadonlyMap<K, V>> {
  return { shape: { kind: "map", key, value }, nullable: false };
}

/** The same values and null. */
export function nullable<T>(type: Schema<T>): Schema<T | null> {
  return { shape: type.shape, nullable: true };
}

/** The values of a row whose fields have the given types. */
export type RowOf<F extends Readonly<Record<string, Schema<unknown>>>> = { readonly [K in keyof F]: SchemaType<F[K]> };

/** What a row may have besides fields. */
export interface RowOptions {
  readonly id?: string;
  /** Leaves number of fields and null bitmap out of the bytes; then no field may be null. */
  readonly staticEncoding?: boolean;
}

/** A row: an object with these properties. */
export function row<F extends Readonly<Record<string, Schema<unknown>>>>(fields: F, options: RowOptions = {}): RowSchema<RowOf<F>> {
  const shape: RowShape = {
    kind: "row",
    fields: Object.entries(fields).map(([name, type], encodingPosition) => ({
      name,
      type,
      description: "",
      encodingPosition,
      options: [],
    })),
    id: options.id ?? "",
    staticEncoding: options.staticEncoding === true,
    options: [],
  };
  return { shape, nullable: false };
}
