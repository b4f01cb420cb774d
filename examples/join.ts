// What each customer has spent, in euros: joins two files by key, and looks exchange rates up in a side input.
//
//   npx beamstorm run examples/join.ts
import { asMap, csv, filter, jsonLines, kv, leftJoin, map, option, pipeline, schema, sumPerKey, withKeys } from "beamstorm";

interface Order {
  readonly customer: string;
  readonly amount: number;
  readonly currency: string;
}

const Customer = schema.row({ id: schema.string, name: schema.string });
const Rate = schema.row({ currency: schema.string, euros: schema.double });

export default pipeline({
  options: {
    orders: option.string({ default: "examples/data/orders.jsonl", help: "orders, as JSON lines" }),
    customers: option.string({ default: "examples/data/customers.csv", help: "customers, as CSV" }),
    rates: option.string({ default: "examples/data/rates.csv", help: "euros for one unit of each currency, as CSV" }),
    output: option.string({ default: "out/join/spent.jsonl", help: "file to write" }),
  },
  build(p, options) {
    // Few and needed for every order: a side input, there as a whole wherever orders are.
    const rates = p.apply(csv.read(options.rates, Rate)).apply(map("rate", ({ currency, euros }) => kv(currency, euros)));
    // As many as there are customers: joined by key.
    const customers = p.apply(csv.read(options.customers, Customer)).apply(withKeys("by id", ({ id }) => id));

    return p
      .apply(jsonLines.read(options.orders))
      .apply(map("order", (value) => value as Order))
      .apply(filter("known currency", ({ currency }, { euros }) => euros.has(currency), { with: { euros: asMap(rates) } }))
      .apply(
        map("in euros", ({ customer, amount, currency }, { euros }) => kv(customer, amount * (euros.get(currency) ?? 0)), {
          with: { euros: asMap(rates) },
        }),
      )
      .apply(sumPerKey())
      .apply(leftJoin(customers))
      .apply(map("spent", ({ key, value: [spent, customer] }) => ({ customer: customer?.name ?? `unknown (${key})`, spent })))
      .apply(jsonLines.write(options.output));
  },
});
