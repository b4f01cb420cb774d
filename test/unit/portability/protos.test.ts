// The generated classes against our .proto files, by behaviour: what one side writes, the other reads. That the .proto files say what
// Beam says is checked in test/conformance/protos.test.ts.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import protobuf from "protobufjs";
import { beam, type google } from "../../../portability/protos/index.js";

interface MessageClass {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options?: protobuf.IConversionOptions): Record<string, unknown>;
}

const generated: Record<string, object> = {
  "org.apache.beam.model.pipeline.v1": beam.pipeline,
  "org.apache.beam.model.fn_execution.v1": beam.fn,
  "org.apache.beam.model.job_management.v1": beam.job,
  "org.apache.beam.model.expansion.v1": beam.expansion,
  "org.apache.beam.model.interactive.v1": beam.interactive,
};
const plain: protobuf.IConversionOptions = { longs: String, enums: String, bytes: String, oneofs: true };

describe("generated messages", () => {
  const root = loadSources();
  const declared = declarations(root);

  for (const packageName of Object.keys(generated)) {
    it(`write and read what the .proto files of ${packageName} describe`, () => {
      for (const type of declared) {
        if (!(type instanceof protobuf.Type) || !type.fullName.startsWith(`.${packageName}.`)) continue;
        const ours = classOf(type) as MessageClass;
        fc.assert(
          fc.property(messages(type, 2), (content) => {
            const bytes = type.encode(type.fromObject(content)).finish();
            const message = ours.decode(bytes);
            assert.deepEqual(ours.toObject(message, plain), type.toObject(type.decode(bytes), plain), type.fullName);
            assert.equal(hex(ours.encode(message).finish()), hex(bytes), type.fullName);
          }),
          { numRuns: 20 },
        );
      }
    });
  }

  it("have the enums of our .proto files, by name and by number", () => {
    for (const object of declared) {
      if (!(object instanceof protobuf.Enum)) continue;
      const ours = classOf(object) as Record<string, unknown>;
      assert.deepEqual({ ...ours }, { ...object.values }, object.fullName);
      for (const [number, name] of Object.entries(object.valuesById)) assert.equal(ours[number], name, object.fullName);
    }
  });

  it("have a client class for each service, with its methods", () => {
    for (const object of declared) {
      if (!(object instanceof protobuf.Service)) continue;
      const methods = Object.keys((classOf(object) as { prototype: object }).prototype).filter((name) => name !== "constructor");
      const expected = object.methodsArray.map(({ name }) => name[0].toLowerCase() + name.slice(1));
      assert.deepEqual(methods.sort(), expected.sort(), object.fullName);
    }
  });

  it("have no class that our .proto files do not declare", () => {
    const names = new Set(declared.map((object) => object.fullName.slice(1)));
    const extra = Object.entries(generated).flatMap(([name, namespace]) => membersOf(namespace, name));
    assert.deepEqual(
      extra.filter((name) => !names.has(name)),
      [],
    );
  });
});

describe("fields that a message does not know", () => {
  const newer = protobuf.parse(
    `syntax = "proto3"; message Spec { string urn = 1; bytes payload = 3; string a = 1000; fixed64 b = 1001; fixed32 c = 1002;
     repeated Spec d = 1003; map<string, int64> e = 1004; }
     message Coder { Spec spec = 1; repeated string component_coder_ids = 2; Spec extra = 900; }`,
  ).root;

  it("come back from a round trip, at every depth", () => {
    const type = newer.lookupType("Coder");
    const spec = { urn: "u", a: "text", b: 7, c: 8, d: [{ urn: "inner", a: "deep" }, {}], e: { k: -1 } };
    const content = { spec, componentCoderIds: ["c1"], extra: { urn: "more" } };
    const bytes = type.encode(type.fromObject(content)).finish();
    const passedOn = beam.pipeline.Coder.encode(beam.pipeline.Coder.decode(bytes)).finish();
    assert.deepEqual(type.toObject(type.decode(passedOn), { longs: Number }), content);
  });

  it("come back for any bytes in them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 900, max: 2 ** 29 - 1 }), fc.uint8Array({ maxLength: 40 }), fc.string(), (number, value, urn) => {
        const known = beam.pipeline.FunctionSpec.encode({ urn }).finish();
        const unknown = protobuf.Writer.create()
          .uint32(((number << 3) | 2) >>> 0)
          .bytes(value)
          .finish();
        const bytes = Buffer.concat([known, unknown]);
        const message = beam.pipeline.FunctionSpec.decode(bytes);
        assert.equal(message.urn, urn);
        assert.equal(hex(beam.pipeline.FunctionSpec.encode(message).finish()), hex(bytes));
      }),
    );
  });

  it("may be enum numbers", () => {
    const bytes = beam.job.JobStateEvent.encode({ state: 77 as beam.job.JobState.Enum }).finish();
    assert.equal(beam.job.JobStateEvent.decode(bytes).state, 77);
  });
});

describe("Google's types in messages", () => {
  it("a Struct carries pipeline options", () => {
    const options: google.protobuf.IStruct = {
      fields: {
        "beam:option:streaming:v1": { boolValue: true },
        "beam:option:job_name:v1": { stringValue: "words" },
        "beam:option:experiments:v1": { listValue: { values: [{ stringValue: "a" }, { nullValue: 0 }, { numberValue: 1.5 }] } },
      },
    };
    const bytes = beam.job.PrepareJobRequest.encode({ pipelineOptions: options }).finish();
    const decoded = beam.job.PrepareJobRequest.toObject(beam.job.PrepareJobRequest.decode(bytes));
    assert.deepEqual(decoded, { pipelineOptions: options });
  });
});

function loadSources(): protobuf.Root {
  const sources = fileURLToPath(new URL("../../../portability/protos/src", import.meta.url));
  const bundled = dirname(createRequire(import.meta.url).resolve("protobufjs/package.json"));
  const tree = new protobuf.Root();
  tree.resolvePath = (_, target) => [target, join(sources, target), join(bundled, target)].find((path) => existsSync(path)) ?? target;
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".proto"));
  tree.loadSync(files.map((file) => join(sources, file)).sort());
  tree.resolveAll();
  return tree;
}

/** Every message, enum and service of our packages. */
function declarations(tree: protobuf.Root): protobuf.ReflectionObject[] {
  const found: protobuf.ReflectionObject[] = [];
  const visit = (object: protobuf.ReflectionObject): void => {
    if (object instanceof protobuf.Type || object instanceof protobuf.Enum || object instanceof protobuf.Service) found.push(object);
    if (object instanceof protobuf.Namespace) object.nestedArray.forEach(visit);
  };
  for (const name of Object.keys(generated)) (tree.lookup(name) as protobuf.Namespace).nestedArray.forEach(visit);
  return found;
}

/** The generated class, enum or client of a declaration. */
function classOf(object: protobuf.ReflectionObject): unknown {
  const name = object.fullName.slice(1);
  const packageName = Object.keys(generated).find((candidate) => name.startsWith(`${candidate}.`))!;
  const path = name.slice(packageName.length + 1).split(".");
  return (
    path.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], generated[packageName]) ??
    assert.fail(`${name} is not generated`)
  );
}

/** Full names of the classes and enums in a generated namespace: whatever begins with a capital letter and is no enum value. */
function membersOf(namespace: object, name: string): string[] {
  return Object.entries(namespace).flatMap(([key, value]) => {
    if (!/^[A-Z]/.test(key) || value === null || !["object", "function"].includes(typeof value)) return [];
    return [`${name}.${key}`, ...membersOf(value as object, `${name}.${key}`)];
  });
}

/** Arbitrary contents of a message, nested to a depth. */
function messages(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = type.fieldsArray.filter((field) => depth > 0 || !(field.resolve().resolvedType instanceof protobuf.Type));
  const all = Object.fromEntries(fields.map((field) => [field.name, fieldContents(field, depth)]));
  return fc.record(all, { requiredKeys: [] }).map((content) => withOneOfEach(type, content));
}

/** Of the members of a oneof, a message holds at most one. */
function withOneOfEach(type: protobuf.Type, content: Record<string, unknown>): Record<string, unknown> {
  for (const { oneof } of type.oneofsArray) for (const name of oneof.filter((member) => member in content).slice(1)) delete content[name];
  return content;
}

function fieldContents(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const value = valueContents(field, depth);
  if (field instanceof protobuf.MapField)
    return fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
      value,
      { maxKeys: 3 },
    );
  return field.repeated ? fc.array(value, { maxLength: 3 }) : value;
}

function valueContents({ type, resolvedType }: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (resolvedType instanceof protobuf.Type) return messages(resolvedType, depth - 1);
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(resolvedType.values));
  switch (type) {
    case "string":
      return fc.string();
    case "bytes":
      return fc.uint8Array({ maxLength: 20 });
    case "bool":
      return fc.boolean();
    case "double":
      return fc.double();
    case "float":
      return fc.float();
    case "int32":
      return fc.integer();
    case "uint32":
      return fc.nat();
    case "int64":
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    default:
      return assert.fail(`no contents for a field of type ${type}`);
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
