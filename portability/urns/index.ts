// URNs and other fixed strings of the protocol, as typed constants. Imports nothing.
export * from "./access.js";
export * from "./beamstorm.js";
export * from "./coders.js";
export * from "./constants.js";
export * from "./environments.js";
export * from "./metrics.js";
export * from "./outside-the-protos.js";
export * from "./protocols.js";
export * from "./transforms.js";
export * from "./windows.js";
