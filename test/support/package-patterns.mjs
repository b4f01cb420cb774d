// ts-node resolves packages itself and does not know patterns of exports that have an ending ("./src/*.js"); Node does.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!String(error).includes("ERR_PACKAGE_PATH_NOT_EXPORTED")) throw error;
    return { url: pathToFileURL(createRequire(context.parentURL).resolve(specifier)).href, format: "module", shortCircuit: true };
  }
}
