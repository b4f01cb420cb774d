// The cells that an executor holds: each is one declared cell of whatever record is selected.
import type { BagCell, MultimapCell, OrderedListCell, ValueCell } from "../../portability/stage-host/index.js";
import type { KeySpace } from "../store/index.js";
import type { UndoLog } from "./undo-log.js";
import { Bag, Multimap, OrderedList } from "./contents.js";
import type { KeyedRecord } from "./keyed-record.js";

/** Whose cells they are. */
export interface CellOwner {
  readonly selected: KeyedRecord;
  readonly log: UndoLog;
  /** Called before a change. */
  write(record: KeyedRecord): void;
}

const NONE: readonly never[] = Object.freeze([]);

function setContent(owner: CellOwner, cell: number, content: unknown): void {
  const { selected } = owner;
  owner.write(selected);
  selected.set(cell, content, owner.log);
}

export function valueCell(owner: CellOwner, cell: number): ValueCell {
  return {
    read: () => owner.selected.get(cell),
    write: (value) => setContent(owner, cell, value),
    clear: () => setContent(owner, cell, undefined),
    get isFresh() {
      return owner.selected.isFresh(cell, owner.log);
    },
  };
}

export function bagCell(owner: CellOwner, cell: number): BagCell {
  const content = (): Bag | undefined => owner.selected.get(cell) as Bag | undefined;
  return {
    read: () => content()?.values ?? NONE,
    add(value) {
      let bag = content();
      if (bag === undefined) setContent(owner, cell, (bag = new Bag()));
      else owner.write(owner.selected);
      bag.add(value, owner.log);
    },
    clear: () => setContent(owner, cell, undefined),
  };
}

export function multimapCell(owner: CellOwner, cell: number, mapKeys: KeySpace): MultimapCell {
  const content = (): Multimap | undefined => owner.selected.get(cell) as Multimap | undefined;
  const made = (): Multimap => {
    let map = content();
    if (map === undefined) setContent(owner, cell, (map = new Multimap(mapKeys)));
    else owner.write(owner.selected);
    return map;
  };
  return {
    get size() {
      return content()?.size ?? 0;
    },
    keys: () => content()?.keys() ?? NONE.values(),
    get: (key) => content()?.get(key) ?? NONE,
    add: (key, value) => made().add(key, value, owner.log),
    replace: (key, value) => made().replace(key, value, owner.log),
    remove(key) {
      const map = content();
      owner.write(owner.selected);
      map?.remove(key, owner.log);
      if (map?.size === 0) setContent(owner, cell, undefined);
    },
    clear: () => setContent(owner, cell, undefined),
  };
}

export function orderedListCell(owner: CellOwner, cell: number): OrderedListCell {
  const content = (): OrderedList | undefined => owner.selected.get(cell) as OrderedList | undefined;
  return {
    add(sortKey, value) {
      let list = content();
      if (list === undefined) setContent(owner, cell, (list = new OrderedList()));
      else owner.write(owner.selected);
      list.add({ sortKey, value }, owner.log);
    },
    read: (from, to) => content()?.read(from, to) ?? NONE,
    clear(from, to) {
      const list = content();
      owner.write(owner.selected);
      list?.clear(from, to, owner.log);
      if (list?.size === 0) setContent(owner, cell, undefined);
    },
  };
}
