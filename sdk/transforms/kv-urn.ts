/** `beam:coder:kv:v1`. */
export const URNS_KV = "beam:coder:kv:v1";
