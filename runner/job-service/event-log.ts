import { MessageQueue } from "../../portability/services/index.js";

/** Greatest number of events that are kept for those who ask later; older ones are forgotten. */
const KEPT = 5000;

/** Events in order, for any number of readers: each gets what is kept and then what comes, until the end. */
export class EventLog<T> {
  private readonly kept: T[] = [];
  private readonly readers = new Set<MessageQueue<T>>();
  private ended = false;

  get last(): T | undefined {
    return this.kept.at(-1);
  }

  push(event: T): void {
    if (this.ended) return;
    if (this.kept.push(event) > KEPT) this.kept.shift();
    for (const reader of this.readers) reader.push(event);
  }

  end(): void {
    this.ended = true;
    for (const reader of this.readers) reader.end();
    this.readers.clear();
  }

  /** @param from which of the kept events to begin with; -1 is the last one */
  read(from = 0): AsyncIterable<T> {
    const queue: MessageQueue<T> = new MessageQueue<T>(undefined, () => this.readers.delete(queue));
    for (const event of this.kept.slice(from)) queue.push(event);
    if (this.ended) queue.end();
    else this.readers.add(queue);
    return queue;
  }
}
