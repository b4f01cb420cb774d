import type { Coder } from "./coder.js";
import { wrongValue } from "./wrong-value.js";

/** A key, and which part of its values is meant. */
export interface ShardedKey<K> {
  readonly shardId: Uint8Array;
  readonly key: K;
}

/**
 * `beam:coder:sharded_key:v1`: varint length and shard id, then the key nested.
 *
 * @example
 * ```ts
 * const coder = shardedKeyCoder(utf8Coder);
 * ```
 */
export function shardedKeyCoder<K>(key: Coder<K>): Coder<ShardedKey<K>> {
  return {
    urn: "beam:coder:sharded_key:v1",
    components: [key as Coder<unknown>],
    deterministic: key.deterministic,
    encode(value, writer) {
      if (!(value?.shardId instanceof Uint8Array)) wrongValue("a sharded key", value);
      writer.writeVarint(value.shardId.length);
      writer.writeBytes(value.shardId);
      key.encode(value.key, writer, true);
    },
    decode(reader) {
      const shardId = reader.readBytes(reader.readLength());
      return { shardId, key: key.decode(reader, true) };
    },
  };
}
