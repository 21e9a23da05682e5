import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readRun } from '../read-run';

export const CLI = resolve('dist/cli.cjs');
const FIXTURES = resolve('test/fixtures');

export interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** A run's warnings. */
export const warnings = (run: string): string[] =>
  readRun(run).events.flatMap((e) => (e.kind === 'warning' ? [e.message] : []));

/** Suspends a process. On return, none of its threads is running. */
export async function suspend(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await suspended(pid);
}

/** Waits until no thread of a process that got a SIGSTOP is running. */
export async function suspended(pid: number): Promise<void> {
  if (process.platform !== 'linux') return void (await wait(500));
  const tasks = `/proc/${pid}/task`;
  const still = (task: string) => {
    try {
      const stat = readFileSync(join(tasks, task, 'stat'), 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2)[0] === 'T';
    } catch {
      return true; // This thread has ended in the meantime.
    }
  };
  while (!readdirSync(tasks).every(still)) await wait(5);
}

/** A folder with a small real model, tokenizer, data and experiment, and the built CLI to run on it. */
export class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), 'aurora-cli-'));
  readonly experiment = join(this.folder, 'tiny.aurora.json');

  constructor(settings: Record<string, unknown> = {}) {
    copyFileSync(join(FIXTURES, 'reference/bert.onnx'), this.path('model.onnx'));
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      copyFileSync(join(FIXTURES, 'data/wordpiece', name), this.path(name));
    this.write('train.jsonl', rows(96, 0));
    this.write('validation.jsonl', rows(24, 1));
    const base = {
      model: { path: 'model.onnx', maxLength: 16 },
      task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
      data: { train: 'train.jsonl', validation: 'validation.jsonl' },
      adapter: { method: 'aurora', targetModules: ['query', 'value'] },
      training: {
        epochs: 4,
        batchSize: 8,
        learningRate: 0.01,
        seed: 7,
        evaluateEvery: 10,
        checkpointEvery: 3,
      },
    };
    this.write('tiny.aurora.json', JSON.stringify(merge(base, settings), null, 2));
  }

  /** Another one with the same files, except for those that a trainer removes meanwhile, which `cp` passes over. */
  copy(): Lab {
    const copy = new Lab();
    spawnSync('cp', ['-Rp', `${this.folder}/.`, copy.folder], { stdio: 'ignore' });
    return copy;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A path where nothing exists yet, even if the test is retried. */
  fresh(name: string): string {
    let path = this.path(name);
    for (let n = 2; existsSync(path); n++) path = this.path(`${name}-${n}`);
    return path;
  }

  write(name: string, content: string | Uint8Array): void {
    mkdirSync(join(this.path(name), '..'), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  run(...args: string[]): Outcome {
    return this.type('', ...args);
  }

  /** Runs a command with lines on its standard input. */
  type(input: string, ...args: string[]): Outcome {
    const r = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', timeout: 900_000, input });
    return { code: r.status, out: r.stdout, err: r.stderr };
  }

  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, [CLI, ...args], { stdio: 'ignore' });
  }

  /** The environment in which one command hangs as soon as it starts (hang-at.cjs), and the file that shows that it does. */
  hanging(command: string): { env: Record<string, string>; file: string } {
    const file = this.path(`${command}-hangs`);
    const preload = `--require ${resolve('test/cli/hang-at.cjs')}`;
    return { env: { NODE_OPTIONS: preload, AURORA_TEST_HANG: command, AURORA_TEST_HANGS: file }, file };
  }

  /** True if a run there has already created this file. The run's folder appears shortly after `out`. */
  begun(out: string, file: string): boolean {
    return existsSync(out) && this.runs(out).some((run) => existsSync(join(run, file)));
  }

  /** The run folders below `out`, oldest first. */
  runs(out: string): string[] {
    return readdirSync(out)
      .map((name) => join(out, name))
      .sort((a, b) => statSync(a).ctimeMs - statSync(b).ctimeMs);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Json = Record<string, unknown>;

function merge(base: Json, over: Json): Json {
  const out = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const both = [base[key], value].every((v) => typeof v === 'object' && v !== null && !Array.isArray(v));
    out[key] = both ? merge(base[key] as Json, value as Json) : value;
  }
  return out;
}

/** Sentences from the fixture tokenizer's vocabulary, labeled by whether they contain "cat" or "cats". */
function rows(count: number, salt: number): string {
  const words = ['the', 'play', 'playing', 'played', 'unaffable', '!', ','];
  const lines = Array.from({ length: count }, (_, i) => {
    const n = 3 + ((i * 7 + salt) % 8);
    const text = Array.from(
      { length: n },
      (_, k) => words[(i * 5 + k * 3 + salt + ((i * k) % 4)) % words.length],
    );
    const label = (i + salt) % 2 === 0 ? 'pets' : 'other';
    if (label === 'pets') text[i % n] = i % 4 === 0 ? 'cats' : 'cat';
    return JSON.stringify({ text: text.join(' '), label });
  });
  return `${lines.join('\n')}\n`;
}
