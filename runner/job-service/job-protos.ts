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

export function messageProto(id: number, { level, text, time }: JobMessage): beam.job.IJobMessage {
  return { messageId: String(id), time: new Date(time).toISOString(), importance: IMPORTANCE[level], messageText: text };
}

/** Element counts of PCollections, those of the runner's own making included, and user metrics. */
export function metricsProto({ elements, user, committed }: JobMetrics): beam.job.IMetricResults {
  const counts = [...elements].map(([pcollection, count]): beam.pipeline.IMonitoringInfo => {
    const writer = new ByteWriter(16);
    writer.writeVarint(count);
    return {
      urn: METRIC.ELEMENT_COUNT,
      type: METRIC_TYPE.SUM_INT64_TYPE,
      labels: { [METRIC_LABEL.PCOLLECTION]: pcollection },
      payload: writer.toBytes(),
    };
  });
  return {
    attempted: [...counts, ...user.map(metricToMonitoringInfo)],
    committed: [...counts, ...committed.map(metricToMonitoringInfo)],
  };
}

const LEVELS: readonly [least: number, level: JobMessage["level"]][] = [
  [beam.fn.LogEntry.Severity.Enum.ERROR, "error"],
  [beam.fn.LogEntry.Severity.Enum.WARN, "warn"],
  [beam.fn.LogEntry.Severity.Enum.INFO, "info"],
];

/** What a harness logs, as a message of its job. */
export function logMessage({ severity, message, trace }: beam.fn.ILogEntry): JobMessage {
  const level = LEVELS.find(([least]) => (severity ?? 0) >= least)?.[1] ?? "debug";
  return { level, text: trace ? `${message}\n${trace}` : (message ?? ""), time: Date.now() };
}
