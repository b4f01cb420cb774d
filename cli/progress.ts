// What a person sees of a run: one line that changes on a terminal, structured log lines elsewhere.
import { formatTimestamp, type Run, type RunMetrics } from "../sdk/index.js";

/** Shortest time between two progress log lines. */
const LOG_EVERY_MS = 5000;

export async function reportProgress(run: Run): Promise<{ stop(): void }> {
  return process.stderr.isTTY ? onTerminal(run) : await asLog(run);
}

function onTerminal(run: Run): { stop(): void } {
  const metrics = run.metrics$.subscribe((now) => process.stderr.write(`\r\u001b[K${line(now)}`));
  const messages = run.messages$.subscribe(({ level, text }) => {
    if (level === "warn" || level === "error") process.stderr.write(`\r\u001b[K${level}: ${text}\n`);
  });
  return {
    stop() {
      metrics.unsubscribe();
      messages.unsubscribe();
      process.stderr.write("\r\u001b[K");
    },
  };
}

async function asLog(run: Run): Promise<{ stop(): void }> {
  const { pino } = await import("pino");
  const log = pino({ name: "beamstorm", base: undefined }, pino.destination({ fd: 2, sync: true }));
  let last = Date.now();
  const metrics = run.metrics$.subscribe((now) => {
    if (Date.now() - last < LOG_EVERY_MS) return;
    last = Date.now();
    log.info({ elements: elementsOf(now), watermark: formatTimestamp(watermarkOf(now)), elapsedMs: now.elapsedMs }, "progress");
  });
  const messages = run.messages$.subscribe(({ level, text }) => log[level](text));
  const states = run.state$.subscribe((state) => log.info({ state }, "state"));
  return {
    stop() {
      metrics.unsubscribe();
      messages.unsubscribe();
      states.unsubscribe();
    },
  };
}

/** The last line of a run that is done. */
export function summary(metrics: RunMetrics): string {
  return `done: ${line(metrics)}`;
}

function line(metrics: RunMetrics): string {
  const elements = elementsOf(metrics);
  const seconds = metrics.elapsedMs / 1000;
  const rate = seconds > 0 ? Math.round(elements / seconds) : 0;
  return `${grouped(elements)} elements, ${grouped(rate)}/s, watermark ${formatTimestamp(watermarkOf(metrics))}, ${seconds.toFixed(1)} s`;
}

/** Elements that transforms have put out, all together. */
function elementsOf(metrics: RunMetrics): number {
  let sum = 0;
  for (const n of metrics.elements.values()) sum += n;
  return sum;
}

function watermarkOf(metrics: RunMetrics): number {
  return Math.min(Infinity, ...metrics.components.map(({ watermark }) => watermark));
}

const grouped = (n: number): string => n.toLocaleString("en-US");
