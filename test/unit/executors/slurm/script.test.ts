import { describe, expect, it } from 'vitest';
import type { KubernetesSettings } from '../../../../src/experiment/cluster';
import { jobManifest } from '../../../../src/executors/kubernetes/manifest';
import { lines } from '../../../../src/executors/remote/platform';
import { arrayScript, type ArrayScript } from '../../../../src/executors/slurm/job-script';

const SCRIPT: ArrayScript = {
  settings: {},
  name: 'aurora-1f0c9a42-1-00ff',
  folder: '/home/me/study/.aurora/sweeps/s/submissions/1',
  first: 0,
  count: 2,
  program: '/home/me/.aurora/trainers/HASH/cli.cjs',
};

describe.each(['\n', '\r', '\u001b', '\u007f', '\u0085', '\0'])('a name with %j', (character) => {
  const name = `/home/me/a${character}#SBATCH --account=theirs${character}touch x`;
  const refused = { kind: 'experiment', message: expect.stringContaining('control character') as string };

  it.each<[string, Partial<ArrayScript>]>([
    ['folder', { folder: name }],
    ['name', { name }],
    ['program', { program: name }],
    ['Node', { settings: { node: name } }],
    ['Node that was sent', { node: name }],
    ['module', { settings: { modules: [name] } }],
    ['line before the trainer', { settings: { prologue: [name] } }],
    ['option', { settings: { options: [`--comment=${name}`] } }],
    ['partition', { settings: { partition: name } }],
    ['features', { settings: { constraint: name } }],
  ])('is refused as the %s of a batch script', (_, changed) => {
    expect(() => arrayScript({ ...SCRIPT, ...changed })).toThrow(expect.objectContaining(refused) as Error);
  });

  it('is refused in a manifest, and as a line of a list', () => {
    const settings: KubernetesSettings = { image: 'image', claim: 'claim' };
    const submission = { name: 'aurora', tasks: [], parallel: 1 };
    expect(() => jobManifest({ submission, folder: name, trainerHash: '', settings })).toThrow(
      expect.objectContaining(refused) as Error,
    );
    expect(() => lines([name])).toThrow(expect.objectContaining(refused) as Error);
  });
});

it('quotes every other name in a batch script', () => {
  const folder = `/home/me/$(touch x) \`touch y\`; "z" 'w' \\ ~`;
  const script = arrayScript({ ...SCRIPT, folder, program: `${folder}/cli.cjs` });
  expect(script).toContain('#SBATCH --chdir="/home/me/$(touch x) `touch y`; \\"z\\" \'w\' \\\\ ~"\n');
  expect(script).toContain(`task='/home/me/$(touch x) \`touch y\`; "z" '\\''w'\\'' \\ ~/tasks'/$((`);
});
