// What a schema type is: a value that describes which values a field may have and, through its type parameter, their type in
// TypeScript. It knows no bytes and no messages; the coders give it both.

declare const VALUE: unique symbol;

/** A type of values. `T` is the type that they have in TypeScript; it is there at compile time only. */
export interface Schema<T> {
  readonly shape: SchemaShape;
  /** Whether null is a value too. */
  readonly nullable: boolean;
  readonly [VALUE]?: () => T;
}

/** A type of rows, which is what a schema is. */
export interface RowSchema<T> extends Schema<T> {
  readonly shape: RowShape;
}

/** The TypeScript type of the values of a schema: `type Order = SchemaType<typeof Order>`. */
export type SchemaType<S> = S extends Schema<infer T> ? T : never;

/** Types that are not made of others. */
export type AtomicKind = "byte" | "int16" | "int32" | "int64" | "float" | "double" | "string" | "boolean" | "bytes";

/** A type that is not made of others. */
export interface AtomicShape {
  readonly kind: AtomicKind;
}

/** Values of one type, one after the other. */
export interface SequenceShape {
  readonly kind: "array" | "iterable";
  readonly element: Schema<unknown>;
}

/** Values by keys. */
export interface MapShape {
  readonly kind: "map";
  readonly key: Schema<unknown>;
  readonly value: Schema<unknown>;
}

/** Fields by names. */
export interface RowShape {
  readonly kind: "row";
  readonly fields: readonly SchemaField[];
  /** Equal ids mean equal schemas; empty where it has none. */
  readonly id: string;
  /** Rows carry neither the number of fields nor which are null: both are fixed. */
  readonly staticEncoding: boolean;
  /** Other options, as messages. */
  readonly options: readonly Uint8Array[];
}

/** One field of a row. */
export interface SchemaField {
  readonly name: string;
  readonly type: Schema<unknown>;
  readonly description: string;
  /** Place of the field in the bytes, where that is not its place in the schema. */
  readonly encodingPosition: number;
  /** Options, as messages. */
  readonly options: readonly Uint8Array[];
}

/** A type that is written as another one and means something else. */
export interface LogicalShape {
  readonly kind: "logical";
  readonly urn: string;
  readonly payload: Uint8Array;
  readonly representation: Schema<unknown>;
  /** E.g. the length of fixed_bytes. */
  readonly argument: LogicalArgument | undefined;
}

/** What a logical type is made with. */
export type LogicalArgument =
  | { readonly kind: "int32"; readonly value: number }
  /** Any other argument, as a message. */
  | { readonly kind: "encoded"; readonly type: Schema<unknown> | undefined; readonly value: Uint8Array };

/** What a type is made of. */
export type SchemaShape = AtomicShape | SequenceShape | MapShape | RowShape | LogicalShape;
