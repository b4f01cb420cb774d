// What comes to the ports of a job server from peers that are broken or hostile. `npm run test:interop` sends a hundred thousand calls.
import assert from "node:assert/strict";
import { callContext, GrpcConnection, JOB_SERVICE } from "../../portability/transport/index.js";
import { JobServer } from "../../runner/job-service/index.js";
import { knock } from "../support/door.js";
import { RawCaller } from "../support/raw-calls.js";
import { connect } from "node:http2";
import { once } from "node:events";

const PREPARE = "/org.apache.beam.model.job_management.v1.JobService/Prepare";
const GET_JOBS = "/org.apache.beam.model.job_management.v1.JobService/GetJobs";
const RESOURCE_EXHAUSTED = 8;

describe("the ports of a job server", () => {
  it("answer 4,000 calls that are nearly right, each with a status and a sentence, and work on", async () => {
    const { statuses, jobsRun } = await knock(4000, 15);
    assert.ok(statuses.size > 3, "several kinds of answers");
    assert.ok(jobsRun > 0, "some jobs were run");
  });

  context("when a client wants too much", () => {
    let server: JobServer;
    beforeEach(async () => void (server = await JobServer.open()));
    afterEach(() => server.close());

    /** Whether others are served. */
    const serves = async (): Promise<void> => {
      const connection = new GrpcConnection(server.url);
      assert.deepEqual((await connection.service(JOB_SERVICE).getJobs({}, callContext())).jobInfo, []);
      connection.close();
    };

    it("refuse a message of 1 GB before it is there", async () => {
      const caller = new RawCaller(server.url);
      const { status, message } = await caller.call({ path: PREPARE, body: Buffer.from([0, 0x40, 0, 0, 0, 1, 2, 3]) });
      assert.equal(status, RESOURCE_EXHAUSTED);
      assert.match(message, /larger than max \(1073741824 vs/);
      caller.close();
      await serves();
    });

    it("take so many calls of one connection at once, the others when those are over, and serve others meanwhile", async () => {
      const session = connect(`http://${server.url}`);
      session.on("error", () => {}); // told by the streams
      await once(session, "remoteSettings");
      assert.ok(session.remoteSettings.maxConcurrentStreams! < 1000);
      let answered = 0;
      const streams = Array.from({ length: 1000 }, () => {
        const stream = session.request({ ":method": "POST", ":path": GET_JOBS, "content-type": "application/grpc", te: "trailers" });
        return stream.on("response", () => answered++).resume();
      });
      await serves();
      assert.equal(answered, 0);
      const ends = streams.map((stream) => once(stream, "close"));
      for (const stream of streams) stream.end(Buffer.alloc(5));
      await Promise.all(ends);
      assert.equal(answered, streams.length);
      session.close();
    });
  });
});
