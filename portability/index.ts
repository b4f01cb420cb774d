// What both sides of the portability layer agree on, for those who build on it: messages, URNs, coders, values, window
// functions and the stage-host interface. Pipeline authors need none of it: they import "beamstorm".
export * from "./coders/index.js";
export * from "./metrics/index.js";
export * from "./protos/index.js";
export * from "./schemas/index.js";
export * from "./stage-host/index.js";
export * as urns from "./urns/index.js";
export * from "./values/index.js";
export * from "./windows/index.js";
