// Pipeline options as SDKs send them: a struct of names such as `beam:option:job_name:v1`.
import type { google } from "../../portability/protos/index.js";

type Options = google.protobuf.IStruct | null | undefined;

/** The value of an option, by its name in snake case, under whichever of the names that SDKs have for it. */
function valueOf(options: Options, name: string): google.protobuf.IValue | undefined {
  const fields = options?.fields;
  return fields?.[`beam:option:${name}:v1`] ?? fields?.[name] ?? fields?.options?.structValue?.fields?.[name];
}

/** Of an option that is a text, or a number, which some SDKs write as a text; undefined if it is not given. */
export function optionOf(options: Options, name: string): string | undefined {
  const value = valueOf(options, name);
  return value?.stringValue ?? value?.numberValue?.toString() ?? undefined;
}

/** The names in Beam's option `experiments`, which SDKs send as a list, or as one text with commas. */
export function experimentsOf(options: Options): string[] {
  const given = valueOf(options, "experiments");
  const texts = given?.listValue?.values?.map(({ stringValue }) => stringValue ?? "") ?? [given?.stringValue ?? ""];
  return texts.flatMap((text) => text.split(","));
}
