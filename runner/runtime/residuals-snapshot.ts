import { ByteReader, type WindowedValueCoder } from "../../portability/coders/index.js";
import { ChangeLog, NO_GROUP, type RecordSink, type SnapshotPart, type StateRecord } from "../snapshot/index.js";
import { ResidualCodec } from "./residual-codec.js";
import type { Residuals, WaitingResidual } from "./residuals.js";

/**
 * The restrictions that a task has still to go on with, in snapshots: a record each. Any task may go on with any of them.
 *
 * - S1. Frozen for an epoch a second time, it writes what was {@link record}ed since, and nothing else: what other tasks had given it before their barriers.
 */
export class ResidualsSnapshot implements SnapshotPart {
  readonly name = "residuals";
  private readonly log: ChangeLog<WaitingResidual>;
  private readonly codec: ResidualCodec;
  private epoch = 0;
  /** S1 */
  private late: WaitingResidual[] = [];
  private lateSink: RecordSink | undefined;

  /** It is told of changes from now on. */
  constructor(
    private readonly residuals: Residuals,
    coder: WindowedValueCoder<unknown>,
  ) {
    this.codec = new ResidualCodec(coder);
    residuals.changes = this.log = new ChangeLog((residual, sink) => this.writeResidual(residual, sink));
  }

  /** S1 */
  record(residual: WaitingResidual): void {
    this.late.push(residual);
  }

  freeze(sink: RecordSink, epoch: number): void {
    if (epoch === this.epoch) {
      this.lateSink = sink;
      return;
    }
    this.epoch = epoch;
    this.log.freeze(sink);
  }

  write(pause: () => boolean): boolean {
    if (!this.log.write(pause)) return false;
    if (this.lateSink === undefined) return true;
    for (const residual of this.late.splice(0)) this.put(residual, this.lateSink);
    this.lateSink = undefined;
    return true;
  }

  restore(records: Iterable<StateRecord>): void {
    for (const { id, payloads } of records) {
      const residual = this.codec.decode(new ByteReader(payloads[payloads.length - 1]));
      this.residuals.restore({ id: Buffer.from(id).toString("latin1"), ...residual });
    }
  }

  settle(): void {
    this.log.settle();
  }

  private writeResidual(residual: WaitingResidual, sink: RecordSink): void {
    if (this.residuals.has(residual)) return this.put(residual, sink);
    sink.beginDelete(NO_GROUP).writeBytes(Buffer.from(residual.id, "latin1"));
    sink.end();
  }

  private put(residual: WaitingResidual, sink: RecordSink): void {
    const to = sink.beginPut(NO_GROUP);
    to.writeBytes(Buffer.from(residual.id, "latin1"));
    sink.beginPayload();
    this.codec.encode(residual, to);
    sink.end();
  }
}
