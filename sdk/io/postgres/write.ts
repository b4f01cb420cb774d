import type { PCollection } from "../../model/pcollection.js";
import type { PTransform } from "../../model/ptransform.js";
import { transactionalWrite, type CommittedBatch, type TransactionalWriteOptions } from "../sinks/transactional-write.js";
import type { PostgresConnection } from "./client.js";
import { TableSink, type TargetTable } from "./table-sink.js";

/** What {@link write} takes. */
export interface PostgresWriteOptions<T> extends Omit<TransactionalWriteOptions<T>, "open"> {
  /** A URL, `postgres://user:password@host:5432/database`, or its parts. */
  readonly connection: string | PostgresConnection;
  /** The table that rows are added to, which is there; `schema.table` for one that is not found by itself. Names are taken as they are written. */
  readonly table: string;
  /** The columns that are written. Others have what the table says: a default, or nothing. */
  readonly columns: readonly string[];
  /** The values of the columns; default: the fields of the element with their names. They are what the package pg takes: text, numbers, dates, `Buffer`, null, … */
  readonly rowOf?: (element: T) => readonly unknown[];
  /** The table that knows how far each share of the write has come; made when it is not there. Default "beamstorm_commits". */
  readonly commitsTable?: string;
}

/**
 * Adds a row to a table of PostgreSQL for each element: exactly once, as {@link transactionalWrite} says. Needs the package `pg`. Each task has a connection of
 * its own. In the table of commits there is a row for each share while the job goes on; a job that has come to its end removes its rows.
 *
 * @throws RangeError, TypeError when an option is out of its range; (at run time) UserCodeError when the server cannot be reached or does not take the rows, or
 *   the table does not fit
 * @example
 * ```ts
 * const toShop = (rows: PCollection<{ id: number; amount: number }>) =>
 *   rows.apply(postgresIO.write({ connection: "postgres://shop@localhost/shop", table: "orders", columns: ["id", "amount"] }));
 * ```
 */
export function write<T>(options: PostgresWriteOptions<T>): PTransform<PCollection<T>, PCollection<CommittedBatch>> {
  const { connection, table, columns, rowOf = fieldsOf(columns), commitsTable = "beamstorm_commits", ...batches } = options;
  if (columns.length === 0 || new Set(columns).size < columns.length)
    throw new RangeError(`columns must be names, each once, not [${columns.join(", ")}]`);
  const target: TargetTable<T> = { connection, table, columns, rowOf, commitsTable };
  return { ...transactionalWrite<T>({ ...batches, open: () => TableSink.open(target) }), defaultName: "postgresIO.write" };
}

function fieldsOf(columns: readonly string[]): (element: unknown) => readonly unknown[] {
  return (element) => {
    if (typeof element !== "object" || element === null)
      throw new TypeError(`an element without fields, ${String(element)}, cannot be a row by itself; say what its values are with rowOf`);
    return columns.map((column) => (element as Readonly<Record<string, unknown>>)[column]);
  };
}
