// The direct runner of the npm package apache-beam, installed by tools/bench.mjs into bench/.peers and nowhere else.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** What is used of its PCollections. */
export interface PeerCollection<T> {
  map<R>(fn: (value: T) => R): PeerCollection<R>;
  flatMap<R>(fn: (value: T) => Iterable<R>): PeerCollection<R>;
  apply<R>(transform: PeerTransform<R>): PeerCollection<R>;
}
interface PeerTransform<R> {
  readonly output?: () => R;
}
interface PeerRoot {
  apply<R>(transform: PeerTransform<R>): PeerCollection<R>;
}

interface Peer {
  create<T>(elements: readonly T[]): PeerTransform<T>;
  countPerElement<T>(): PeerTransform<{ element: T; count: number }>;
  groupBy<T, K>(key: (element: T) => K): PeerTransform<{ key: K; value: Iterable<T> }>;
  run(build: (root: PeerRoot) => void): Promise<void>;
}

/** What the peer's functions reach, and how results leave: its runner serialises functions, and what they close over does not travel. */
export const peerSink: {
  add: (n: number) => void;
  size: number;
  sentences: readonly string[];
  keyOf: (i: number) => string;
} = { add: () => {}, size: 0, sentences: [], keyOf: String };
(globalThis as { peerSink?: unknown }).peerSink = peerSink;

export function loadPeer(): Peer {
  const require = createRequire(fileURLToPath(new URL("../../bench/.peers/index.js", import.meta.url)));
  const beam = require("apache-beam");
  const { countPerElement, groupBy } = require("apache-beam/transforms/group_and_combine");
  const { directRunner } = require("apache-beam/runners/direct_runner");
  console.debug = console.log = () => {}; // it talks
  return {
    create: beam.create,
    countPerElement,
    groupBy,
    run: async (build) => {
      await directRunner().run(build);
    },
  };
}
