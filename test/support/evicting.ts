// Stores of keyed state with as little memory as one likes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoredSection } from "../../runner/snapshot/index.js";
import { EvictedRecords, type KeyedCoders, type KeyedStore } from "../../runner/keyed/index.js";
import { KeyGroups, MemoryBudget, SpillError, SpillFolder } from "../../runner/store/index.js";

export interface EvictingOptions {
  readonly limitBytes?: number;
  readonly segmentBytes?: number;
  readonly full?: (error: SpillError) => void;
}

/** A folder on a disk with as much room as one likes. */
export class NarrowFolder extends SpillFolder {
  private room = Infinity;

  /** The disk takes so many bytes meanwhile. */
  narrowed(bytes: number, act: () => void): void {
    this.room = bytes;
    try {
      act();
    } finally {
      this.room = Infinity;
    }
  }

  override newFile(): ReturnType<SpillFolder["newFile"]> {
    const file = super.newFile();
    const write = file.write.bind(file);
    file.write = (bytes) => {
      if (bytes.byteLength > this.room) throw new SpillError("the spill folder is full");
      this.room -= bytes.byteLength;
      write(bytes);
    };
    return file;
  }
}

/** Where stores of tests keep what they evict; {@link remove} when they are done. */
export class EvictionFolder {
  readonly parent = mkdtempSync(join(tmpdir(), "beamstorm-evicting-"));
  readonly folder = new NarrowFolder(this.parent);
  private files = 0;
  private stored: string[] = [];

  /** Has a store evict what it can after each bundle, into files so small that they are given up all the time. */
  attach(store: KeyedStore, coders: KeyedCoders, { limitBytes = 1, segmentBytes = 512, full }: EvictingOptions = {}): EvictedRecords {
    const groups = new KeyGroups(8, store.spec.keys);
    const budget = new MemoryBudget(limitBytes);
    return (store.evicted = new EvictedRecords(store, {
      coders,
      groups,
      budget,
      folder: this.folder,
      segmentBytes,
      full: full ?? (() => {}),
    }));
  }

  /** Sections as they lie in a file. */
  store(sections: readonly Uint8Array[]): readonly StoredSection[] {
    const file = join(this.parent, `sections-${this.files++}`);
    this.stored.push(file);
    writeFileSync(file, Buffer.concat([Buffer.from("before"), ...sections]));
    let at = "before".length;
    return sections.map((bytes) => {
      const section = { bytes, file, at };
      at += bytes.byteLength;
      return section;
    });
  }

  /** Deletes what {@link store} has written: who reads on has it open. */
  forgetStored(): void {
    for (const file of this.stored.splice(0)) rmSync(file);
  }

  /** Removes the files of the stores so far. */
  clear(): void {
    this.folder.remove();
  }

  remove(): void {
    this.folder.remove();
    rmSync(this.parent, { recursive: true });
  }
}
