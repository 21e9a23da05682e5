import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CLI, Lab } from './lab';

const bash = spawnSync('bash', ['--version']).status === 0;
const zsh = spawnSync('zsh', ['--version']).status === 0;
const run = (...args: string[]) =>
  spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', maxBuffer: 1e8 });

const lab = new Lab({ training: { epochs: 1, maxSteps: 2 } });
afterAll(() => lab.remove());

/** The completions of bash for a line that ends at the cursor; the line's last word may be empty. */
function offered(script: string, line: string): string[] {
  const words = line.split(' ');
  const body = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _aurora; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['--norc', '-c', body, 'bash', script, ...words], {
    encoding: 'utf8',
    cwd: lab.folder,
  });
  return out.split('\n').filter((word) => word !== '');
}

describe.skipIf(!bash)('completion in bash', () => {
  const script = lab.path('completion.bash');
  const complete = (line: string) => {
    if (!existsSync(script)) writeFileSync(script, run('completion', 'bash').stdout);
    return offered(script, line);
  };

  it('completes commands', () => {
    expect(complete('aurora pre')).toEqual(['preflight']);
    expect(complete('aurora ')).toEqual(
      expect.arrayContaining(['train', 'export', 'completion', '--version']),
    );
    expect(complete('aurora ')).not.toContain('measure-rates');
  });

  it('completes every option that the help of a command names, and no other', () => {
    for (const command of ['train', 'export', 'doctor', 'study']) {
      const help = run(command, '--help').stdout;
      const named = [...help.matchAll(/^ {2}(--[a-z-]+)/gm)].map((m) => m[1]);
      expect(complete(`aurora ${command} --`)).toEqual(expect.arrayContaining(named));
    }
    expect(complete('aurora train --when')).toEqual([]);
    expect(complete('aurora train tiny.aurora.json --res')).toEqual(['--resume']);
  });

  it('completes values, also after an equals sign, and otherwise files', () => {
    expect(complete('aurora export run --as onnx-d')).toEqual(['onnx-dynamic']);
    expect(complete('aurora export run --as = ad')).toEqual(['adapter']);
    expect(complete('aurora gpu in')).toEqual(['install']);
    expect(complete('aurora train ti')).toEqual(['tiny.aurora.json']);
    mkdirSync(lab.path('two words'), { recursive: true });
    expect(complete('aurora train --resume two')).toEqual(['two words']);
  });
});

describe.skipIf(!zsh)('completion in zsh', () => {
  /** The completions of zsh for a line that ends at the cursor, with the script where its help says to put it. */
  const complete = (line: string) => {
    const folder = lab.path('zsh');
    if (!existsSync(folder)) lab.write('zsh/_aurora', run('completion', 'zsh').stdout);
    const out = execFileSync('zsh', ['-f', resolve('test/cli/complete.zsh'), folder, line], {
      encoding: 'utf8',
      cwd: lab.folder,
      timeout: 30_000,
    });
    return [...new Set(out.split('\n').filter((word) => word !== ''))].sort();
  };

  it('completes commands, options, values and files in an interactive shell', () => {
    expect(complete('aurora pre')).toEqual(['preflight']);
    expect(complete('aurora ')).toEqual(expect.arrayContaining(['train', 'export', 'completion']));
    expect(complete('aurora train tiny.aurora.json --res')).toEqual(['--resume']);
    expect(complete('aurora export run --as onnx-d')).toEqual(['onnx-dynamic']);
    expect(complete('aurora export run --as=ad')).toEqual(['adapter']);
    expect(complete('aurora gpu in')).toEqual(['install']);
    expect(complete('aurora train ti')).toEqual(['tiny.aurora.json']);
    // An option that was given is not offered again, unless it may be given several times.
    expect(complete('aurora train --json --js')).toEqual([]);
    expect(complete('aurora train --set a=1 --se')).toEqual(['--set']);
  });
});

describe('a shell', () => {
  it('can run a printed command whose path has spaces and quotes', () => {
    const folder = `${lab.folder} it's`;
    renameSync(lab.folder, folder);
    try {
      const trained = run('train', join(folder, 'tiny.aurora.json'));
      expect(trained.stdout).toMatch(/a LoRA for PEFT {14}.* --as peft-lora\n/);
      const printed = /the trained model as ONNX {4}(.*) --as onnx-dynamic/.exec(trained.stdout)![1]!;
      const words = execFileSync('sh', ['-c', `printf '%s\\0' ${printed}`], { encoding: 'utf8' });
      const path = words.split('\0').at(-2)!;
      expect(path).toContain("it's/");
      expect(existsSync(join(path, 'result.json'))).toBe(true);
    } finally {
      renameSync(folder, lab.folder);
    }
  });

  it('gets JSON alone from --json, and with --quiet nothing else at all', () => {
    const { stdout, stderr, status } = run('train', lab.experiment, '--json', '--quiet');
    const [line, ...others] = stdout.trimEnd().split('\n');
    expect(others).toEqual([]);
    expect(JSON.parse(line!)).toMatchObject({ kind: 'result', steps: 2 });
    expect([stderr, status]).toEqual(['', 0]);
    const wrong = run('train', lab.path('none.aurora.json'), '--quiet');
    expect([wrong.stdout, wrong.status]).toEqual(['', 3]);
    expect(wrong.stderr).toMatch(/^\nerror: There is no experiment file/);
  });

  it('gets --json from every command that has results', () => {
    const script = run('completion', 'bash').stdout;
    const options = [...script.matchAll(/^ {6}(\w+)\) candidates="(--.*)" ;;$/gm)];
    const without = options.flatMap(([, name, all]) => (all!.split(' ').includes('--json') ? [] : [name]));
    expect(options.length).toBeGreaterThan(15);
    // A server speaks its own protocol.
    expect(without).toEqual(['completion', 'mcp']);
  });

  it('gets JSON alone, and with --quiet nothing on standard error, whatever the command', () => {
    const model = lab.path('model.onnx');
    const swept = lab.path('swept.aurora.json');
    rmSync(swept, { force: true });
    // The first of them has another folder in its settings. Their names do not say which it is: both may
    // have begun within one second.
    const trained = () => lab.runs(lab.path('.aurora/runs/tiny')).at(-1)!;
    const commands = [
      ['inspect', model, '--no-measure'],
      ['budget', lab.experiment],
      ['recipe', 'glue/rte'],
      ['compare', lab.experiment, '--out', swept],
      ['quantize', model, '--bits', '4', '--out', lab.path('q4.onnx')],
      ['reference', resolve('test/fixtures/reference/more/table.json')],
      ['gpu', 'list', '--storage', lab.folder],
      ['preflight', lab.experiment, '--steps', '1'],
      ['sweep', swept, '--dry-run', '--parallel', '1', '--device', 'cpu'],
      ['runs', lab.folder],
      ['study', trained()],
      ['errors', trained()],
      ['export', trained(), '--as', 'tensorboard'],
    ];
    for (const command of commands) {
      const { stdout, stderr, status } = run(...command, '--json', '--quiet');
      expect([command[0], stderr, status]).toEqual([command[0], '', 0]);
      // One object may take several lines.
      const objects = stdout.startsWith('{\n') ? [stdout] : stdout.trimEnd().split('\n');
      for (const object of objects) expect(JSON.parse(object), command[0]).toBeTypeOf('object');
    }
    rmSync(swept);
    expect(run('compare', lab.experiment, '--out', swept, '--quiet').stdout).not.toContain('Train them with');
  });

  it('gets no terminal codes where there is no terminal', () => {
    for (const args of [['train', lab.experiment], ['train', 'none'], ['--help']]) {
      const { stdout, stderr } = run(...args);
      expect(stdout + stderr).not.toContain('\x1b');
    }
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'gets color on a terminal, unless NO_COLOR is set',
    () => {
      const onTerminal = (env: NodeJS.ProcessEnv, file = 'none') => {
        const out = lab.path('typescript');
        const command = `'${process.execPath}' '${CLI}' train '${file}'`;
        spawnSync('script', ['-qec', command, out], {
          env: { PATH: process.env.PATH, HOME: lab.folder, TERM: 'xterm-256color', ...env },
        });
        return readFileSync(out, 'utf8');
      };
      // Not this shell's variables: on many CI machines, they say that there is no color.
      expect(onTerminal({})).toContain('\x1b[31merror:\x1b[39m');
      expect(onTerminal({ NO_COLOR: '1' })).not.toContain('\x1b');
      // A terminal that cannot redraw a line, such as that of Emacs.
      expect(onTerminal({ TERM: 'dumb' }, lab.experiment)).not.toContain('\x1b');
    },
  );
});
