import { Command, InvalidArgumentError, Option } from "commander";
import { JobServer } from "../runner/job-service/index.js";
import { ExitCode } from "./exit-codes.js";
import { Signals } from "./signals.js";

/** `beamstorm job-server`: runs the pipelines that clients submit, until Ctrl-C. */
export async function jobServerCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("job-server")
    .description("serve Beam's job API: run pipelines of any Beam SDK with --job_endpoint set to this server")
    .addOption(new Option("--port <port>", "port of the job service; 0 takes a free one").default(8099).argParser(port))
    .addOption(new Option("--host <host>", "address to listen on; others than the default are open to the network").default("127.0.0.1"))
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) });
  command.parse([...argv], { from: "user" });
  const options = command.opts<{ port: number; host: string }>();
  const signals = new Signals();
  try {
    const stopped = new Promise<void>((resolve) => signals.onFirst(resolve));
    const server = await JobServer.open(options);
    process.stdout.write(`job service on ${server.url}; stop it with Ctrl-C\n`);
    await stopped;
    process.stderr.write("stopping …\n");
    await server.close();
    return ExitCode.DONE;
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n`);
    return ExitCode.FAILED;
  } finally {
    signals.release();
  }
}

function port(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value <= 65_535) return value;
  throw new InvalidArgumentError("expected a whole number from 0 to 65535");
}
