// Lets node load TypeScript sources through ts-node's transpile-only fast path.
import { register } from "node:module";
import { pathToFileURL } from "node:url";

register("ts-node/esm", pathToFileURL("./"));
register("./package-patterns.mjs", import.meta.url);
