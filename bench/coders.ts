// `npm run build && node .cache/bench/coders.js [--json] [--quick] [NAME …]`: elements and bytes a second of each coder, encoding and
// decoding, on one core. The median of five rounds over 20,000 elements, after one that warms up.
import {
  boolCoder,
  ByteReader,
  ByteWriter,
  bytesCoder,
  customWindowCoder,
  doubleCoder,
  ElementMeta,
  GLOBAL_WINDOWS,
  GlobalWindow,
  globalWindowCoder,
  IntervalWindow,
  intervalWindowCoder,
  iterableCoder,
  kv,
  kvCoder,
  lengthPrefixCoder,
  NO_FIRING,
  nullableCoder,
  ON_TIME_AND_ONLY,
  ParamWindowedValueCoder,
  coderOf,
  schema,
  shardedKeyCoder,
  stateBackedIterableCoder,
  timerCoder,
  utf8Coder,
  ValueCoder,
  varintBigIntCoder,
  varintCoder,
  WindowedValueCoder,
  type Coder,
  type TimerValue,
  type Window,
} from "beamstorm/portability";

interface Case {
  readonly name: string;
  /** Encodes all elements, one behind the other. */
  encode(writer: ByteWriter): void;
  /** Decodes what {@link encode} wrote. */
  decode(reader: ByteReader): void;
}

interface Figures {
  readonly name: string;
  readonly bytesPerElement: number;
  readonly encodePerSecond: number;
  readonly decodePerSecond: number;
}

const ELEMENTS = 20000;
const ROUND_MS = process.argv.includes("--quick") ? 8 : 25;
const ROUNDS = 5;

/** Keeps results alive, so that nothing measured is optimised away. */
let sink: unknown;

function caseOf<T>(name: string, coder: Coder<T>, element: (i: number) => T): Case {
  const elements = Array.from({ length: ELEMENTS }, (_, i) => element(i));
  return {
    name,
    encode(writer) {
      for (let i = 0; i < elements.length; i++) coder.encode(elements[i], writer, true);
    },
    decode(reader) {
      for (let i = 0; i < ELEMENTS; i++) sink = coder.decode(reader, true);
    },
  };
}

/** As batches are encoded: values and metas apart. */
function partsCase<T>(name: string, coder: WindowedValueCoder<T>, value: (i: number) => T, meta: (i: number) => ElementMeta): Case {
  const values = Array.from({ length: ELEMENTS }, (_, i) => value(i));
  const metas = Array.from({ length: ELEMENTS }, (_, i) => meta(i));
  return {
    name,
    encode(writer) {
      for (let i = 0; i < values.length; i++) coder.encodeParts(values[i], metas[i], writer);
    },
    decode(reader) {
      for (let i = 0; i < ELEMENTS; i++) {
        sink = coder.decodeMeta(reader);
        sink = coder.element.decode(reader, true);
      }
    },
  };
}

const windowCoder = globalWindowCoder as Coder<Window>;
const intervalCoder = intervalWindowCoder as Coder<Window>;
const sameMeta = new ElementMeta(1_600_000_000_000, GLOBAL_WINDOWS, NO_FIRING);
const fixedWindows = [new IntervalWindow(1_600_000_000_000, 1_600_000_060_000)];
const ownMetas = Array.from({ length: ELEMENTS }, (_, i) => new ElementMeta(1_600_000_000_000 + i, fixedWindows, ON_TIME_AND_ONLY));
let unique = 0;
const word = (i: number): string => `word-${i % 997}`;
const counted = (i: number) => kv(word(i), i);
const stringInt = kvCoder(utf8Coder, varintCoder);
const anyValue = new ValueCoder();
const purchase = schema.row({ card: schema.string, amount: schema.int64, note: schema.nullable(schema.string), price: schema.double });

const cases: Case[] = [
  partsCase("windowed kv<string,int>, one timestamp", new WindowedValueCoder(stringInt, windowCoder), counted, () => sameMeta),
  partsCase("windowed kv<string,int>, own timestamps", new WindowedValueCoder(stringInt, intervalCoder), counted, (i) => ownMetas[i]),
  partsCase("windowed value kv, one timestamp", new WindowedValueCoder(kvCoder(anyValue, anyValue), windowCoder), counted, () => sameMeta),
  caseOf("windowed_value<kv<string,int>> as objects", new WindowedValueCoder(stringInt, windowCoder), (i) => ({
    value: counted(i),
    meta: sameMeta,
  })),
  caseOf("param_windowed_value<kv<string,int>>", new ParamWindowedValueCoder(stringInt, windowCoder, sameMeta), (i) => ({
    value: counted(i),
    meta: sameMeta,
  })),
  caseOf("global_window", globalWindowCoder, () => GlobalWindow.instance),
  caseOf("custom_window<interval>", customWindowCoder(intervalCoder), () => fixedWindows[0]),
  caseOf("state_backed_iterable<int>, 10", stateBackedIterableCoder(varintCoder, undefined), (i) =>
    Array.from({ length: 10 }, (_, k) => i + k),
  ),
  caseOf("bytes, 32", bytesCoder, (i) => new Uint8Array(32).fill(i)),
  caseOf("bool", boolCoder, (i) => i % 2 === 0),
  caseOf("string_utf8, 8", utf8Coder, word),
  caseOf("string_utf8, 8, all different", utf8Coder, () => `word-${unique++}`),
  caseOf("string_utf8, 80", utf8Coder, (i) => word(i).padEnd(80, "x")),
  caseOf("string_utf8, 12 not ASCII", utf8Coder, (i) => `Straße ${i} ¶`),
  caseOf("varint, small", varintCoder, (i) => i),
  caseOf("varint, 48 bits", varintCoder, (i) => 2 ** 47 + i),
  caseOf("varint, negative", varintCoder, (i) => -i - 1),
  caseOf("varint, bigint", varintBigIntCoder, (i) => BigInt(i) << 40n),
  caseOf("double", doubleCoder, (i) => i / 7),
  caseOf("kv<string,int>", stringInt, counted),
  caseOf("iterable<int>, 10", iterableCoder(varintCoder), (i) => Array.from({ length: 10 }, (_, j) => i + j)),
  caseOf("nullable<int>", nullableCoder(varintCoder), (i) => (i % 2 === 0 ? null : i)),
  caseOf("length_prefix<string>", lengthPrefixCoder(utf8Coder), word),
  caseOf("interval_window", intervalWindowCoder, (i) => new IntervalWindow(i * 60_000, (i + 1) * 60_000)),
  caseOf("sharded_key<string>", shardedKeyCoder(utf8Coder), (i) => ({ shardId: Uint8Array.of(i), key: word(i) })),
  caseOf<TimerValue<string>>("timer<string>", timerCoder(utf8Coder, windowCoder), (i) => ({
    key: word(i),
    tag: "",
    windows: [GlobalWindow.instance],
    cleared: false,
    fireTimestamp: i,
    holdTimestamp: i,
    pane: NO_FIRING,
  })),
  caseOf("row<string,int64,string?,double>", coderOf(purchase), (i) => ({
    card: word(i),
    amount: BigInt(i),
    note: i % 2 === 0 ? null : "gift",
    price: i / 4,
  })),
  caseOf("value: string", anyValue, word),
  caseOf("value: int", anyValue, (i) => i),
  caseOf("value: object of three", anyValue, (i) => ({ name: word(i), count: i, tags: ["a", "b"] })),
];

/** Processor time of this process: other load on the machine counts less than it does on the clock. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Elements a second of processor time: the median of some rounds. */
function measure(run: () => void): number {
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    let passes = 0;
    const start = cpuMs();
    do {
      run();
      passes++;
    } while (cpuMs() - start < ROUND_MS);
    if (round > 0) rates.push((passes * ELEMENTS) / ((cpuMs() - start) / 1000));
  }
  return rates.sort((a, b) => a - b)[ROUNDS >> 1];
}

function figuresOf({ name, encode, decode }: Case): Figures {
  const writer = new ByteWriter(1 << 16);
  encode(writer);
  const bytes = writer.toBytes();
  const reader = new ByteReader(bytes);
  const encodePerSecond = measure(() => {
    writer.reset();
    encode(writer);
  });
  const decodePerSecond = measure(() => {
    reader.reset(bytes);
    decode(reader);
  });
  return { name, bytesPerElement: bytes.length / ELEMENTS, encodePerSecond, decodePerSecond };
}

const options = process.argv.slice(2);
const names = options.filter((option) => !option.startsWith("--"));
const figures = cases.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part))).map(figuresOf);
if (options.includes("--json")) console.log(JSON.stringify(figures, undefined, 2));
else {
  console.log(`${"".padEnd(42)}  bytes      encode, M/s  MB/s      decode, M/s  MB/s`);
  for (const { name, bytesPerElement, encodePerSecond, decodePerSecond } of figures) {
    const side = (rate: number): string =>
      `${(rate / 1e6).toFixed(1).padStart(16)} ${((rate * bytesPerElement) / 1e6).toFixed(0).padStart(5)}`;
    console.log(`${name.padEnd(42)} ${bytesPerElement.toFixed(1).padStart(6)} ${side(encodePerSecond)} ${side(decodePerSecond)}`);
  }
}
if (sink === ELEMENTS) console.log(sink);
