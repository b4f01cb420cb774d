// A worker as a process of its own, as an environment's command starts it: a fake harness with a few functions.
import { callContext, GrpcConnection, PROVISION_SERVICE } from "../../portability/transport/index.js";
import { FakeHarness, type FakeTransform } from "./fake-harness.js";

const flag = (name: string): string => {
  const prefix = `--${name}=`;
  return process.argv.find((argument) => argument.startsWith(prefix))!.slice(prefix.length);
};

const functions: Record<string, FakeTransform> = {
  work: (value, meta, emit) => emit(value, meta),
  // Says something, and goes without having done anything.
  crash: () => {
    console.error("out of luck");
    process.exit(3);
  },
  hang: () => new Promise(() => {}),
};

const connection = new GrpcConnection(flag("provision_endpoint"));
const { info } = await connection.service(PROVISION_SERVICE).getProvisionInfo({}, callContext({ worker_id: flag("id") }));
connection.close();
console.log(`worker ${process.pid} of ${process.env["GREETING"] ?? "nobody"} calls ${info!.controlEndpoint!.url}`);
const harness = new FakeHarness(flag("id"), flag("control_endpoint"), functions);
await harness.ended;
process.exit(0);
