import { utf8Coder, type Coder } from "../../portability/coders/index.js";
import type { PCollection } from "../model/pcollection.js";
import type { PTransform } from "../model/ptransform.js";
import { elementwise } from "./par-do.js";

type OnTexts<R> = PTransform<PCollection<string>, PCollection<R>>;

/** A function of a text and a copy of the expression with the given flags, which starts at the front each time. */
function each<R>(defaultName: string, name: string | undefined, fn: (text: string) => readonly R[], isText = true): OnTexts<R> {
  return elementwise(name, defaultName, { kind: "flat-map", fn, concurrency: 1 }, isText ? () => utf8Coder as Coder<unknown> : undefined);
}

/** Flags that make an expression remember where it stopped are taken away: what it finds must not depend on the text before. */
function once(expression: RegExp): RegExp {
  return new RegExp(expression.source, expression.flags.replace(/[gy]/g, ""));
}

function all(expression: RegExp): RegExp {
  return new RegExp(expression.source, `${expression.flags.replace(/[gy]/g, "")}g`);
}

function entire(expression: RegExp): RegExp {
  return new RegExp(`^(?:${expression.source})$`, expression.flags.replace(/[gym]/g, ""));
}

/**
 * Texts taken apart by regular expressions (Beam's `Regex`). `group` is the number or name of a capturing group; 0, the
 * default, is all that matched. A group that took no part in the match gives nothing.
 *
 * @example
 * ```ts
 * lines.apply(regex.findAll(/\p{L}+/u)).apply(countPerElement());
 * lines.apply(regex.find(/user=(?<user>\w+)/, "user"));
 * ```
 */
export const regex = {
  /** The group of each text that matches as a whole; other texts are dropped. */
  matches(expression: RegExp, group: number | string = 0, name?: string): OnTexts<string> {
    const whole = entire(expression);
    return each("regex.matches", name, (text) => groupOf(whole.exec(text), group));
  },
  /** All groups of each text that matches as a whole, by number, null for those that took no part. */
  allMatches(expression: RegExp, name?: string): OnTexts<(string | null)[]> {
    const whole = entire(expression);
    return each(
      "regex.allMatches",
      name,
      (text) => {
        const match = whole.exec(text);
        return match === null ? [] : [Array.from(match, (found: string | undefined) => found ?? null)];
      },
      false,
    );
  },
  /** The group of the first place in each text that matches; texts without one are dropped. */
  find(expression: RegExp, group: number | string = 0, name?: string): OnTexts<string> {
    const first = once(expression);
    return each("regex.find", name, (text) => groupOf(first.exec(text), group));
  },
  /** The group of every place that matches. */
  findAll(expression: RegExp, group: number | string = 0, name?: string): OnTexts<string> {
    const every = all(expression);
    return each("regex.findAll", name, (text) => Array.from(text.matchAll(every)).flatMap((match) => groupOf(match, group)));
  },
  /** Each text with what matches replaced, everywhere; `$1` and its like stand for groups. */
  replaceAll(expression: RegExp, replacement: string, name?: string): OnTexts<string> {
    const every = all(expression);
    return each("regex.replaceAll", name, (text) => [text.replace(every, replacement)]);
  },
  /** Each text with the first place that matches replaced. */
  replaceFirst(expression: RegExp, replacement: string, name?: string): OnTexts<string> {
    const first = once(expression);
    return each("regex.replaceFirst", name, (text) => [text.replace(first, replacement)]);
  },
  /** The parts of each text between places that match, empty ones left out unless asked for. */
  split(expression: RegExp, options: { readonly keepEmpty?: boolean } = {}, name?: string): OnTexts<string> {
    const separator = once(new RegExp(expression.source.replace(/\((?!\?)/g, "(?:"), expression.flags));
    return each("regex.split", name, (text) => {
      const parts = text.split(separator);
      return options.keepEmpty === true ? parts : parts.filter((part) => part !== "");
    });
  },
} as const;

function groupOf(match: RegExpExecArray | null, group: number | string): string[] {
  const found = typeof group === "number" ? match?.[group] : match?.groups?.[group];
  return found === undefined ? [] : [found];
}
