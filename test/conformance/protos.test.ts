// Our .proto files against the facts of the wire format: every message, field, enum value, service and method, both ways.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { beam, google } from "../../portability/protos/index.js";

interface FieldFact {
  name: string;
  number: number;
  type: string;
  label?: string;
  oneof?: string;
  map?: { key: string; value: string };
  packed?: boolean;
}
interface PackageFacts {
  messages: Record<string, { fields: FieldFact[]; reserved?: { ranges?: [number, number][]; names?: string[] } }>;
  enums: Record<string, Record<string, number>>;
  services: Record<
    string,
    { methods: { name: string; request: string; response: string; requestStream: boolean; responseStream: boolean }[] }
  >;
  extensions?: Record<string, { number: number; type: string }>;
}

const facts = JSON.parse(readFileSync(new URL("./facts/messages.json", import.meta.url), "utf8")) as Record<string, PackageFacts>;
const sources = fileURLToPath(new URL("../../portability/protos/src", import.meta.url));
const bundled = dirname(createRequire(import.meta.url).resolve("protobufjs/package.json"));

function load(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) =>
    target.startsWith("/") ? target : target.startsWith("google/") ? join(bundled, target) : join(sources, target);
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".proto"));
  root.loadSync(
    files.map((file) => join(sources, file)),
    { keepCase: true },
  );
  root.resolveAll();
  return root;
}

/** All that a package declares, as sorted lines that name each fact. */
function declared(root: protobuf.Root, name: string): string[] {
  const lines: string[] = [];
  const visit = (object: protobuf.ReflectionObject): void => {
    const path = object.fullName.slice(name.length + 2);
    if (object instanceof protobuf.Type) {
      lines.push(`message ${path}`);
      for (const field of object.fieldsArray) lines.push(`${path}.${fieldLine(field)}`);
    } else if (object instanceof protobuf.Enum) {
      for (const [value, number] of Object.entries(object.values)) lines.push(`enum ${path}.${value} = ${number}`);
    } else if (object instanceof protobuf.Service) {
      for (const method of object.methodsArray)
        lines.push(
          `rpc ${path}.${method.name}(${method.requestStream === true}:${method.resolvedRequestType?.fullName.slice(1)}) → ${method.responseStream === true}:${method.resolvedResponseType?.fullName.slice(1)}`,
        );
    }
    if (object instanceof protobuf.Namespace) object.nestedArray.forEach(visit);
  };
  (root.lookup(name) as protobuf.Namespace).nestedArray.forEach(visit);
  return lines.sort();
}

function fieldLine(field: protobuf.Field): string {
  const type = field.resolvedType === null ? field.type : field.resolvedType.fullName.slice(1);
  const optional = field.options?.proto3_optional === true;
  const label = field.repeated ? "repeated" : optional ? "optional" : "";
  const oneof = field.partOf !== null && !optional ? field.partOf.name : "";
  if (field instanceof protobuf.MapField) return `${field.name} = ${field.id} map<${field.keyType}, ${type}>`;
  return `${field.name} = ${field.id} ${label} ${type} ${oneof}`;
}

/** The same lines from the facts. */
function stated({ messages, enums, services }: PackageFacts): string[] {
  const lines: string[] = [];
  for (const [path, { fields }] of Object.entries(messages)) {
    lines.push(`message ${path}`);
    for (const { name, number, type, label = "", oneof = "", map } of fields)
      lines.push(
        map !== undefined
          ? `${path}.${name} = ${number} map<${map.key}, ${map.value}>`
          : `${path}.${name} = ${number} ${label} ${type} ${oneof}`,
      );
  }
  for (const [path, values] of Object.entries(enums))
    for (const [value, number] of Object.entries(values)) lines.push(`enum ${path}.${value} = ${number}`);
  for (const [path, { methods }] of Object.entries(services))
    for (const m of methods) lines.push(`rpc ${path}.${m.name}(${m.requestStream}:${m.request}) → ${m.responseStream}:${m.response}`);
  return lines.sort();
}

describe("Beam's messages", () => {
  const root = load();

  for (const [name, fact] of Object.entries(facts)) {
    it(`has in ${name} what the facts state, and nothing else`, () => {
      assert.deepEqual(declared(root, name), stated(fact));
    });
  }

  it("declares the extensions of enum values", () => {
    for (const [name, { extensions = {} }] of Object.entries(facts))
      for (const [extension, { number }] of Object.entries(extensions)) {
        const field = root.lookup(`${name}.${extension}`);
        assert.ok(field instanceof protobuf.Field, extension);
        assert.equal(field.id, number);
      }
  });

  it("has a generated class for each message, with the same fields and numbers", () => {
    const packages: Record<string, object> = {
      pipeline: beam.pipeline,
      fn_execution: beam.fn,
      job_management: beam.job,
      expansion: beam.expansion,
      interactive: beam.interactive,
    };
    for (const [name, { messages }] of Object.entries(facts)) {
      const generated = packages[name.split(".").at(-2) ?? ""];
      for (const path of Object.keys(messages)) {
        const found = path.split(".").reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], generated) as
          { create?: () => object; encode?: unknown } | undefined;
        assert.ok(found !== undefined, `${name}.${path}`);
        if (messages[path].fields.length > 0) assert.equal(typeof found.encode, "function", `${name}.${path}`);
      }
    }
  });

  it("keeps fields that it does not know", () => {
    // Field 15 of FunctionSpec, which has none so far: a newer peer's message passes through unharmed.
    const bytes = Uint8Array.from([0x0a, 0x01, 0x75, 0x7a, 0x02, 0x68, 0x69]);
    const message = beam.pipeline.FunctionSpec.decode(bytes);
    assert.equal(message.urn, "u");
    assert.deepEqual([...beam.pipeline.FunctionSpec.encode(message).finish()], [...bytes]);
  });

  it("brings Google's well-known types along", () => {
    assert.equal(google.protobuf.Timestamp.encode({ nanos: 5 }).finish().length, 2);
  });
});
