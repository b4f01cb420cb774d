// An SDK harness in a few lines: takes bundles over the Fn API's real sockets and runs one function over each of them. What a test
// needs of other SDKs without having them: it can answer late, fail, leave work over, ask for state, or go away.
import { ByteReader, ByteWriter } from "../../portability/coders/index.js";
import { beam } from "../../portability/protos/index.js";
import { MessageQueue, type FnWorkerPoolService } from "../../portability/services/index.js";
import {
  callContext,
  FN_CONTROL_SERVICE,
  FN_DATA_SERVICE,
  FN_STATE_SERVICE,
  FN_WORKER_POOL_SERVICE,
  GrpcConnection,
  GrpcServer,
} from "../../portability/transport/index.js";

/** A bundle as the fake's function sees it. */
export interface FakeBundle {
  /** Id of the instruction. */
  readonly id: string;
  readonly descriptor: beam.fn.IProcessBundleDescriptor;
  /** All bytes of the input: windowed values, one behind the other. */
  readonly input: Buffer;
  /** Sends bytes to the stage's only output. */
  emit(bytes: Uint8Array): void;
  /** Asks for state. */
  state(key: beam.fn.IStateKey, token?: Uint8Array): Promise<beam.fn.IStateResponse>;
}

/** What a bundle is answered with. @throws to fail it with the error's message */
export type FakeProcess = (bundle: FakeBundle) => Promise<beam.fn.IProcessBundleResponse> | beam.fn.IProcessBundleResponse;

export class FakeHarness implements Partial<FnWorkerPoolService> {
  readonly stopped: string[] = [];
  readonly bundles: string[] = [];
  private readonly server = new GrpcServer();
  private readonly connections: GrpcConnection[] = [];
  private readonly inputs = new Map<string, { readonly chunks: Uint8Array[]; over: boolean; wake: () => void }>();
  private readonly states = new Map<string, (response: beam.fn.IStateResponse) => void>();
  private readonly gone = new AbortController();
  private requests = 0;

  constructor(
    private readonly process: FakeProcess,
    /** What starting a worker is answered with instead. */
    private readonly startError = "",
  ) {}

  /** Starts listening; the environment that names it. */
  async environment(): Promise<beam.pipeline.IEnvironment> {
    this.server.add(FN_WORKER_POOL_SERVICE, this);
    await this.server.listen();
    const payload = beam.pipeline.ExternalPayload.encode({ endpoint: { url: this.server.url } }).finish();
    return { urn: "beam:env:external:v1", payload };
  }

  startWorker({ workerId, controlEndpoint }: beam.fn.IStartWorkerRequest): Promise<beam.fn.IStartWorkerResponse> {
    if (this.startError !== "") return Promise.resolve({ error: this.startError });
    void this.serve(workerId ?? "", controlEndpoint?.url ?? "");
    return Promise.resolve({});
  }

  stopWorker({ workerId }: beam.fn.IStopWorkerRequest): Promise<beam.fn.IStopWorkerResponse> {
    this.stopped.push(workerId ?? "");
    return Promise.resolve({});
  }

  /** Goes away without a word. */
  die(): void {
    this.gone.abort();
    for (const connection of this.connections) connection.close();
  }

  async close(): Promise<void> {
    this.die();
    await this.server.close();
  }

  private async serve(workerId: string, url: string): Promise<void> {
    const connection = new GrpcConnection(url);
    this.connections.push(connection);
    const context = callContext({ worker_id: workerId }, this.gone.signal);
    const responses = new MessageQueue<beam.fn.IInstructionResponse>();
    const elements = new MessageQueue<beam.fn.IElements>();
    const asked = new MessageQueue<beam.fn.IStateRequest>();
    const control = connection.service(FN_CONTROL_SERVICE);
    void this.hear(connection.service(FN_DATA_SERVICE).data(elements, context), ({ data }) => {
      for (const each of data ?? []) this.take(each);
    });
    void this.hear(connection.service(FN_STATE_SERVICE).state(asked, context), (response) => {
      this.states.get(response.id ?? "")?.(response);
    });
    await this.hear(control.control(responses, context), (request) => {
      const id = request.instructionId ?? "";
      const ask = (): Promise<beam.fn.IProcessBundleDescriptor> =>
        control.getProcessBundleDescriptor({ processBundleDescriptorId: request.processBundle?.processBundleDescriptorId }, context);
      this.run(id, ask, elements, asked).then(
        (processBundle) => responses.push({ instructionId: id, processBundle }),
        (error: unknown) => responses.push({ instructionId: id, error: error instanceof Error ? error.message : String(error) }),
      );
    });
  }

  private async run(
    id: string,
    ask: () => Promise<beam.fn.IProcessBundleDescriptor>,
    elements: MessageQueue<beam.fn.IElements>,
    asked: MessageQueue<beam.fn.IStateRequest>,
  ): Promise<beam.fn.IProcessBundleResponse> {
    const descriptor = await ask();
    this.bundles.push(id);
    const sinks = Object.entries(descriptor.transforms ?? {}).filter(([, { spec }]) => spec?.urn === "beam:runner:sink:v1");
    const input = this.inputOf(id);
    while (!input.over) await new Promise<void>((resolve) => (input.wake = resolve));
    this.inputs.delete(id);
    const response = await this.process({
      id,
      descriptor,
      input: Buffer.concat(input.chunks),
      emit: (data) => elements.push({ data: [{ instructionId: id, transformId: sinks[0][0], data }] }),
      state: (stateKey, continuationToken) => {
        const requestId = `${++this.requests}`;
        asked.push({ id: requestId, instructionId: id, stateKey, get: { continuationToken } });
        return new Promise((resolve) => this.states.set(requestId, resolve));
      },
    });
    for (const [transformId] of sinks) elements.push({ data: [{ instructionId: id, transformId, isLast: true }] });
    return response;
  }

  private take({ instructionId, data, isLast }: beam.fn.Elements.IData): void {
    const input = this.inputOf(instructionId ?? "");
    if (data !== undefined && data !== null && data.length > 0) input.chunks.push(data);
    if (isLast !== true) return;
    input.over = true;
    input.wake();
  }

  private inputOf(id: string) {
    let input = this.inputs.get(id);
    if (input === undefined) this.inputs.set(id, (input = { chunks: [], over: false, wake: () => {} }));
    return input;
  }

  private async hear<T>(messages: AsyncIterable<T>, take: (message: T) => void): Promise<void> {
    try {
      for await (const message of messages) take(message);
    } catch {
      // the connection is over
    }
  }
}

/** The texts among windowed values of the global window that are encoded by `string_utf8`. */
export function textsOf(bytes: Uint8Array): string[] {
  const reader = new ByteReader(bytes);
  const texts: string[] = [];
  while (reader.remaining > 0) {
    reader.skip(8 + 4 + 1); // timestamp, one window without bytes, pane
    texts.push(Buffer.from(reader.readBytes(reader.readLength())).toString());
  }
  return texts;
}

/** One windowed text: the end of the global window, no firing. */
export function windowedText(text: string): Uint8Array {
  const writer = new ByteWriter();
  writer.writeBytes(Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0)); // some instant
  writer.writeInt32(1);
  writer.writeBytes(Uint8Array.of(0x0f));
  const bytes = Buffer.from(text);
  writer.writeVarint(bytes.length);
  writer.writeBytes(bytes);
  return writer.view().slice();
}
