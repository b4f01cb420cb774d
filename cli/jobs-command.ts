// `beamstorm jobs`: the jobs of a job server, whatever language their pipelines are written in, over Beam's job service.
import { Command, Option } from "commander";
import { metricFromMonitoringInfo, readMonitoringInfo } from "../portability/metrics/index.js";
import { beam, fromInt64 } from "../portability/protos/index.js";
import { JOB_ID_METADATA } from "../portability/services/index.js";
import { PipelineError } from "../portability/stage-host/index.js";
import { ByteReader } from "../portability/coders/index.js";
import { METRIC, METRIC_LABEL } from "../portability/urns/index.js";
import { planPipeline, printTopology, type TopologyFormat } from "../runner/index.js";
import { UserMetrics } from "../sdk/index.js";
import { ExitCode } from "./exit-codes.js";
import { exitCodeOf, isFinal, JobClient, nameOfState } from "./job-client.js";
import { metricsTable, workerMetricsTable } from "./metrics-table.js";
import { oneLine } from "./one-line.js";
import { SampleReader } from "./sampled-elements.js";
import { topologyPage } from "./topology-page.js";

interface Settings {
  readonly to: string;
  readonly json?: boolean;
  readonly wait?: boolean;
  readonly format?: TopologyFormat | "html";
}

type Action = (client: JobClient, jobId: string, settings: Settings, more?: string) => Promise<number>;

/** `beamstorm jobs list|status|cancel|drain|metrics|sample|logs|graph --to HOST:PORT [JOB]` */
export async function jobsCommand(argv: readonly string[]): Promise<number> {
  let code: number = ExitCode.DONE;
  const command = new Command("jobs").description("see and end the jobs of a job server, whatever language their pipelines are in");
  const add = (name: string, description: string, action: Action, options: readonly Option[] = []): void => {
    const sub = command.command(name).description(description);
    if (name !== "list") sub.argument("<JOB>", "its id");
    if (name === "sample") sub.argument("[PCOLLECTION]", "its id, or the name that it has in the pipeline; default: all");
    sub.requiredOption("--to <host:port>", "where the job server listens");
    for (const option of options) sub.addOption(option);
    sub.action(async (...args: unknown[]) => {
      const settings = sub.opts<Settings & { to: string }>();
      const client = new JobClient(settings.to);
      try {
        code = await action(
          client,
          name === "list" ? "" : (args[0] as string),
          settings,
          name === "sample" ? (args[1] as string | undefined) : undefined,
        );
      } finally {
        client.close();
      }
    });
  };
  const json = new Option("--json", "print JSON, for programs");
  add("list", "print the jobs that the server knows, those that are over among them", list, [json]);
  add("status", "print the state of a job", status, [json, new Option("--wait", "until it is over; the exit code says how it has ended")]);
  add("cancel", "end a job and its workers at once", cancel);
  add("drain", "have a job end with complete output: its sources are read no more, what was read is processed, windows close", drain);
  add("metrics", "print what a job has counted", metrics, [json]);
  add(
    "sample",
    "print elements that workers of a running job have kept as samples since this was asked last: it has to run with --experiments=enable_data_sampling",
    sample,
    [json],
  );
  add("logs", "print what a job and its workers have to say, until it is over", logs, [json]);
  const format = new Option("--format <format>", "form of the output").choices(["text", "mermaid", "dot", "html"]).default("text");
  add("graph", "print the topology that a job's pipeline has here", graph, [format]);
  for (const each of [command, ...command.commands])
    each
      .exitOverride()
      .allowExcessArguments(false)
      .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}; see beamstorm jobs --help\n`) });
  await command.parseAsync([...argv], { from: "user" });
  return code;
}

async function list(client: JobClient, _jobId: string, { json }: Settings): Promise<number> {
  const { jobInfo } = await client.ask((jobs, context) => jobs.getJobs({}, context));
  const jobs = (jobInfo ?? []).map(({ jobId, jobName, state }) => ({ id: jobId ?? "", name: jobName ?? "", state: nameOfState(state) }));
  if (json === true) print(JSON.stringify(jobs));
  else printColumns([["JOB", "NAME", "STATE"], ...jobs.map(({ id, name, state }) => [id, name, state])]);
  return ExitCode.DONE;
}

async function status(client: JobClient, jobId: string, { json, wait }: Settings): Promise<number> {
  let last = await client.ask((jobs, context) => jobs.getState({ jobId }, context));
  if (wait === true) last = await follow(client, jobId, last);
  const { state, timestamp } = last;
  const since = timestamp ? new Date(Number(fromInt64(timestamp.seconds)) * 1000 + (timestamp.nanos ?? 0) / 1e6).toISOString() : undefined;
  if (json === true) print(JSON.stringify({ id: jobId, state: nameOfState(state), since }));
  else print(`${nameOfState(state)}${since === undefined ? "" : ` since ${since}`}`);
  return wait === true ? exitCodeOf(state) : ExitCode.DONE;
}

async function cancel(client: JobClient, jobId: string): Promise<number> {
  const { state } = await client.ask((jobs, context) => jobs.cancel({ jobId }, context));
  const last = await follow(client, jobId, { state });
  print(nameOfState(last.state));
  return isFinal(last.state) ? ExitCode.DONE : ExitCode.FAILED;
}

async function drain(client: JobClient, jobId: string): Promise<number> {
  const { state } = await client.ask((jobs, context) => jobs.drain({ jobId }, context));
  process.stderr.write(`${nameOfState(state)}\n`);
  const last = await follow(client, jobId, { state });
  print(nameOfState(last.state));
  return exitCodeOf(last.state);
}

/** Waits for the end of a job; its last state. */
async function follow(client: JobClient, jobId: string, now: beam.job.IJobStateEvent): Promise<beam.job.IJobStateEvent> {
  let last = now;
  if (isFinal(last.state)) return last;
  for await (const event of client.read((jobs, context) => jobs.getStateStream({ jobId }, context))) last = event;
  return last;
}

async function metrics(client: JobClient, jobId: string, { json }: Settings): Promise<number> {
  const { metrics: results } = await client.ask((jobs, context) => jobs.getJobMetrics({ jobId }, context));
  const user = new UserMetrics(userMetrics(results?.attempted), userMetrics(results?.committed));
  const attempted = elementCounts(results?.attempted);
  const elements = results?.committed?.length ? elementCounts(results.committed) : attempted;
  const ofWorkers = (results?.attempted ?? []).filter(
    ({ labels }) => !labels?.[METRIC_LABEL.TRANSFORM] && !labels?.[METRIC_LABEL.PCOLLECTION],
  );
  if (json === true) {
    const workers = ofWorkers.map((info) => ({ urn: info.urn, labels: info.labels, value: readMonitoringInfo(info)?.value }));
    const [done, tried] = [elements, attempted].map((counts) => Object.fromEntries(counts));
    print(JSON.stringify({ elements: done, attemptedElements: tried, metrics: [...user], workers }));
    return ExitCode.DONE;
  }
  const ids = [...new Set([...elements.keys(), ...attempted.keys()])];
  if (ids.length > 0) printColumns([["PCOLLECTION", "ELEMENTS"], ...ids.map((id) => [id, countOf(elements.get(id), attempted.get(id))])]);
  process.stdout.write(metricsTable(user) + workerMetricsTable(ofWorkers));
  return ExitCode.DONE;
}

function userMetrics(infos: readonly beam.pipeline.IMonitoringInfo[] | null | undefined) {
  return (infos ?? []).flatMap((info) => readable(() => metricFromMonitoringInfo(info)) ?? []);
}

function elementCounts(infos: readonly beam.pipeline.IMonitoringInfo[] | null | undefined): ReadonlyMap<string, number> {
  const counts = (infos ?? []).flatMap(({ urn, labels, payload }) => {
    const id = labels?.[METRIC_LABEL.PCOLLECTION];
    if (urn !== METRIC.ELEMENT_COUNT || id === undefined) return [];
    const count = readable(() => Number(new ByteReader(payload ?? new Uint8Array(0)).readVarintBig()));
    return count === undefined ? [] : [[id, count] as const];
  });
  return new Map(counts);
}

/** Of finished bundles, and of those under way where that is more. */
function countOf(committed = 0, attempted = committed): string {
  const done = committed.toLocaleString("en-US");
  return attempted === committed ? done : `${done} (attempted: ${attempted.toLocaleString("en-US")})`;
}

/** A server of somebody else's may have metrics that cannot be read here. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function sample(client: JobClient, jobId: string, { json }: Settings, named?: string): Promise<number> {
  const { pipeline } = await client.ask((jobs, context) => jobs.getPipeline({ jobId }, context));
  const pcollections = Object.entries(pipeline?.components?.pcollections ?? {});
  const ids = pcollections.filter(([id, { uniqueName }]) => id === named || uniqueName === named).map(([id]) => id);
  if (named !== undefined && ids.length === 0)
    throw new PipelineError(
      "job_service",
      `the pipeline of job "${jobId}" has no PCollection "${named}"; beamstorm jobs metrics lists them`,
    );
  const { elementSamples } = await client.ask((jobs, context) => jobs.sampleData({ pcollectionIds: ids }, context), {
    [JOB_ID_METADATA]: jobId,
  });
  const reader = new SampleReader(planPipeline(pipeline ?? {}, { parallelism: 1 }));
  const samples = Object.entries(elementSamples ?? {}).flatMap(([id, { elements }]) =>
    (elements ?? []).map((each) => reader.read(id, each)),
  );
  if (json === true) for (const each of samples) print(JSON.stringify(each));
  else if (samples.length === 0) process.stderr.write("no samples yet\n");
  else
    for (const { pcollection, time, hex, value, error } of samples) {
      print([pcollection, ...(time === undefined ? [] : [time]), hex, ...(value === undefined ? [] : [value])].join("  "));
      if (error !== undefined) print(error.trimEnd().replaceAll(/^/gm, "    "));
    }
  return ExitCode.DONE;
}

async function logs(client: JobClient, jobId: string, { json }: Settings): Promise<number> {
  await client.ask((jobs, context) => jobs.getState({ jobId }, context)); // whether there is such a job
  for await (const { messageResponse, stateResponse } of client.read((jobs, context) => jobs.getMessageStream({ jobId }, context))) {
    if (json === true) {
      const level = nameOfImportance(messageResponse?.importance);
      const state = stateResponse ? nameOfState(stateResponse.state) : undefined;
      print(JSON.stringify(messageResponse ? { time: messageResponse.time, level, text: messageResponse.messageText } : { state }));
    } else if (messageResponse) {
      const { time, importance, messageText } = messageResponse;
      print(`${time ? `${time} ` : ""}${nameOfImportance(importance).padEnd(7)} ${messageText ?? ""}`);
    } else if (stateResponse) print(`${" ".repeat(24)} ${"state".padEnd(7)} ${nameOfState(stateResponse.state)}`);
  }
  return ExitCode.DONE;
}

function nameOfImportance(importance: beam.job.JobMessage.MessageImportance | null | undefined): string {
  const name = beam.job.JobMessage.MessageImportance[importance ?? 0] ?? "";
  return name.replace("JOB_MESSAGE_", "").replace("BASIC", "info").replace("DETAILED", "debug").toLowerCase();
}

async function graph(client: JobClient, jobId: string, { format = "text" }: Settings): Promise<number> {
  const { pipeline } = await client.ask((jobs, context) => jobs.getPipeline({ jobId }, context));
  const topology = planPipeline(pipeline ?? {}, { parallelism: 1, joinsState: true });
  process.stdout.write(format === "html" ? await topologyPage(topology, jobId) : printTopology(topology, format));
  return ExitCode.DONE;
}

function printColumns(rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}

/** A line, or several, without what could do something to a terminal. */
function print(text: string): void {
  // eslint-disable-next-line no-control-regex
  process.stdout.write(`${text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, "�")}\n`);
}
