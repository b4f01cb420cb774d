/** Where in a pipeline something happened. */
export interface ErrorSite {
  /** Unique name of the transform, e.g. `count words/split`. */
  readonly transform: string;
  /** The element, rendered for people and cut to a bounded length. */
  readonly element?: string;
  /** Where the author applied the transform, as `file:line:column`. */
  readonly line?: string;
  /** The key of the element that the stage was given, where it has one, rendered likewise. */
  readonly key?: string;
  /** The window of the element; several are told one by one. */
  readonly window?: string;
  /** How often its bundle was tried, once it is not tried again. */
  readonly attempts?: number;
}

/**
 * An error in code of the pipeline's author; the author's own error is the `cause`.
 *
 * @example
 * ```ts
 * try {
 *   await run(wordcount, { input: "a.txt" }, local());
 * } catch (error) {
 *   if (error instanceof UserCodeError) console.error(`${error.message} (${error.site.line})`);
 * }
 * ```
 */
export class UserCodeError extends Error {
  override readonly name = "UserCodeError";
  constructor(
    readonly site: ErrorSite,
    /** What was going on, e.g. "process failed". */
    action: string,
    cause: unknown,
  ) {
    super(`${action} in transform "${site.transform}": ${cause instanceof Error ? cause.message : String(cause)}${detailOf(site)}`, {
      cause,
    });
  }

  /** The message without what the site says of the element and of attempts. */
  get summary(): string {
    const detail = detailOf(this.site);
    return this.message.endsWith(detail) ? this.message.slice(0, this.message.length - detail.length) : this.message;
  }

  /** Whether the author said that trying again cannot help. */
  get isPermanent(): boolean {
    return this.cause instanceof PermanentError;
  }

  /** The same error with more known of its site; its stack is that of the first one. */
  at(more: Partial<ErrorSite>): UserCodeError {
    const { summary, stack } = this;
    const site = { ...this.site, ...more };
    const error = new UserCodeError(site, "", this.cause);
    Object.defineProperty(error, "message", { value: summary + detailOf(site), configurable: true });
    Object.defineProperty(error, "stack", { value: stack, configurable: true });
    return error;
  }
}

/**
 * An error that trying again cannot help: thrown by a function of the pipeline's author, it fails the run at once. Any other makes the
 * function's bundle be tried again.
 *
 * @example
 * ```ts
 * lines.apply(map((line) => {
 *   if (line.length > 1000) throw new PermanentError("a line is too long");
 *   return line;
 * }));
 * ```
 */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError";
}

/** Which element it was and how often it was tried; nothing as long as it may be tried again. */
function detailOf({ element, key, window, attempts }: ErrorSite): string {
  if (attempts === undefined) return "";
  const parts = [
    ...(element === undefined ? [] : [`element ${element}`]),
    ...(key === undefined ? [] : [`key ${key}`]),
    ...(window === undefined ? [] : [`window ${window}`]),
    attempts === 1 ? "1 attempt" : `${attempts} attempts`,
  ];
  return ` (${parts.join(", ")})`;
}

/**
 * The pipeline cannot be run as it is: found before anything ran.
 *
 * @example
 * ```ts
 * try {
 *   pipeline((p) => p.apply(create([kv(0.5, 1)])).apply(withCoder(kvCoder(doubleCoder, varintCoder))).apply(groupByKey())).build();
 * } catch (error) {
 *   if (error instanceof PipelineError) console.error(error.code, error.message);
 * }
 * ```
 */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  constructor(
    /** Stable, for programs, e.g. `coder_not_deterministic`. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The run was cancelled by its user.
 *
 * @example
 * ```ts
 * const started = await local().start(wordcount, { input: "a.txt" });
 * const ended = started.result().catch((error) => (error instanceof CancelledError ? "cancelled" : "failed"));
 * await started.cancel();
 * console.log(await ended);
 * ```
 */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

/** Renders a value in at most `limit` characters, whatever it is: for messages about user data. @internal */
export function renderElement(value: unknown, limit = 200): string {
  let text: string;
  try {
    text = renderUnbounded(value, limit, 0);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > limit ? `${text.slice(0, limit)}… (${text.length > limit * 4 ? "long" : text.length + " characters"})` : text;
}

function renderUnbounded(value: unknown, limit: number, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.length > limit ? value.slice(0, limit + 1) : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return `Date(${Number.isNaN(value.getTime()) ? "invalid" : value.toISOString()})`;
  if (value instanceof Uint8Array) return `bytes(${value.length})`;
  if (depth > 4) return "…";
  let length = 0;
  const parts: string[] = [];
  const push = (part: string): boolean => {
    parts.push(part);
    length += part.length;
    return length <= limit;
  };
  if (value instanceof Map) {
    for (const [k, v] of value) if (!push(`${renderUnbounded(k, limit, depth + 1)} => ${renderUnbounded(v, limit, depth + 1)}`)) break;
    return `Map{${parts.join(", ")}}`;
  }
  if (value instanceof Set || Array.isArray(value)) {
    for (const item of value) if (!push(renderUnbounded(item, limit, depth + 1))) break;
    return value instanceof Set ? `Set{${parts.join(", ")}}` : `[${parts.join(", ")}]`;
  }
  for (const [k, v] of Object.entries(value)) if (!push(`${k}: ${renderUnbounded(v, limit, depth + 1)}`)) break;
  return `{${parts.join(", ")}}`;
}
