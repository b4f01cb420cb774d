import { PipelineError } from "../../../portability/stage-host/index.js";

/** Where a database is. What is left out is found in the environment: `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`. */
export interface PostgresConnection {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** Whether the connection is encrypted, or the options of Node's `tls.connect` for it. Default false. */
  readonly ssl?: boolean | Readonly<Record<string, unknown>>;
}

/** What is used of a client of `pg`, whose own types are not there for everybody who has this package. */
export interface PostgresClient {
  query<Row>(
    text: string | { readonly name: string; readonly text: string; readonly values: readonly unknown[] },
    values?: readonly unknown[],
  ): Promise<{
    readonly rows: readonly Row[];
    readonly rowCount: number | null;
  }>;
  end(): Promise<void>;
}

/** Longest wait for a server that does not answer. */
const CONNECT_MS = 10_000;

/** @throws Error that says what to do */
export async function connect(connection: string | PostgresConnection): Promise<PostgresClient> {
  const { default: pg } = await import("pg").catch((cause: unknown) => {
    throw new PipelineError("missing_package", "PostgreSQL needs the package pg, which is not installed: npm install pg", { cause });
  });
  const place = typeof connection === "string" ? { connectionString: connection } : connection;
  const client = new pg.Client({ ...place, connectionTimeoutMillis: CONNECT_MS, application_name: "beamstorm" });
  client.on("error", () => {}); // a connection that was lost is heard of by the next query
  try {
    await client.connect();
  } catch (cause) {
    throw postgresError(`cannot connect to PostgreSQL at ${client.host}:${client.port}`, cause);
  }
  return client as PostgresClient;
}

/** What an error of the server, or of the way to it, means for who runs the pipeline. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "the host is not known",
  ECONNRESET: "the connection was lost",
  "28P01": "the password is wrong",
  "28000": "the user may not connect",
  "3D000": "there is no such database",
  "42P01": "there is no such table; create it before the pipeline runs",
  "42703": "the table has no such column",
  "3F000": "there is no such schema",
  "42501": "the user may not do that",
  "57P03": "the server is starting up or shutting down",
  "53300": "the server has too many connections; write with fewer workers or shards",
};

/** The same error, saying what was going on; the server's own words and details are kept. */
export function postgresError(doing: string, cause: unknown): Error {
  const { code, message, detail, column, table, constraint } = cause as Error &
    Partial<Record<"code" | "detail" | "column" | "table" | "constraint", string>>;
  const reason = REASONS[code ?? ""];
  const said = [message, detail, column && `column ${column}`, table && `table ${table}`, constraint && `constraint ${constraint}`].filter(
    Boolean,
  );
  return new Error(`${doing}: ${reason === undefined ? "" : `${reason}: `}${said.join("; ")}`, { cause });
}

/** A name for SQL; one with dots is that of something in a schema. */
export const quoted = (name: string): string =>
  name
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".");
