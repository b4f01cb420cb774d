import assert from "node:assert/strict";
import { callContext, GrpcConnection, JOB_SERVICE } from "../../portability/transport/index.js";
import { JobServerProcess } from "../support/job-server-process.js";
import { beamstorm } from "../support/run-cli.js";

describe("beamstorm job-server", () => {
  let server: JobServerProcess | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  it("serves the job API until Ctrl-C, and ends with 0", async () => {
    server = await JobServerProcess.start();
    const connection = new GrpcConnection(server.url);
    const { jobInfo } = await connection.service(JOB_SERVICE).getJobs({}, callContext());
    connection.close();
    assert.deepEqual(jobInfo, []);
    assert.equal(await server.stop(), 0);
  });

  it("listens to this machine alone unless told otherwise", async () => {
    server = await JobServerProcess.start();
    assert.match(server.url, /^127\.0\.0\.1:/);
  });

  it("refuses to let other machines in unless that is meant, and says why", async () => {
    const { code, message } = await beamstorm(["job-server", "--port", "0", "--host", "0.0.0.0"]);
    assert.equal(code, 1);
    assert.match(message, /^error: at 0\.0\.0\.0 other machines could reach the job server, .* --unauthenticated\n$/);
    server = await JobServerProcess.start(["--port", "0", "--host", "0.0.0.0", "--unauthenticated"]);
  });

  it("names the port that is taken, and ends with 1", async () => {
    server = await JobServerProcess.start();
    const { code, message } = await beamstorm(["job-server", "--port", server.port]);
    assert.equal(code, 1);
    assert.match(message, new RegExp(`^error: cannot listen on 127\\.0\\.0\\.1:${server.port}`));
  });

  it("refuses what is no port", async () => {
    const { code, message } = await beamstorm(["job-server", "--port", "many"]);
    assert.equal(code, 2);
    assert.match(message, /expected a whole number from 0 to 65535/);
  });
});
