// Beam's Python SDK, unmodified, on our job server and on Prism: the same command, its own word count.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beamstorm, isInstalled, prism, withServer, type PythonPeer } from "../python-peers.js";
import { makeText, textPath, wordsOf } from "../text-file.js";
import { expectEqual, type Side, type Work } from "../work.js";

const side = (peer: PythonPeer): Side => ({
  name: peer.name,
  isThere: () => isInstalled(peer),
  async run(size) {
    const folder = await mkdtemp(join(tmpdir(), "beamstorm-bench-"));
    try {
      await withServer(peer, async (endpoint) => {
        const runner = ["--runner=PortableRunner", `--job_endpoint=${endpoint}`, "--environment_type=LOOPBACK"];
        const files = ["--input", textPath(size), "--output", join(folder, "counts")];
        const python = process.env["BEAMSTORM_PEER_PYTHON"] ?? "python3";
        await promisify(execFile)(python, ["-m", "apache_beam.examples.wordcount", ...files, ...runner], { maxBuffer: 64 << 20 });
      });
      let words = 0;
      for (const shard of await readdir(folder))
        for (const line of (await readFile(join(folder, shard), "utf8")).trim().split("\n")) words += Number(line.split(": ")[1]);
      expectEqual(words, wordsOf(size), "words");
    } finally {
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
  sides: [side(beamstorm), side(prism)],
};
