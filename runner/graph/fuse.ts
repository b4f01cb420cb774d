// Greedy producer–consumer fusion: a transform joins the stage of its producer unless there is a reason not to.
//
// The reasons: another environment, a consumer with state (but see U7) or restrictions (it starts a stage of its own), or a producer that starts a stage (impulse, read, group-by-key, reshuffle) or joins
// several (flatten), a side input that depends on the producer's stage, or a consumer that requires stable input (U6). A flatten whose inputs all come from one stage is executed in it.
//
// U1. Reshuffles and flattens between stages are no stages: edges lead from the stages before them to the heads behind
//     them, also through several of them. So a flatten before a grouping costs no hop of its own.
// U2. Every edge keeps its count: a PCollection that a flatten reads twice arrives twice.
// U3. Each live transform is in exactly one stage, or is a head, or has become edges (U1). Dead ones are dropped.
// U4. A stage waits for its side inputs, so none of them depends on it, over whatever edges. A side input alone breaks no fusion. What a stage waits
//     for follows from the windows of what its head delivers: a transform with side inputs is in no stage that has put its elements into others.
// U5. A flatten of one PCollection into one of another coder converts, if it names an environment: it is executed there.
// U6. What requires stable input reads what its stage's head delivers: a bundle that is tried again gives it that from where it was kept, and does not
//     make it anew.
// U7. A transform with state and nothing else that goes by key joins its producer's stage where each stage is one task, if that is wanted: all keys meet
//     there anyway, and its SDK asks for the state of whatever key it comes to. Only over bounded input, in which nothing is ever late.
import { beam } from "../../portability/protos/index.js";
import type { FusedPipeline, StageEdge, StageHead } from "./fused-pipeline.js";
import type { LeafTransform } from "./leaf-transforms.js";
import { liveTransforms, type PipelineGraph } from "./pipeline-graph.js";
import { StageBuilder } from "./stage-builder.js";
import { decodeParDoPayload } from "./par-do-payload.js";
import { PROCESS_SIZED } from "./transform-kinds.js";

/** Where the elements of a PCollection between stages come from. */
interface Source {
  readonly stage: StageBuilder;
  readonly pcollection: string;
  readonly reshuffled: boolean;
}

export interface FuseOptions {
  /** Whether U7 is wanted: each stage is one task as long as the job lives, and its host keeps state by protocol (StageHost.keepsStateByProtocol). */
  readonly joinsState?: boolean;
}

export function fuse(graph: PipelineGraph, { joinsState = false }: FuseOptions = {}): FusedPipeline {
  const fusion = new Fusion(graph.components, joinsState);
  for (const transform of liveTransforms(graph)) fusion.place(transform);
  return fusion.build(graph);
}

class Fusion {
  private readonly stages: StageBuilder[] = [];
  private readonly edges: { from: StageBuilder; to: StageBuilder; edge: StageEdge }[] = [];
  /** Stages that a PCollection can be read in, the one that produces it first. */
  private readonly stagesWith = new Map<string, StageBuilder[]>();
  /** U1: for outputs of reshuffles and flattens that became edges, and for late outputs of groupings. */
  private readonly sourcesOf = new Map<string, { transform: LeafTransform; sources: readonly Source[] }>();

  constructor(
    private readonly components: beam.pipeline.IComponents,
    private readonly joinsState: boolean,
  ) {}

  /** Called producers first. */
  place(transform: LeafTransform): void {
    const [input] = transform.inputs;
    const [output] = transform.outputs;
    switch (transform.kind) {
      case "impulse":
        this.addStage({ kind: "impulse", output, transform }, []);
        return;
      case "test-stream":
        for (const each of transform.outputs) this.addStage({ kind: "test-stream", output: each, transform }, []);
        return;
      case "read":
        this.addStage({ kind: "read", output, transform }, []).environmentId = transform.environmentId;
        return;
      case "group-by-key":
        this.placeGrouping(transform);
        return;
      case "reshuffle":
        this.sourcesOf.set(output, { transform, sources: this.sources(input).map((source) => ({ ...source, reshuffled: true })) });
        return;
      case "flatten":
        this.placeFlatten(transform, output);
        return;
      case "sdk":
        this.placeSdk(transform, input);
        return;
      case "combine-per-key":
      case "unsupported":
      case "unknown":
        throw new Error(`transform "${transform.uniqueName}" (${transform.urn}) reached fusion: validate and lift first`);
    }
  }

  build(graph: PipelineGraph): FusedPipeline {
    this.inheritEnvironments();
    return { graph, stages: this.stages.map((stage) => stage.build()), edges: this.edges.map(({ edge }) => edge) };
  }

  /** What came too late is read in other stages: so it needs no way in beside the groups, past the side inputs that groups wait for. */
  private placeGrouping(transform: LeafTransform): void {
    const { inputs, outputs, lateOutput: late } = transform;
    const stage = this.addStage({ kind: "group-by-key", output: outputs[0], late, transform }, this.sources(inputs[0]));
    if (late !== undefined) this.sourcesOf.set(late, { transform, sources: [{ stage, pcollection: late, reshuffled: false }] });
  }

  private placeSdk(transform: LeafTransform, input: string): void {
    const sideInputs = [...new Set(transform.sideInputs.map(({ pcollection }) => pcollection))];
    const origins = new Set(sideInputs.flatMap((pcollection) => this.sources(pcollection).map(({ stage }) => stage)));
    const kind = ownStageKind(transform);
    const stage =
      kind === undefined
        ? this.stageFor(input, transform, origins)
        : ((kind === "keyed" ? this.stageForState(transform, input, origins) : undefined) ?? this.ownStage(kind, transform, input));
    this.join(stage, transform);
    for (const pcollection of sideInputs) {
      if (stage.sideInputs.has(pcollection)) continue;
      stage.sideInputs.add(pcollection);
      this.addEdges(stage, this.sources(pcollection), pcollection);
    }
  }

  private placeFlatten(transform: LeafTransform, output: string): void {
    if (transform.inputs.length === 0) {
      this.addStage({ kind: "empty", output, transform }, []);
      return;
    }
    if (this.converts(transform)) {
      this.join(this.stageFor(transform.inputs[0], transform, new Set()), transform);
      return;
    }
    const [first, ...others] = transform.inputs.map((input) => this.stagesWith.get(input) ?? []);
    const common = first.find((stage) => others.every((stages) => stages.includes(stage)));
    if (common !== undefined) this.join(common, transform);
    else this.sourcesOf.set(output, { transform, sources: transform.inputs.flatMap((input) => this.sources(input)) });
  }

  /** U5 */
  private converts({ inputs, outputs, environmentId }: LeafTransform): boolean {
    const coderOf = (pcollection: string): string => this.components.pcollections?.[pcollection]?.coderId ?? "";
    return inputs.length === 1 && environmentId !== "" && coderOf(inputs[0]) !== coderOf(outputs[0]);
  }

  /**
   * The stage in which a transform of an environment can read a PCollection; a new relay if there is none.
   *
   * @param origins stages that its side inputs come from (U4)
   */
  private stageFor(
    pcollection: string,
    transform: Pick<LeafTransform, "environmentId" | "sideInputs" | "requiresStableInput">,
    origins: ReadonlySet<StageBuilder>,
  ): StageBuilder {
    const { environmentId } = transform;
    const present = this.stagesWith.get(pcollection)?.find((stage) => this.fits(stage, pcollection, transform, origins));
    const stage = present ?? this.addStage(this.relay(pcollection), this.sources(pcollection));
    stage.environmentId = environmentId;
    return stage;
  }

  private fits(
    stage: StageBuilder,
    pcollection: string,
    { environmentId, sideInputs, requiresStableInput }: Pick<LeafTransform, "environmentId" | "sideInputs" | "requiresStableInput">,
    origins: ReadonlySet<StageBuilder>,
  ): boolean {
    return (
      stage.accepts(environmentId) &&
      ![...origins].some((origin) => this.dependsOn(origin, stage)) &&
      (sideInputs.length === 0 || this.windowFnOf(stage.head.output) === this.windowFnOf(pcollection)) &&
      (!requiresStableInput || stage.head.output === pcollection) // U6
    );
  }

  /** U7 */
  private stageForState(transform: LeafTransform, input: string, origins: ReadonlySet<StageBuilder>): StageBuilder | undefined {
    const { Enum } = beam.pipeline.IsBounded;
    if (!this.joinsState || !hasStateAlone(transform) || this.components.pcollections?.[input]?.isBounded !== Enum.BOUNDED)
      return undefined;
    const stage = this.stagesWith
      .get(input)
      ?.find((each) => JOINED_BY_STATE.has(each.head.kind) && each.stateful === undefined && this.fits(each, input, transform, origins));
    if (stage !== undefined) {
      stage.stateful = transform;
      stage.environmentId = transform.environmentId;
    }
    return stage;
  }

  private windowFnOf(pcollection: string): string {
    const { pcollections, windowingStrategies } = this.components;
    const { urn = "", payload } = windowingStrategies?.[pcollections?.[pcollection]?.windowingStrategyId ?? ""]?.windowFn ?? {};
    return `${urn} ${Buffer.from(payload ?? []).toString("base64")}`;
  }

  /** Nothing else reads in it what its head delivers: elements, timers and restrictions are for the transform alone. */
  private ownStage(kind: "keyed" | "splittable", transform: LeafTransform, input: string): StageBuilder {
    const stage = new StageBuilder(`stage-${this.stages.length + 1}`, { kind, output: input, transform });
    this.stages.push(stage);
    this.addEdges(stage, this.sources(input));
    stage.environmentId = transform.environmentId;
    return stage;
  }

  private relay(output: string): StageHead {
    return { kind: "relay", output, transform: this.sourcesOf.get(output)?.transform };
  }

  private sources(pcollection: string): readonly Source[] {
    const between = this.sourcesOf.get(pcollection);
    if (between !== undefined) return between.sources;
    const producer = this.stagesWith.get(pcollection)?.[0];
    if (producer === undefined) throw new Error(`PCollection "${pcollection}" has no producer: validate first`);
    return [{ stage: producer, pcollection, reshuffled: false }];
  }

  private join(stage: StageBuilder, transform: LeafTransform): void {
    stage.transforms.push(transform);
    for (const output of transform.outputs) this.readableIn(output, stage);
  }

  private addStage(head: StageHead, sources: readonly Source[]): StageBuilder {
    const stage = new StageBuilder(`stage-${this.stages.length + 1}`, head);
    this.stages.push(stage);
    this.readableIn(head.output, stage);
    this.addEdges(stage, sources);
    return stage;
  }

  private addEdges(stage: StageBuilder, sources: readonly Source[], sideInput?: string): void {
    for (const { stage: from, pcollection, reshuffled } of sources) {
      from.outputs.add(pcollection);
      this.edges.push({ from, to: stage, edge: { from: from.id, pcollection, to: stage.id, reshuffled, sideInput } });
    }
  }

  /** Whether `stage` is `other`, or reads anything that `other` has to produce first. */
  private dependsOn(stage: StageBuilder, other: StageBuilder): boolean {
    const seen = new Set([stage]);
    for (const each of seen) {
      if (each === other) return true;
      for (const { from, to } of this.edges) if (to === each) seen.add(from);
    }
    return false;
  }

  private readableIn(pcollection: string, stage: StageBuilder): void {
    const stages = this.stagesWith.get(pcollection);
    if (stages === undefined) this.stagesWith.set(pcollection, [stage]);
    else stages.push(stage);
  }

  /**
   * A stage without transforms of an SDK still needs a host that knows the coders: that of the elements' origin, or else of
   * their destination. One of the two there is, since a live transform leads to one of an SDK.
   */
  private inheritEnvironments(): void {
    for (const { from, to } of this.edges) to.environmentId ??= from.environmentId;
    for (const { from, to } of [...this.edges].reverse()) from.environmentId ??= to.environmentId;
  }
}

/** Heads that deliver elements as they come (U7). */
const JOINED_BY_STATE: ReadonlySet<StageHead["kind"]> = new Set(["impulse", "relay"]);

/** U7 */
function hasStateAlone({ uniqueName, payload }: LeafTransform): boolean {
  const { timerFamilySpecs, onWindowExpirationTimerFamilySpec, requiresTimeSortedInput, requiresStableInput } = decodeParDoPayload(
    uniqueName,
    payload,
  );
  const isToldOfTime = Object.keys(timerFamilySpecs ?? {}).length > 0 || Boolean(onWindowExpirationTimerFamilySpec);
  return !isToldOfTime && requiresTimeSortedInput !== true && requiresStableInput !== true;
}

function ownStageKind({ isStateful, urn }: LeafTransform): "keyed" | "splittable" | undefined {
  if (isStateful) return "keyed";
  return urn === PROCESS_SIZED ? "splittable" : undefined;
}
