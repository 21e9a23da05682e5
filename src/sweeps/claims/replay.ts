import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { childEnvironment } from '../../files/child-environment';
import { temporaryFolderFor } from '../../files/system-temporary';
import { runPaths } from '../../runs/layout';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import type { Certificate, CertifiedRun } from '../../study/claim/certificate';
import { removedAtEnd } from '../../training/process/removed-at-exit';
import { resultOf, searchedValue, sumsOf, testedResults } from './tested';
import { testedForms } from './looks';

/** A run that was trained again. */
export interface Replayed {
  run: string;
  /**
   * `same`: the same bits. `close`: other bits on another kind of machine, and results that differ by less than the claim's
   * `by`. `different`: anything else.
   */
  outcome: 'same' | 'close' | 'different';
  /** The largest difference of a result, in the metric's unit. */
  difference: number;
}

/** The parts of the environment that decide the bits. */
const DECISIVE = ['engine', 'device', 'runtime', 'threads', 'platform', 'cpu'] as const;

/** Runs of a certificate, drawn at random without repetition. */
export function drawRuns({ runs }: Certificate, count: number): CertifiedRun[] {
  const left = [...runs];
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(randomInt(left.length), 1)[0]!,
  );
}

/**
 * Trains a run of a certificate again, elsewhere, and compares it.
 *
 * @param program this program, dist/cli.cjs
 * @param folder of the run
 * @throws AuroraError 'failed' if it cannot be trained again
 */
export async function replay(
  { frozen: { claim } }: Certificate,
  one: CertifiedRun,
  program: string,
  folder: string,
): Promise<Replayed> {
  const before = readRunSummary(folder);
  const out = temporaryFolderFor('replay');
  const remove = removedAtEnd(out);
  try {
    await trainAgain(before, program, out);
    const [name] = readdirSync(out).filter((entry) => !entry.startsWith('.'));
    const again = join(out, name!);
    const { step, adapter, results } = await measured(again, one, claim);
    const values = Object.entries(one.results).map(([form, { value }]) => {
      const other = results[form as 'trained' | 'fitted'];
      return other === undefined ? Infinity : Math.abs(other.value - value);
    });
    const difference = Math.max(...values);
    const isSame =
      step === one.step &&
      adapter === one.adapter &&
      Object.entries(one.results).every(
        ([form, { sha256 }]) => results[form as 'trained']?.sha256 === sha256,
      );
    if (isSame) return { run: one.run, outcome: 'same', difference };
    const isAlike = DECISIVE.every(
      (part) => environmentOf(before)[part] === environmentOf(readRunSummary(again))[part],
    );
    return { run: one.run, outcome: !isAlike && difference < claim.by ? 'close' : 'different', difference };
  } finally {
    remove();
  }
}

async function measured(
  folder: string,
  { phase, method }: CertifiedRun,
  claim: Certificate['frozen']['claim'],
): Promise<{ step: number; adapter: string; results: CertifiedRun['results'] }> {
  const run = readRunSummary(folder);
  if (phase === 'search') {
    const { step, value } = searchedValue(run, claim.metric);
    if (value === 'diverged') return { step, adapter: '', results: {} };
    const examples = run.events.findLast((e) => e.kind === 'evaluation')!.metrics.examples;
    return { step, ...(await sumsOf(run, step)), results: { trained: resultOf({ value, examples }) } };
  }
  const found = await testedResults(folder, claim, testedForms(claim)[method]!);
  if (found === 'diverged') return { step: 0, adapter: '', results: {} };
  const results = Object.entries(found.results).map(([form, result]) => [form, resultOf(result)]);
  return { step: found.step, ...found.sums, results: Object.fromEntries(results) as CertifiedRun['results'] };
}

const environmentOf = ({ result }: RunSummary): Record<string, unknown> =>
  (result?.environment ?? {}) as Record<string, unknown>;

/** With as many threads as the first time, on the same device. */
function trainAgain(run: RunSummary, program: string, out: string): Promise<void> {
  const { engine, device, threads } = environmentOf(run);
  const option = (name: string, value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? [`--${name}`, String(value)] : [];
  const args = [
    ...[program, 'train', runPaths(run.folder).spec, '--out', out],
    ...[...option('engine', engine), ...option('device', device), ...option('threads', threads)],
  ];
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { env: childEnvironment(), windowsHide: true }, (e, _, err) => {
      // A run that is worse than an answer without the input has finished, too.
      if (!e || e.code === 27) return done();
      const last =
        err
          .trim()
          .split('\n')
          .findLast((line) => line.startsWith('error')) ?? e.message;
      fail(new AuroraError('failed', `${run.folder} could not be trained again: ${last}`));
    });
  });
}
