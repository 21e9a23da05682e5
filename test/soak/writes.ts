import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EXIT } from '../../src/base/errors';
import type { Lab } from '../cli/lab';
import { clean, type Campaign } from './campaign';
import type { Draw } from './draw';
import { copyLab, labOfRuns } from './lab-copy';
import { type End, isOurFault, run } from './processes';
import { leftovers, onlyRun, requireWhole } from './run-facts';

const SHIM = resolve('test/soak/failing-writes.cjs');

/** A command that writes below a folder, and what must hold after it has succeeded there. */
interface Subject {
  args: string[];
  check(): void;
  /** The command after a failure, if it is not the same. */
  again?(): string[] | undefined;
}

/** The number of calls that each command makes here if none fails. */
const calls = new Map<string, number>();

/**
 * A call of a command that writes to a file fails, for lack of space or by the device, and so do all later ones or only that one. The
 * command ends with an error about the disk, leaves nothing unfinished, and succeeds when the disk works again.
 */
export const writes: Campaign = {
  name: 'writes',
  slice: 6,
  async trial(draw, folder) {
    const { lab, result } = await labOfRuns();
    const name = draw.pick(Object.keys(SUBJECTS));
    let most = calls.get(name);
    if (most === undefined) {
      const undisturbed = join(folder, 'undisturbed');
      const count = join(folder, 'count');
      const subject = SUBJECTS[name]!(lab, result, made(undisturbed));
      const end = await run(subject.args, shim({ under: undisturbed, count }));
      clean(end.code === 0, `${name} ended with ${end.code}: ${end.err}`);
      subject.check();
      calls.set(name, (most = Number(readFileSync(count, 'utf8'))));
      clean(most > 0, `${name} wrote nothing`);
    }
    const under = made(join(folder, 'disk'));
    const subject = SUBJECTS[name]!(lab, result, under);
    const nth = 1 + draw.int(most);
    const fault = { under, nth, code: draw.pick(['ENOSPC', 'EIO']), once: draw.next() < 0.5 };
    const end = await run(subject.args, shim(fault));
    const how = `${name}, with ${JSON.stringify({ ...fault, under: undefined })} of ${most} calls`;
    requireClean(end, how, under);
    if (end.code !== 0) await recover(draw, subject, how, under);
    subject.check();
    return end.code === 0 ? 'not needed' : 'refused';
  },
};

/** Perhaps fails once more, and then succeeds. */
async function recover(draw: Draw, { args, again }: Subject, how: string, under: string): Promise<void> {
  const next = again ? again() : args;
  if (next === undefined) return;
  if (draw.next() < 0.3) {
    const nth = 1 + draw.int(40);
    requireClean(await run(next, shim({ under, nth, code: 'EIO', once: false })), `${how}, again`, under);
  }
  const last = again ? again() : args;
  if (last === undefined) return;
  const end = await run(last);
  const isOver = end.code === EXIT.run && /has finished/.test(end.err);
  clean(end.code === 0 || isOver, `afterwards, ${how} ended with ${end.code}: ${end.err}`);
}

function requireClean(end: End, how: string, under: string): void {
  clean(end.code === 0 || end.code === EXIT.disk, `${how} ended with ${end.code}: ${end.err}`);
  clean(!isOurFault(end), `${how}: ${end.err}`);
  const left = leftovers(under);
  clean(left.length === 0, `${how} left ${left.join(', ')}`);
}

const shim = (fault: object): Record<string, string> => ({
  NODE_OPTIONS: `--require ${SHIM}`,
  AURORA_TEST_WRITES: JSON.stringify(fault),
});

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** @param folder exists, and is all that the command writes to */
type MakeSubject = (lab: Lab, result: string, folder: string) => Subject;

const SUBJECTS: Record<string, MakeSubject> = {
  train(lab, result, folder) {
    const runs = join(folder, 'runs');
    const train = ['train', lab.experiment, '--out', runs];
    return {
      args: train,
      check: () => requireWhole(onlyRun(runs)!, result),
      again() {
        const found = onlyRun(runs);
        // Before its experiment was written, it is not a run yet.
        return found === undefined || !existsSync(join(found, 'spec.json'))
          ? [...train.slice(0, -1), join(folder, 'again')]
          : ['train', '--resume', found];
      },
    };
  },
  'export merged': (lab, result, folder) =>
    ofCopy(lab, result, folder, ['--as', 'onnx-merged', '--max-drop', '100']),
  'export dynamic': (lab, result, folder) => ofCopy(lab, result, folder, ['--as', 'onnx-dynamic']),
  'export peft-lora': (lab, result, folder) =>
    ofCopy(lab, result, folder, ['--as', 'peft-lora', '--max-drop', '100']),
  'export tensorboard': (lab, result, folder) => ofCopy(lab, result, folder, ['--as', 'tensorboard']),
  errors(lab, result, folder) {
    const copy = copyRun(lab, folder);
    return { args: ['errors', copy, '--again'], check: () => requireWhole(copy, result) };
  },
  study(lab, result, folder) {
    const copy = copyRun(lab, folder);
    const out = join(folder, 'report');
    return {
      args: ['study', copy, '--measure', '--out', out],
      check() {
        requireWhole(copy, result);
        clean(readdirSync(out).includes('report.md'), 'the study wrote no report');
      },
    };
  },
  import(lab, _result, folder) {
    const file = copyLab(lab, folder);
    return {
      args: ['import', join(onlyRun(lab.path('alone'))!, 'adapter/best'), '--experiment', file],
      check: () => clean(leftovers(folder).length === 0, 'the import left something'),
    };
  },
  quantize(lab, _result, folder) {
    const out = join(folder, 'model_q4.onnx');
    return {
      args: ['quantize', lab.path('model.onnx'), '--bits', '4', '--out', out],
      check() {
        for (const name of ['model_q4.onnx', 'model_q4.onnx.data', 'tokenizer.json'])
          clean(existsSync(join(folder, name)), `there is no ${name}`);
      },
      again: () => {
        clean(!existsSync(out), 'a model was left that was not finished');
        return ['quantize', lab.path('model.onnx'), '--bits', '4', '--out', out];
      },
    };
  },
};

function ofCopy(lab: Lab, result: string, folder: string, form: string[]): Subject {
  const copy = copyRun(lab, folder);
  return { args: ['export', copy, ...form], check: () => requireWhole(copy, result) };
}

function copyRun(lab: Lab, folder: string): string {
  const copy = join(folder, 'run');
  cpSync(onlyRun(lab.path('alone'))!, copy, { recursive: true });
  return copy;
}
