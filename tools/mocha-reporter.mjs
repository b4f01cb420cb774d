// Mocha's spec reporter that also leaves its counts, as JSON, in the file that BEAMSTORM_TEST_COUNTS names.
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

export default class CountingSpec extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.BEAMSTORM_TEST_COUNTS;
    if (file === undefined) return;
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passes, failures, pending }));
    });
  }
}
