import type { Harness } from "./harness.js";

export interface OneShotResult {
  readonly chunks: readonly Uint8Array[];
  /** What the harness says has gone wrong. */
  readonly error: string | undefined;
}

/** Has a harness process a bundle whose input is all there, without state, and whose one output is small. @throws HarnessLostError */
export function runOneShot(harness: Harness, descriptorId: string, source: string, sink: string, data: Uint8Array): Promise<OneShotResult> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let hasAnswered = false;
    let isComplete = false;
    const end = (error?: string): void => {
      if (error === undefined && !(hasAnswered && isComplete)) return;
      harness.endBundle(instructionId);
      resolve({ chunks, error });
    };
    const instructionId = harness.startBundle({
      elements(sinkId, bytes, isLast) {
        if (sinkId !== sink) return;
        if (isLast) isComplete = true;
        else chunks.push(bytes);
        end();
      },
      timers() {},
      state() {
        throw new Error("this bundle has no state");
      },
      lost: reject,
    });
    harness.instruct({ instructionId, processBundle: { processBundleDescriptorId: descriptorId } }).then(({ error }) => {
      hasAnswered = true;
      end(error || undefined);
    }, reject);
    harness.data.push({ data: [{ instructionId, transformId: source, data }] }, data.length);
    harness.data.push({ data: [{ instructionId, transformId: source, isLast: true }] });
  });
}
