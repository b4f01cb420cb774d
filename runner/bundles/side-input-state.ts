// Side inputs over the state service.
//
// S1. A window or key without values is empty, not an error.
// S2. A page ends between two values; its token is good as long as the content is the same, which it is until the bundle ends.
// S3. What a harness was given it may keep for later bundles (side-input-tokens.ts).
import type { beam } from "../../portability/protos/index.js";
import { ByteReader, ByteWriter, type Coder } from "../../portability/coders/index.js";
import { ServiceError } from "../../portability/services/index.js";
import type { SideInput, StageContext, StageDescriptor } from "../../portability/stage-host/index.js";
import type { KV, Window } from "../../portability/values/index.js";
import { codersOf } from "./bundle-descriptor.js";
import { PAGE_BYTES, startOf, tokenOf } from "./pages.js";
import { rawCoder } from "./raw-coder.js";
import { isRawValue, textOfRaw, writeRaw, type RawValue } from "./raw-value.js";
import { tokenOf as cacheTokenOf, type SideInputToken } from "./side-input-tokens.js";
import { windowCoder } from "./window-coder.js";

type Keyed = ReadonlyMap<string, { readonly key: RawValue; readonly values: RawValue[] }>;

interface SideInputReader {
  readonly sideInput: SideInput;
  readonly element: Coder<unknown>;
  readonly window: Coder<Window>;
  readonly token: SideInputToken;
}

export class SideInputState {
  private readonly readers = new Map<string, SideInputReader>();
  /** By the array of a window's content: it is the same one as long as the content is. */
  private readonly keyed = new WeakMap<readonly unknown[], Keyed>();
  private readonly read = new WeakMap<object, readonly unknown[]>();
  private readonly writer = new ByteWriter();
  /** All that may be asked for, and main inputs that are the same as a side input of the stage: tokens of those are of no use, and do no harm. */
  private readonly inputs: { readonly transformId: string; readonly sideInputId: string; readonly token: SideInputToken }[] = [];

  constructor(
    private readonly stage: StageDescriptor,
    private readonly context: StageContext,
    private readonly pageBytes = PAGE_BYTES,
    /** Those that may ask. */
    private readonly transforms = stage.components.transforms,
  ) {
    for (const transformId of Object.keys(transforms ?? {}))
      for (const [sideInputId, pcollection] of Object.entries(transforms?.[transformId].inputs ?? {})) {
        const sideInput = context.sideInputs.get(pcollection);
        if (sideInput !== undefined) this.inputs.push({ transformId, sideInputId, token: cacheTokenOf(sideInput) });
      }
  }

  /** What a harness is told of the side inputs with a bundle (S3). */
  tokens(): beam.fn.ProcessBundleRequest.ICacheToken[] {
    return this.inputs.map(({ transformId, sideInputId, token }) => ({ sideInput: { transformId, sideInputId }, token: token.token() }));
  }

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
      const found = this.byKey(values).get(textOfRaw(multimapSideInput.key ?? NO_BYTES));
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
    const decoded = reader.window.decode(new ByteReader(window ?? NO_BYTES), true);
    const content = reader.sideInput.values(decoded);
    reader.token.gives(textOfRaw(window ?? NO_BYTES), decoded, content);
    return { values: this.inMemory(content), reader };
  }

  /** What is so large that it is on disk is read once. */
  private inMemory(values: ReturnType<SideInput["values"]>): readonly unknown[] {
    if (Array.isArray(values)) return values as readonly unknown[];
    let read = this.read.get(values);
    if (read === undefined) this.read.set(values, (read = [...values]));
    return read;
  }

  private readerOf(transformId: string, sideInputId: string): SideInputReader {
    const pcollection = this.transforms?.[transformId]?.inputs?.[sideInputId] ?? "";
    let reader = this.readers.get(pcollection);
    if (reader !== undefined) return reader;
    const sideInput = this.context.sideInputs.get(pcollection);
    if (sideInput === undefined)
      throw new ServiceError("NOT_FOUND", `transform "${transformId}" has no side input "${sideInputId}" in this stage`);
    const { coderId, windowCoderId } = codersOf(this.stage, pcollection);
    const coders = this.stage.components.coders ?? {};
    const element = rawCoder(coderId, coders);
    reader = { sideInput, element, window: windowCoder(windowCoderId, coders), token: cacheTokenOf(sideInput) };
    this.readers.set(pcollection, reader);
    return reader;
  }

  private byKey(values: readonly unknown[]): Keyed {
    let keyed = this.keyed.get(values);
    if (keyed === undefined) this.keyed.set(values, (keyed = this.groupByKey(values as readonly KV<RawValue, unknown>[])));
    return keyed;
  }

  private groupByKey(pairs: readonly KV<RawValue, unknown>[]): Keyed {
    const groups = new Map<string, { key: RawValue; values: RawValue[] }>();
    for (const { key, value } of pairs) {
      const id = textOfRaw(key);
      let group = groups.get(id);
      if (group === undefined) groups.set(id, (group = { key, values: [] }));
      group.values.push(isRawValue(value) ? value : this.encodeIterable(value as Iterable<RawValue> & { readonly length: number }));
    }
    return groups;
  }

  /** What a grouping has made, as the iterable it stands for. */
  private encodeIterable(values: Iterable<RawValue> & { readonly length: number }): Uint8Array {
    const writer = new ByteWriter();
    writer.writeInt32(values.length);
    for (const value of values) writeRaw(value, writer);
    return writer.toBytes();
  }

  /** @param coder of the values; without one they are bytes already */
  private page(values: readonly unknown[], coder: Coder<unknown> | undefined, request: beam.fn.IStateGetRequest): beam.fn.IStateResponse {
    const { writer } = this;
    writer.reset();
    let at = startOf(request.continuationToken ?? NO_BYTES, values.length);
    while (at < values.length && writer.length < this.pageBytes) {
      const value = values[at++];
      if (coder === undefined) writeRaw(value as RawValue, writer);
      else coder.encode(value, writer, true);
    }
    const continuationToken = at < values.length ? tokenOf(at) : NO_BYTES;
    return { get: { data: writer.toBytes(), continuationToken } };
  }
}

const NO_BYTES = new Uint8Array(0);
