// Elements that harnesses keep as samples of PCollections, gathered from them.
//
// S1. So many bytes are gathered, of elements no longer than a limit; of the others there is what fits.
import type { beam } from "../../portability/protos/index.js";
import type { Harness } from "./harness.js";

/** S1 */
const TOTAL_BYTES = 2 << 20;
const ELEMENT_BYTES = 64 << 10;
const ERROR_CHARACTERS = 16 << 10;
/** How long a harness may take to answer, in milliseconds. */
const ANSWER_WITHIN_MS = 10_000;

/** @param pcollectionIds empty for all */
export async function gatherSamples(
  harnesses: readonly Harness[],
  pcollectionIds: readonly string[],
): Promise<beam.fn.ISampleDataResponse> {
  const answers = await Promise.all(harnesses.map((harness) => samplesOf(harness, pcollectionIds)));
  const gathered = new Map<string, beam.fn.ISampledElement[]>();
  let room = TOTAL_BYTES;
  for (const answer of answers)
    for (const [id, { elements }] of Object.entries(answer?.elementSamples ?? {}))
      for (const sample of elements ?? []) {
        const cut = cutOff(sample);
        room -= id.length + (cut.element?.length ?? 0) + (cut.exception?.error?.length ?? 0);
        if (room < 0) return asResponse(gathered);
        gathered.set(id, [...(gathered.get(id) ?? []), cut]);
      }
  return asResponse(gathered);
}

/** What it says in time; one that is lost has none. */
async function samplesOf(harness: Harness, pcollectionIds: readonly string[]): Promise<beam.fn.ISampleDataResponse | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ANSWER_WITHIN_MS)));
  const answer = await Promise.race([harness.samples(pcollectionIds).catch(() => undefined), late]);
  clearTimeout(timer);
  return answer;
}

function cutOff({ element, exception, sampleTimestamp }: beam.fn.ISampledElement): beam.fn.ISampledElement {
  const error = exception?.error?.slice(0, ERROR_CHARACTERS);
  return { element: element?.subarray(0, ELEMENT_BYTES), sampleTimestamp, exception: exception ? { ...exception, error } : undefined };
}

function asResponse(gathered: ReadonlyMap<string, beam.fn.ISampledElement[]>): beam.fn.ISampleDataResponse {
  return { elementSamples: Object.fromEntries([...gathered].map(([id, elements]) => [id, { elements }])) };
}
