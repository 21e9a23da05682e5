import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Debian's Python, for which apt has PyTorch, ONNX Runtime, scikit-learn and Pillow, or the one at this path. */
const PYTHON = process.env.AURORA_TEST_PYTHON ?? '/usr/bin/python3';

/** AURORA_TEST_PYTHON=0 skips the tests that need these packages. */
export const onPython = PYTHON !== '0';

/** Runs a script of this folder with `input` as JSON on its standard input and returns its output. */
export function python(script: string, args: readonly string[] = [], input?: unknown): string {
  const r = spawnSync(PYTHON, [join(__dirname, script), ...args], {
    encoding: 'utf8',
    input: input === undefined ? '' : JSON.stringify(input),
    maxBuffer: 1 << 28,
  });
  if (r.status !== 0) throw new Error(`${script} failed: ${r.stderr || String(r.error)}`);
  return r.stdout;
}
