import assert from "node:assert/strict";
import { connect } from "node:http2";
import { once } from "node:events";
import { Client, credentials } from "@grpc/grpc-js";
import type { beam } from "../../../../portability/protos/index.js";
import {
  MessageQueue,
  ServiceError,
  type CallContext,
  type FnDataService,
  type JobService,
} from "../../../../portability/services/index.js";
import { callContext, FN_DATA_SERVICE, GrpcConnection, GrpcServer, JOB_SERVICE } from "../../../../portability/transport/index.js";

describe("GrpcServer and GrpcConnection", () => {
  let server: GrpcServer;
  let connection: GrpcConnection;

  beforeEach(() => {
    server = new GrpcServer();
  });

  afterEach(async () => {
    connection?.close();
    await server.close();
  });

  const jobs = async (service: Partial<JobService>): Promise<JobService> => {
    await server.add(JOB_SERVICE, service).listen();
    connection = new GrpcConnection(server.url);
    return connection.service(JOB_SERVICE);
  };
  const data = async (service: FnDataService): Promise<FnDataService> => {
    await server.add(FN_DATA_SERVICE, service).listen();
    connection = new GrpcConnection(server.url);
    return connection.service(FN_DATA_SERVICE);
  };

  it("carries requests, answers and metadata of unary calls", async () => {
    const client = await jobs({
      prepare: (request, { metadata }) => Promise.resolve({ preparationId: `${request.jobName}-${metadata.get("worker_id")}` }),
    });
    const answer = await client.prepare({ jobName: "counting" }, callContext({ worker_id: "w7" }));
    assert.equal(answer.preparationId, "counting-w7");
  });

  it("carries a ServiceError with its code and message", async () => {
    const client = await jobs({
      getState: (request) => Promise.reject(new ServiceError("NOT_FOUND", `there is no job "${request.jobId}"`)),
    });
    await assert.rejects(client.getState({ jobId: "x" }, callContext()), { code: "NOT_FOUND", message: '[NOT_FOUND] there is no job "x"' });
  });

  it("gives UNKNOWN for any other error, also for one thrown at once", async () => {
    const client = await jobs({
      getState: () => {
        throw new TypeError("a mistake");
      },
    });
    await assert.rejects(client.getState({}, callContext()), { code: "UNKNOWN", message: "[UNKNOWN] a mistake" });
  });

  it("answers UNIMPLEMENTED for a method that the service leaves out", async () => {
    const client = await jobs({});
    await assert.rejects(client.drain({}, callContext()), { code: "UNIMPLEMENTED" });
  });

  it("streams answers, and an error behind them", async () => {
    const client = await jobs({
      async *getStateStream() {
        yield { state: 9 };
        yield { state: 2 };
        throw new ServiceError("INTERNAL", "lost");
      },
    });
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const { state } of client.getStateStream({}, callContext())) seen.push(state);
    };
    await assert.rejects(read(), { code: "INTERNAL" });
    assert.deepEqual(seen, [9, 2]);
  });

  it("carries messages beyond gRPC's usual limit of 4 MiB in both directions", async () => {
    const client = await data({
      async *data(elements) {
        for await (const message of elements) yield message;
      },
    });
    const requests = new MessageQueue<beam.fn.IElements>();
    const bytes = Buffer.alloc(9 << 20, 7);
    requests.push({ data: [{ instructionId: "b", transformId: "t", data: bytes }] });
    requests.end();
    for await (const message of client.data(requests, callContext())) assert.ok(bytes.equals(message.data![0].data!));
  });

  it("stops taking messages from a writer whose reader does not read, and goes on when it does", async () => {
    let read = (): void => {};
    const reading = new Promise<void>((resolve) => (read = resolve));
    let taken = 0;
    const total = 200;
    const client = await data({
      async *data(elements) {
        await reading;
        let count = 0;
        for await (const message of elements) count += message.data!.length;
        yield { data: [{ instructionId: String(count) }] };
      },
    });
    async function* source(): AsyncGenerator<beam.fn.IElements> {
      for (; taken < total; taken++) {
        yield { data: [{ data: Buffer.alloc(1 << 20) }] };
      }
    }
    const answers = client.data(source(), callContext())[Symbol.asyncIterator]();
    const answer = answers.next();
    // What has not moved over many turns of the loop has stopped.
    for (let before = -1, still = 0; still < 50; still = before === taken ? still + 1 : 0) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.ok(taken < total / 2, `${taken} MiB were taken although nobody read`);
    read();
    assert.equal((await answer).value.data[0].instructionId, String(total));
  });

  it("stops taking messages from a service whose caller does not read", async () => {
    let given = 0;
    const client = await jobs({
      async *getMessageStream() {
        for (; given < 200; given++) yield { messageResponse: { messageText: "x".repeat(1 << 20) } };
      },
    });
    const answers = client.getMessageStream({}, callContext())[Symbol.asyncIterator]();
    await answers.next();
    for (let before = -1, still = 0; still < 50; still = before === given ? still + 1 : 0) {
      before = given;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.ok(given < 100, `${given} MiB were taken although nobody read`);
    await answers.return!();
  });

  it("refuses messages beyond its limit, and says which that is", async () => {
    server = new GrpcServer({ maxMessageBytes: 1000 });
    const client = await jobs({ getState: ({ jobId }) => Promise.resolve({ state: jobId!.length }) });
    assert.equal((await client.getState({ jobId: "x".repeat(900) }, callContext())).state, 900);
    await assert.rejects(client.getState({ jobId: "x".repeat(1001) }, callContext()), {
      code: "RESOURCE_EXHAUSTED",
      message: /larger than max \(\d+ vs\.? 1000\)/,
    });
  });

  it("tells a service by its signal that the caller has gone", async () => {
    const gone = new Promise<AbortSignal>((resolve) => {
      void jobs({
        async *getStateStream(_request, { signal }: CallContext) {
          yield { state: 2 };
          await once(signal, "abort");
          resolve(signal);
        },
      }).then(async (client) => {
        for await (const event of client.getStateStream({}, callContext())) if (event.state === 2) break;
      });
    });
    assert.equal((await gone).aborted, true);
  });

  it("fails a call that its caller aborts with CANCELLED", async () => {
    const client = await jobs({ getState: () => new Promise(() => {}) });
    const controller = new AbortController();
    const call = client.getState({}, callContext({}, controller.signal));
    controller.abort();
    await assert.rejects(call, { code: "CANCELLED" });
  });

  it("fails calls with UNAVAILABLE where nobody listens", async () => {
    await server.listen();
    const { url } = server;
    await server.close();
    connection = new GrpcConnection(url);
    await assert.rejects(connection.service(JOB_SERVICE).getState({}, callContext()), { code: "UNAVAILABLE" });
  });

  it("names the port that is taken", async () => {
    await server.listen();
    const other = new GrpcServer();
    await assert.rejects(other.listen({ port: server.port }), new RegExp(`cannot listen on 127\\.0\\.0\\.1:${server.port}`));
    await other.close();
  });

  it("answers any number of pings, with no call open", async () => {
    await server.listen();
    const session = connect(`http://${server.url}`);
    await once(session, "connect");
    for (let i = 0; i < 50; i++) await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));
    assert.equal(session.closed, false);
    session.close();
    await once(session, "close");
  });

  it("speaks the paths that other gRPC libraries call", async () => {
    await server.add(JOB_SERVICE, { getState: () => Promise.resolve({ state: 3 }) }).listen();
    const client = new Client(server.url, credentials.createInsecure());
    const bytes = await new Promise<Buffer>((resolve, reject) =>
      client.makeUnaryRequest(
        "/org.apache.beam.model.job_management.v1.JobService/GetState",
        (value: Buffer) => value,
        (value) => value,
        Buffer.alloc(0),
        (error, value) => (error ? reject(error) : resolve(value!)),
      ),
    );
    client.close();
    assert.deepEqual([...bytes], [8, 3]);
  });
});
