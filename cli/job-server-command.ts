import { Command, InvalidArgumentError, Option } from "commander";
import { JobServer, MOST_TASKS } from "../runner/job-service/index.js";
import { ExitCode } from "./exit-codes.js";
import { oneLine } from "./one-line.js";
import { parseDuration } from "./parse-duration.js";
import { Signals } from "./signals.js";

const DEFAULT_PORT = 8099;

interface Settings {
  readonly port: number;
  readonly host: string;
  readonly unauthenticated?: boolean;
  readonly parallelism: number;
  readonly logLevel: string;
  readonly checkpointDir?: string;
  readonly checkpointInterval: number;
}

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
    .addOption(
      new Option(
        "--unauthenticated",
        "take jobs from other machines too, where --host lets them in: Beam's SDKs cannot say who they are, and whoever submits a job can run commands here",
      ),
    )
    .addOption(
      new Option(
        "--parallelism <number>",
        "bundles of a stage that are under way at once, over different keys, where the pipeline option --parallelism does not say",
      )
        .default(1)
        .argParser(parallelism),
    )
    .addOption(
      new Option(
        "--checkpoint-dir <folder>",
        "keep checkpoints of jobs there that want any, by the pipeline option --checkpoint_name=NAME",
      ),
    )
    .addOption(
      new Option("--checkpoint-interval <time>", "time between two checkpoints, such as 500ms, 10s or 2m")
        .default(10_000, "10s")
        .argParser(parseDuration),
    )
    .addOption(
      new Option("--log-level <level>", "least level of what is logged").choices(["debug", "info", "warn", "error"]).default("info"),
    )
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}; see beamstorm job-server --help\n`) });
  command.parse([...argv], { from: "user" });
  const { logLevel, checkpointDir, checkpointInterval, ...listen } = command.opts<Settings>();
  const checkpoints = checkpointDir === undefined ? undefined : { folder: checkpointDir, intervalMs: checkpointInterval };
  const signals = new Signals();
  try {
    const stopped = new Promise<void>((resolve) => signals.tell({ drain: undefined, cancel: resolve }));
    const { pino } = await import("pino");
    const log = pino({ name: "beamstorm", base: undefined, level: logLevel }, process.stderr);
    const server = await JobServer.open({
      ...listen,
      checkpoints,
      onEvent: (job, event) => {
        if (typeof event === "string")
          log.info({ job }, `job is ${event === "STOPPED" ? "prepared" : event}`); // Beam has no state for it
        else log[event.level]({ job }, event.text);
      },
    });
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

const port = (text: string): number => wholeNumber(text, 0, 65_535);
const parallelism = (text: string): number => wholeNumber(text, 1, MOST_TASKS);

function wholeNumber(text: string, least: number, most: number): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
}
