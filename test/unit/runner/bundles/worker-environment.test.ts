import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { beam } from "../../../../portability/protos/index.js";
import { checkEnvironments, FnServer, RemoteStageHost } from "../../../../runner/bundles/index.js";
import { checkEnvironment } from "../../../../runner/bundles/worker-environment.js";
import { inProcessLauncher, planPipeline, runJob, type Job } from "../../../../runner/index.js";
import { FakeWorkerPool } from "../../../support/fake-harness.js";
import { PipelineBuilder } from "../../../support/pipeline-builder.js";
import { root } from "../../../support/run-cli.js";

const processEnvironment = (command: string, env: Record<string, string> = {}): beam.pipeline.IEnvironment => ({
  urn: "beam:env:process:v1",
  payload: beam.pipeline.ProcessPayload.encode({ command, env }).finish(),
});
const container = (containerImage: string): beam.pipeline.IEnvironment => ({
  urn: "beam:env:docker:v1",
  payload: beam.pipeline.DockerPayload.encode({ containerImage }).finish(),
});
const anyOf = (...environments: beam.pipeline.IEnvironment[]): beam.pipeline.IEnvironment => ({
  urn: "beam:env:anyof:v1",
  payload: beam.pipeline.AnyOfEnvironmentPayload.encode({ environments }).finish(),
});

describe("worker environments", () => {
  const { PATH } = process.env;
  let server: FnServer;
  let folder: string;
  let logged: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-environments-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    server = await FnServer.open();
    logged = [];
  });
  afterEach(async () => {
    process.env["PATH"] = PATH;
    await server.close();
  });

  const script = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\n${text}\n`);
    await chmod(path, 0o755);
    return path;
  };
  const worker = `"${process.execPath}" --import="${root}/test/support/register.mjs" "${root}/test/support/fake-worker.ts"`;

  const pipeline = (name: string, environment: beam.pipeline.IEnvironment): PipelineBuilder => {
    const p = new PipelineBuilder();
    p.environments["own"] = environment;
    p.coders["window"] = { spec: { urn: "beam:coder:global_window:v1" } };
    p.windowingStrategies["global"].windowCoderId = "window";
    p.parDo(name, p.impulse(), "increment", { environment: "own" });
    return p;
  };

  const start = (name: string, environment: beam.pipeline.IEnvironment): Job => {
    const onLog = ({ message }: beam.fn.ILogEntry): void => void logged.push(message!);
    const topology = planPipeline(pipeline(name, environment).build(), { parallelism: 1 });
    return runJob(topology, {
      launcher: inProcessLauncher(() => new RemoteStageHost({ jobId: "j", server, onLog, connectTimeoutMs: 30_000 })),
    });
  };

  /** The processes that have said hello. */
  const workers = (): number[] => logged.flatMap((line) => /^worker (\d+)/.exec(line)?.[1] ?? []).map(Number);
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  context("when it is a process", () => {
    it("runs the command with its variables, logs what it writes, and ends it with the job", async () => {
      const command = await script("worker", `exec ${worker} "$@"`);
      await start("work", processEnvironment(command, { GREETING: "friends" })).result;
      assert.match(logged[0], new RegExp(`^worker \\d+ of friends calls ${server.url}$`));
      assert.equal(isAlive(workers()[0]), false);
    });

    it("ends what the command has left behind as well", async () => {
      const command = await script("leaving", `sleep 600 & echo "left $!"; exec ${worker} "$@"`);
      await start("work", processEnvironment(command)).result;
      const left = Number(/left (\d+)/.exec(logged.join("\n"))![1]);
      // A process that nobody waits for stays in the table when it is dead.
      const status = await readFile(`/proc/${left}/stat`, "utf8").catch(() => "gone");
      assert.match(status, /gone|\) Z /);
    });

    it("starts another one when it dies, within bounds, and says what its last words were", async () => {
      const command = await script("worker", `exec ${worker} "$@"`);
      await assert.rejects(start("crash", processEnvironment(command)).result, {
        name: "UserCodeError",
        message:
          /the work was lost in transform "crash": the SDK harness of environment "own" is gone: the command ".*worker" has ended with exit code 3: out of luck \(.*4 attempts\)$/,
      });
      assert.equal(new Set(workers()).size, 4);
      assert.ok(logged.includes("out of luck"));
    });

    it("is killed with a job that is cancelled", async () => {
      const command = await script("worker", `exec ${worker} "$@"`);
      const job = start("hang", processEnvironment(command));
      await new Promise<void>((resolve) => {
        job.metrics$.subscribe(({ elements }) => {
          if ([...elements.values()].some((count) => count > 0) && workers().length > 0) resolve();
        });
      });
      await job.cancel();
      assert.equal(isAlive(workers()[0]), false);
    });

    it("fails the job when the command ends at once, or is not there", async () => {
      const command = await script("ending", "echo no such module >&2; exit 7");
      await assert.rejects(
        start("work", processEnvironment(command)).result,
        /the command ".*ending" has ended with exit code 7: no such module/,
      );
      await assert.rejects(
        start("work", processEnvironment(join(folder, "none"))).result,
        /the command ".*none" cannot be started: .*ENOENT/,
      );
    });
  });

  context("when it is a container", () => {
    const fakeDocker = (engine: string): Promise<string> =>
      script(
        "docker",
        `echo "$@" >> "${folder}/docker.log"
case "$1" in
  version) ${engine} ;;
  run) while [ "$1" != "--" ]; do shift; done; shift 2; exec ${worker} "$@" ;;
esac`,
      );
    const calls = async (): Promise<string[]> => (await readFile(join(folder, "docker.log"), "utf8")).trim().split("\n");
    const check = (environment: beam.pipeline.IEnvironment): Promise<void> =>
      checkEnvironments(planPipeline(pipeline("work", environment).build(), { parallelism: 1 }).components.map(({ stage }) => stage));

    beforeEach(async () => {
      process.env["PATH"] = `${folder}${delimiter}${PATH}`;
      await rm(join(folder, "docker.log"), { force: true });
    });

    it("runs the image by the docker command, and removes the container", async () => {
      await fakeDocker("echo 28.0.0");
      await check(container("sdk:1"));
      await start("work", container("sdk:1")).result;
      const [version, run, ...rest] = await calls();
      assert.match(version, /^version/);
      assert.match(
        run,
        new RegExp(`^run --rm --network=host --name beamstorm-j-\\d+-1 -- sdk:1 --id=\\S+ --provision_endpoint=${server.url} `),
      );
      assert.match(rest.join("\n"), /^rm --force beamstorm-j-\d+-1$/);
    });

    it("is refused where no engine answers, with what to do instead", async () => {
      await fakeDocker("echo cannot connect to the engine >&2; exit 1");
      await assert.rejects(check(container("sdk:1")), {
        code: "environment_unsupported",
        message: /environment "own" is a container, .*\(cannot connect to the engine\); use --environment_type=LOOPBACK/,
      });
      process.env["PATH"] = "/nowhere";
      await assert.rejects(check(container("sdk:1")), /there is no command "docker"/);
    });
  });

  context("when there is a choice", () => {
    it("takes a service before a process", async () => {
      const pool = await FakeWorkerPool.open({ work: () => {} });
      await start("work", anyOf(container("sdk:1"), processEnvironment("/none"), pool.environment)).result;
      assert.equal(pool.harnesses.length, 1);
      await pool.close();
    });

    it("takes a process before a container", async () => {
      await assert.rejects(start("work", anyOf(container("sdk:1"), processEnvironment("/none"))).result, /"\/none" cannot be started/);
    });
  });

  it("refuses what it cannot start, and says what to use", () => {
    const refuses = (environment: beam.pipeline.IEnvironment, message: RegExp): void =>
      assert.throws(() => checkEnvironment("own", environment), { code: "environment_unsupported", message });
    refuses({ urn: "beam:env:default:v1" }, /"own" leaves it to the runner .*; use --environment_type=LOOPBACK/);
    refuses({ urn: "x:env:moon:v1" }, /"own" is of the kind x:env:moon:v1, .*; use/);
    refuses({}, /of the kind \(none\)/);
    refuses(anyOf(), /"own" is of the kind beam:env:anyof:v1, .*; use/);
    refuses(processEnvironment(""), /does not say what to start/);
    refuses({ urn: "beam:env:external:v1", payload: Buffer.from([0xff]) }, /payload of environment "own" cannot be read/);
  });
});
