import type { WriteFormat } from "./file-format.js";

/** Characters gathered before the file is written to. */
const BUFFER_CHARS = 256 * 1024;

/** Records as lines of text, in UTF-8. */
export function linesFormat<T>(toLine: (record: T) => string, suffix: string, header?: string): WriteFormat<T> {
  return {
    parts: "concatenate",
    suffix,
    header: header === undefined ? undefined : Buffer.from(`${header}\n`),
    open(sink) {
      let text = "";
      const flush = (): Promise<void> => {
        const bytes = Buffer.from(text);
        text = "";
        return sink.write(bytes);
      };
      return {
        write(record) {
          text += toLine(record) + "\n";
          if (text.length >= BUFFER_CHARS) return flush();
        },
        finish: () => (text === "" ? Promise.resolve() : flush()),
      };
    },
  };
}
