import {
  ARTIFACT_RETRIEVAL_SERVICE,
  FN_CONTROL_SERVICE,
  FN_DATA_SERVICE,
  FN_LOGGING_SERVICE,
  FN_STATE_SERVICE,
  FN_WORKER_STATUS_SERVICE,
  GrpcServer,
  PROVISION_SERVICE,
  type ListenOptions,
} from "../../portability/transport/index.js";
import { FnServices, type ReadArtifact } from "./fn-services.js";

/** The port that the harnesses of all jobs call. */
export class FnServer {
  private constructor(
    readonly services: FnServices,
    private readonly server: GrpcServer,
  ) {}

  static async open(options: ListenOptions = {}, readArtifact?: ReadArtifact): Promise<FnServer> {
    const services = new FnServices(readArtifact);
    const server = new GrpcServer()
      .add(FN_CONTROL_SERVICE, services)
      .add(FN_DATA_SERVICE, services)
      .add(FN_STATE_SERVICE, services)
      .add(FN_LOGGING_SERVICE, services)
      .add(FN_WORKER_STATUS_SERVICE, services)
      .add(PROVISION_SERVICE, services)
      .add(ARTIFACT_RETRIEVAL_SERVICE, services);
    await server.listen(options);
    return new FnServer(services, server);
  }

  /** `host:port` for harnesses on this machine. */
  get url(): string {
    return this.server.url;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
