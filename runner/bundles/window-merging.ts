// Windows that merge as only their SDK knows: a descriptor of one `merge_windows` transform, which is given the windows of a key each time.
//
// G1. What comes of a key's windows is told by its number, and only once.
import { ByteReader, ByteWriter, CoderRegistry, type Coder } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { UserCodeError, type StageDescriptor } from "../../portability/stage-host/index.js";
import { BUNDLE_PORT, CODER, GLOBAL_WINDOW_FN, PRIMITIVE } from "../../portability/urns/index.js";
import { ElementMeta, GLOBAL_WINDOWS, kv, MIN_TIMESTAMP, NO_FIRING, type KV, type Window } from "../../portability/values/index.js";
import type { WindowMerge } from "../../portability/windows/index.js";
import { HarnessLostError, type Harness } from "./harness.js";
import { runOneShot } from "./one-shot-bundle.js";
import { withBytesBehindLengths } from "./window-coder.js";

const META = new ElementMeta(MIN_TIMESTAMP, GLOBAL_WINDOWS, NO_FIRING);
const SOURCE = "windows";
const SINK = "merged";

type Merged = KV<Uint8Array, KV<Iterable<Window>, Iterable<KV<Window, Iterable<Window>>>>>;

export class WindowMerging {
  readonly descriptor: beam.fn.IProcessBundleDescriptor;
  private readonly input: Coder<unknown>;
  private readonly output: Coder<unknown>;
  private readonly name: string;

  /**
   * @param id of the descriptor, never used for another one
   * @param url where the harness finds the data service
   */
  constructor(stage: StageDescriptor, strategy: beam.pipeline.IWindowingStrategy, id: string, url: string) {
    this.name = `windows of ${strategy.windowFn?.urn ?? "an unknown function"}`;
    const coders: Record<string, beam.pipeline.ICoder> = { ...stage.components.coders };
    const add = (name: string, urn: string, ...componentCoderIds: string[]): string => {
      coders[`${id}/${name}`] = { spec: { urn }, componentCoderIds };
      return `${id}/${name}`;
    };
    const window = strategy.windowCoderId ?? "";
    const windows = add("windows", CODER.ITERABLE, window);
    const number = add("number", CODER.BYTES);
    const globalWindow = add("global", CODER.GLOBAL_WINDOW);
    const merges = add("merges", CODER.ITERABLE, add("merge", CODER.KV, window, windows));
    const inputId = add("input", CODER.KV, number, windows);
    const outputId = add("output", CODER.KV, number, add("result", CODER.KV, windows, merges));
    const windowedInput = add("windowed input", CODER.WINDOWED_VALUE, inputId, globalWindow);
    const windowedOutput = add("windowed output", CODER.WINDOWED_VALUE, outputId, globalWindow);
    const port = (coderId: string): Uint8Array => beam.fn.RemoteGrpcPort.encode({ apiServiceDescriptor: { url }, coderId }).finish();
    const windowingStrategyId = `${id}/strategy`;
    const { windowFn, environmentId } = strategy;
    this.descriptor = {
      id,
      transforms: {
        [SOURCE]: { uniqueName: SOURCE, spec: { urn: BUNDLE_PORT.DATA_SOURCE, payload: port(windowedInput) }, outputs: { out: "windows" } },
        merge: {
          uniqueName: "merge windows",
          spec: { urn: PRIMITIVE.MERGE_WINDOWS, payload: beam.pipeline.FunctionSpec.encode(windowFn ?? {}).finish() },
          inputs: { in: "windows" },
          outputs: { out: "merged" },
          environmentId,
        },
        [SINK]: { uniqueName: SINK, spec: { urn: BUNDLE_PORT.DATA_SINK, payload: port(windowedOutput) }, inputs: { in: "merged" } },
      },
      pcollections: {
        windows: { uniqueName: "windows", coderId: inputId, windowingStrategyId },
        merged: { uniqueName: "merged", coderId: outputId, windowingStrategyId },
      },
      windowingStrategies: {
        [windowingStrategyId]: {
          ...strategy,
          windowFn: { urn: GLOBAL_WINDOW_FN.PROPERTIES },
          mergeStatus: beam.pipeline.MergeStatus.Enum.NON_MERGING,
          windowCoderId: globalWindow,
          trigger: { default: {} },
        },
      },
      coders,
      environments: stage.components.environments,
    };
    const registry = new CoderRegistry();
    const readable = withBytesBehindLengths(coders);
    this.input = registry.fromProto(windowedInput, readable);
    this.output = registry.fromProto(windowedOutput, readable);
  }

  async merge(harness: Harness, windowsOfKeys: readonly (readonly Window[])[]): Promise<WindowMerge[][]> {
    const writer = new ByteWriter();
    windowsOfKeys.forEach((windows, i) => this.input.encode({ value: kv(Buffer.from(String(i)), windows), meta: META }, writer, true));
    const { chunks, error } = await runOneShot(harness, this.descriptor.id!, SOURCE, SINK, writer.toBytes());
    if (error !== undefined) throw new UserCodeError({ transform: this.name }, "merging of windows failed", new Error(error.trimEnd()));
    const found: (WindowMerge[] | undefined)[] = windowsOfKeys.map(() => undefined);
    for (const chunk of chunks) {
      const reader = new ByteReader(chunk);
      while (reader.remaining > 0) {
        const { key, value } = (this.output.decode(reader, true) as { readonly value: Merged }).value;
        const at = Number(Buffer.from(key).toString("latin1"));
        if (!(at in found) || found[at] !== undefined)
          throw new HarnessLostError(`${harness.name} merges windows that it was not asked about`);
        found[at] = [...value.value].map((merge) => ({ into: merge.key, windows: [...merge.value] })); // G1
      }
    }
    return found.map((merges) => merges ?? []);
  }
}
