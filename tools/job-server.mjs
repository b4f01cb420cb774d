// The built job server as a process of its own, for the suites of other SDKs.
import { spawn } from "node:child_process";
import { root } from "./lib.mjs";

/** Calls back with the server's `host:port`, and ends the server when that is done. */
export async function withJobServer(use) {
  const server = await startServer();
  try {
    return await use(server.url);
  } finally {
    server.child.kill("SIGINT");
  }
}

function startServer() {
  const child = spawn(process.execPath, ["dist/cli/main.js", "job-server", "--port", "0"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the job server has ended with exit code ${code}: ${output}`)));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      if (output.length < 10_000) output += text;
      const url = /job server at (\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve({ url, child });
    });
  });
}
