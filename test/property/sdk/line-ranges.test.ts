import assert from "node:assert/strict";
import fc from "fast-check";
import { linesOfRange } from "../../../sdk/io/text/line-reader.js";

/** Text with everything that splitting could get wrong. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r\n", "\r", "\n\n", ""),
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.string({ minLength: 30, maxLength: 60 }),
      fc.constantFrom("ä", "€", "😀", "\uFEFF"),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

/** What the lines of a whole text are, in the simplest words. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** The bytes from `position` on in blocks, in one buffer that is used again for each of them. */
async function* blocksOf(bytes: Buffer, position: number, blockBytes: number): AsyncGenerator<Uint8Array> {
  const reused = Buffer.alloc(blockBytes);
  for (let at = position; at < bytes.length; at += blockBytes) {
    await Promise.resolve();
    yield reused.subarray(0, bytes.copy(reused, 0, at, at + blockBytes));
  }
}

async function linesOfRanges(bytes: Buffer, rangeBytes: number, blockBytes: number): Promise<string[]> {
  const found: string[] = [];
  for (let start = 0; start < bytes.length; start += rangeBytes) {
    const end = Math.min(bytes.length, start + rangeBytes);
    const blocks = blocksOf(bytes, Math.max(0, start - 1), blockBytes);
    for await (const lines of linesOfRange(blocks, "file", start, end, { invalidUtf8: "error", maxLineBytes: 2000 })) found.push(...lines);
  }
  return found;
}

describe("lines of ranges", () => {
  it("together are the lines of the whole, once each and in order", async () => {
    const sizes = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(texts, sizes, sizes, async (text, rangeBytes, blockBytes) => {
        assert.deepEqual(await linesOfRanges(Buffer.from(text), rangeBytes, blockBytes), linesOf(text));
      }),
      {
        numRuns: 500,
        examples: [
          ["a\nb", 2, 1],
          ["a\nb", 1, 40],
          ["\n\n\n", 1, 1],
          ["a\r\nb\r\n", 2, 2],
          ["ä\nß", 1, 1],
          [`${"x".repeat(50)}\ny`, 3, 7],
        ],
      },
    );
  });

  it("are bounded by the same limit wherever blocks begin", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 40 }), async (length, blockBytes) => {
        const bytes = Buffer.from(`a\n${"x".repeat(length)}\r\nb`);
        const read = async (): Promise<string[]> => {
          const found: string[] = [];
          for await (const lines of linesOfRange(blocksOf(bytes, 0, blockBytes), "file", 0, bytes.length, { maxLineBytes: 6 }))
            found.push(...lines);
          return found;
        };
        if (length <= 6) assert.deepEqual(await read(), ["a", "x".repeat(length), "b"]);
        else await assert.rejects(read, /^Error: file: the line at byte 2 is longer than 6 bytes; raise maxLineBytes/);
      }),
    );
  });
});
