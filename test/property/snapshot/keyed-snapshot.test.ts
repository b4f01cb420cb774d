// State and timers of keys and windows, in snapshots: cells of every kind, timers of both domains with their holds, windows that expire.
import fc from "fast-check";
import { intervalWindowCoder, utf8Coder, ValueCoder, type Coder } from "../../../portability/coders/index.js";
import { ElementMeta, kv, MAX_TIMESTAMP, MIN_TIMESTAMP, NO_FIRING, type KV, type Window } from "../../../portability/values/index.js";
import { FixedWindows } from "../../../portability/windows/index.js";
import { KeyedHead, KeyedSnapshot, KeyedStore, type KeyedSpec } from "../../../runner/keyed/index.js";
import { KeyGroups, keySpaceOf } from "../../../runner/store/index.js";
import { checkSnapshots, disturbance, type Lawful, type LawfulTask, type Times } from "../../support/snapshot-law.js";

/** What an element has done to the state of its key and window. */
type Change =
  | readonly ["value" | "bag", number]
  | readonly ["map" | "set" | "replace", string, number]
  | readonly ["list", number, number]
  | readonly ["remove", string]
  | readonly ["remove from list", number, number]
  | readonly ["event" | "processing", string, number, number]
  | readonly ["clear", "value" | "bag" | "map" | "set" | "list"]
  | readonly ["clear timer", "event" | "processing", string];

type Step =
  | {
      readonly kind: "element";
      readonly key: string;
      readonly timestamp: number;
      readonly changes: readonly Change[];
      readonly fails: boolean;
    }
  | { readonly kind: "watermark" | "clock"; readonly by: number };

const n = fc.integer({ min: 0, max: 9 });
const instant = fc.integer({ min: 0, max: 50 });
const name = fc.constantFrom("x", "y", "z");
const domain = fc.constantFrom("event" as const, "processing" as const);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.constantFrom("value" as const, "bag" as const), n),
  fc.tuple(fc.constantFrom("map" as const, "set" as const, "replace" as const), name, n),
  fc.tuple(fc.constant("list" as const), n, n),
  fc.tuple(fc.constant("remove" as const), name),
  fc.tuple(fc.constant("remove from list" as const), n, n),
  { weight: 4, arbitrary: fc.tuple(domain, name, instant, fc.nat(20)) },
  fc.tuple(
    fc.constant("clear" as const),
    fc.constantFrom("value" as const, "bag" as const, "map" as const, "set" as const, "list" as const),
  ),
  fc.tuple(fc.constant("clear timer" as const), domain, name),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("element" as const),
      key: fc.constantFrom("a", "b", "c", "d", "e"),
      timestamp: fc.integer({ min: 0, max: 40 }),
      changes: fc.array(change, { maxLength: 4 }),
      fails: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("watermark" as const, "clock" as const), by: fc.integer({ min: 1, max: 12 }) }),
  },
);
const script = fc.array(fc.oneof({ weight: 3, arbitrary: step }, { weight: 2, arbitrary: disturbance }), { maxLength: 60, size: "max" });

const text = utf8Coder as Coder<unknown>;
const any = new ValueCoder();
const keys = keySpaceOf(text);
const groups = new KeyGroups(4, keys);
const windowFn = new FixedWindows(10);

class StatefulTask implements LawfulTask<Step> {
  readonly part: KeyedSnapshot;
  private readonly head: KeyedHead;
  private lines: string[] = [];
  private readonly cells;

  constructor(
    spec: Pick<KeyedSpec, "expirationFamily" | "allowedLatenessMs">,
    private readonly times: Times,
  ) {
    const store = new KeyedStore(
      {
        ...spec,
        keys,
        cells: [
          { kind: "value", id: "value" },
          { kind: "bag", id: "bag" },
          { kind: "multimap", id: "map", mapKeys: keys },
          { kind: "multimap", id: "set", mapKeys: keys },
          { kind: "ordered-list", id: "list" },
        ],
        families: [
          { id: "event", domain: "event" },
          { id: "processing", domain: "processing" },
        ],
      },
      () => times.now,
    );
    this.part = new KeyedSnapshot(
      store,
      {
        key: text,
        element: any,
        window: intervalWindowCoder as unknown as Coder<Window>,
        cells: [[any], [any], [text, any], [text], [any]],
      },
      groups,
    );
    this.cells = {
      value: store.value("value"),
      bag: store.bag("bag"),
      map: store.multimap("map"),
      set: store.multimap("set"),
      list: store.orderedList("list"),
      event: store.timers("event"),
      processing: store.timers("processing"),
    };
    this.head = new KeyedHead(
      store,
      (element, meta) => {
        const { key, value } = element as KV<string, readonly Change[]>;
        const before = this.state();
        for (const each of value) this.change(each);
        this.lines.push(`${key} ${String(meta.windows[0])}: ${before} → ${this.state()}`);
      },
      {
        blocked: () => undefined,
        fire: ({ family, tag, key, window, fireAt, outputAt }) => {
          // Which of two at one instant fires first is nobody's business.
          this.lines.push(`${family} ${tag} ${String(key)} ${String(window)} ${fireAt} ${outputAt}`);
          this.cells.bag.add(fireAt);
          if (fireAt % 3 === 0 && family !== "expiry") this.change([family as "event", "again", fireAt + 7, 2]);
        },
      },
    );
  }

  take(each: Step): string[] {
    const { head, times } = this;
    this.lines = [];
    if (each.kind === "element") {
      const meta = new ElementMeta(each.timestamp, windowFn.assign(each.timestamp), NO_FIRING);
      if (each.fails) {
        head.process(kv(each.key, each.changes), meta);
        head.rolledBack();
        this.lines = [];
      }
      head.process(kv(each.key, each.changes), meta);
      head.committed();
    } else if (each.kind === "watermark") head.advance(times.watermark);
    this.drain();
    return this.lines;
  }

  hold(): number {
    return this.head.hold();
  }

  goOnFrom(watermark: number): void {
    this.head.advance(watermark);
  }

  private drain(): void {
    const { head, times } = this;
    do {
      if (head.deadline <= times.now) head.advanceTime(times.now);
      while (!head.drain(() => false));
      head.committed();
    } while (head.draining || head.deadline <= times.now);
  }

  private change(of: Change): void {
    const { cells } = this;
    switch (of[0]) {
      case "value":
        return cells.value.write(of[1]);
      case "bag":
        return cells.bag.add(of[1]);
      case "map":
        return cells.map.add(of[1], of[2]);
      case "replace":
        return cells.map.replace(of[1], of[2]);
      case "set":
        return cells.set.replace(of[1], true);
      case "list":
        return cells.list.add(of[1], of[2]);
      case "remove":
        cells.set.remove(of[1]);
        return cells.map.remove(of[1]);
      case "remove from list":
        return cells.list.clear(of[1], of[2]);
      case "clear":
        return of[1] === "list" ? cells.list.clear(-Infinity, Infinity) : cells[of[1]].clear();
      case "clear timer":
        return cells[of[1]].clear(of[2]);
      default: {
        const [domainOf, tag, at, earlier] = of;
        return cells[domainOf].set(tag, at, at - earlier, earlier % 2 === 0);
      }
    }
  }

  private state(): string {
    const { value, bag, map, set, list } = this.cells;
    const mapOf = [...map.keys()].map((key) => `${String(key)}:${map.get(key).join("+")}`).sort();
    return JSON.stringify([value.read(), bag.read(), mapOf, [...set.keys()].map(String).sort(), list.read(-Infinity, Infinity)]);
  }
}

function move(each: Step, times: Times): void {
  if (each.kind === "watermark")
    times.watermark = Math.min(MAX_TIMESTAMP, times.watermark === MIN_TIMESTAMP ? each.by : times.watermark + each.by);
  else if (each.kind === "clock") times.now += each.by;
}

describe("snapshots of state and timers", () => {
  for (const expirationFamily of [undefined, "expiry"])
    it(`go on as if nothing had happened, at any number of tasks${expirationFamily === undefined ? "" : ", where windows tell of their end"}`, () => {
      fc.assert(
        fc.property(fc.constantFrom(0, 5, 30), script, (allowedLatenessMs, steps) => {
          const lawful: Lawful<Step> = {
            groups: groups.count,
            groupOf: (each) => (each.kind === "element" ? groups.of(keys.identify(each.key)) : undefined),
            move,
            newTask: (times) => new StatefulTask({ expirationFamily, allowedLatenessMs }, times),
          };
          checkSnapshots(lawful, [...steps, { kind: "restore", tasks: 2 }, { kind: "watermark", by: Infinity }]);
        }),
        { numRuns: 250 },
      );
    });
});
