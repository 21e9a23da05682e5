import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { CLI, Lab } from './lab';

/** Sets the title, clears the screen, colors (as C0 and C1), goes back, beeps, and reverses text. */
const EVIL = '\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\x90q\x85\rX\b\x7f\u202egnp\u2066\u2028';
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;

const lab = new Lab({
  name: `n${EVIL}`,
  data: {
    train: 'train.jsonl',
    validation: 'validation.jsonl',
    textColumn: `t${EVIL}`,
    labelColumn: `l${EVIL}`,
  },
  training: { epochs: 1, maxSteps: 4 },
});
const rows = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `${JSON.stringify({ [`t${EVIL}`]: `the cat ${i} ${EVIL}`, [`l${EVIL}`]: `${i % 2 ? 'a' : 'b'}${EVIL}` })}\n`,
  ).join('');
lab.write('train.jsonl', rows(16));
lab.write('validation.jsonl', rows(8));
afterAll(() => lab.remove());

/** Runs a command whose output must not contain control characters; those of CSV's line breaks are allowed. */
function clean(code: number, ...args: string[]): string {
  const { out, err, code: ended } = lab.run(...args);
  expect(out.replaceAll('\r\n', '\n'), args[0]).not.toMatch(CONTROLS);
  expect(err, args[0]).not.toMatch(CONTROLS);
  expect(ended, err).toBe(code);
  return out + err;
}

describe('control characters from files and arguments', () => {
  it('do not reach the terminal from an experiment, its data, its run or its study', () => {
    const out = lab.fresh('out');
    expect(clean(0, 'preflight', lab.experiment)).toContain('\\u001b[2J');
    expect(clean(0, 'train', lab.experiment, '--out', out)).toContain('\\u009b31m\\u0090q\\u0085');
    const [run] = lab.runs(out);
    expect(clean(0, 'errors', run)).toContain('\\u202egnp\\u2066');
    for (const form of [[], ['--json'], ['--csv']]) clean(0, 'runs', out, ...form);
    clean(0, 'errors', run, '--json');
    const shown = clean(0, 'preflight', lab.experiment, '--json')
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(shown.map((line) => JSON.stringify(JSON.parse(line))).join('\n')).toContain(
      JSON.stringify(`a${EVIL}`),
    );
    clean(0, 'export', run, '--as', 'adapter', '--out', lab.fresh('exported'));
    clean(0, 'inspect', lab.path('model.onnx'));
  });

  it.each([
    [2, `tr${EVIL}`],
    [2, 'train', `--op${EVIL}`],
    [3, 'train', `${EVIL.replaceAll('\0', '')}.aurora.json`],
    [3, 'train', lab.experiment, '--set', `training.${EVIL}=1`],
    [2, 'runs', '--sort', EVIL, lab.folder],
    [2, 'get', `owner/${EVIL}`],
  ])('do not reach it from an argument: exit code %i', (code, ...args) => {
    const { out, err, code: ended } = lab.run(...(args as string[]));
    expect(out + err).not.toMatch(CONTROLS);
    expect(err).toContain('\\u001b');
    expect(ended).toBe(code);
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'do not reach a terminal that has colors, whose own stay',
    () => {
      const typescript = lab.path('typescript');
      const onTerminal = (...args: string[]) => {
        const command = [process.execPath, CLI, ...args].map((arg) => `'${arg}'`).join(' ');
        spawnSync('script', ['-qec', command, typescript], {
          env: { PATH: process.env.PATH, HOME: lab.folder, TERM: 'xterm-256color' },
        });
        return readFileSync(typescript, 'utf8').replaceAll('\r\n', '\n');
      };
      const refused = onTerminal('train', 'no\x1b[2Jne');
      expect(refused).toContain('\x1b[31merror:\x1b[39m');
      expect(refused).toContain('no\\u001b[2Jne');
      const trained = onTerminal('train', lab.experiment, '--out', lab.fresh('out'));
      expect(trained).toContain('\\u001b[2J');
      const redrawn = trained.split('\x1b[K').map((part) => part.replace(/\r(?=[^\r\n]*$)/, ''));
      expect(redrawn.length).toBeGreaterThan(1);
      expect(redrawn.join('')).not.toMatch(CONTROLS);
    },
  );
});
