import { PipelineError } from "../../../portability/stage-host/index.js";
import type { RowSchema, Schema } from "../../../portability/schemas/index.js";

type FromText = (text: string) => unknown;

/** Makes a row of the texts of a record. @throws RangeError naming the field that does not fit */
export type FromTexts = (texts: readonly string[]) => Readonly<Record<string, unknown>>;

/** Of records whose fields have these names: the texts by name. */
export function textReader(names: readonly string[]): FromTexts {
  return (texts) => {
    const record: Record<string, string> = {};
    for (let i = 0; i < names.length; i++) record[names[i]] = texts[i];
    return record;
  };
}

/**
 * The rows of a schema. An empty text is null where the field may be null.
 *
 * @throws PipelineError at once for a field whose type no text stands for; the function throws RangeError for names of which one is missing
 */
export function rowReader(schema: RowSchema<unknown>): (names: readonly string[]) => FromTexts {
  const wanted = schema.shape.fields.map(({ name, type }) => ({ name, fromText: fromTextOf(name, type) }));
  return (names) => {
    const fields = wanted.map(({ name, fromText }) => ({ name, fromText, at: names.lastIndexOf(name) }));
    const missing = fields.find(({ at }) => at < 0);
    if (missing !== undefined) throw new RangeError(`there is no field "${missing.name}"; there are ${names.join(", ")}`);
    return (texts) => {
      const row: Record<string, unknown> = {};
      for (const { name, fromText, at } of fields)
        try {
          row[name] = fromText(texts[at]);
        } catch (cause) {
          throw new RangeError(`field "${name}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
        }
      return row;
    };
  };
}

function fromTextOf(name: string, { shape, nullable }: Schema<unknown>): FromText {
  const fromText = shape.kind in FROM_TEXT ? FROM_TEXT[shape.kind as keyof typeof FROM_TEXT] : undefined;
  if (fromText === undefined) throw new PipelineError("bad_schema", `field "${name}" is of the type ${shape.kind}, which CSV cannot hold`);
  return nullable ? (text) => (text === "" ? null : fromText(text)) : fromText;
}

function whole(min: number, max: number): FromText {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new RangeError(`expected a whole number from ${min} to ${max}, got "${text}"`);
    return value;
  };
}

function real(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isNaN(value) && text.trim() !== "NaN") throw new RangeError(`expected a number, got "${text}"`);
  return value;
}

const FROM_TEXT = {
  byte: whole(-128, 127),
  int16: whole(-32_768, 32_767),
  int32: whole(-2_147_483_648, 2_147_483_647),
  int64(text: string): bigint {
    if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new RangeError(`expected a whole number, got "${text}"`);
    const value = BigInt(text.trim().replace(/^\+/, ""));
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${text} is beyond 64 bits`);
    return value;
  },
  float: real,
  double: real,
  string: (text: string): string => text,
  boolean(text: string): boolean {
    const lower = text.trim().toLowerCase();
    if (lower === "true" || lower === "1") return true;
    if (lower === "false" || lower === "0") return false;
    throw new RangeError(`expected true or false, got "${text}"`);
  },
  bytes: (text: string): Uint8Array => Buffer.from(text, "base64"),
} as const satisfies Record<string, FromText>;
