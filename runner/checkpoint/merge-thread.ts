// The thread of piece-merger.ts: one merge, whose outcome is its only message.
import { parentPort, workerData } from "node:worker_threads";
import { mergePieces, type PieceMerge } from "./merge-pieces.js";

parentPort?.postMessage(await mergePieces(workerData as PieceMerge));
