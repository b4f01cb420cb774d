// How the tasks of one component deal restrictions out to those of them that have nothing to do.
//
//   idle task                        busy task
//   ask   ──────────────────────────►              once; it is answered when there is something
//         ◄────────────────────────── give         a residual, its own or split off of what is under way
//   taken ──────────────────────────►              or back, if it would be late here
//   busy  ──────────────────────────►  others      what they were asked for is not needed any more
//   leave ──────────────────────────►              all others have nothing to do, nor will have
//         ◄────────────────────────── end          nothing comes any more
//         ◄────────────────────────── watermark    to one whose input is over: it may go so far, too
//
// It is a channel each way between any two tasks, with barriers like all others, but nobody waits for these: that would be a cycle. So a task
// is at its barrier without them, and what comes of the epoch behind it is recorded (Chandy and Lamport 1985).
import { MIN_TIMESTAMP, type Timestamp } from "../../portability/values/index.js";

/** What tasks of a component say to each other. `R` has the restriction. */
export type PeerMessage<R> =
  /** There is nothing to do. */
  | {
      readonly type: "ask";
      /** What is given must not be earlier. */
      readonly watermark: Timestamp;
      /** Whether nothing comes from anywhere else either. */
      readonly isOver: boolean;
    }
  | { readonly type: "busy" | "taken" | "leave" | "end" }
  | { readonly type: "give" | "back"; readonly residual: R }
  | { readonly type: "barrier"; readonly epoch: number }
  /** What is put out here is not earlier. */
  | { readonly type: "watermark"; readonly watermark: Timestamp };

/** What is dealt out. */
export interface Dealt {
  /** What is put out of it is not earlier. */
  readonly watermark: Timestamp;
}

/** The task whose dealing it is. */
export interface DealingTask<R extends Dealt> {
  /** The watermark that it has sent; Infinity if it has said that it is idle. */
  readonly watermark: Timestamp;
  send(peer: number, message: PeerMessage<R>): void;
  /** The restriction is the task's. `isLate`: it belongs to the epoch of the last barrier, whose snapshot is to have it as well. */
  take(residual: R, isLate: boolean): void;
  /** What has just been taken is to be given back: it is the task's no more, and returned as it is to be sent. */
  giveBack(residual: R): R;
  /** All that belongs to the epoch of the last barrier is here. */
  caughtUp(): void;
}

/** Another task, as this one sees it. */
interface Peer<R> {
  /** What has come and not been heard. */
  readonly queue: PeerMessage<R>[];
  /** Of the last barrier that was heard. */
  epoch: number;
  /** What it has been asked, as long as it has not answered. */
  asked: { readonly isOver: boolean } | undefined;
  /** What it asks. */
  asks: { readonly watermark: Timestamp; readonly isOver: boolean } | undefined;
  /** The watermark of what it was given and has not answered. */
  given: Timestamp | undefined;
  /** The watermark that it has told. */
  watermark: Timestamp;
  /** The one that it was told. */
  told: Timestamp;
  /** It waits for nothing any more but the ends of others. */
  isLeaving: boolean;
  hasEnded: boolean;
  /** This one has said so. */
  isTold: boolean;
}

/**
 * What one task has to do with the others of its component: a pure state machine, told of what happens.
 *
 * - D1. A restriction is one task's, or on its way, once: it is sent when it is removed, and taken when it comes, on channels in order. A cut by
 *   barriers has it with the sender, with the receiver, or, as late, in what the receiver adds to its snapshot.
 * - D2. Nothing is heard from behind a barrier before the task is at its own. It waits for nobody's: it *lags* until all have come, or have ended.
 * - D3. Whoever gives holds its watermark until that is answered. Whoever takes has not sent a later one: so nothing is late for its having moved.
 * - D4. Each ask is answered by one restriction at most; there is one ask, and one restriction without answer, between two tasks at a time.
 *   So nobody polls, and what waits is bounded.
 * - D5. A task ends when all others have said that they give nothing any more. It leaves when none, as far as it knows, has anything to give:
 *   if that was not so by the time, others do the work.
 * - D6. Whoever has nothing, and gets nothing but from others, goes with the least watermark of those who have something: what they give is not
 *   earlier (D3), and nobody waits for a task that has nothing.
 */
export class Dealing<R extends Dealt> {
  private readonly peers: Peer<R>[];
  private isLeaving = false;
  private lags = false;

  /** @param epoch where all tasks begin */
  constructor(
    peers: number,
    private epoch = 0,
  ) {
    this.peers = Array.from({ length: peers }, () => ({
      queue: [],
      epoch,
      asked: undefined,
      asks: undefined,
      given: undefined,
      watermark: MIN_TIMESTAMP,
      told: MIN_TIMESTAMP,
      isLeaving: false,
      hasEnded: false,
      isTold: false,
    }));
  }

  /** It is heard later. */
  receive(peer: number, message: PeerMessage<R>): void {
    this.peers[peer].queue.push(message);
  }

  /** Hears what has come (D2). */
  hear(task: DealingTask<R>): void {
    for (let i = 0; i < this.peers.length; i++) {
      const peer = this.peers[i];
      while (peer.queue.length > 0 && peer.epoch <= this.epoch) this.heard(task, i, peer.queue.shift()!);
    }
    this.lookIfCaughtUp(task);
  }

  /** The task has nothing to do. @param isOver whether nothing comes from anywhere else, and nothing waits */
  rest(task: DealingTask<R>, isOver: boolean): void {
    if (this.isLeaving) return; // D5: what crossed its leave was the last
    for (let i = 0; i < this.peers.length; i++) {
      const peer = this.peers[i];
      if (peer.isTold || peer.hasEnded || peer.asked?.isOver === isOver) continue;
      peer.asked = { isOver };
      task.send(i, { type: "ask", watermark: task.watermark, isOver });
    }
    if (!isOver || !this.peers.every(hasNothing)) return;
    this.isLeaving = true; // D5
    this.tell(task, { type: "leave" });
  }

  /** Whether somebody asks. */
  get isAsked(): boolean {
    return !this.isLeaving && this.peers.some(isAsking);
  }

  /** Whether somebody asks who could take it (D3). */
  mayGive({ watermark }: Dealt): boolean {
    return this.askerFor(watermark) >= 0;
  }

  /** The restriction is not the task's any more; {@link mayGive} was true. */
  give(task: DealingTask<R>, residual: R): void {
    const index = this.askerFor(residual.watermark);
    const peer = this.peers[index];
    peer.asks = undefined; // D4
    peer.given = residual.watermark;
    task.send(index, { type: "give", residual });
  }

  /** D3: what is on its way. */
  hold(): Timestamp {
    let least = Infinity;
    for (const { given = Infinity } of this.peers) least = Math.min(least, given);
    return least;
  }

  /** D6: the task's watermark has moved. */
  passOn(task: DealingTask<R>): void {
    const { watermark } = task;
    if (watermark === Infinity) return;
    for (let i = 0; i < this.peers.length; i++) {
      const peer = this.peers[i];
      if (peer.asks?.isOver !== true || peer.isTold || peer.hasEnded || peer.asked?.isOver === true || peer.told >= watermark) continue;
      peer.told = watermark;
      task.send(i, { type: "watermark", watermark });
    }
  }

  /** D6: how far a task may go that has nothing. */
  pace(): Timestamp {
    let least = Infinity;
    for (const { asks, isLeaving, hasEnded, watermark } of this.peers)
      if (asks?.isOver !== true && !isLeaving && !hasEnded) least = Math.min(least, watermark);
    return least;
  }

  /** The task is at the barrier of an epoch, and frozen; true if it lags (D2). */
  passBarrier(task: DealingTask<R>, epoch: number): boolean {
    this.epoch = epoch;
    this.tell(task, { type: "barrier", epoch });
    return (this.lags = this.peers.some((peer) => this.isMissing(peer)));
  }

  /** Whether more of the epoch may come of which the task has passed the barrier. */
  get isLagging(): boolean {
    return this.lags;
  }

  /** Whether nothing comes any more, and all that was given has been answered. */
  get hasEnded(): boolean {
    return this.peers.every(({ hasEnded, given }) => hasEnded && given === undefined);
  }

  /** The task ends. */
  end(task: DealingTask<R>): void {
    this.tell(task, { type: "end" });
    for (const peer of this.peers) peer.isTold = true;
  }

  private heard(task: DealingTask<R>, index: number, message: PeerMessage<R>): void {
    const peer = this.peers[index];
    switch (message.type) {
      case "ask":
        peer.asks = message;
        return this.passOn(task);
      case "busy":
        peer.asks = undefined;
        return;
      case "give":
        return this.take(task, index, message.residual);
      case "taken":
        peer.asks = peer.given = undefined; // an ask that has crossed it is of before
        return;
      case "back":
        peer.asks = peer.given = undefined;
        return task.take(message.residual, peer.epoch < this.epoch);
      case "barrier":
        peer.epoch = message.epoch;
        return;
      case "watermark":
        peer.watermark = message.watermark;
        return;
      case "leave":
        peer.isLeaving = true;
        peer.asks = undefined;
        peer.isTold = true;
        return task.send(index, { type: "end" });
      case "end":
        peer.hasEnded = true;
        peer.asks = undefined;
        return;
    }
  }

  private take(task: DealingTask<R>, index: number, residual: R): void {
    const peer = this.peers[index];
    peer.asked = undefined;
    task.take(residual, peer.epoch < this.epoch); // D1
    if (residual.watermark < task.watermark) return task.send(index, { type: "back", residual: task.giveBack(residual) }); // D3
    task.send(index, { type: "taken" });
    for (const [i, each] of this.peers.entries()) {
      if (each.asked === undefined) continue;
      each.asked = undefined;
      if (!each.isTold) task.send(i, { type: "busy" });
    }
  }

  private askerFor(watermark: Timestamp): number {
    if (this.isLeaving) return -1; // D5
    return this.peers.findIndex((peer) => isAsking(peer) && peer.asks!.watermark <= watermark);
  }

  private tell(task: DealingTask<R>, message: PeerMessage<R>): void {
    for (let i = 0; i < this.peers.length; i++) if (!this.peers[i].isTold) task.send(i, message);
  }

  private isMissing({ epoch, hasEnded }: Peer<R>): boolean {
    return epoch < this.epoch && !hasEnded;
  }

  private lookIfCaughtUp(task: DealingTask<R>): void {
    if (!this.lags || this.peers.some((peer) => this.isMissing(peer))) return;
    this.lags = false;
    task.caughtUp();
  }
}

/** Whether it waits for an answer. One that has been given something may have asked once more before it knew of it: that is no ask (D4). */
function isAsking({ asks, given, isTold, hasEnded }: Peer<unknown>): boolean {
  return asks !== undefined && given === undefined && !isTold && !hasEnded;
}

function hasNothing({ asks, isLeaving, hasEnded, given }: Peer<unknown>): boolean {
  return given === undefined && (asks?.isOver === true || isLeaving || hasEnded);
}
