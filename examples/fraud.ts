// Watches card payments by rules that need memory: state per card, and timers that make it forget. Suspicious payments are printed as
// they come; at the end of each day there is a line for each card in a file.
//
//   npx beamstorm run examples/fraud.ts
import {
  combining,
  countFn,
  days,
  eventTimer,
  fixed,
  hours,
  jsonLines,
  map,
  mapOf,
  minutes,
  option,
  orderedList,
  output,
  pipeline,
  schema,
  set,
  statefulParDo,
  sumFn,
  windowInto,
  withKeys,
} from "beamstorm";
import { replay } from "./replay.js";

interface Payment {
  readonly at: string;
  readonly card: string;
  readonly country: string;
  readonly amount: number;
}

const rules = statefulParDo("rules", {
  outputs: {
    alerts: output<string>(),
    cards: output<{ day: string; card: string; payments: number; spent: number }>(),
  },
  state: {
    payments: combining(countFn),
    spent: combining(sumFn),
    recent: orderedList(schema.double),
    lastIn: mapOf(schema.string, schema.double),
    told: set(schema.string),
  },
  timers: { tellAgain: eventTimer() },

  process({ key: card, value: { at, country, amount } }: { key: string; value: Payment }, { state, timers, timestamp, window, emit }) {
    const alert = (rule: string): void => {
      if (!state.told.add(rule)) return;
      emit.alerts(`${at} card ${card}: ${rule}`);
      timers.tellAgain.set(Math.min(timestamp + hours(1), window.maxTimestamp)); // there is no state behind the window to forget
    };
    state.payments.add(amount);
    state.spent.add(amount);

    // What a rule depends on is compared by the timestamps: a timer fires only when the watermark has come there, behind this payment.
    state.recent.add(timestamp, amount);
    state.recent.clear(-Infinity, timestamp - minutes(10));
    if (state.recent.read().length > 3) alert("more than three payments within ten minutes");

    state.lastIn.set(country, timestamp);
    const countries = [...state.lastIn.entries()].filter(([, last]) => timestamp - last <= hours(1));
    if (countries.length > 1) alert("in two countries within an hour");
  },

  // A card that goes on like that is told of once an hour.
  onTimer: { tellAgain: (_timer, { state }) => state.told.clear() },

  onWindowExpiration({ key: card }, { state, window, emit }) {
    const day = new Date(window.maxTimestamp).toISOString().slice(0, 10);
    emit.cards({ day, card, payments: state.payments.read(), spent: state.spent.read() });
  },
});

export default pipeline({
  options: {
    input: option.string({ default: "examples/data/payments.jsonl", help: "payments, as JSON lines in the order in which they come in" }),
    output: option.string({ default: "out/fraud/cards.jsonl", help: "file to write the days of all cards to" }),
  },
  build(p, { input, output: file }) {
    const { alerts, cards } = p
      .apply(replay<Payment>(input, { timestampOf: ({ at }) => Date.parse(at) }))
      .apply(windowInto(fixed(days(1))))
      .apply(withKeys(({ card }) => card))
      .apply(rules);
    alerts.apply(map("print", (alert) => console.log(alert)));
    cards.apply(jsonLines.write(file));
  },
});
