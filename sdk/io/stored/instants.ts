// Instants between the units that files count in and the logical types of schemas. Finer ones are cut towards the past.
import { exactMillis, timestampOf } from "../../../portability/coders/index.js";
import type { InstantUnit } from "./stored-type.js";

interface MicrosInstant {
  readonly seconds: bigint;
  readonly micros: bigint;
}

interface Timestamp {
  readonly seconds: bigint;
  readonly subseconds: number;
}

const PER_SECOND = { millis: 1_000n, micros: 1_000_000n, nanos: 1_000_000_000n } as const;

function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function rescaled(value: bigint, from: bigint, to: bigint): bigint {
  return to >= from ? value * (to / from) : floorDiv(value, from / to);
}

/** The unit that holds `10^-precision` seconds exactly. */
export function unitOf(precision: number): InstantUnit {
  return precision <= 3 ? "millis" : precision <= 6 ? "micros" : "nanos";
}

export const millisInstantToFile = (value: unknown): bigint => exactMillis(value as number);

export const microsInstantToFile = (value: unknown): bigint => {
  const { seconds, micros } = value as MicrosInstant;
  return seconds * PER_SECOND.micros + micros;
};

export function timestampToFile(precision: number): (value: unknown) => bigint {
  const own = 10n ** BigInt(precision);
  const unit = PER_SECOND[unitOf(precision)];
  return (value) => {
    const { seconds, subseconds } = value as Timestamp;
    return (seconds * own + BigInt(subseconds)) * (unit / own);
  };
}

export function millisInstantFromFile(unit: InstantUnit): (value: unknown) => number {
  const from = PER_SECOND[unit];
  return (value) => timestampOf(rescaled(value as bigint, from, PER_SECOND.millis));
}

export function microsInstantFromFile(unit: InstantUnit): (value: unknown) => MicrosInstant {
  const from = PER_SECOND[unit];
  return (value) => {
    const micros = rescaled(value as bigint, from, PER_SECOND.micros);
    const seconds = floorDiv(micros, PER_SECOND.micros);
    return { seconds, micros: micros - seconds * PER_SECOND.micros };
  };
}

export function timestampFromFile(unit: InstantUnit, precision: number): (value: unknown) => Timestamp {
  const from = PER_SECOND[unit];
  const own = 10n ** BigInt(precision);
  return (value) => {
    const counted = rescaled(value as bigint, from, own);
    const seconds = floorDiv(counted, own);
    return { seconds, subseconds: Number(counted - seconds * own) };
  };
}
