// The runner side of the Fn API: stages that are executed by SDK harnesses in other processes, whatever their language.
export * from "./check-stage.js";
export * from "./fn-server.js";
export * from "./harness.js";
export * from "./raw-coder.js";
export * from "./remote-stage-host.js";
export * from "./worker-environment.js";
