import type { Coder } from "../../portability/coders/coder.js";
import { ByteReader, WindowedValueCoder } from "../../portability/coders/index.js";
import type { Window } from "../../portability/values/index.js";
import { NO_GROUP, type RecordSink, type SnapshotPart, type StateRecord } from "../snapshot/index.js";
import { ElementBatch } from "./element-batch.js";

/** How elements that a head keeps become bytes. */
export interface KeptElementCoders {
  readonly element: Coder<unknown>;
  readonly window: Coder<Window>;
  /** The key group of an element, where it matters which task has it. */
  readonly groupOf?: ((element: unknown) => number) | undefined;
}

/** What {@link KeptBatches} asks of the head whose they are. */
export interface BatchKeeper {
  /** Called before each freeze: what is added then is part of it. */
  beforeFreeze(epoch: number): void;
  /** Elements that were kept when the snapshot was taken; of one batch several times, if they belong to several key groups. */
  restored(id: string, batch: ElementBatch): void;
}

interface Kept {
  readonly id: string;
  readonly batch: ElementBatch;
  /** Key groups that it has records in. */
  readonly groups: Set<number>;
}

/**
 * Batches of elements that a head keeps, in snapshots: the elements of each are written once, and later that they are gone.
 *
 * - B1. A batch is not changed from {@link add} on. Ids are not used again.
 */
export class KeptBatches implements SnapshotPart {
  private readonly coder: WindowedValueCoder<unknown>;
  private readonly kept = new Map<string, Kept>();
  private added: Kept[] = [];
  private gone: Kept[] = [];
  private frozen: { readonly added: Kept[]; readonly gone: Kept[]; position: number } = { added: [], gone: [], position: 0 };
  private sink: RecordSink | undefined;

  constructor(
    readonly name: string,
    private readonly coders: KeptElementCoders,
    private readonly keeper: BatchKeeper,
  ) {
    this.coder = new WindowedValueCoder(coders.element, coders.window);
  }

  add(id: string, batch: ElementBatch): void {
    const kept = { id, batch, groups: new Set<number>() };
    this.kept.set(id, kept);
    this.added.push(kept);
  }

  remove(id: string): void {
    const kept = this.kept.get(id);
    if (kept === undefined) return;
    this.kept.delete(id);
    const isNews = this.added.indexOf(kept);
    if (isNews >= 0) this.added.splice(isNews, 1);
    else this.gone.push(kept);
  }

  freeze(sink: RecordSink, epoch: number): void {
    this.keeper.beforeFreeze(epoch);
    this.sink = sink;
    this.frozen = { added: this.added, gone: this.gone, position: 0 };
    this.added = [];
    this.gone = [];
  }

  write(pause: () => boolean): boolean {
    const { frozen } = this;
    const sink = this.sink!;
    for (let kept = frozen.added[0]; kept !== undefined; kept = frozen.added[0]) {
      while (frozen.position < kept.batch.length) {
        if (pause()) return false;
        this.writeElement(kept, frozen.position++, sink);
      }
      frozen.added.shift();
      frozen.position = 0;
    }
    for (const { id, groups } of frozen.gone.splice(0))
      for (const group of groups) {
        sink.beginDelete(group).writeUtf8(id);
        sink.end();
      }
    return true;
  }

  restore(records: Iterable<StateRecord>): void {
    for (const { id: bytes, payloads } of records) {
      const reader = new ByteReader(bytes);
      const id = reader.readText(reader.readLength());
      const batch = new ElementBatch();
      for (const payload of payloads) {
        const { value, meta } = this.coder.decode(new ByteReader(payload), true);
        batch.push(value, meta);
      }
      const kept = this.kept.get(id) ?? { id, batch, groups: new Set<number>() };
      for (let i = 0; i < batch.length; i++) kept.groups.add(this.groupOf(batch.values[i]));
      this.kept.set(id, kept);
      this.keeper.restored(id, batch);
    }
  }

  settle(): void {}

  private writeElement({ id, batch, groups }: Kept, at: number, sink: RecordSink): void {
    const value = batch.values[at];
    const group = this.groupOf(value);
    groups.add(group);
    const to = sink.beginAppend(group);
    to.writeUtf8(id);
    sink.beginPayload();
    this.coder.encodeParts(value, batch.metaAt(at), to);
    sink.end();
  }

  private groupOf(value: unknown): number {
    return this.coders.groupOf?.(value) ?? NO_GROUP;
  }
}
