// The same word count and maps on stream processors of the JVM, where somebody has them: see README.md.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Which cases of each are comparable: word count on one and on two workers without acknowledgements, fused maps. */
const cases: Record<string, readonly string[]> = {
  flink: ["wc 1 0", "wc 2 0", "maps 1"],
  jstorm: ["1 0 default", "2 0 default"],
  storm: ["1 0 default", "2 0 default"],
};

/** Runs `<folder>/{flink,jstorm,storm}/run.sh CASE` for each; their result lines. */
export async function runJvmPeers(repetitions: number): Promise<string[]> {
  const folder = process.env["BEAMSTORM_PEERS"];
  if (folder === undefined) return ["the JVM peers are left out: BEAMSTORM_PEERS names no folder"];
  const lines: string[] = [];
  for (const [name, selections] of Object.entries(cases)) {
    const script = join(folder, name, "run.sh");
    if (!existsSync(script)) {
      lines.push(`${name} is left out: there is no ${script}`);
      continue;
    }
    let last = "";
    for (const selection of selections) last = await outputOf(script, selection, repetitions);
    lines.push(...last.split("\n").filter((line) => line.startsWith("RESULT ")));
  }
  return lines;
}

function outputOf(script: string, selection: string, repetitions: number): Promise<string> {
  const child = spawn("bash", [script, selection], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, REPS: String(repetitions) },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`${script} ended with ${code}`))));
  });
}
