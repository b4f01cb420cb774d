import type { Clock } from "./clock.js";

/** Wakes a task at a processing time; one at most is set. */
export class Alarm {
  private at = Infinity;
  private disarm: () => void = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  get isSet(): boolean {
    return this.at < Infinity;
  }

  /** Takes the place of what was set before; Infinity sets none. */
  set(at: number): void {
    if (at === this.at) return;
    this.disarm();
    this.at = at;
    this.disarm =
      at === Infinity
        ? () => {}
        : this.clock.callAt(at, () => {
            this.at = Infinity;
            this.ring();
          });
  }
}
