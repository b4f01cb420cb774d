import { Command, InvalidArgumentError, Option } from "commander";
import { JobServer } from "../runner/job-service/index.js";
import { ExitCode } from "./exit-codes.js";
import { oneLine } from "./one-line.js";
import { Signals } from "./signals.js";

const DEFAULT_PORT = 8099;

/** `beamstorm job-server`: runs pipelines of Beam's SDKs until the user stops it. */
export async function jobServerCommand(argv: readonly string[]): Promise<number> {
  const command = new Command("job-server")
    .description(
      "run pipelines that Beam's SDKs submit, e.g. with --runner=PortableRunner --job_endpoint=localhost:8099 --environment_type=LOOPBACK",
    )
    .addOption(new Option("--port <port>", "port to listen on; 0 takes any free one").default(DEFAULT_PORT).argParser(port))
    .addOption(
      new Option("--host <address>", "address to listen on; the default lets this machine's programs alone in").default("127.0.0.1"),
    )
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}; see beamstorm job-server --help\n`) });
  command.parse([...argv], { from: "user" });
  const options = command.opts<{ port: number; host: string }>();
  const signals = new Signals();
  try {
    const stopped = new Promise<void>((resolve) => signals.onFirst(resolve));
    const server = await JobServer.open(options);
    process.stdout.write(`job server at ${server.url}\n`);
    await stopped;
    await server.close();
    return ExitCode.DONE;
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return ExitCode.FAILED;
  } finally {
    signals.release();
  }
}

function port(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError("expected a whole number from 0 to 65535");
}
