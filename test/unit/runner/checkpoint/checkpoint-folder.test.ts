import assert from "node:assert/strict";
import { readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mergePieces } from "../../../../runner/checkpoint/merge-pieces.js";
import { CheckpointFolder, FencedError, newPiece, type Manifest, type ManifestPiece } from "../../../../runner/checkpoint/index.js";
import { temporaryFolder } from "../../../support/temporary-folder.js";

describe("a folder of checkpoints", () => {
  const folder = temporaryFolder();
  const files = async (of: string): Promise<string[]> => (await readdir(join(folder.path, of))).sort();

  /** A piece of the epoch, on the disk. */
  async function pieceOf(by: CheckpointFolder, epoch: number, name = "w0"): Promise<ManifestPiece> {
    const writer = newPiece(folder.path, epoch, by.generation, name);
    writer.add({ part: "p", group: 0 }, Uint8Array.of(1, 1, epoch, 0)); // one record
    return { ...(await writer.finish()), epoch };
  }

  const manifestOf = (by: CheckpointFolder, epoch: number, pieces: readonly ManifestPiece[]): Manifest => ({
    version: 2,
    fingerprint: "f",
    epoch,
    generation: by.generation,
    time: 0,
    keyGroups: 1,
    components: [],
    tasks: [],
    pieces,
    isLast: false,
    counts: [],
  });

  /** Publishes an epoch with a piece of its own and those before it. */
  async function publish(by: CheckpointFolder, epoch: number, before?: Manifest): Promise<Manifest> {
    const manifest = manifestOf(by, epoch, [...(before?.pieces ?? []), await pieceOf(by, epoch)]);
    await by.publish(manifest);
    return manifest;
  }

  async function begin(): Promise<CheckpointFolder> {
    const by = await CheckpointFolder.open(folder.path);
    await by.goOn((await by.find()).manifest);
    return by;
  }

  const found = async (): Promise<string> => {
    const { manifest } = await (await CheckpointFolder.open(folder.path)).find();
    return manifest === undefined ? "none" : `${manifest.epoch} of ${manifest.generation}`;
  };

  it("gives each generation a number of its own, however many begin at once", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => CheckpointFolder.open(folder.path)));
    assert.deepEqual(
      all.map(({ generation }) => generation).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  it("has the last epoch that was published", async () => {
    assert.equal(await found(), "none");
    const by = await begin();
    await publish(by, 2, await publish(by, 1));
    assert.equal(await found(), "2 of 2");
    assert.equal((await CheckpointFolder.look(folder.path))?.epoch, 2);
  });

  it("is looked at without a generation, also where there is none as yet", async () => {
    assert.equal(await CheckpointFolder.look(join(folder.path, "new")), undefined);
    assert.deepEqual(await files("."), []);
  });

  // The steps of two generations in every order: what the first has published counts if, and only if, it was told so.
  describe("with two generations at work", () => {
    type Step = "publish" | "open" | "find" | "go on" | "publish, too";
    const second: readonly Step[] = ["open", "find", "go on", "publish, too"];
    for (let at = 0; at <= second.length; at++) {
      const order = [...second.slice(0, at), "publish" as const, ...second.slice(at)];
      it(`agrees with both: ${order.join(", ")}`, async () => {
        const first = await begin();
        const one = await publish(first, 1);
        let next!: CheckpointFolder;
        let from: Manifest | undefined;
        let counts = false;
        for (const step of order) {
          if (step === "publish") counts = await publish(first, 2, one).then(() => true, isFenced);
          else if (step === "open") next = await CheckpointFolder.open(folder.path);
          else if (step === "find") from = (await next.find()).manifest;
          else if (step === "go on") await next.goOn(from);
          else await publish(next, from!.epoch + 1, from);
        }
        assert.equal(counts, at === 0);
        assert.equal(await found(), `${from!.epoch + 1} of 2`);
        if (counts) assert.equal(from!.epoch, 2, "what was published was gone on from");
        // What the first has published in vain is not found when the second one's is gone either.
        const last = `${String(from!.epoch + 1).padStart(8, "0")}-000002.json`;
        await rm(join(folder.path, "epochs", last));
        assert.equal(await found(), `${from!.epoch} of 1`);
      });
    }

    const isFenced = (error: unknown): false => {
      assert.ok(error instanceof FencedError, String(error));
      return false;
    };
  });

  describe("when something is damaged", () => {
    const damages: Record<string, (manifest: Manifest) => Promise<unknown>> = {
      "the manifest": (manifest) => truncate(join(folder.path, "epochs", `0000000${manifest.epoch}-000001.json`), 30),
      "a piece": (manifest) => truncate(join(folder.path, "pieces", manifest.pieces.at(-1)!.name), 20),
      "a piece that is gone": (manifest) => rm(join(folder.path, "pieces", manifest.pieces.at(-1)!.name)),
    };
    for (const [what, damage] of Object.entries(damages))
      it(`finds the epoch before, and says what it was: ${what}`, async () => {
        const by = await begin();
        const one = await publish(by, 1);
        const two = await publish(by, 2, one);
        await damage(two);
        const next = await CheckpointFolder.open(folder.path);
        const { manifest, damaged } = await next.find();
        assert.deepEqual(manifest, one);
        assert.equal(damaged.length, 1);
        assert.match(damaged[0], /^epoch 2: /);
        // The next one goes its own way from there, and nobody comes back to the damaged epoch.
        await next.goOn(manifest);
        await publish(next, 2, one);
        assert.equal(await found(), "2 of 2");
      });

    it("says the same to everybody while nothing can be used", async () => {
      const by = await begin();
      await damages["the manifest"](await publish(by, 1));
      for (let time = 0; time < 2; time++) {
        const { manifest, damaged } = await (await CheckpointFolder.open(folder.path)).find();
        assert.equal(manifest, undefined);
        assert.equal(damaged.length, 1);
      }
    });
  });

  describe("when it is tidied", () => {
    it("keeps three epochs with their pieces, and those that they share", async () => {
      const by = await begin();
      const first = await pieceOf(by, 1);
      let before: Manifest | undefined;
      for (let epoch = 1; epoch <= 6; epoch++) {
        before = manifestOf(by, epoch, [first, await pieceOf(by, epoch, "w1")]);
        await by.publish(before);
        await by.tidy(before);
      }
      assert.deepEqual(await files("epochs"), ["00000004-000001.json", "00000005-000001.json", "00000006-000001.json"]);
      assert.deepEqual(await files("pieces"), ["00000001-000001-w0.piece", ...[4, 5, 6].map((epoch) => `0000000${epoch}-000001-w1.piece`)]);
    });

    it("leaves alone what is merged and not named yet, however long that takes, and deletes it when it was named", async () => {
      const by = await begin();
      const one = await publish(by, 1);
      const merged = await pieceOf(by, 1, "merged1");
      let before = one;
      for (let epoch = 2; epoch <= 7; epoch++) {
        before = await publish(by, epoch, epoch === 5 ? manifestOf(by, 4, [merged]) : epoch === 7 ? manifestOf(by, 6, []) : before);
        await by.tidy(before);
        assert.ok((await files("pieces")).includes(merged.name), `behind epoch ${epoch}`);
      }
      for (let epoch = 8; epoch <= 10; epoch++) await by.tidy((before = await publish(by, epoch, before)));
      assert.ok(!(await files("pieces")).includes(merged.name));
    });

    it("deletes what dead runs have left, halves of files and epochs that do not count included", async () => {
      const dead = await begin();
      const one = await publish(dead, 1);
      for (const name of ["epochs/00000002-000001.json.part", "pieces/00000002-000001-w0.piece.part", "pieces/00000009-000001-w1.piece"])
        await writeFile(join(folder.path, name), "half");
      const by = await begin();
      await assert.rejects(publish(dead, 2, one), FencedError);
      const two = await publish(by, 2, one);
      await by.tidy(two);
      assert.deepEqual(await files("epochs"), ["00000001-000001.json", "00000002-000002.json"]);
      assert.deepEqual(await files("pieces"), ["00000001-000001-w0.piece", "00000002-000002-w0.piece"]);
      assert.equal(await found(), "2 of 2");
    });

    it("keeps pieces that are made of others in between, and that manifests to come will name", async () => {
      const by = await begin();
      const pieces = [await pieceOf(by, 1), await pieceOf(by, 1, "w1")];
      const one = manifestOf(by, 1, pieces);
      await by.publish(one);
      const parts = { folder: folder.path, generation: by.generation, pieces, isBase: true, since: {} };
      const merged = await mergePieces({ ...parts, name: "merged1" });
      await by.tidy(one);
      const two = manifestOf(by, 2, [merged]);
      await by.publish(two);
      assert.equal(await found(), "2 of 1");
      await by.tidy(two);
      assert.equal(await found(), "2 of 1");
    });

    it("leaves alone what is under way, what later generations have, and what is not its own", async () => {
      const by = await begin();
      const one = await publish(by, 1);
      const later = await begin();
      const names = [
        "epochs/00000001-000002.json.part",
        "pieces/00000001-000002-w0.piece.part",
        "pieces/notes.txt",
        "epochs/00000002-000001.json.part",
      ];
      for (const name of names) await writeFile(join(folder.path, name), "");
      const two = await publish(later, 2, one);
      await by.tidy(one);
      for (const name of names) assert.ok((await files(name.split("/")[0])).includes(name.split("/")[1]), name);
      assert.equal(await found(), `2 of ${two.generation}`);
    });
  });

  it("tells who is fenced just that, though its files are gone", async () => {
    const dead = await begin();
    const later = await begin();
    await later.goOn(undefined);
    await rm(join(folder.path, "epochs"), { recursive: true });
    await assert.rejects(dead.publish(manifestOf(dead, 1, [])), FencedError);
  });
});
