import { logVerbosity, setLogVerbosity, type ChannelOptions } from "@grpc/grpc-js";

setLogVerbosity(logVerbosity.NONE); // what goes wrong is told to callers, not to the console

/** Bytes under way on one stream: enough for elements to flow without waiting for acknowledgements. */
const WINDOW_BYTES = 4 << 20;

/** Beam's peers set no limits to the size of a message; servers of ours do. Pings are answered by HTTP/2 itself, however often they come. */
export const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc-node.flow_control_window": WINDOW_BYTES,
};
