// `npm run pictures`: docs/pictures/ from runs of real pipelines; `--check` compares instead of writing.
//
// P1. Whatever a picture shows of a run was seen in that run: windows, panes, lateness, and watermarks, seen by a probe (`pictures/runs.mjs`).
// P2. Runs have a virtual clock, so pictures are the same each time.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "./build.mjs";
import { CommandFailure, isMain, main, progress, readIfThere, root } from "./lib.mjs";
import { panesPicture } from "./pictures/panes.mjs";
import { timerPicture } from "./pictures/timer-hold.mjs";
import { watermarkPicture } from "./pictures/watermark.mjs";
import { windowsPicture } from "./pictures/windows.mjs";

export async function pictures(args = process.argv.slice(2)) {
  await build();
  const sdk = { ...(await import("beamstorm")), ...(await import("beamstorm/testing")) };
  const drawn = {
    "docs/pictures/watermark.svg": await watermarkPicture(sdk),
    "docs/pictures/windows.svg": await windowsPicture(sdk),
    "docs/pictures/panes.svg": await panesPicture(sdk),
    "docs/pictures/timer-hold.svg": await timerPicture(sdk),
  };
  const changed = Object.entries(drawn).filter(([file, text]) => readIfThere(file) !== text);
  if (args.includes("--check")) {
    if (changed.length === 0) return 0;
    const files = changed.map(([file]) => file).join(", ");
    throw new CommandFailure(`${files}: not what tools/pictures gives; run \`npm run pictures\`, look at them, and commit the result`);
  }
  for (const [file, text] of changed) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    progress(`wrote ${file}`);
  }
  if (changed.length === 0) progress("nothing to draw: all pictures are up to date");
  return 0;
}

if (isMain(import.meta)) await main(pictures);
