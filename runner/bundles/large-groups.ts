// Groups that are too large to travel whole: their first values go with the element, the others are asked for by the page.
//
// G1. What follows the first values is there until the bundle is over, and as often as it is asked for.
// G2. A page ends between two values. Pages in their order cost one iteration of the group all told, wherever its values are.
import { ByteWriter } from "../../portability/coders/index.js";
import type { beam } from "../../portability/protos/index.js";
import { ServiceError } from "../../portability/services/index.js";
import { PAGE_BYTES, startOf, tokenOf } from "./pages.js";
import { writeRaw, type RawValue } from "./raw-value.js";

/** What a grouping makes of a key's values: an array, unless they are so many that they are on disk. */
export type GroupValues = Iterable<RawValue> & { readonly length: number };

/** In place of a number of values: that chunks follow; in place of a chunk's: that what is left is in state. */
const CHUNKS = -1;
const IN_STATE = -1;

interface Kept {
  readonly values: GroupValues;
  /** How many have gone with the element. */
  readonly first: number;
  /** G2: gives the value `at`. */
  next: Iterator<RawValue>;
  at: number;
}

/** The large groups of the bundle under way. */
export class LargeGroups {
  private readonly kept: Kept[] = [];
  private readonly writer = new ByteWriter();

  /** @param pageBytes a group that has more is large, and a page is closed once it has as many */
  constructor(private readonly pageBytes = PAGE_BYTES) {}

  /** A bundle begins: the groups of the one before go (G1). */
  begin(): void {
    if (this.kept.length > 0) this.kept.length = 0;
  }

  /** Writes a group as `beam:coder:state_backed_iterable:v1` has it if it is large; otherwise writes nothing, and says no. */
  encode(values: GroupValues, writer: ByteWriter): boolean {
    if (Array.isArray(values) && this.isSmall(values as readonly RawValue[])) return false;
    const group: Kept = { values, first: 0, next: values[Symbol.iterator](), at: 0 };
    const bytes = this.page(group);
    writer.writeInt32(CHUNKS);
    writer.writeVarint(group.at);
    writer.writeBytes(bytes);
    if (group.at === values.length) {
      writer.writeVarint(0);
      return true;
    }
    const token = tokenOf(this.kept.push({ ...group, first: group.at }) - 1);
    writer.writeVarint(IN_STATE);
    writer.writeVarint(token.length);
    writer.writeBytes(token);
    return true;
  }

  /** Undefined if the request is for something else. @throws ServiceError for what is no read of a group of the bundle */
  answer({ stateKey, get }: beam.fn.IStateRequest): beam.fn.IStateResponse | undefined {
    const token = stateKey?.runner?.key;
    if (token == null) return undefined;
    if (!get) throw new ServiceError("INVALID_ARGUMENT", "what is left of a group can only be read");
    const group = this.kept.at(startOf(token, this.kept.length - 1));
    if (group === undefined || token.length === 0) throw new ServiceError("NOT_FOUND", "there is no such group in the bundle");
    const continuation = get.continuationToken ?? NO_BYTES;
    this.goTo(group, continuation.length === 0 ? group.first : startOf(continuation, group.values.length));
    const data = this.page(group);
    return { get: { data, continuationToken: group.at < group.values.length ? tokenOf(group.at) : NO_BYTES } };
  }

  private isSmall(values: readonly RawValue[]): boolean {
    let bytes = 0;
    for (let i = 0; i < values.length && bytes <= this.pageBytes; i++) bytes += values[i].length;
    return bytes <= this.pageBytes;
  }

  /** G2 */
  private goTo(group: Kept, at: number): void {
    if (group.at === at) return;
    group.next = group.values[Symbol.iterator]();
    for (group.at = 0; group.at < at; group.at++) group.next.next();
  }

  private page(group: Kept): Uint8Array {
    const { writer } = this;
    writer.reset();
    while (group.at < group.values.length && writer.length < this.pageBytes) {
      const { value, done } = group.next.next();
      if (done === true) throw new Error("a group has fewer values than it says");
      writeRaw(value, writer);
      group.at++;
    }
    return writer.toBytes();
  }
}

const NO_BYTES = new Uint8Array(0);
