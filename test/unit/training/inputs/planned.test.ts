import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seeingInputs } from '../../../../src/files/inputs/open';
import { changeWords } from '../../../../src/protocol/inputs-words';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { changedInputs, hashInput, type InputFile } from '../../../../src/runs/inputs';
import { taskKind } from '../../../../src/tasks/task-registry';
import { withEncodings } from '../../../../src/training/diffusion/encode-data';
import { filesRead, plannedInputs } from '../../../../src/training/inputs/planned';
import { SeenInputs } from '../../../../src/training/inputs/seen';
import { loadEvaluationSets } from '../../../../src/training/task/evaluation-data';
import { prepareTask } from '../../../../src/training/task/task';
import { scratchFolder } from '../../../scratch';
import { KINDS, picture } from './kinds';

const scratch = scratchFolder('inputs');

function made(kind: string, n: number) {
  const folder = join(scratch, String(n));
  mkdirSync(folder);
  const { experiment, later } = KINDS[kind]!(folder);
  writeFileSync(join(folder, 'x.aurora.json'), JSON.stringify(experiment));
  return { folder, later, spec: loadExperiment(join(folder, 'x.aurora.json')) };
}

const now = async (spec: ReturnType<typeof made>['spec']): Promise<InputFile[]> =>
  Promise.all((await plannedInputs(spec)).map(hashInput));

/** Every file of an input, its images included. */
const filesOf = ({ path, images = [] }: { path: string; images?: readonly string[] }) => [path, ...images];

describe.each(Object.keys(KINDS).map((kind, n) => [kind, n] as const))('an experiment on %s', (kind, n) => {
  const { folder, later, spec } = made(kind, n);
  const near = join(scratch, `near-${n}`);

  it('plans, and so sends to a cluster, every file that training opens or looks for', async () => {
    const seen = new SeenInputs(spec);
    mkdirSync(near);
    await seeingInputs(seen.see, async () => {
      const encodings = { keep: join(near, 'kept'), folder: near, threads: 1 };
      const load = withEncodings(taskKind(spec.task).load, encodings);
      const { model, data } = await prepareTask(spec, near, { load });
      await loadEvaluationSets(spec, model, data);
    });
    const opened = seen.all.flatMap(filesOf);
    const planned = await plannedInputs(spec);
    expect(planned.flatMap(filesOf)).toEqual(expect.arrayContaining(opened));
    const there = opened.filter((path) => existsSync(path) && statSync(path).isFile());
    expect(await filesRead(spec)).toEqual(expect.arrayContaining(there));
    // Each image counts with the data that name it.
    const withImages = (files: typeof planned) =>
      files.flatMap(({ path, images }) => (images ? [[path, images]] : []));
    expect(withImages(planned)).toEqual(withImages(seen.all));
  });

  it('notices a change of each of them, and names it', async () => {
    const before = await now(spec);
    expect(await changedInputs(before)).toEqual([]);
    const files = (await plannedInputs(spec)).flatMap(filesOf).map((path) => resolve(path));
    for (const path of new Set(files)) {
      if (!existsSync(path) || !statSync(path).isFile()) continue;
      const bytes = readFileSync(path);
      writeFileSync(path, Buffer.concat([bytes, Buffer.from(' ')]));
      expect((await changedInputs(before)).map((c) => c.path)).toContain(path);
      writeFileSync(path, bytes);
      renameSync(path, `${path}.away`);
      expect((await changedInputs(before)).find((c) => c.path === path)?.after).toBeNull();
      renameSync(`${path}.away`, path);
    }
    expect(await changedInputs(before)).toEqual([]);
  });

  it.skipIf(later.length === 0)('notices a file that was looked for and is there later', async () => {
    const before = await now(spec);
    for (const name of later) {
      const path = join(folder, name);
      writeFileSync(path, '{}');
      expect((await changedInputs(before)).map(changeWords).join()).toContain(`${path}`);
      rmSync(path);
    }
  });
});

describe('images that a table names', () => {
  const { folder, spec } = made('images that tables name', 100);
  const image = (i: number) => join(folder, `images/${i}.png`);

  it('are noticed when two of them are swapped, and named with the data that name them', async () => {
    const before = await now(spec);
    const swap = () => {
      renameSync(image(0), image(99));
      renameSync(image(3), image(0));
      renameSync(image(99), image(3));
    };
    swap();
    expect((await changedInputs(before)).map(changeWords)).toEqual([
      `The image ${image(0)} of the training data has changed`,
      `The image ${image(3)} of the training data has changed`,
    ]);
    swap();
    expect(await changedInputs(before)).toEqual([]);
    cpSync(image(1), image(7));
    rmSync(image(10));
    expect((await changedInputs(before)).map(changeWords)).toEqual([
      `The image ${image(7)} of the validation data has changed`,
      `The image ${image(10)} of the test data is missing`,
    ]);
    for (const i of [7, 10]) writeFileSync(image(i), picture(i));
    for (let i = 0; i < 6; i++) writeFileSync(image(i), 'x');
    expect((await changedInputs(before)).map(changeWords).at(-1)).toBe(
      `The image ${image(4)} of the training data has changed, and 1 more`,
    );
  });
});
