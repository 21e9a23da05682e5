import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Debian's Python, for which apt has PyTorch and ONNX Runtime; another one by its path. */
const PYTHON = process.env.AURORA_TEST_PYTHON ?? '/usr/bin/python3';

/** If no Python has these packages and none can be installed, AURORA_TEST_PYTHON=0 skips the tests that need it. */
export const onPython = PYTHON !== '0';

/** Runs a script of this folder, with `input` as JSON on its standard input; returns what it printed. */
export function python(script: string, args: readonly string[] = [], input?: unknown): string {
  const r = spawnSync(PYTHON, [join(__dirname, script), ...args], {
    encoding: 'utf8',
    input: input === undefined ? '' : JSON.stringify(input),
    maxBuffer: 1 << 28,
  });
  if (r.status !== 0) throw new Error(`${script} failed: ${r.stderr || String(r.error)}`);
  return r.stdout;
}
