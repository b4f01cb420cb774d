// A file that grows, is truncated and is rotated while it is read. Catches lines cut in two, lost or read twice.
import assert from "node:assert/strict";
import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textIO, UserCodeError } from "../../../../sdk/index.js";
import { SourceProbe } from "../../../support/source-probe.js";

describe("textIO.tail", () => {
  let folder: string;
  let path: string;
  let probe: SourceProbe<string>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "beamstorm-tail-"));
    path = join(folder, "app.log");
  });
  afterEach(async () => {
    await probe.close();
    await rm(folder, { recursive: true });
  });
  const tail = async (options: textIO.TailOptions = {}): Promise<void> => {
    probe = await SourceProbe.open(textIO.tail(path, { pollMs: 1, ...options }));
  };

  it("reads what is added from now on", async () => {
    await writeFile(path, "old\n");
    await tail();
    await appendFile(path, "new\nnewer\r\n");
    assert.deepEqual(await probe.readUntil(2), ["new", "newer"]);
  });

  it("gives the lines it has found when it is drained, and finds no more", async () => {
    await writeFile(path, "a\n");
    await tail({ fromStart: true });
    while (probe.calls === 0) await new Promise((resolve) => setImmediate(resolve));
    probe.drain();
    await appendFile(path, "b\n");
    const found = [...(await probe.readUntil(1))];
    while (probe.read().next !== "end") await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(found, ["a"]);
  });

  it("ends when it is drained, though there is no file", async () => {
    await tail();
    probe.drain();
    while (probe.read().next !== "end") await new Promise((resolve) => setImmediate(resolve));
  });

  it("reads what is there first, if told so", async () => {
    await writeFile(path, "old\n\n");
    await tail({ fromStart: true });
    await appendFile(path, "new\n");
    assert.deepEqual(await probe.readUntil(3), ["old", "", "new"]);
  });

  it("waits for a file that is not there yet", async () => {
    await tail();
    await writeFile(path, "first\n");
    assert.deepEqual(await probe.readUntil(1), ["first"]);
  });

  it("waits for the end of a line, wherever it is cut", async () => {
    await writeFile(path, "");
    await tail();
    await appendFile(path, Buffer.from("one\ntw"));
    assert.deepEqual(await probe.readUntil(1), ["one"]);
    const [euro, rest] = [Buffer.from("€").subarray(0, 1), Buffer.from("€").subarray(1)];
    await appendFile(path, euro);
    await appendFile(path, Buffer.concat([rest, Buffer.from("\n")]));
    assert.deepEqual(await probe.readUntil(1), ["tw€"]);
  });

  it("goes on at the start of a file that was truncated", async () => {
    await writeFile(path, "");
    await tail();
    await appendFile(path, "a long first line\nhal");
    assert.deepEqual(await probe.readUntil(1), ["a long first line"]);
    await truncate(path, 0);
    await appendFile(path, "new\n");
    assert.deepEqual(await probe.readUntil(1), ["new"]);
  });

  it("reads a file that was rotated to its end, then the new one", async () => {
    await writeFile(path, "");
    await tail();
    await appendFile(path, "a\n");
    assert.deepEqual(await probe.readUntil(1), ["a"]);
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, "b\nc");
    await writeFile(path, "d\n");
    assert.deepEqual(await probe.readUntil(3), ["b", "c", "d"]);
  });

  it("reads no further than the queue holds until that is read", async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}`);
    await writeFile(path, lines.join("\n") + "\n");
    await tail({ fromStart: true, queueBytes: 1000 });
    assert.deepEqual(await probe.readUntil(lines.length), lines);
  });

  it("fails on a line that is too long, and says where", async () => {
    await writeFile(path, `short\n${"x".repeat(20)}\n`);
    await tail({ fromStart: true, maxLineBytes: 10 });
    await assert.rejects(probe.readUntil(2), (error) => {
      assert.ok(error instanceof UserCodeError);
      assert.match(error.message, /app\.log: near byte 0, a line is longer than 10 bytes; raise maxLineBytes/);
      return true;
    });
  });

  context("when it goes on", () => {
    /** Another reader, as in a run that goes on from where this one is. */
    const goOn = async (meanwhile: () => Promise<void>): Promise<void> => {
      const { position } = probe;
      await probe.close();
      await meanwhile();
      probe = await SourceProbe.open(textIO.tail(path, { pollMs: 1, fromStart: true }), { position });
    };
    /** The next lines, of which only so many are there. */
    const expectLines = async (...lines: string[]): Promise<void> => assert.deepEqual(await probe.readUntil(lines.length), lines);

    it("reads what it had not emitted, found or not", async () => {
      await writeFile(path, "a\r\nüb\nc\nd");
      await tail({ fromStart: true });
      while (probe.calls === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(probe.read(2).elements, ["a", "üb"]);
      await goOn(() => appendFile(path, "d\ne\n"));
      await expectLines("c", "dd", "e");
      await goOn(() => appendFile(path, "f\n"));
      await expectLines("f");
    });

    it("begins where it began, if nothing has come", async () => {
      await writeFile(path, "old\n");
      await tail();
      await goOn(() => appendFile(path, "new\n"));
      await expectLines("new");
    });

    it("waits for a file that is not there yet", async () => {
      await tail();
      await goOn(() => writeFile(path, "first\n"));
      await expectLines("first");
    });

    it("finds a file that was rotated, then reads the new one", async () => {
      await writeFile(path, "a\n");
      await tail({ fromStart: true });
      await expectLines("a");
      await goOn(async () => {
        await appendFile(path, "b\nend");
        await rename(path, `${path}.1`);
        await writeFile(path, "new\n");
      });
      await expectLines("b", "end", "new");
      await goOn(async () => {
        await rename(path, `${path}.2`);
        await appendFile(`${path}.2`, "late\n");
      });
      await expectLines("late");
      await writeFile(path, "newer\n");
      await expectLines("newer");
    });

    it("begins at the start of a file that was truncated, or took the place of one that is gone", async () => {
      await writeFile(path, "one\ntwo\n");
      await tail({ fromStart: true });
      await expectLines("one", "two");
      await goOn(async () => {
        await truncate(path);
        await appendFile(path, "x\n");
      });
      await expectLines("x");
      await goOn(async () => {
        const other = `${path}.other`;
        await writeFile(other, "other, and longer\n");
        await rm(path);
        await rename(other, path);
      });
      await expectLines("other, and longer");
      await goOn(() => writeFile(path, "written over, not behind a line\n"));
      await expectLines("written over, not behind a line");
    });
  });
});
