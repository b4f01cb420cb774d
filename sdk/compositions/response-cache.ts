// Responses by the keys of their requests.
//
// C1. It never holds more than `maxEntries` responses: the one that was asked for the longest ago goes first.
// C2. A key is loaded by one call at a time; who asks meanwhile gets what that gives. What fails is not kept.
import { ByteWriter } from "../../portability/coders/index.js";
import { anyValue } from "../transforms/element-coder.js";

interface Entry<Res> {
  readonly response: Res;
  readonly until: number;
}

export class ResponseCache<Res> {
  /** The ones asked for last at the end. */
  private readonly entries = new Map<string, Entry<Res>>();
  private readonly loading = new Map<string, Promise<Res>>();

  constructor(
    private readonly maxEntries: number,
    private readonly ttlMs: number,
    private readonly now: () => number,
  ) {}

  /** What is there, at once, or what `load` gives. */
  get(key: unknown, load: () => Promise<Res>): Res | Promise<Res> {
    const id = idOf(key);
    const found = this.entries.get(id);
    if (found !== undefined) {
      this.entries.delete(id);
      if (this.now() < found.until) {
        this.entries.set(id, found);
        return found.response;
      }
    }
    return this.loading.get(id) ?? this.load(id, load);
  }

  private load(id: string, load: () => Promise<Res>): Promise<Res> {
    const loaded = load().then(
      (response) => {
        this.loading.delete(id);
        this.keep(id, response);
        return response;
      },
      (cause: unknown) => {
        this.loading.delete(id);
        throw cause;
      },
    );
    this.loading.set(id, loaded);
    return loaded;
  }

  private keep(id: string, response: Res): void {
    for (const oldest of this.entries.keys()) {
      if (this.entries.size < this.maxEntries) break;
      this.entries.delete(oldest);
    }
    this.entries.set(id, { response, until: this.now() + this.ttlMs });
  }
}

const writer = new ByteWriter();

/** Equal for keys that are, as plain values: one character a byte, behind a letter that tells it from a text. */
function idOf(key: unknown): string {
  if (typeof key === "string") return `t${key}`;
  writer.reset();
  anyValue.encode(key, writer, false);
  const bytes = writer.view();
  return `b${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice()}`;
}
