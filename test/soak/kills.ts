import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Lab } from '../cli/lab';
import { clean, type Campaign } from './campaign';
import { isOurFault, killAll, run, start } from './processes';
import { ageLeftovers, leftovers, onlyRun, requireWhole, resultOf, sha256 } from './run-facts';

/** AURORA_SOAK_KILLS is a regular expression of the commands that are killed; all without it. */
const CHOSEN = new RegExp(process.env.AURORA_SOAK_KILLS ?? '');

const EPOCHS = ['--set', 'training.epochs=2'];

const MODEL = resolve('test/fixtures/hf/bert');

/** A small model with its data, an uninterrupted run, and the time that each command takes here. */
interface Made {
  lab: Lab;
  run: string;
  result: string;
  seconds: Map<string, number>;
}
let made: Made | undefined;

/** Every command that writes is killed, with its child processes, at a random moment of its run time. */
export const kills: Campaign = {
  name: 'kills',
  slice: 6,
  lacks: () => (process.platform === 'linux' ? undefined : 'finding the processes to kill needs Linux'),
  async trial(draw, folder) {
    made ??= await make();
    const name = draw.pick(Object.keys(COMMANDS).filter((command) => CHOSEN.test(command)));
    await COMMANDS[name]!(made, folder, () => draw.next());
    return name;
  },
};

async function make(): Promise<Made> {
  const lab = new Lab({ adapter: { dropout: 0.1 } });
  process.once('exit', () => lab.remove());
  const sweep = {
    ...(JSON.parse(readFileSync(lab.experiment, 'utf8')) as object),
    sweep: { type: 'grid', parameters: { 'training.seed': [1, 2] } },
  };
  lab.write('sweep.aurora.json', JSON.stringify(sweep));
  const began = performance.now();
  const { code, err } = await run(['train', lab.experiment, ...EPOCHS, '--out', lab.path('alone')]);
  clean(code === 0, `an uninterrupted run ended with ${code}: ${err}`);
  const seconds = new Map([['train', (performance.now() - began) / 1000]]);
  const alone = onlyRun(lab.path('alone'))!;
  return { lab, run: alone, result: resultOf(alone), seconds };
}

type Kill = (made: Made, folder: string, moment: () => number) => Promise<void>;

const COMMANDS: Record<string, Kill> = {
  async train({ lab, result, seconds }, folder, moment) {
    const out = join(folder, 'runs');
    await killed(
      ['train', lab.experiment, ...EPOCHS, '--out', out],
      folder,
      moment() * seconds.get('train')!,
    );
    // Any number of times, because a resumed run may also be killed.
    const folderOfRun = onlyRun(out);
    if (folderOfRun === undefined) return;
    if (moment() < 0.5)
      await killed(['train', '--resume', folderOfRun], folder, moment() * seconds.get('train')!);
    const { code, err } = await run(['train', '--resume', folderOfRun]);
    // A run killed before its spec was written, or after its end, cannot be resumed.
    if (code === 20 && /spec\.json is missing/.test(err)) return;
    clean(code === 0 || (code === 20 && /has finished/.test(err)), `--resume ended with ${code}: ${err}`);
    requireWhole(folderOfRun, result);
  },
  sweep({ lab, seconds }, folder, moment) {
    mkdirSync(folder, { recursive: true });
    const at = join(folder, 'lab');
    cpSync(lab.folder, at, { recursive: true, filter: (from) => basename(from) !== '.aurora' });
    const args = ['sweep', join(at, 'sweep.aurora.json'), ...EPOCHS, '--parallel', '2', '--device', 'cpu'];
    return again(args, folder, moment, 2 * seconds.get('train')!, () => {
      const left = leftovers(join(at, '.aurora'));
      clean(left.length === 0, `the sweep left ${left.join(', ')}`);
    });
  },
  export: (m, folder, moment) =>
    onCopy(m, folder, moment, (copy) => ['export', copy, '--as', 'onnx-merged', '--max-drop', '100']),
  'export adapter': (m, folder, moment) =>
    onCopy(m, folder, moment, (copy) => ['export', copy, '--as', 'peft-lora', '--max-drop', '100']),
  async fork({ run: from, result, seconds }, folder, moment) {
    const runs = join(folder, 'runs');
    mkdirSync(runs, { recursive: true });
    const source = join(runs, 'source');
    cpSync(from, source, { recursive: true });
    const forks = () => readdirSync(runs).filter((name) => name !== 'source' && !name.startsWith('.'));
    const args = ['train', '--fork', source, '--at', '12'];
    await killed(args, folder, moment() * seconds.get('train')!);
    // A fork that can be read as a run continues; another one is made in any case.
    for (const name of forks().filter((name) => existsSync(join(runs, name, 'spec.json')))) {
      const { code, err } = await run(['train', '--resume', join(runs, name)]);
      clean(
        code === 0 || (code === 20 && /has finished/.test(err)),
        `a fork's --resume ended with ${code}: ${err}`,
      );
      requireWhole(join(runs, name), result);
    }
    const before = forks();
    const { code, err } = await run(args);
    clean(code === 0, `a fork after a kill ended with ${code}: ${err}`);
    for (const name of forks().filter((name) => !before.includes(name)))
      requireWhole(join(runs, name), result);
    requireWhole(source, result);
  },
  'quantize 4': (_made, folder, moment) => quantized(folder, moment, '4'),
  'quantize 8': (_made, folder, moment) => quantized(folder, moment, '8'),
  errors: (m, folder, moment) => onCopy(m, folder, moment, (copy) => ['errors', copy, '--again']),
  study: (m, folder, moment) =>
    onCopy(m, folder, moment, (copy) => ['study', copy, '--measure', '--out', join(folder, 'report')]),
  import({ lab, run: from, seconds }, folder, moment) {
    const file = join(folder, 'tiny.aurora.json');
    mkdirSync(folder, { recursive: true });
    for (const name of [
      'model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
      'train.jsonl',
      'validation.jsonl',
    ])
      cpSync(lab.path(name), join(folder, name));
    writeFileSync(file, readFileSync(lab.experiment));
    const args = ['import', join(from, 'adapter/best'), '--experiment', file];
    return again(args, folder, moment, seconds.get('train')!, () => {
      const left = leftovers(join(folder, '.aurora'));
      clean(left.length === 0, `the import left ${left.join(', ')}`);
    });
  },
};

/** Wherever it is killed, a model that is there is whole; the next command completes it, with the same bits. */
async function quantized(folder: string, moment: () => number, bits: string): Promise<void> {
  const args = (name: string) => [
    'quantize',
    MODEL,
    '--bits',
    bits,
    '--out',
    join(folder, name, 'model.onnx'),
  ];
  const began = performance.now();
  const { code, err } = await run(args('alone'));
  clean(code === 0, `quantize ended with ${code}: ${err}`);
  const sums = (name: string) =>
    Object.fromEntries(
      readdirSync(join(folder, name)).map((file) => [file, sha256(join(folder, name, file))]),
    );
  const whole = JSON.stringify(sums('alone'));
  await killed(args('killed'), folder, (moment() * (performance.now() - began)) / 1000);
  if (!existsSync(join(folder, 'killed/model.onnx'))) {
    const end = await run(args('killed'));
    clean(end.code === 0, `quantize after a kill ended with ${end.code}: ${end.err}`);
  }
  clean(JSON.stringify(sums('killed')) === whole, 'quantize after a kill wrote other files');
}

/** Runs a command on a copy of the finished run, which it must not change. */
async function onCopy(
  { run: from, result, seconds }: Made,
  folder: string,
  moment: () => number,
  args: (copy: string) => string[],
): Promise<void> {
  const copy = join(folder, 'run');
  cpSync(from, copy, { recursive: true });
  await again(args(copy), folder, moment, seconds.get('train')!, () => requireWhole(copy, result));
}

/** Kills a command, runs it again to its end and checks what it has left. */
async function again(
  args: string[],
  folder: string,
  moment: () => number,
  most: number,
  check: () => void,
): Promise<void> {
  await killed(args, folder, moment() * most);
  const end = await run(args);
  clean(end.code === 0, `${args[0]} after a kill ended with ${end.code}: ${end.err}`);
  clean(!isOurFault(end), `${args[0]} after a kill: ${end.err}`);
  check();
}

async function killed(args: string[], folder: string, seconds: number): Promise<void> {
  const process = start(args);
  await Promise.race([process.ended, wait(1000 * seconds)]);
  await killAll(process.pid, folder);
  await process.ended;
  ageLeftovers(folder);
}
