// State of a stateful transform over the state service.
//
// U1. A harness asks for any key and window of its bundle, in any order; requests take effect in the order in which they come.
// U2. What was appended together stays together, as bytes: nothing here knows where a value of a bag ends. A page ends between two appends.
// U3. What is not there, a window that has expired included, is empty; what is written there is dropped.
// U4. A key of an ordered list is a safe integer. A bound beyond is no bound.
import { ByteReader, ByteWriter, CoderRegistry, type Coder } from "../../portability/coders/index.js";
import { fromInt64, type beam } from "../../portability/protos/index.js";
import { ServiceError } from "../../portability/services/index.js";
import type { BagCell, KeyedState, MultimapCell, OrderedListCell, StageDescriptor } from "../../portability/stage-host/index.js";
import type { Window } from "../../portability/values/index.js";
import { codersOf } from "./bundle-descriptor.js";
import { PAGE_BYTES, pageOf } from "./pages.js";
import { rawValueOf } from "./raw-value.js";
import { skipValueOf, type SkipValue } from "./skip-value.js";
import type { StatefulTransform } from "./stateful-transform.js";

/** What the kinds of state have in common. */
interface CellName {
  readonly transformId?: string | null;
  readonly userStateId?: string | null;
  readonly window?: Uint8Array | null;
  readonly key?: Uint8Array | null;
}

export class UserState {
  private readonly bags = new Map<string, BagCell>();
  private readonly multimaps = new Map<string, MultimapCell>();
  private readonly orderedLists = new Map<string, OrderedListCell>();
  private readonly skips = new Map<string, SkipValue>();
  private readonly windows: Coder<Window>;

  constructor(
    private readonly stage: StageDescriptor,
    private readonly transform: StatefulTransform,
    private readonly keyed: KeyedState,
    private readonly pageBytes = PAGE_BYTES,
  ) {
    const { windowCoderId } = codersOf(stage, transform.input);
    this.windows = new CoderRegistry().fromProto(windowCoderId, stage.components.coders ?? {}) as Coder<Window>;
  }

  /** Undefined if the request is not for state of a user. @throws ServiceError or PipelineError for state that there is not */
  answer(request: beam.fn.IStateRequest): beam.fn.IStateResponse | undefined {
    const { bagUserState, multimapUserState, multimapKeysUserState, multimapEntriesUserState, orderedListUserState } =
      request.stateKey ?? {};
    if (bagUserState) return this.bag(bagUserState, request);
    if (multimapUserState) return this.multimap(multimapUserState, request);
    if (multimapKeysUserState) return this.wholeMultimap(multimapKeysUserState, request, (map) => [...map.keys()] as Uint8Array[]);
    if (multimapEntriesUserState)
      return this.wholeMultimap(multimapEntriesUserState, request, (map) =>
        this.entriesOf(map, multimapEntriesUserState.userStateId ?? ""),
      );
    if (orderedListUserState) return this.orderedList(orderedListUserState, request);
    return undefined;
  }

  private bag(name: CellName, { get, append, clear }: beam.fn.IStateRequest): beam.fn.IStateResponse {
    const isThere = this.select(name);
    const id = name.userStateId ?? "";
    const cell = cellOf(this.bags, id, () => this.keyed.bag(id));
    if (get) return pageOf(isThere ? (cell.read() as Uint8Array[]) : [], get.continuationToken, this.pageBytes);
    if (append) {
      if (isThere && append.data?.length) cell.add(ownBytes(append.data));
      return { append: {} };
    }
    if (!clear) throw noRequest();
    if (isThere) cell.clear();
    return { clear: {} };
  }

  private multimap(name: beam.fn.StateKey.IMultimapUserState, { get, append, clear }: beam.fn.IStateRequest): beam.fn.IStateResponse {
    const isThere = this.select(name);
    const cell = this.multimapOf(name.userStateId ?? "");
    const mapKey = ownBytes(name.mapKey ?? NO_BYTES);
    if (get) return pageOf(isThere ? (cell.get(mapKey) as Uint8Array[]) : [], get.continuationToken, this.pageBytes);
    if (append) {
      if (isThere) cell.add(mapKey, ownBytes(append.data ?? NO_BYTES)); // values of a set have no bytes
      return { append: {} };
    }
    if (!clear) throw noRequest();
    if (isThere) cell.remove(mapKey);
    return { clear: {} };
  }

  private wholeMultimap(
    name: CellName,
    { get, clear }: beam.fn.IStateRequest,
    read: (map: MultimapCell) => readonly Uint8Array[],
  ): beam.fn.IStateResponse {
    const isThere = this.select(name);
    const cell = this.multimapOf(name.userStateId ?? "");
    if (get) return pageOf(isThere ? read(cell) : [], get.continuationToken, this.pageBytes);
    if (!clear) throw noRequest();
    if (isThere) cell.clear();
    return { clear: {} };
  }

  private orderedList(
    { range, ...name }: beam.fn.StateKey.IOrderedListUserState,
    { get, append, clear }: beam.fn.IStateRequest,
  ): beam.fn.IStateResponse {
    const isThere = this.select(name);
    const id = name.userStateId ?? "";
    const cell = cellOf(this.orderedLists, id, () => this.keyed.orderedList(id));
    if (append) {
      if (isThere) addEntries(cell, append.data ?? NO_BYTES);
      return { append: {} };
    }
    const from = range == null ? -Infinity : boundOf(range.start);
    const to = range == null ? Infinity : boundOf(range.end);
    if (get) {
      const entries = isThere ? cell.read(from, to).map(({ value }) => value as Uint8Array) : [];
      return pageOf(entries, get.continuationToken, this.pageBytes);
    }
    if (!clear) throw noRequest();
    if (isThere) cell.clear(from, to);
    return { clear: {} };
  }

  /** U1; false where there is nothing (U3). */
  private select({ transformId, window, key }: CellName): boolean {
    if (transformId !== this.transform.id) throw new ServiceError("NOT_FOUND", `transform "${transformId}" has no state in this stage`);
    return this.keyed.select(rawValueOf(key ?? NO_BYTES), this.windows.decode(new ByteReader(window ?? NO_BYTES), true));
  }

  private multimapOf(id: string): MultimapCell {
    return cellOf(this.multimaps, id, () => this.keyed.multimap(id));
  }

  /** Each map key with the iterable of its values, which have to be counted for that. */
  private entriesOf(map: MultimapCell, id: string): Uint8Array[] {
    const skip = cellOf(this.skips, id, () => skipValueOf(this.transform.mapValueCoderId(id), this.stage.components.coders ?? {}));
    const writer = new ByteWriter();
    return ([...map.keys()] as Uint8Array[]).map((key) => {
      writer.reset();
      writer.writeBytes(key);
      const chunks = map.get(key) as readonly Uint8Array[];
      writer.writeInt32(chunks.reduce((count, chunk) => count + countValues(chunk, skip), 0));
      for (const chunk of chunks) writer.writeBytes(chunk);
      return writer.toBytes();
    });
  }
}

/** Of values without bytes it is one. */
function countValues(chunk: Uint8Array, skip: SkipValue): number {
  if (chunk.length === 0) return 1;
  const reader = new ByteReader(chunk);
  let count = 0;
  for (; reader.remaining > 0; count++) skip(reader);
  return count;
}

/** Pairs of a key and a value with its length. */
function addEntries(cell: OrderedListCell, data: Uint8Array): void {
  const reader = new ByteReader(data);
  while (reader.remaining > 0) {
    const start = reader.offset;
    const sortKey = reader.readVarintBig();
    reader.skip(reader.readLength());
    if (!Number.isSafeInteger(Number(sortKey)))
      throw new ServiceError("INVALID_ARGUMENT", `an ordered list is sorted by integers of up to 53 bits, which ${sortKey} is not`); // U4
    cell.add(Number(sortKey), data.slice(start, reader.offset));
  }
}

/** U4 */
function boundOf(bound: Parameters<typeof fromInt64>[0]): number {
  const value = Number(fromInt64(bound));
  if (Number.isSafeInteger(value)) return value;
  return value < 0 ? -Infinity : Infinity;
}

function cellOf<T>(cells: Map<string, T>, id: string, open: () => T): T {
  let cell = cells.get(id);
  if (cell === undefined) cells.set(id, (cell = open()));
  return cell;
}

/** What came in a message, without the message. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}

const noRequest = (): ServiceError => new ServiceError("INVALID_ARGUMENT", "state of this kind cannot be asked for that");

const NO_BYTES = new Uint8Array(0);
