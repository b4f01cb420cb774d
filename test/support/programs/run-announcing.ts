// Runs keyed-sums on two workers, each of which announces its process id and then waits for ever.
import { local } from "../../../local/index.js";
import keyedSums from "./keyed-sums.js";

const module = new URL("./keyed-sums.ts", import.meta.url).href;
const run = await local({ workers: 2, module }).start(keyedSums as never, { misdeed: "announce" });
await run.result();
