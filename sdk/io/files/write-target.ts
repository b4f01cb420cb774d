import { PipelineError } from "../../../portability/stage-host/index.js";
import type { PaneInfo, Window } from "../../../portability/values/index.js";
import { compressionOf, type Compression } from "./compression.js";
import type { WriteFormat } from "./file-format.js";
import type { FileSystem } from "./file-system.js";
import { fileSystemOf } from "./file-systems.js";

/** Options of everything that writes files. */
export interface WriteFilesOptions<T> {
  /**
   * Number of files, for each destination. Without it there is one, named exactly as given; with it they are
   * `<path>-00000-of-00003` and so on.
   */
  readonly shards?: number;
  /** Appended to the name of every file, e.g. `.txt`. Default: that of the format where there are shards or windows, else nothing. */
  readonly suffix?: string;
  /** Default "auto": by the ending of the name, `.gz` or `.zst`. Only for formats of lines; others compress inside. */
  readonly compression?: Compression | "auto";
  /**
   * Where an element goes: what takes the place of the `*` in the path, e.g. `DE` or `2026/11/DE`. Each destination gets files of its own,
   * and only those that get an element have any.
   */
  readonly destination?: (element: T) => string;
  /**
   * Whether each window has files of its own, written as soon as its pane is complete, instead of all elements together when the input has ended. Each
   * file then holds what is new in its pane, and its name says which window that is: `<path>-2026-11-26T10-00-00.000--2026-11-26T10-01-00.000`, in UTC,
   * with `-pane-00000` behind it where a window has several. There are no files without elements, shards neither. Input that never ends has
   * to be written so. Default false.
   */
  readonly windowed?: boolean;
  /** With `windowed`, what takes the place of window and pane in the names of files. Panes of the same name replace each other. */
  readonly nameOf?: (window: Window, pane: PaneInfo) => string;
  /** @internal Replaced by tests that need a disk to be full. */
  readonly files?: FileSystem;
}

/** What is written where. */
export interface WriteTarget<T> {
  readonly path: string;
  readonly shards: number | undefined;
  readonly suffix: string;
  readonly compression: Compression;
  readonly destination: ((element: T) => string) | undefined;
  readonly windowed: boolean;
  readonly nameOf: ((window: Window, pane: PaneInfo) => string) | undefined;
  readonly files: FileSystem;
}

/** @throws PipelineError, RangeError for what cannot be meant */
export function writeTarget<T>(path: string, format: WriteFormat<T>, options: WriteFilesOptions<T>): WriteTarget<T> {
  const { shards, destination, windowed = false, nameOf, files = fileSystemOf(path) } = options;
  if (shards !== undefined && !(Number.isSafeInteger(shards) && shards > 0 && shards <= 100_000))
    throw new RangeError(`shards must be a whole number from 1 to 100000, not ${shards}`);
  if (destination !== undefined && path.split("*").length !== 2)
    throw new PipelineError("bad_path", `write "${path}" with one * in it, where the destination is to be: e.g. "out/*.txt"`);
  if (nameOf !== undefined && !windowed)
    throw new PipelineError("bad_option", `nameOf names the files of windows: "${path}" is not written { windowed: true }`);
  const suffix = options.suffix ?? (shards === undefined && !windowed ? "" : format.suffix);
  const whole = format.parts === "whole";
  if (whole && options.compression !== undefined && options.compression !== "auto" && options.compression !== "none")
    throw new PipelineError("bad_compression", `files of this format are compressed inside: use the format's own option for "${path}"`);
  const auto = options.compression === undefined || options.compression === "auto";
  const compression = whole ? "none" : auto ? compressionOf(path + suffix) : (options.compression as Compression);
  return { path, shards, suffix, compression, destination, windowed, nameOf, files };
}

/**
 * The name of one file.
 *
 * @param at what stands for its window and pane, if it is of one
 * @throws RangeError for a destination that would lead elsewhere
 */
export function fileName<T>({ path, shards, suffix, destination }: WriteTarget<T>, name: string, shard: number, at = ""): string {
  // A function, since "$" means something in a text that replaces another.
  const withName = destination === undefined ? path : path.replace("*", () => checked("destination", name));
  const base = at === "" ? withName : `${withName}-${checked("name of a window,", at)}`;
  return shards === undefined ? base + suffix : `${base}-${number(shard)}-of-${number(shards)}${suffix}`;
}

const number = (n: number): string => String(n).padStart(5, "0");

// It comes from data, or a function of the author's: it names files under the path, and never above it, hidden ones or none.
function checked(what: string, name: string): string {
  const parts = name.split(/[/\\]/);
  // eslint-disable-next-line no-control-regex
  if (parts.some((part) => part === "" || part.startsWith(".")) || /[\0-\x1f]/.test(name) || name.length > 900)
    throw new RangeError(
      `the ${what} ${JSON.stringify(name.slice(0, 100))} cannot be a part of a file name: it has an empty part, one that begins with a dot, or control characters`,
    );
  return name;
}
