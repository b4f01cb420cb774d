// An editor's debugger on `beamstorm run`: a breakpoint at a line of the author's TypeScript is hit, in this process and in workers.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { SourceMap, type SourceMapPayload } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { root } from "../support/run-cli.js";

const command = join(root, "dist/cli/main.js");
const program = join(root, "test/integration/fixtures/debugged.ts");

interface Script {
  readonly scriptId: string;
  readonly url: string;
  readonly sourceMapURL: string;
}
interface Paused {
  readonly callFrames: readonly { readonly callFrameId: string; readonly location: { readonly scriptId: string } }[];
}

/** What an editor does, over the DevTools protocol: it looks into the program's source map before the program runs. */
class Debugger {
  private readonly answers = new Map<number, (result: unknown) => void>();
  private readonly socket: WebSocket;
  private calls = 0;
  private script: Script | undefined;
  private isSet = false;

  constructor(
    url: string,
    private readonly file: string,
    private readonly line: number,
    private readonly onHit: (debug: Debugger, frame: string) => Promise<void>,
  ) {
    this.socket = new WebSocket(url);
    this.socket.on("message", (data) => {
      const message = JSON.parse((data as Buffer).toString()) as { id?: number; method?: string; result?: unknown; params?: unknown };
      if (message.id !== undefined) this.answers.get(message.id)?.(message.result);
      else if (message.method === "Debugger.scriptParsed") {
        const script = message.params as Script;
        if (script.url.endsWith("/program.mjs")) this.script = script;
      } else if (message.method === "Debugger.paused") void this.paused(message.params as Paused);
    });
    this.socket.on("open", () => void this.begin());
  }

  call<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.calls;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.answers.set(id, resolve as (result: unknown) => void));
  }

  close(): void {
    this.socket.close();
  }

  private async begin(): Promise<void> {
    await this.call("Debugger.enable");
    await this.call("Debugger.setBreakpointByUrl", { urlRegex: "/program\\.mjs$", lineNumber: 0 });
    await this.call("Runtime.runIfWaitingForDebugger");
  }

  private async paused({ callFrames: [frame] }: Paused): Promise<void> {
    if (frame.location.scriptId === this.script?.scriptId) {
      if (this.isSet) await this.onHit(this, frame.callFrameId);
      else await this.setBreakpoint(this.script);
    }
    await this.call("Debugger.resume");
  }

  private async setBreakpoint({ scriptId, url, sourceMapURL }: Script): Promise<void> {
    this.isSet = true;
    const inline = /^data:application\/json;base64,(.*)$/.exec(sourceMapURL)?.[1];
    assert.ok(inline !== undefined, "the program has a source map");
    const payload = JSON.parse(Buffer.from(inline, "base64").toString()) as SourceMapPayload;
    const map = new SourceMap(payload);
    const lines = (await readFile(fileURLToPath(url), "utf8")).split("\n");
    for (let line = 0; line < lines.length; line++)
      for (let column = 0; column < lines[line].length; column++) {
        const entry = map.findEntry(line, column) as {
          generatedLine?: number;
          generatedColumn?: number;
          originalLine?: number;
          originalSource?: string;
        };
        if (entry.generatedLine !== line || entry.generatedColumn !== column || entry.originalLine !== this.line - 1) continue;
        if (fileURLToPath(new URL(entry.originalSource ?? "", url)) !== this.file) continue;
        await this.call("Debugger.setBreakpoint", { location: { scriptId, lineNumber: line, columnNumber: column } });
        return;
      }
  }
}

describe("a debugger on beamstorm run", function () {
  this.timeout(60_000);
  const children: ChildProcess[] = [];
  const debuggers: Debugger[] = [];
  afterEach(() => {
    for (const each of debuggers.splice(0)) each.close();
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  /** Runs the program with a breakpoint at the line that says so; the words seen there. */
  async function wordsSeen(
    nodeOptions: readonly string[],
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string[]> {
    const line = (await readFile(program, "utf8")).split("\n").findIndex((text) => text.includes("breakpoint here")) + 1;
    const seen: string[] = [];
    const child = spawn(process.execPath, [...nodeOptions, command, "run", program, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
    });
    children.push(child);
    let output = "";
    const attached = new Set<string>();
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const [, url] of output.matchAll(/Debugger listening on (ws:\S+)/g)) {
        if (attached.has(url)) continue;
        attached.add(url);
        debuggers.push(
          new Debugger(url, program, line, async (debug, callFrameId) => {
            const { result } = await debug.call<{ result: { value: string } }>("Debugger.evaluateOnCallFrame", {
              callFrameId,
              expression: "word",
            });
            seen.push(result.value);
          }),
        );
      }
      // A process that is done waits for its debugger to leave.
      if (output.includes("Waiting for the debugger to disconnect")) for (const each of debuggers.splice(0)) each.close();
    });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    assert.equal(code, 0, output);
    return seen.sort();
  }

  it("stops at the author's line in a function, and sees its variables", async () => {
    assert.deepEqual(await wordsSeen(["--inspect-brk=0"], []), ["be", "be", "not", "or", "to", "to"]);
  });

  it("does so in worker processes, to which editors attach by NODE_OPTIONS", async () => {
    const seen = await wordsSeen([], ["--workers", "2"], { NODE_OPTIONS: "--inspect-brk=0" });
    assert.deepEqual(seen, ["be", "be", "not", "or", "to", "to"]);
  });

  it("maps its own code to sources that are in the package", async () => {
    const source = join(root, "sdk/transforms/elementwise.ts");
    const contents: string[] = [];
    for (const name of await readdir(join(root, "dist"), { recursive: true })) {
      if (!name.endsWith(".js.map")) continue;
      const file = join(root, "dist", name);
      const map = JSON.parse(await readFile(file, "utf8")) as SourceMapPayload;
      for (const [i, each] of map.sources.entries()) if (resolve(dirname(file), each) === source) contents.push(map.sourcesContent[i]);
    }
    assert.deepEqual(contents, [await readFile(source, "utf8")]);
  });
});
