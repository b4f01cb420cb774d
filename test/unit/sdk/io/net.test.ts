// Sources that listen, with real clients. Catches strangers let in, clients that can end a run or fill its memory, and ports left open.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { net, PipelineError } from "../../../../sdk/index.js";
import { SourceProbe } from "../../../support/source-probe.js";

describe("a source that listens", () => {
  let probe: SourceProbe<unknown> | undefined;
  let port = 0;
  const onListening = (at: number): void => void (port = at);
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await probe?.close();
    probe = undefined;
  });

  for (const listener of [net.tcpLines, net.httpIngest]) {
    it(`${listener.name} demands a token where others can reach it`, () => {
      for (const host of ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org"]) {
        assert.throws(
          () => listener({ port: 0, host }),
          (error) => error instanceof PipelineError && error.code === "token_required" && error.message.includes(host),
        );
        listener({ port: 0, host, token: "secret" });
      }
      for (const host of ["127.0.0.1", "localhost", "::1", "127.1.2.3"]) listener({ port: 0, host });
      assert.throws(() => listener({ port: 0, host: "0.0.0.0", token: "" }), /token must not be empty/);
      assert.throws(() => listener({ port: 70_000 }), /port must be a whole number from 0 to 65535, not 70000/);
      assert.throws(() => listener({ port: 0, queueBytes: 0 }), /queueBytes must be a whole number above 0, not 0/);
    });

    it(`${listener.name} fails where the port is taken, and frees it when it is closed`, async () => {
      probe = await SourceProbe.open<unknown>(listener({ port: 0, onListening }));
      await assert.rejects(SourceProbe.open<unknown>(listener({ port })), /could not be opened in transform "net\..*": .*EADDRINUSE/);
      await probe.close();
      probe = await SourceProbe.open<unknown>(listener({ port }));
    });
  }

  describe("tcpLines", () => {
    const listen = async (options: Partial<net.TcpLinesOptions> = {}): Promise<SourceProbe<string>> => {
      const opened = await SourceProbe.open(net.tcpLines({ port: 0, onListening, ...options }));
      probe = opened as SourceProbe<unknown>;
      return opened;
    };
    const client = (text?: string): Socket => {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      socket.on("error", () => {});
      if (text !== undefined) socket.write(text);
      return socket;
    };
    const closed = async (socket: Socket): Promise<void> => {
      socket.resume();
      if (!socket.closed) await once(socket, "close");
    };

    it("has the lines of all clients, the last one of each without an end", async () => {
      const source = await listen();
      client("a\nb\r\nc").end();
      assert.deepEqual(await source.readUntil(3), ["a", "b", "c"]);
      client("d\n");
      client("e\n");
      assert.deepEqual((await source.readUntil(2)).sort(), ["d", "e"]);
    });

    it("gives the lines that have arrived when it is drained, and hangs up", async () => {
      const source = await listen();
      const first = client("a\n");
      assert.deepEqual(await source.readUntil(1), ["a"]);
      const arrived = source.calls;
      first.write("b\nc");
      while (source.calls === arrived) await new Promise((resolve) => setImmediate(resolve));
      source.drain();
      await closed(first);
      await closed(client("d\n"));
      const { elements, next } = source.read();
      assert.deepEqual([elements, next], [["b"], "end"]);
    });

    it("lets in who shows the token, and nobody else", async () => {
      const source = await listen({ token: "secret" });
      await closed(client("wrong\nx\n"));
      await closed(client("secrets\nx\n"));
      await closed(client("x".repeat(10_000)));
      client("secret\nwelcome\n");
      assert.deepEqual(await source.readUntil(1), ["welcome"]);
      assert.deepEqual(source.read().elements, []);
    });

    it("closes the connection of a client whose line is too long, and serves the others", async () => {
      const source = await listen({ maxLineBytes: 5 });
      const other = client();
      await closed(client("12345\n123456\n7\n"));
      other.write("fine\n");
      assert.deepEqual(await source.readUntil(2), ["12345", "fine"]);
    });

    it("turns connections away beyond their number", async () => {
      const source = await listen({ maxConnections: 1 });
      client("first\n");
      assert.deepEqual(await source.readUntil(1), ["first"]);
      await closed(client("second\n"));
      assert.deepEqual(source.read().elements, []);
    });

    it("lets clients wait while the queue is full, and loses nothing", async () => {
      const source = await listen({ queueBytes: 10_000 });
      const lines = Array.from({ length: 200_000 }, (_, i) => `line ${i} of many`);
      const socket = client();
      socket.end(lines.join("\n"));
      while (source.calls === 0) await new Promise((resolve) => setImmediate(resolve));
      for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
      const first = source.read().elements;
      assert.ok(first.length < 10_000, `${first.length} lines were taken`); // the queue, and a chunk that more than fills it
      const rest = await source.readUntil(lines.length - first.length);
      assert.deepEqual([...first, ...rest], lines);
    });

    it("closes its clients' connections with itself", async () => {
      const source = await listen();
      const socket = client("a\n");
      await source.readUntil(1);
      const gone = closed(socket);
      await source.close();
      await gone;
    });
  });

  describe("httpIngest", () => {
    const listen = async (options: Partial<net.HttpIngestOptions<unknown>> = {}): Promise<SourceProbe<unknown>> =>
      (probe = await SourceProbe.open<unknown>(net.httpIngest({ port: 0, onListening, ...options })));
    const post = (body: string, headers: Record<string, string> = {}, path = "/"): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

    it("takes JSON, lines of JSON, and text", async () => {
      const source = await listen({ path: "/in" });
      const answer = await post('{"a":1}', {}, "/in?x=1");
      assert.equal(answer.status, 202);
      assert.deepEqual(await answer.json(), { accepted: 1 });
      assert.deepEqual(await (await post('1\n\n{"b":2}\r\n', { "content-type": "application/x-ndjson" }, "/in")).json(), { accepted: 2 });
      assert.equal((await post("plain €", { "content-type": "text/plain; charset=utf-8" }, "/in")).status, 202);
      assert.deepEqual(await source.readUntil(4), [{ a: 1 }, 1, { b: 2 }, "plain €"]);
    });

    it("gives what it has accepted when it is drained, and accepts no more", async () => {
      const source = await listen();
      assert.equal((await post("1")).status, 202);
      const underWay = connect(port, "127.0.0.1");
      sockets.push(underWay);
      underWay.setEncoding("latin1").write("POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n2");
      await post("["); // what was written before it has arrived
      source.drain();
      assert.equal((await post("3")).status, 503);
      underWay.write("2");
      assert.match(String(await once(underWay, "data")), /^HTTP\/1\.1 503 .*the pipeline takes no more/s);
      assert.deepEqual(source.read(), { elements: [1], timestamps: [0], next: "end" });
    });

    it("takes a body whole or not at all, and says what is wrong with it", async () => {
      const source = await listen();
      const answer = await post("1\n2\n{", { "content-type": "application/x-ndjson" });
      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /^line 3: not JSON: /);
      assert.equal((await post("{")).status, 400);
      assert.deepEqual(source.read().elements, []);
    });

    it("takes what passes its check", async () => {
      const source = await listen({
        check(sent) {
          if (typeof sent !== "number") throw new TypeError("send numbers");
          return sent * 2;
        },
      });
      const answer = await post('"two"');
      assert.deepEqual([answer.status, await answer.text()], [400, "send numbers\n"]);
      assert.equal((await post("21")).status, 202);
      assert.deepEqual(await source.readUntil(1), [42]);
    });

    it("answers what it does not take with what to do", async () => {
      const source = await listen({ maxBodyBytes: 1000 });
      const get = await fetch(`http://127.0.0.1:${port}/`);
      assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
      assert.equal((await post("1", {}, "/other")).status, 404);
      assert.equal((await post("a=1", { "content-type": "application/x-www-form-urlencoded" })).status, 415);
      assert.equal((await post(`"${"x".repeat(5000)}"`)).status, 413);
      assert.equal((await post("1", { origin: "https://example.org" })).status, 403);
      assert.deepEqual(source.read().elements, []);
    });

    it("finds out that a body without a length is too large", async () => {
      await listen({ maxBodyBytes: 1000 });
      const body = new ReadableStream({
        start(controller) {
          for (let i = 0; i < 100; i++) controller.enqueue(new TextEncoder().encode("x".repeat(1000)));
          controller.close();
        },
      });
      const init = { method: "POST", body, duplex: "half", headers: { "content-type": "text/plain" } };
      assert.equal((await fetch(`http://127.0.0.1:${port}/`, init as RequestInit)).status, 413);
    });

    it("lets in who shows the token, and nobody else", async () => {
      const source = await listen({ token: "secret" });
      for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "secret" }] as Record<string, string>[]) {
        const answer = await post("1", headers);
        assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [401, "Bearer"]);
      }
      assert.equal((await post("1", { authorization: "Bearer secret" })).status, 202);
      assert.deepEqual(await source.readUntil(1), [1]);
    });

    it("asks clients to come back while the queue is full", async () => {
      const source = await listen({ queueBytes: 100 });
      assert.equal((await post(JSON.stringify("x".repeat(100)))).status, 202);
      const answer = await post("1");
      assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
      await source.readUntil(1);
      assert.equal((await post("1")).status, 202);
    });
  });
});
