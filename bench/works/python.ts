// Beam's Python SDK, unmodified, on our job server and on Prism: the same command, its own word count.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeText, textPath, wordsOf } from "../text-file.js";
import { expectEqual, type Side, type Work } from "../work.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** A job server at this port. */
type Start = (port: number) => ChildProcess;

const beamstorm: Start = (port) =>
  spawn(process.execPath, [join(root, "dist/cli/main.js"), "job-server", "--port", String(port)], { stdio: "ignore" });

const prism: Start = (port) => {
  const program = process.env["BEAMSTORM_PEER_PRISM"];
  if (program === undefined) throw new Error("Prism is not installed: npm run bench -- python installs it, with Go");
  return spawn(program, ["-job_port", String(port), "-serve_http=false"], { stdio: "ignore" });
};

const side = (name: string, start: Start): Side => ({
  name,
  async run(size) {
    const folder = await mkdtemp(join(tmpdir(), "beamstorm-bench-"));
    const port = 20_000 + (process.pid % 10_000);
    const server = start(port);
    try {
      const runner = ["--runner=PortableRunner", `--job_endpoint=localhost:${port}`, "--environment_type=LOOPBACK"];
      const files = ["--input", textPath(size), "--output", join(folder, "counts")];
      const python = process.env["BEAMSTORM_PEER_PYTHON"] ?? "python3";
      await promisify(execFile)(python, ["-m", "apache_beam.examples.wordcount", ...files, ...runner], { maxBuffer: 64 << 20 });
      let words = 0;
      for (const shard of await readdir(folder))
        for (const line of (await readFile(join(folder, shard), "utf8")).trim().split("\n")) words += Number(line.split(": ")[1]);
      expectEqual(words, wordsOf(size), "words");
    } finally {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill();
      await ended;
      await rm(folder, { recursive: true });
    }
  },
});

export const work: Work = {
  title:
    "apache_beam.examples.wordcount, as its author sees it: from the start of Python and of the job server until the counts are on disk",
  unit: "bytes",
  target: "reported, next to Prism",
  size: 20_000_000,
  quickSize: 5_000_000,
  warmUpSize: 1_000_000,
  prepare: async (sizes) => sizes.forEach(makeText),
  sides: [side("beamstorm", beamstorm), side("Prism", prism)],
};
