import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT } from './run.mjs';

/** The environment variable that names the file for `Retried`'s list. */
export const RETRIED_FILE = 'AURORA_TEST_RETRIED_FILE';

/**
 * Vitest reporter: writes a JSON list of the tests that needed more than one attempt, passed or failed, each with its
 * first error. Vitest's own JSON report omits attempts.
 */
export default class Retried {
  onTestRunEnd(modules) {
    const file = process.env[RETRIED_FILE];
    if (!file) return;
    const lines = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => {
        const attempts = 1 + (test.diagnostic()?.retryCount ?? 0);
        const title = `${relative(ROOT, module.moduleId)} > ${test.fullName}`;
        const error = test.result().errors?.at(0)?.message.split('\n', 1)[0] ?? 'no error';
        return attempts > 1 ? [`${title} (${attempts} attempts): ${error}`] : [];
      }),
    );
    writeFileSync(file, JSON.stringify(lines));
  }
}
