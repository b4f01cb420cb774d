import { ByteReader, ByteWriter } from "../../portability/coders/index.js";
import type { Timestamp } from "../../portability/values/index.js";
import { Dealing, type DealingTask, type PeerMessage } from "./dealing.js";
import { FrameType, frameBytes } from "./frame-decoder.js";
import { MAX_FRAME_BYTES, type Link } from "./link.js";
import type { Outbox } from "./outbox.js";
import type { ResidualCodec } from "./residual-codec.js";
import type { KeptResidual, Residuals, WaitingResidual } from "./residuals.js";
import type { ResidualsSnapshot } from "./residuals-snapshot.js";

/** What goes to another task: a residual without its id, as that is its task's. */
export type Given = Omit<KeptResidual, "id">;

/** The way to another task of the component. */
export type SendToPeer = (message: PeerMessage<Given>) => void;

/** The other tasks of a task's component: what they say is kept until the task has a turn, what it says goes to them. */
export class PeerTasks implements DealingTask<Given> {
  /** Told when something has come. */
  onArrival: () => void = () => {};
  /** Told when all of an epoch is here. */
  onCaughtUp: () => void = () => {};
  private readonly dealing: Dealing<Given>;
  private readonly ways: SendToPeer[] = [];
  private received: WaitingResidual | undefined;

  constructor(
    peers: number,
    epoch: number,
    private readonly outbox: Outbox,
    private readonly residuals: Residuals,
    /** Which what comes behind the task's barrier is a part of, too. */
    private readonly snapshot: ResidualsSnapshot | undefined,
  ) {
    this.dealing = new Dealing(peers, epoch);
  }

  /** Adds a way; in the order of the peers. */
  addWay(send: SendToPeer): void {
    this.ways.push(send);
  }

  receive(peer: number, message: PeerMessage<Given>): void {
    this.dealing.receive(peer, message);
    this.onArrival();
  }

  hear(): void {
    this.dealing.hear(this);
  }

  rest(isInputOver: boolean): void {
    this.dealing.rest(this, isInputOver && this.residuals.size === 0);
  }

  get isAsked(): boolean {
    return this.dealing.isAsked;
  }

  /** Whether somebody asks who can take it. */
  mayGive(residual: WaitingResidual): boolean {
    return this.dealing.mayGive(residual);
  }

  give(residual: WaitingResidual): void {
    this.residuals.taken(residual);
    this.dealing.give(this, residual);
  }

  hold(): Timestamp {
    return this.dealing.hold();
  }

  /** The task's watermark has moved: those that have nothing go with it. */
  passOn(): void {
    this.dealing.passOn(this);
  }

  /** How far the task may go when it has nothing. */
  pace(): Timestamp {
    return this.dealing.pace();
  }

  passBarrier(epoch: number): boolean {
    return this.dealing.passBarrier(this, epoch);
  }

  get isLagging(): boolean {
    return this.dealing.isLagging;
  }

  get hasEnded(): boolean {
    return this.dealing.hasEnded;
  }

  end(): void {
    this.dealing.end(this);
  }

  // The dealing's side.

  get watermark(): Timestamp {
    return this.outbox.isIdle ? Infinity : this.outbox.watermark;
  }

  send(peer: number, message: PeerMessage<Given>): void {
    this.ways[peer](message);
  }

  take(given: Given, isLate: boolean): void {
    const received = (this.received = this.residuals.receive(given));
    if (isLate) this.snapshot?.record(received);
  }

  giveBack(): Given {
    this.residuals.remove(this.received!);
    return this.received!;
  }

  caughtUp(): void {
    this.onCaughtUp();
  }
}

const TYPES = ["ask", "busy", "taken", "leave", "end", "give", "back", "barrier", "watermark"] as const;

/** What tasks of different workers say to each other, as frames of a link. */
export class PeerCodec {
  constructor(private readonly codec: ResidualCodec) {}

  send(link: Link, channel: number, message: PeerMessage<Given>): void {
    const to = new ByteWriter();
    to.writeByte(TYPES.indexOf(message.type));
    if (message.type === "ask") {
      to.writeDouble(message.watermark);
      to.writeByte(message.isOver ? 1 : 0);
    } else if (message.type === "watermark") to.writeDouble(message.watermark);
    else if (message.type === "barrier") to.writeDouble(message.epoch);
    else if ("residual" in message) this.codec.encode(message.residual, to);
    const payload = to.view();
    if (payload.byteLength >= MAX_FRAME_BYTES)
      throw new RangeError(`a restriction of ${payload.byteLength} bytes is too large to go to another worker`);
    link.sendData(frameBytes(FrameType.DATA, channel, payload));
  }

  /** @throws CoderError, RangeError for what no other worker of this job has sent */
  decode(payload: Uint8Array): PeerMessage<Given> {
    const from = new ByteReader(payload);
    const type = TYPES[from.readByte()];
    switch (type) {
      case "ask":
        return { type, watermark: from.readDouble(), isOver: from.readByte() === 1 };
      case "watermark":
        return { type, watermark: from.readDouble() };
      case "barrier":
        return { type, epoch: from.readDouble() };
      case "give":
      case "back":
        return { type, residual: this.codec.decode(from) };
      case undefined:
        throw new RangeError("a message that no task says to another");
      default:
        return { type };
    }
  }
}
