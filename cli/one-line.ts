/** One line of commander's messages, which have suggestions on lines of their own. */
export const oneLine = (text: string): string =>
  text
    .trim()
    .replace(/\n\(Did you mean (.*)\?\)$/s, " (did you mean $1?)")
    .replace(/\.$/, "")
    .replaceAll("\n", " ");
