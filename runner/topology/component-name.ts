import type { FusedStage } from "../graph/index.js";

const MAX_LENGTH = 60;

/** What a component does, in the author's words: the outermost name of the transform that it starts with. On one line, bounded. */
export function componentName({ head, transforms }: FusedStage): string {
  const first = head.transform ?? transforms[0];
  const outermost = first?.uniqueName.split("/").find((part) => part.trim() !== "") ?? head.output;
  // eslint-disable-next-line no-control-regex
  const line = outermost.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/gu, " ").trim();
  const characters = Array.from(line);
  return characters.length > MAX_LENGTH ? `${characters.slice(0, MAX_LENGTH - 1).join("")}…` : line;
}
