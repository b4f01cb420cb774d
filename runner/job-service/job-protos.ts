// What the job service says, in Beam's messages.
import { ByteWriter } from "../../portability/coders/index.js";
import { metricToMonitoringInfo } from "../../portability/metrics/index.js";
import { beam, toInt64, type google } from "../../portability/protos/index.js";
import { METRIC, METRIC_LABEL, METRIC_TYPE } from "../../portability/urns/index.js";
import type { JobMessage, JobMetrics, JobState } from "../job/index.js";

const Importance = beam.job.JobMessage.MessageImportance;

export const STATES: Readonly<Record<JobState, beam.job.JobState.Enum>> = {
  STOPPED: beam.job.JobState.Enum.STOPPED,
  STARTING: beam.job.JobState.Enum.STARTING,
  RUNNING: beam.job.JobState.Enum.RUNNING,
  DONE: beam.job.JobState.Enum.DONE,
  FAILED: beam.job.JobState.Enum.FAILED,
  CANCELLING: beam.job.JobState.Enum.CANCELLING,
  CANCELLED: beam.job.JobState.Enum.CANCELLED,
  DRAINING: beam.job.JobState.Enum.DRAINING,
  DRAINED: beam.job.JobState.Enum.DRAINED,
};

const IMPORTANCE: Readonly<Record<JobMessage["level"], beam.job.JobMessage.MessageImportance>> = {
  debug: Importance.JOB_MESSAGE_DEBUG,
  info: Importance.JOB_MESSAGE_BASIC,
  warn: Importance.JOB_MESSAGE_WARNING,
  error: Importance.JOB_MESSAGE_ERROR,
};

export function timestampProto(ms: number): google.protobuf.ITimestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds: toInt64(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

export function stateEvent(state: JobState): beam.job.IJobStateEvent {
  return { state: STATES[state], timestamp: timestampProto(Date.now()) };
}

export function messageProto(messageId: string, { level, text, time }: JobMessage): beam.job.IJobMessage {
  return { messageId, time: new Date(time).toISOString(), importance: IMPORTANCE[level], messageText: text };
}

/**
 * Element counts of PCollections, those of the runner's own making included, and user metrics; and what workers have counted besides, which is of no
 * bundle.
 */
export function metricsProto(
  { elements, committedElements, user, committed }: JobMetrics,
  ofWorkers: readonly beam.pipeline.IMonitoringInfo[],
): beam.job.IMetricResults {
  const done = new Map([...elements.keys()].map((id) => [id, committedElements.get(id) ?? 0]));
  return {
    attempted: [...countsProto(elements), ...user.map(metricToMonitoringInfo), ...ofWorkers],
    committed: [...countsProto(done), ...committed.map(metricToMonitoringInfo)],
  };
}

function countsProto(elements: ReadonlyMap<string, number>): beam.pipeline.IMonitoringInfo[] {
  return [...elements].map(([pcollection, count]): beam.pipeline.IMonitoringInfo => {
    const writer = new ByteWriter(16);
    writer.writeVarint(count);
    return {
      urn: METRIC.ELEMENT_COUNT,
      type: METRIC_TYPE.SUM_INT64_TYPE,
      labels: { [METRIC_LABEL.PCOLLECTION]: pcollection },
      payload: writer.toBytes(),
    };
  });
}

/** None is an error: that is what a job has failed by, and clients throw the first that they find. */
const LEVELS: readonly [least: number, level: JobMessage["level"]][] = [
  [beam.fn.LogEntry.Severity.Enum.WARN, "warn"],
  [beam.fn.LogEntry.Severity.Enum.INFO, "info"],
];

/** What a harness logs, as a message of its job: with the transform that it comes from, by the name that its author knows. */
export function logMessage(entry: beam.fn.ILogEntry, transforms: Readonly<Record<string, beam.pipeline.IPTransform>>): JobMessage {
  const { severity, message, trace, transformId } = entry;
  const level = LEVELS.find(([least]) => (severity ?? 0) >= least)?.[1] ?? "debug";
  const name = transformId ? (Object.hasOwn(transforms, transformId) && transforms[transformId].uniqueName) || transformId : "";
  const text = trace ? `${message}\n${trace}` : (message ?? "");
  return { level, text: name === "" ? text : `${name}: ${text}`, time: Date.now() };
}
