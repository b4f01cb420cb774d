import { iterableCoder, kvCoder, utf8Coder, type Coder } from "../../../portability/coders/index.js";
import { GlobalWindow, kv, type KV, type Window } from "../../../portability/values/index.js";
import type { Emit } from "../../model/do-fn.js";
import type { PCollection } from "../../model/pcollection.js";
import { composite, type PTransform } from "../../model/ptransform.js";
import { groupByKey } from "../../transforms/group-by-key.js";
import { output, parDo } from "../../transforms/par-do.js";
import type { WriteFormat } from "./file-format.js";
import type { PreparedFile } from "./file-system.js";
import type { Leftovers } from "./temporary-files.js";
import { WholeFiles } from "./whole-files.js";
import { windowName } from "./window-names.js";
import { fileName, type WriteTarget } from "./write-target.js";

/** A file that is complete, and the number of its shard. */
export interface WholeShard {
  readonly shard: number;
  readonly file: PreparedFile;
}

/** Records of a file that travel together: so a record costs no key, no window and no place in a group of its own. */
const BATCH_RECORDS = 256;

/**
 * W1 of write-files.ts: the records of each file are brought together, within their window, and written by one writer; gives what is to be published,
 * by destination.
 */
export function writeWhole<T>(
  target: WriteTarget<T>,
  format: WriteFormat<T>,
  leftovers: Leftovers,
): PTransform<PCollection<T>, PCollection<KV<string, string>>> {
  const { nameOf = windowName } = target;
  return composite("write files", (input: PCollection<T>) =>
    input
      .apply(batchByFile(target, input.coder as Coder<T>))
      .apply(groupByKey("gather records"))
      .apply(
        parDo("write file", {
          concurrency: 1,
          outputs: output<KV<string, string>>(kvCoder(utf8Coder, utf8Coder)),
          setup: (context) => WholeFiles.begin(target, leftovers, context),
          process: async ({ key, value }: KV<string, Iterable<Iterable<T>>>, { local, window, pane, emit }) => {
            const slash = key.indexOf("/");
            const [shard, name] = [Number(key.slice(0, slash)), key.slice(slash + 1)];
            const at = target.windowed ? nameOf(window, pane) : "";
            const file = await local.writeRecords(fileName(target, name, shard, at), format, value);
            emit(kv(name, JSON.stringify({ shard, file } satisfies WholeShard)));
          },
          teardown: ({ local }) => local.abandonOpen(),
        }),
      ),
  );
}

interface Batch<T> {
  readonly key: string;
  readonly window: Window;
  records: T[];
}

/** Batches of records, by `<number of the shard>/<destination>`, of one window each. */
function batchByFile<T>(
  { destination, shards = 1 }: WriteTarget<T>,
  coder: Coder<T>,
): PTransform<PCollection<T>, PCollection<KV<string, Iterable<T>>>> {
  const send = (emit: Emit<KV<string, Iterable<T>>>, { key, window, records }: Batch<T>): void =>
    emit(kv(key, records), { timestamp: window.maxTimestamp, window });
  return parDo("batch by file", {
    outputs: output<KV<string, Iterable<T>>>(kvCoder(utf8Coder, iterableCoder(coder))),
    setup: () => ({ shard: 0, batches: new Map<string, Batch<T>>() }),
    process(record: T, { window, local, emit }) {
      const { batches } = local;
      local.shard = (local.shard + 1) % shards; // in turn
      const key = `${local.shard}/${destination === undefined ? "" : destination(record)}`;
      const id = window === GlobalWindow.instance ? key : `${key}/${window.toString()}`;
      let batch = batches.get(id);
      if (batch === undefined) batches.set(id, (batch = { key, window, records: [] }));
      if (batch.records.push(record) < BATCH_RECORDS) return;
      batches.delete(id);
      send(emit, batch);
    },
    finishBundle({ local: { batches }, emit }) {
      for (const batch of batches.values()) send(emit, batch);
      batches.clear();
    },
  });
}
