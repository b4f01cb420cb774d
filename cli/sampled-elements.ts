// Sampled elements, for people: their bytes, and what these say where the coder is a known one.
import { inspect } from "node:util";
import { ByteReader, CoderRegistry, type Coder } from "../portability/coders/index.js";
import { fromInt64, type beam } from "../portability/protos/index.js";
import { CODER } from "../portability/urns/index.js";
import type { Topology } from "../runner/index.js";

/** Bytes that are shown. */
const SHOWN_BYTES = 32;
const SHOWN_CHARACTERS = 200;

export interface Sample {
  readonly pcollection: string;
  /** When it was taken, if the worker says so. */
  readonly time: string | undefined;
  readonly hex: string;
  readonly bytes: number;
  /** What it says, if that is known. */
  readonly value: string | undefined;
  /** What was thrown where it was processed, if it is a sample for that. */
  readonly error: string | undefined;
}

/** Reads samples of one job, whose PCollections have the coders that a topology made of its pipeline says. */
export class SampleReader {
  private readonly registry = new CoderRegistry();
  private readonly coders = new Map<string, Coder<unknown> | undefined>();

  constructor(private readonly topology: Topology) {}

  read(pcollection: string, { element, sampleTimestamp, exception }: beam.fn.ISampledElement): Sample {
    const bytes = Buffer.from(element ?? []);
    const { seconds, nanos } = sampleTimestamp ?? {};
    const time = sampleTimestamp ? new Date(Number(fromInt64(seconds)) * 1000 + (nanos ?? 0) / 1e6).toISOString() : undefined;
    const hex = bytes.subarray(0, SHOWN_BYTES).toString("hex") + (bytes.length > SHOWN_BYTES ? "…" : "");
    return { pcollection, time, hex, bytes: bytes.length, value: this.valueOf(pcollection, bytes), error: exception?.error ?? undefined };
  }

  private valueOf(pcollection: string, bytes: Uint8Array): string | undefined {
    try {
      const value = this.coderOf(pcollection)?.decode(new ByteReader(bytes), true);
      if (value === undefined) return undefined;
      const text = inspect(value, {
        depth: 5,
        maxArrayLength: 20,
        maxStringLength: SHOWN_CHARACTERS,
        breakLength: Infinity,
        compact: true,
      });
      return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
    } catch {
      return undefined; // it was cut off, or is not what its coder says
    }
  }

  private coderOf(pcollection: string): Coder<unknown> | undefined {
    if (!this.coders.has(pcollection)) this.coders.set(pcollection, this.buildCoder(pcollection));
    return this.coders.get(pcollection);
  }

  private buildCoder(pcollection: string): Coder<unknown> | undefined {
    for (const { stage } of this.topology.components) {
      const { pcollections, coders } = stage.components;
      const coderId = pcollections?.[pcollection]?.coderId;
      if (!coderId) continue;
      try {
        return this.registry.fromProto(coderId, this.knownOf(coders ?? {}));
      } catch {
        return undefined;
      }
    }
    return undefined;
  }

  /** What only its SDK knows is behind a length, and bytes to everybody else. */
  private knownOf(coders: Readonly<Record<string, beam.pipeline.ICoder>>): Record<string, beam.pipeline.ICoder> {
    const isUnknown = (id: string): boolean => !this.registry.knows(coders[id]?.spec?.urn ?? "");
    return Object.fromEntries(
      Object.entries(coders).map(([id, coder]) => {
        const isOpaque = coder.spec?.urn === CODER.LENGTH_PREFIX && coder.componentCoderIds?.some(isUnknown) === true;
        return [id, isOpaque ? { spec: { urn: CODER.BYTES } } : coder];
      }),
    );
  }
}
