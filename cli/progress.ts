// What a person sees of a run: one line that changes on a terminal, structured log lines elsewhere.
import { formatTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Run, type RunMetrics } from "../sdk/index.js";

/** Shortest time between two progress log lines. */
const LOG_EVERY_MS = 5000;
/** Data that is older than this is history: how far it lies behind today says nothing of the run. */
const MAX_SHOWN_LAG_MS = 24 * 3_600_000;
const LINE_START = "\r\u001b[K";

/** Where progress is shown: what is needed of `process.stderr`. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What is being shown of a run. */
export interface Progress {
  /** A line of the command's own. */
  say(text: string): void;
  stop(): void;
}

export async function reportProgress(run: Run, output: ProgressOutput): Promise<Progress> {
  return output.isTTY === true ? onTerminal(run, output) : await asLog(run, output);
}

function onTerminal(run: Run, output: ProgressOutput): Progress {
  const metrics = run.metrics$.subscribe((now) => output.write(LINE_START + line(now).slice(0, (output.columns ?? 80) - 1)));
  const messages = run.messages$.subscribe(({ level, text }) => {
    if (level === "warn") output.write(`${LINE_START}${level}: ${text}\n`); // an error is what the run ends with
  });
  return {
    say: (text) => void output.write(`${LINE_START}${text}\n`),
    stop() {
      metrics.unsubscribe();
      messages.unsubscribe();
      output.write(LINE_START);
    },
  };
}

async function asLog(run: Run, output: ProgressOutput): Promise<Progress> {
  const { pino } = await import("pino");
  const log = pino({ name: "beamstorm", base: undefined }, output);
  let last = Date.now();
  const metrics = run.metrics$.subscribe((now) => {
    if (Date.now() - last < LOG_EVERY_MS) return;
    last = Date.now();
    log.info(
      {
        elements: elementsOf(now),
        watermark: formatTimestamp(watermarkOf(now)),
        watermarkLagMs: lagOf(now),
        backlogBytes: now.components.reduce((sum, { backlogBytes }) => sum + backlogBytes, 0),
        elapsedMs: Math.round(now.elapsedMs),
      },
      "progress",
    );
  });
  const messages = run.messages$.subscribe(({ level, text }) => log[level](text));
  const states = run.state$.subscribe((state) => log.info({ state }, "state"));
  return {
    say: (text) => log.info(text),
    stop() {
      metrics.unsubscribe();
      messages.unsubscribe();
      states.unsubscribe();
    },
  };
}

/** The last line of a run that is done, or drained. */
export function summary(how: "done" | "drained", metrics: RunMetrics): string {
  return `${how}: ${line(metrics)}`;
}

function line(metrics: RunMetrics): string {
  const elements = elementsOf(metrics);
  const seconds = metrics.elapsedMs / 1000;
  const rate = seconds > 0 ? Math.round(elements / seconds) : 0;
  const watermark = watermarkOf(metrics);
  const isMoving = watermark > MIN_TIMESTAMP && watermark < MAX_TIMESTAMP;
  const parts = [`${grouped(elements)} elements`, `${grouped(rate)}/s`, `${seconds.toFixed(1)} s`];
  const lag = lagOf(metrics);
  if (isMoving) parts.push(`watermark ${formatTimestamp(watermark)}`);
  if (isMoving && lag !== undefined && lag < MAX_SHOWN_LAG_MS) parts.push(`${(lag / 1000).toFixed(1)} s behind`);
  const retries = metrics.components.reduce((sum, component) => sum + component.retries, 0);
  if (retries > 0) parts.push(`${grouped(retries)} bundles tried again`);
  return parts.join(", ");
}

/** Elements that transforms have put out, all together. */
function elementsOf(metrics: RunMetrics): number {
  let sum = 0;
  for (const n of metrics.elements.values()) sum += n;
  return sum;
}

function lagOf({ components }: RunMetrics): number | undefined {
  const lags = components.flatMap(({ watermarkLagMs }) => (watermarkLagMs === undefined ? [] : [watermarkLagMs]));
  return lags.length === 0 ? undefined : Math.max(...lags);
}

function watermarkOf(metrics: RunMetrics): number {
  return Math.min(MAX_TIMESTAMP, ...metrics.components.map(({ watermark }) => watermark));
}

const grouped = (n: number): string => n.toLocaleString("en-US");
