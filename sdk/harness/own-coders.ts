import type { Coder, CoderRegistry } from "../../portability/coders/index.js";

/**
 * Makes a registry know a program's own coders, which do not travel: a message names them by URN, payload and components, and the program
 * has them. So several coders of one URN must differ in payload or components.
 */
export function registerOwnCoders(coders: Iterable<Coder<unknown>>, registry: CoderRegistry): void {
  const byUrn = new Map<string, Map<string, Coder<unknown>>>();
  for (const coder of coders) {
    if (registry.knows(coder.urn)) continue;
    let same = byUrn.get(coder.urn);
    if (same === undefined) byUrn.set(coder.urn, (same = new Map()));
    same.set(shapeOf(coder.components, coder.payload), coder);
  }
  for (const [urn, same] of byUrn)
    registry.register(urn, (components, payload) => {
      const found = same.get(shapeOf(components, payload));
      if (found === undefined)
        throw new Error(`the program has no coder ${urn} of these components; it is not the program that was submitted`);
      return found;
    });
}

function shapeOf(components: readonly Coder<unknown>[], payload: Uint8Array = new Uint8Array()): string {
  const parts = components.map((component) => `${component.urn}${shapeOf(component.components, component.payload)}`);
  return `(${parts.join()})${Buffer.from(payload).toString("base64")}`;
}
