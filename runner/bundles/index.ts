// The runner's side of the Fn API: a stage host whose stages run on harnesses of Beam's SDKs. Values stay bytes throughout.
export * from "./external-pool.js";
export * from "./fn-services.js";
export * from "./harness.js";
export * from "./remote-host.js";
