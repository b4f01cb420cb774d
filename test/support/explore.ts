// Depth-first search through all states that a world of a few steps can come to.
/** A world as plain objects; its steps change it in place. */
export interface World {
  /** The names of the steps that can be taken. */
  steps(): readonly string[];
  take(step: string): void;
  /** All that makes a difference to what may follow. */
  key(): string;
  /** Throws if the world has come to what must not be. Called behind each step. */
  check(): void;
  /** Whether there need be no further step. */
  readonly isOver: boolean;
}

export interface Exploration {
  readonly states: number;
  readonly ends: number;
}

interface Visit {
  readonly world: World;
  readonly step: string;
  readonly before: Visit | undefined;
}

/** @throws an error with the steps that lead to it, if {@link World.check} throws, or a world is not over and has no steps */
export function explore(start: World, mostStates = Infinity): Exploration {
  const known = new Set<string>();
  const stack: Visit[] = [{ world: start, step: "start", before: undefined }];
  let ends = 0;
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const steps = visit.world.steps();
    if (steps.length === 0) {
      if (!visit.world.isOver) throw new Error(`nothing can be done any more, behind\n${pathTo(visit)}`);
      ends++;
    }
    for (const [i, step] of steps.entries()) {
      const world = i === steps.length - 1 ? visit.world : copyOf(visit.world);
      try {
        world.take(step);
        world.check();
      } catch (cause) {
        throw new Error(`${(cause as Error).message}, behind\n${pathTo({ world, step, before: visit })}`, { cause });
      }
      const key = world.key();
      if (known.has(key)) continue;
      known.add(key);
      if (known.size > mostStates) throw new Error(`more than ${mostStates} states`);
      stack.push({ world, step, before: visit });
    }
  }
  return { states: known.size, ends };
}

function pathTo(visit: Visit): string {
  const steps: string[] = [];
  for (let at: Visit | undefined = visit; at !== undefined; at = at.before) steps.push(at.step);
  return steps.reverse().join("\n");
}

/** What is frozen is shared, and so are functions; objects keep their class, and none of them is there twice. */
function copyOf<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (ArrayBuffer.isView(value)) return (value as unknown as Uint8Array).slice() as T;
  const copy = Object.create(Object.getPrototypeOf(value) as object) as Record<string, unknown>;
  for (const key in value) copy[key] = copyOf((value as Record<string, unknown>)[key]);
  return copy as T;
}
