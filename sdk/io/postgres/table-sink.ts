import type { BatchId, TransactionalBatch, TransactionalSink } from "../sinks/transactional-write.js";
import { connect, postgresError, quoted, type PostgresClient, type PostgresConnection } from "./client.js";

/** What is written where. */
export interface TargetTable<T> {
  readonly connection: string | PostgresConnection;
  readonly table: string;
  readonly columns: readonly string[];
  readonly rowOf: (element: T) => readonly unknown[];
  /** The table that knows how far each series has come. */
  readonly commitsTable: string;
}

/** Most parameters of a statement. */
const PARAMETERS = 65_535;
/** Of the lock under which the table of commits is made: PostgreSQL fails where two sessions do that at a time. */
const LOCK = 7_012_661_201;

/**
 * The rows of batches, in one table.
 *
 * - P1. The number of the series is raised first. Whoever has raised it holds its row until the end of the transaction: of two processes with one batch the
 *   second one waits, and finds then that it has been written.
 */
export class TableSink<T> implements TransactionalSink<T> {
  private readonly commits: string;

  private constructor(
    private readonly client: PostgresClient,
    private readonly target: TargetTable<T>,
  ) {
    this.commits = quoted(target.commitsTable);
  }

  /** @throws Error that says what to do, if the server does not answer or the table does not fit */
  static async open<T>(target: TargetTable<T>): Promise<TableSink<T>> {
    const sink = new TableSink(await connect(target.connection), target);
    try {
      await sink.checkTable();
      await sink.makeCommits();
      return sink;
    } catch (error) {
      await sink.close();
      throw error;
    }
  }

  async commit({ id, elements }: TransactionalBatch<T>): Promise<void> {
    const rows = elements.map((element) => this.rowOf(element));
    try {
      await this.client.query("BEGIN");
      if (await this.raise(id)) await this.insert(rows);
      await this.client.query("COMMIT");
    } catch (cause) {
      // The connection may be what has failed; then the server undoes it by itself.
      await this.client.query("ROLLBACK").catch(() => {});
      throw postgresError(`cannot write to table ${this.target.table}`, cause);
    }
  }

  async forget(series: readonly string[]): Promise<void> {
    await this.client.query(`DELETE FROM ${this.commits} WHERE series = ANY($1)`, [series]);
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => {}); // it has lost its connection
  }

  private async checkTable(): Promise<void> {
    const { table, columns } = this.target;
    try {
      await this.client.query(`SELECT ${columns.map(quotedColumn).join(", ")} FROM ${quoted(table)} LIMIT 0`);
    } catch (cause) {
      throw postgresError(`cannot write the columns ${columns.join(", ")} of table ${table}`, cause);
    }
  }

  private async makeCommits(): Promise<void> {
    const { client, commits } = this;
    const { commitsTable } = this.target;
    try {
      const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [commits]);
      if (rows[0]?.there === true) return;
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
      await client.query(
        `CREATE TABLE IF NOT EXISTS ${commits} (series text PRIMARY KEY, sequence bigint NOT NULL, write text NOT NULL, ` +
          "committed_at timestamptz NOT NULL DEFAULT now())",
      );
      await client.query("COMMIT");
    } catch (cause) {
      throw postgresError(`cannot create the table ${commitsTable}, which knows what was written`, cause);
    }
  }

  /** P1. False if the series has come to that number before. */
  private async raise({ write, series, sequence }: BatchId): Promise<boolean> {
    const { rowCount } = await this.client.query({
      name: "raise",
      text:
        `INSERT INTO ${this.commits} AS c (series, sequence, write) VALUES ($1, $2, $3) ON CONFLICT (series) ` +
        "DO UPDATE SET sequence = EXCLUDED.sequence, committed_at = now() WHERE c.sequence < EXCLUDED.sequence",
      values: [series, sequence, write],
    });
    return rowCount === 1;
  }

  private async insert(rows: readonly (readonly unknown[])[]): Promise<void> {
    const { table, columns } = this.target;
    const atOnce = Math.max(1, Math.floor(PARAMETERS / columns.length));
    for (let start = 0; start < rows.length; start += atOnce) {
      const some = rows.slice(start, start + atOnce);
      let n = 0;
      const values = some.map(() => `(${columns.map(() => `$${++n}`).join(", ")})`).join(", ");
      await this.client.query(`INSERT INTO ${quoted(table)} (${columns.map(quotedColumn).join(", ")}) VALUES ${values}`, some.flat());
    }
  }

  private rowOf(element: T): readonly unknown[] {
    const { rowOf, columns, table } = this.target;
    const row = rowOf(element);
    if (row.length === columns.length) return row;
    throw new RangeError(`rowOf gave ${row.length} values for the ${columns.length} columns of table ${table}`);
  }
}

/** A dot in the name of a column is a dot. */
const quotedColumn = (name: string): string => `"${name.replaceAll('"', '""')}"`;
