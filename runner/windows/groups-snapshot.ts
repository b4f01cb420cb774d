import { ByteReader, type ByteWriter } from "../../portability/coders/index.js";
import type { Timestamp, Window } from "../../portability/values/index.js";
import type { RecordSink, SnapshotPart, StateRecord } from "../snapshot/index.js";
import type { KeyGroups, StateKey } from "../store/index.js";
import type { GroupByKey } from "./group-by-key.js";
import type { GroupingCoders } from "./panes-snapshot.js";
import type { WindowBuffer } from "./window-buffer.js";
import type { WindowLog } from "./window-log.js";

interface GoneWindow {
  readonly window: Window;
  /** The key groups that have records of it. */
  readonly groups: Iterable<number>;
}

/** What {@link GroupByKey} keeps, in snapshots: a record for each window and key, to which values are added. */
export class GroupsSnapshot implements SnapshotPart {
  readonly name = "groups";
  private readonly logs = new Map<WindowBuffer, WindowLog>();
  /** Of windows that are gone since the last snapshot. */
  private gone: GoneWindow[] = [];
  private frozen: { readonly gone: GoneWindow[]; readonly logs: WindowLog[] } = { gone: [], logs: [] };
  private sink: RecordSink | undefined;

  /** The grouping tells it of its changes from now on. */
  constructor(
    private readonly grouping: GroupByKey,
    private readonly coders: GroupingCoders,
    private readonly groups: KeyGroups,
  ) {
    grouping.windowsLog = {
      opened: (buffer) => this.opened(buffer),
      gone: (buffer) => this.dropped(buffer),
    };
  }

  freeze(sink: RecordSink): void {
    this.sink = sink;
    this.frozen = { gone: this.gone, logs: [...this.logs.values()] };
    this.gone = [];
    for (const log of this.frozen.logs) log.freeze(sink);
  }

  write(pause: () => boolean): boolean {
    const { gone, logs } = this.frozen;
    for (const { window, groups } of gone.splice(0))
      for (const group of groups) {
        this.coders.window.encode(window, this.sink!.beginDrop(group), true);
        this.sink!.end();
      }
    while (logs.length > 0) {
      if (!logs[logs.length - 1].write(pause)) return false;
      logs.pop();
    }
    return true;
  }

  restore(records: Iterable<StateRecord>, watermark: Timestamp): void {
    const { coders, grouping, groups } = this;
    for (const { id, payloads } of records) {
      const ids = new ByteReader(id);
      const window = coders.window.decode(ids, true);
      const key = groups.keys.identify(coders.key.decode(ids, true));
      for (const payload of payloads) {
        const from = new ByteReader(payload);
        const timestamp = from.readByte() === 1 ? from.readDouble() : undefined;
        while (from.remaining > 0) grouping.restore(window, key, coders.value.decode(from, true), timestamp, watermark);
      }
      this.logOf(window)?.groups.add(groups.of(key));
    }
  }

  settle(): void {
    for (const log of this.logs.values()) log.settle();
  }

  private opened(buffer: WindowBuffer): void {
    const { window } = buffer;
    const { coders, groups } = this;
    const log = buffer.track({
      value: coders.value,
      groupOf: (key) => groups.of(key),
      writeId(key: StateKey, to: ByteWriter) {
        coders.window.encode(window, to, true);
        coders.key.encode(groups.keys.restore(key), to, true);
      },
    });
    this.logs.set(buffer, log);
  }

  private dropped(buffer: WindowBuffer): void {
    const log = this.logs.get(buffer);
    if (log === undefined) return;
    this.logs.delete(buffer);
    if (this.frozen.logs.includes(log)) while (!log.write(() => false)); // it belongs to the snapshot that is being written
    log.drop();
    if (log.groups.size > 0) this.gone.push({ window: buffer.window, groups: log.groups });
  }

  private logOf(window: Window): WindowLog | undefined {
    const buffer = this.grouping.bufferAt(window);
    return buffer === undefined ? undefined : this.logs.get(buffer);
  }
}
