/** Most leaves of a bounded trie (Beam's default). */
export const TRIE_BOUND = 100;

/**
 * Paths of segments, of which only so many are kept: where there are more, the fullest branches are cut off and marked
 * (Beam's `BoundedTrie`). Plain JSON.
 */
export interface TrieNode {
  /** True where longer paths have been cut off. */
  readonly truncated?: boolean;
  readonly children?: Readonly<Record<string, TrieNode>>;
}

/** A node under construction. */
interface Node {
  truncated: boolean;
  children: Map<string, Node>;
  /** Leaves below it; 1 for a leaf. */
  size: number;
}

/**
 * Builds a trie path by path, never with more leaves than its bound.
 *
 * @example
 * ```ts
 * const trie = new BoundedTrie();
 * trie.add(["a", "b"]);
 * console.log(trie.toNode());
 * ```
 */
export class BoundedTrie {
  private readonly root: Node = newNode();
  private isEmpty = true;

  constructor(private readonly bound = TRIE_BOUND) {}

  add(path: readonly string[]): void {
    this.isEmpty = false;
    insert(this.root, path, 0);
    while (this.root.size > this.bound) trim(this.root);
  }

  /** Takes all paths of another trie. */
  merge(trie: TrieNode): void {
    this.isEmpty = false;
    absorb(this.root, trie);
    while (this.root.size > this.bound) trim(this.root);
  }

  toNode(): TrieNode {
    return this.isEmpty ? {} : freeze(this.root);
  }
}

/**
 * A trie with the paths of both, cut where it would be too large.
 *
 * @example
 * ```ts
 * const both = mergeTries({ children: { a: {} } }, { children: { b: {} } });
 * ```
 */
export function mergeTries(a: TrieNode, b: TrieNode): TrieNode {
  const trie = new BoundedTrie();
  trie.merge(a);
  trie.merge(b);
  return trie.toNode();
}

/** The paths of a trie, sorted; the last segment of one that was cut off is `…`. @internal */
export function pathsOf(trie: TrieNode): string[][] {
  const children = Object.entries(trie.children ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (trie.truncated === true) return [["…"]];
  return children.flatMap(([segment, child]) => {
    const below = pathsOf(child);
    return below.length === 0 ? [[segment]] : below.map((path) => [segment, ...path]);
  });
}

function newNode(): Node {
  return { truncated: false, children: new Map(), size: 1 };
}

/** @returns by how much the number of leaves grew. */
function insert(node: Node, path: readonly string[], at: number): number {
  if (node.truncated || at === path.length) return 0;
  return intoChild(node, path[at], (child) => insert(child, path, at + 1));
}

function absorb(node: Node, trie: TrieNode): number {
  if (node.truncated) return 0;
  if (trie.truncated === true) return truncate(node);
  let grown = 0;
  for (const [segment, child] of Object.entries(trie.children ?? {})) grown += intoChild(node, segment, (own) => absorb(own, child));
  return grown;
}

function intoChild(node: Node, segment: string, fill: (child: Node) => number): number {
  const wasLeaf = node.children.size === 0;
  let child = node.children.get(segment);
  let grown = 0;
  if (child === undefined) {
    node.children.set(segment, (child = newNode()));
    grown = wasLeaf ? 0 : 1; // a leaf becomes a branch with one leaf
  }
  grown += fill(child);
  node.size += grown;
  return grown;
}

/** Cuts off at the deepest node on the way through the fullest children: its children are leaves. */
function trim(node: Node): number {
  let fullest: Node | undefined;
  for (const child of node.children.values()) if (fullest === undefined || child.size > fullest.size) fullest = child;
  if (fullest === undefined || fullest.size === 1) return truncate(node);
  const change = trim(fullest);
  node.size += change;
  return change;
}

function truncate(node: Node): number {
  const change = 1 - node.size;
  node.truncated = true;
  node.children = new Map();
  node.size = 1;
  return change;
}

function freeze(node: Node): TrieNode {
  if (node.truncated) return { truncated: true };
  if (node.children.size === 0) return {};
  return { children: Object.fromEntries([...node.children].map(([segment, child]) => [segment, freeze(child)])) };
}
