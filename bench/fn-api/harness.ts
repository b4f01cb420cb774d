// An SDK harness that does next to nothing, in a process of its own: what a bundle costs with it is what the Fn API costs.
//
// What it does with a bundle is told by the transform between source and sink: "drop" it, hand it "back" as it came, or "make" as many elements
// as the one that it is given says.
import type { beam } from "../../portability/protos/index.js";
import { MessageQueue } from "../../portability/services/index.js";
import { callContext, FN_CONTROL_SERVICE, FN_DATA_SERVICE, GrpcConnection } from "../../portability/transport/index.js";
import { BUNDLE_PORT } from "../../portability/urns/index.js";
import { ELEMENT_BYTES, encoded, firstText, VALUE } from "./elements.js";

/** Elements that are put out together. */
const CHUNK_ELEMENTS = 20_000;

interface Stage {
  readonly kind: string;
  readonly sink: string | undefined;
}

const [url, workerId] = process.argv.slice(2);
const connection = new GrpcConnection(url);
const context = callContext({ worker_id: workerId });
const control = connection.service(FN_CONTROL_SERVICE);
const responses = new MessageQueue<beam.fn.IInstructionResponse>();
const out = new MessageQueue<beam.fn.IElements>();
const chunk = Buffer.concat(Array.from({ length: CHUNK_ELEMENTS }, () => encoded(VALUE)));
const stages = new Map<string, Stage>();
/** What came before the order that it is for. */
const early = new Map<string, beam.fn.Elements.IData[]>();
const bundles = new Map<string, Stage>();

async function stageOf(processBundleDescriptorId: string): Promise<Stage> {
  const known = stages.get(processBundleDescriptorId);
  if (known !== undefined) return known;
  const { transforms } = await control.getProcessBundleDescriptor({ processBundleDescriptorId }, context);
  const found = Object.entries(transforms ?? {});
  const sink = found.find(([, { spec }]) => spec?.urn === BUNDLE_PORT.DATA_SINK)?.[0];
  const stage = { kind: ["drop", "back", "make"].find((kind) => transforms?.[kind] !== undefined) ?? "", sink };
  stages.set(processBundleDescriptorId, stage);
  return stage;
}

function take(instructionId: string, { kind, sink }: Stage, { data, isLast }: beam.fn.Elements.IData): void {
  if (data?.length && kind === "back") out.push({ data: [{ instructionId, transformId: sink, data }] });
  if (data?.length && kind === "make")
    for (let left = Number(firstText(data)); left > 0; left -= CHUNK_ELEMENTS)
      out.push({ data: [{ instructionId, transformId: sink, data: chunk.subarray(0, Math.min(left, CHUNK_ELEMENTS) * ELEMENT_BYTES) }] });
  if (isLast !== true) return;
  bundles.delete(instructionId);
  if (sink !== undefined) out.push({ data: [{ instructionId, transformId: sink, isLast: true }] });
  responses.push({ instructionId, processBundle: {} });
}

async function readData(): Promise<void> {
  for await (const { data } of connection.service(FN_DATA_SERVICE).data(out, context))
    for (const each of data ?? []) {
      const instructionId = each.instructionId ?? "";
      const stage = bundles.get(instructionId);
      if (stage !== undefined) take(instructionId, stage, each);
      else early.set(instructionId, [...(early.get(instructionId) ?? []), each]);
    }
}

readData().catch(() => {}); // ends with the control stream
for await (const { instructionId, processBundle } of control.control(responses, context)) {
  const id = instructionId ?? "";
  if (processBundle == null) responses.push({ instructionId, processBundleProgress: {} });
  else {
    const stage = await stageOf(processBundle.processBundleDescriptorId ?? "");
    bundles.set(id, stage);
    for (const each of early.get(id) ?? []) take(id, stage, each);
    early.delete(id);
  }
}
connection.close();
