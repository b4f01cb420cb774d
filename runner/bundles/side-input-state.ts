// Side inputs over the state service.
//
// S1. A window or key without values is empty, not an error.
// S2. A page ends between two values; its token is good as long as the content is the same, which it is until the bundle ends.
import type { beam } from "../../portability/protos/index.js";
import { ByteReader, ByteWriter, CoderRegistry, type Coder } from "../../portability/coders/index.js";
import { ServiceError } from "../../portability/services/index.js";
import type { SideInput, StageContext, StageDescriptor } from "../../portability/stage-host/index.js";
import type { KV, Window } from "../../portability/values/index.js";
import { codersOf } from "./bundle-descriptor.js";
import { rawCoder } from "./raw-coder.js";

/** A page is closed once it has this many bytes. */
const PAGE_BYTES = 1 << 20;

type Keyed = ReadonlyMap<string, { readonly key: Uint8Array; readonly values: Uint8Array[] }>;

interface SideInputReader {
  readonly sideInput: SideInput;
  readonly element: Coder<unknown>;
  readonly window: Coder<unknown>;
}

export class SideInputState {
  private readonly readers = new Map<string, SideInputReader>();
  /** By the array of a window's content: it is the same one as long as the content is. */
  private readonly keyed = new WeakMap<readonly unknown[], Keyed>();
  private readonly writer = new ByteWriter();
  private readonly registry = new CoderRegistry();

  constructor(
    private readonly stage: StageDescriptor,
    private readonly context: StageContext,
    private readonly pageBytes = PAGE_BYTES,
  ) {}

  /** @throws ServiceError for what is no read of a side input */
  answer({ stateKey, get }: beam.fn.IStateRequest): beam.fn.IStateResponse {
    if (!get) throw new ServiceError("INVALID_ARGUMENT", "side inputs can only be read");
    const { iterableSideInput, multimapSideInput, multimapKeysSideInput } = stateKey ?? {};
    if (iterableSideInput) {
      const { values, reader } = this.contentOf(iterableSideInput);
      return this.page(values, reader.element, get);
    }
    if (multimapSideInput) {
      const { values } = this.contentOf(multimapSideInput);
      const found = this.byKey(values).get(latin1(multimapSideInput.key ?? NO_BYTES));
      return this.page(found?.values ?? [], undefined, get);
    }
    if (multimapKeysSideInput) {
      const { values } = this.contentOf(multimapKeysSideInput);
      const keys = [...this.byKey(values).values()].map(({ key }) => key);
      return this.page(keys, undefined, get);
    }
    const kind = Object.keys(stateKey ?? {}).find((name) => stateKey?.[name as keyof typeof stateKey] != null) ?? "no kind";
    throw new ServiceError("UNIMPLEMENTED", `state of the kind ${kind} is not supported yet`);
  }

  private contentOf({ transformId, sideInputId, window }: beam.fn.StateKey.IIterableSideInput): {
    values: readonly unknown[];
    reader: SideInputReader;
  } {
    const reader = this.readerOf(transformId ?? "", sideInputId ?? "");
    const decoded = reader.window.decode(new ByteReader(window ?? NO_BYTES), true) as Window;
    return { values: reader.sideInput.values(decoded), reader };
  }

  private readerOf(transformId: string, sideInputId: string): SideInputReader {
    const pcollection = this.stage.components.transforms?.[transformId]?.inputs?.[sideInputId] ?? "";
    let reader = this.readers.get(pcollection);
    if (reader !== undefined) return reader;
    const sideInput = this.context.sideInputs.get(pcollection);
    if (sideInput === undefined)
      throw new ServiceError("NOT_FOUND", `transform "${transformId}" has no side input "${sideInputId}" in this stage`);
    const { coderId, windowCoderId } = codersOf(this.stage, pcollection);
    const coders = this.stage.components.coders ?? {};
    const element = rawCoder(coderId, coders);
    reader = { sideInput, element, window: this.registry.fromProto(windowCoderId, coders) };
    this.readers.set(pcollection, reader);
    return reader;
  }

  private byKey(values: readonly unknown[]): Keyed {
    let keyed = this.keyed.get(values);
    if (keyed === undefined) this.keyed.set(values, (keyed = this.groupByKey(values as readonly KV<Uint8Array, unknown>[])));
    return keyed;
  }

  private groupByKey(pairs: readonly KV<Uint8Array, unknown>[]): Keyed {
    const groups = new Map<string, { key: Uint8Array; values: Uint8Array[] }>();
    for (const { key, value } of pairs) {
      const id = latin1(key);
      let group = groups.get(id);
      if (group === undefined) groups.set(id, (group = { key, values: [] }));
      group.values.push(value instanceof Uint8Array ? value : this.encodeIterable(value as readonly Uint8Array[]));
    }
    return groups;
  }

  /** What a grouping has made, as the iterable it stands for. */
  private encodeIterable(values: readonly Uint8Array[]): Uint8Array {
    const writer = new ByteWriter();
    writer.writeInt32(values.length);
    for (const value of values) writer.writeBytes(value);
    return writer.toBytes();
  }

  /** @param coder of the values; without one they are bytes already */
  private page(values: readonly unknown[], coder: Coder<unknown> | undefined, request: beam.fn.IStateGetRequest): beam.fn.IStateResponse {
    const { writer } = this;
    writer.reset();
    let at = startOf(request.continuationToken ?? NO_BYTES, values.length);
    while (at < values.length && writer.length < this.pageBytes) {
      const value = values[at++];
      if (coder === undefined) writer.writeBytes(value as Uint8Array);
      else coder.encode(value, writer, true);
    }
    const continuationToken = at < values.length ? Buffer.from(String(at)) : NO_BYTES;
    return { get: { data: writer.toBytes(), continuationToken } };
  }
}

/** A token is the index of the next value. */
function startOf(token: Uint8Array, count: number): number {
  if (token.length === 0) return 0;
  const text = Buffer.from(token).toString("latin1");
  const start = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (start < 0 || start > count) throw new ServiceError("INVALID_ARGUMENT", "the continuation token is not one of this runner's");
  return start;
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice();

const NO_BYTES = new Uint8Array(0);
