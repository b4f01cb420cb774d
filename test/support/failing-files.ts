import type { FileSystem } from "../../sdk/io/files/file-system.js";
import { localFiles } from "../../sdk/io/files/local-files.js";

/** "part" is a file under a temporary name that becomes part of others. */
export type FileStep = "write part" | "close part" | "write" | "close" | "publish";

/** The local file system, with an error of the system's in one of its steps. */
export function failing(step: FileStep, code: string): FileSystem {
  const fail = (): Promise<never> => Promise.reject(Object.assign(new Error(`${code}: from the system`), { code }));
  return {
    ...localFiles,
    ...(step === "publish" ? { publish: fail } : {}),
    async create(path) {
      const file = await localFiles.create(path);
      return { ...file, ...(step === "write part" ? { write: fail } : {}), ...(step === "close part" ? { close: fail } : {}) };
    },
    async replace(path) {
      const file = await localFiles.replace(path);
      return { ...file, ...(step === "write" ? { write: fail } : {}), ...(step === "close" ? { close: fail } : {}) };
    },
  };
}
