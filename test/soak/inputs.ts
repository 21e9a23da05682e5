import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/base/errors';
import { readRun } from '../read-run';
import { clean, type Campaign } from './campaign';
import type { Draw } from './draw';
import { copyLab, labOfRuns } from './lab-copy';
import { isOurFault, killAll, run, start, untilOrOver, type Running } from './processes';
import { recordsOf } from './records';
import { onlyRun, resultOf } from './run-facts';

/** A run's input files are changed between a kill and its resume, or during training. */
export const inputs: Campaign = {
  name: 'inputs',
  slice: 2,
  lacks: () => (process.platform === 'linux' ? undefined : 'finding the processes to kill needs Linux'),
  async trial(draw, folder) {
    const { lab, result } = await labOfRuns();
    const experiment = copyLab(lab, folder);
    const runs = join(folder, 'runs');
    const training = start(['train', experiment, '--out', runs]);
    const at = 4 + draw.int(70);
    await untilOrOver(() => recordsOf(onlyRun(runs)) > at, training);
    const made = onlyRun(runs)!;
    if (draw.int(3) === 0) return whileTraining(draw, folder, made, training, result);
    await killAll(training.pid, folder);
    await training.ended;
    if (readRun(made).result !== undefined) return 'too late';
    const [name, change] = draw.pick(Object.entries(CHANGES));
    change(draw, folder);
    const refused = await run(['train', '--resume', made]);
    clean(refused.code === EXIT.inputs, `--resume after ${name} ended with ${refused.code}: ${refused.err}`);
    const accepted = await run(['train', '--resume', made, '--accept-changed-inputs']);
    clean(
      accepted.code === 0,
      `--accept-changed-inputs after ${name} ended with ${accepted.code}: ${accepted.err}`,
    );
    return name;
  },
};

/**
 * The trainer maps the model file. If it is overwritten in place, the trainer reads the new bytes; if it is
 * truncated, the trainer is killed.
 */
async function whileTraining(
  draw: Draw,
  folder: string,
  made: string,
  training: Running,
  result: string,
): Promise<string> {
  const model = join(folder, 'model.onnx');
  const truncates = draw.int(2) === 0;
  const bytes = otherWeights(draw, readFileSync(model));
  writeFileSync(model, truncates ? bytes.subarray(0, 1000) : bytes, { flag: truncates ? 'w' : 'r+' });
  const how = truncates ? 'truncated model' : 'overwritten model';
  const end = await training.ended;
  clean(!isOurFault(end), `${how}: ${end.err}`);
  if (end.code === 0) {
    // It had already computed everything that it needed.
    clean(resultOf(made) === result, `the ${how} affected the training, and it ended with 0`);
    return `${how}, too late`;
  }
  const died = truncates && end.signal === 'SIGBUS';
  clean(died || end.code === EXIT.inputs, `${how}: ended with ${end.code ?? end.signal}: ${end.err}`);
  const again = await run(['train', '--resume', made]);
  clean(again.code === EXIT.inputs, `--resume with a ${how} ended with ${again.code}: ${again.err}`);
  return `${how}, ${died ? 'died' : 'stopped'}`;
}

const CHANGES: Record<string, (draw: Draw, folder: string) => void> = {
  'flipped label': (draw, folder) =>
    lines(folder, (rows) => {
      const at = draw.int(rows.length);
      rows[at] = rows[at]!.includes('"pets"')
        ? rows[at]!.replace('"pets"', '"other"')
        : rows[at]!.replace('"label":"other"', '"label":"pets"');
      return rows;
    }),
  'removed row': (draw, folder) => lines(folder, (rows) => rows.toSpliced(draw.int(rows.length), 1)),
  'reversed rows': (_draw, folder) => lines(folder, (rows) => rows.reverse()),
  'changed token': (_draw, folder) => {
    const path = join(folder, 'tokenizer.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"play"', '"plaz"'));
  },
  'changed weights': (draw, folder) => {
    const path = join(folder, 'model.onnx');
    writeFileSync(path, otherWeights(draw, readFileSync(path)));
  },
};

function lines(folder: string, change: (rows: string[]) => string[]): void {
  const path = join(folder, 'train.jsonl');
  writeFileSync(path, `${change(readFileSync(path, 'utf8').trimEnd().split('\n')).join('\n')}\n`);
}

/** A model of the same size that still loads, with changed low bits in its largest weights. */
function otherWeights(draw: Draw, bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  const middle = Math.floor(out.length / 3) + draw.int(64) * 4;
  for (let i = 0; i < 2048; i += 4) out[middle + i]! ^= 1;
  return out;
}
