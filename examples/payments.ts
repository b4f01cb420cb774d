// Orders of a shop and payments for them, each a stream of its own: a payment that is told twice counts once, an order is matched with the payments
// of the ten minutes behind it, and what is matched goes to a file in batches for each customer. A payment that comes later is in none.
//
//   npx beamstorm run examples/payments.ts
import {
  deduplicate,
  groupIntoBatches,
  hours,
  intervalJoin,
  jsonLines,
  kv,
  map,
  minutes,
  option,
  pipeline,
  seconds,
  withKeys,
} from "beamstorm";
import { replay } from "./replay.js";

interface Order {
  readonly at: string;
  readonly order: string;
  readonly customer: string;
  readonly amount: number;
}

interface Payment {
  readonly at: string;
  readonly payment: string;
  readonly order: string;
  readonly amount: number;
}

const timestampOf = ({ at }: { at: string }): number => Date.parse(at);

export default pipeline({
  options: {
    orders: option.string({ default: "examples/data/shop-orders.jsonl", help: "orders, as JSON lines" }),
    payments: option.string({ default: "examples/data/shop-payments.jsonl", help: "payments, as JSON lines" }),
    within: option.int({ default: 10, min: 1, help: "minutes within which an order is to be paid" }),
    batch: option.int({ default: 2, min: 1, help: "most payments in a batch" }),
    output: option.string({ default: "out/payments/batches.jsonl", help: "file to write" }),
  },
  build(p, { orders: ordersFile, payments: paymentsFile, within, batch, output }) {
    const payments = p
      .apply(replay<Payment>(paymentsFile, { timestampOf, name: "payments" }))
      .apply(deduplicate({ by: ({ payment }) => payment, durationMs: hours(1) }))
      .apply(withKeys("payments by order", ({ order }) => order));
    return p
      .apply(replay<Order>(ordersFile, { timestampOf, name: "orders" }))
      .apply(withKeys("orders by number", ({ order }) => order))
      .apply(intervalJoin(payments, { afterMs: minutes(within) }))
      .apply(map("for the books", ({ key: order, value: [{ customer }, { payment, amount }] }) => kv(customer, { order, payment, amount })))
      .apply(groupIntoBatches({ size: batch, maxBufferingMs: seconds(1) }))
      .apply(map("batch", ({ key: customer, value: paid }) => ({ customer, paid })))
      .apply(jsonLines.write(output));
  },
});
