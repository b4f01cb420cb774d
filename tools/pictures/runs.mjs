// What the pictures share: time, a source by a script, and a probe that sees watermarks.
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
/** Options of runs: a clock that leaps. */
export const VIRTUAL = { virtualTime: true };
/** Seconds behind twelve o'clock, as people write it. */
export const clock = (s) => new Date(Date.UTC(2026, 0, 1, 12) + s * SECOND).toISOString().slice(11, s % 60 === 0 ? 16 : 19);

/** A source by a script of `[seconds of processing time, element]`, under a watermark policy; and the clock of its run, in seconds. */
export function scripted({ unboundedSource }, events, watermark) {
  const time = { now: () => 0 };
  const end = (events.at(-1)[0] + 5) * SECOND;
  const source = unboundedSource({
    watermark,
    open({ now }) {
      time.now = () => now() / SECOND;
      let next = 0;
      return {
        read(emit) {
          if (next < events.length && events[next][0] * SECOND <= now()) emit(events[next++][1]);
          if (next < events.length) return events[next][0] * SECOND;
          return now() < end ? end : "end"; // a source that has ended says that nothing more comes
        },
      };
    },
  });
  return { time, source };
}

/** Passes elements on, and calls back with each second of event time, up to `to`, that the watermark passes: by timers. */
export function probe({ composite, withKeys, statefulParDo, eventTimers }, name, to, passed) {
  return composite(name, (input) =>
    input.apply(withKeys(() => "all")).apply(
      statefulParDo({
        timers: { at: eventTimers() },
        setup: () => ({ isSet: false }),
        process({ value }, { timers, local, emit }) {
          if (!local.isSet) for (let s = 0; s <= to; s++) timers.at.set(String(s), s * SECOND, { outputTimestamp: "none" });
          local.isSet = true;
          emit(value);
        },
        onTimer: { at: ({ fireAt }) => void passed(fireAt / SECOND) },
      }),
    ),
  );
}
