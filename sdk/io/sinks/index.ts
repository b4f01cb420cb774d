// Writing exactly once to what is outside of the pipeline: by transactions, or by keys that let the other side see what it has already.
export { withIdempotencyKeys, type IdempotencyKeysOptions } from "./idempotency-keys.js";
export {
  transactionalWrite,
  type BatchId,
  type CommittedBatch,
  type TransactionalBatch,
  type TransactionalSink,
  type TransactionalWriteOptions,
} from "./transactional-write.js";
