// Side inputs as the state API gives them out: the values of a window, or those of a key, a page at a time.
import { ByteReader, ByteWriter, type Coder } from "../../portability/coders/index.js";
import type { beam } from "../../portability/protos/index.js";
import type { SideInput } from "../../portability/stage-host/index.js";
import type { KV, Window } from "../../portability/values/index.js";

/** Bytes after which a page ends; a value is never cut. */
const PAGE_BYTES = 1 << 20;

/** One side input of a transform, for answers about it. */
export class SideInputState {
  private readonly byKey = new WeakMap<readonly unknown[], ReadonlyMap<string, readonly unknown[]>>();
  private readonly writer = new ByteWriter();

  constructor(
    private readonly elements: SideInput,
    /** Raw coder of its elements; one of pairs where it is read by key. */
    private readonly coder: Coder<unknown>,
    private readonly windowCoder: Coder<Window>,
  ) {}

  /** All elements of a window. */
  all(window: Uint8Array, token: Uint8Array): beam.fn.IStateGetResponse {
    return this.page(this.values(window), this.coder, token);
  }

  /** The values of a key. */
  ofKey(window: Uint8Array, key: Uint8Array, token: Uint8Array): beam.fn.IStateGetResponse {
    return this.page(this.index(this.values(window)).get(latin1(key)) ?? [], this.coder.components[1], token);
  }

  /** The keys, once each. */
  keys(window: Uint8Array, token: Uint8Array): beam.fn.IStateGetResponse {
    const keys = [...this.index(this.values(window)).keys()].map((key) => Buffer.from(key, "latin1"));
    return this.page(keys, this.coder.components[0], token);
  }

  private values(window: Uint8Array): readonly unknown[] {
    return this.elements.values(this.windowCoder.decode(new ByteReader(window), true));
  }

  private index(values: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> {
    let index = this.byKey.get(values);
    if (index !== undefined) return index;
    const built = new Map<string, unknown[]>();
    for (const element of values) {
      const { key, value } = element as KV<Uint8Array, unknown>;
      const id = latin1(key);
      const known = built.get(id);
      if (known === undefined) built.set(id, [value]);
      else known.push(value);
    }
    this.byKey.set(values, (index = built));
    return index;
  }

  /** The token is the number of values that earlier pages had. */
  private page(values: readonly unknown[], coder: Coder<unknown>, token: Uint8Array): beam.fn.IStateGetResponse {
    const { writer } = this;
    writer.reset();
    let at = token.length === 0 ? 0 : Number(Buffer.from(token).toString());
    while (at < values.length && writer.length < PAGE_BYTES) coder.encode(values[at++], writer, true);
    const data = writer.view().slice();
    return at < values.length ? { data, continuationToken: Buffer.from(String(at)) } : { data };
  }
}

/** One character a byte. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice(0, bytes.byteLength);
}
