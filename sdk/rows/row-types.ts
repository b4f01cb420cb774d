// The static types of what rows become.

/** A row: an object with these properties. */
export type Row = Readonly<Record<string, unknown>>;
/** The names of fields. */
export type FieldOf<T> = keyof T & string;
/** The same type, written out as one object. */
export type Flat<T> = { readonly [K in keyof T]: T[K] };

export type Selected<T, K extends keyof T> = { readonly [F in K]: T[F] };
export type Dropped<T, K extends keyof T> = { readonly [F in Exclude<keyof T, K>]: T[F] };
export type Renamed<T, M> = { readonly [F in keyof T as F extends keyof M ? (M[F] extends string ? M[F] : F) : F]: T[F] };
/** With null, where a value may be missing. */
export type Nullable<T> = { readonly [F in keyof T]: T[F] | null };

type Present<T, V> = { readonly [F in FieldOf<T>]: NonNullable<T[F]> extends V ? F : never }[FieldOf<T>];
/** Fields that can be added up. */
export type NumberField<T> = Present<T, number | bigint>;
/** Fields that can be compared. */
export type OrderedField<T> = Present<T, number | bigint | string>;
