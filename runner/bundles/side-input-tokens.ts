// Tokens by which a harness caches side inputs from one bundle to the next.
//
// T1. What a harness was given of a side input while a token was good is still its content whenever a bundle is given the token: if any window has
//     something else by then, the bundle is given another token, and the one before is never given again.
// T2. A window that is gone has nothing that anybody will ask for; it does not count.
// T3. Windows are remembered up to a number, and none keeps its content alive.
import type { SideInput } from "../../portability/stage-host/index.js";
import type { Window } from "../../portability/values/index.js";

/** T3 */
const WINDOWS = 256;

/** Content of a window, as it was when the harness was given it first. */
interface Served {
  readonly window: Window;
  readonly content: WeakRef<object>;
  readonly isEmpty: boolean;
}

let tokens = 0;

export class SideInputToken {
  /** By the encoding of the window. */
  private readonly served = new Map<string, Served>();
  private current = newToken();

  constructor(private readonly sideInput: SideInput) {}

  /** For a bundle that begins (T1). */
  token(): Uint8Array {
    for (const [id, { window, content, isEmpty }] of this.served) {
      const now = this.sideInput.values(window);
      if (now === content.deref()) continue;
      this.served.delete(id);
      if (now.length === 0 && !isEmpty) continue; // T2
      this.renew();
      break;
    }
    return this.current;
  }

  /** The harness is given content of a window. @param id the window's encoding */
  gives(id: string, window: Window, content: ReturnType<SideInput["values"]>): void {
    if (this.served.has(id)) return; // T1: what it was given first
    if (this.served.size >= WINDOWS) this.renew();
    this.served.set(id, { window, content: new WeakRef(content), isEmpty: content.length === 0 });
  }

  private renew(): void {
    this.served.clear();
    this.current = newToken();
  }
}

function newToken(): Uint8Array {
  return Buffer.from(`side/${++tokens}`);
}

/** One for each side input of this process, for all stages and tasks that read it: they may be served by one harness. */
const known = new WeakMap<SideInput, SideInputToken>();

export function tokenOf(sideInput: SideInput): SideInputToken {
  let token = known.get(sideInput);
  if (token === undefined) known.set(sideInput, (token = new SideInputToken(sideInput)));
  return token;
}
