import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  clusterProblems,
  kubernetesSettings,
  mergeClusterSettings,
  readClusterSettings,
} from '../../../src/runs/experiment/cluster-settings';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { checkWithTrials, loadExperiment, loadSweep } from '../../../src/runs/experiment/load';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('cluster');
const file = join(folder, 'demo.aurora.json');
const write = (more: object) =>
  writeFileSync(
    file,
    JSON.stringify({
      model: { path: 'model.onnx' },
      data: { train: 'train.csv' },
      sweep: { type: 'grid', parameters: { 'training.seed': [1, 2] } },
      ...more,
    }),
  );
const slurm = (settings: object) => clusterProblems({ slurm: settings }).map((p) => p.message);

describe('the cluster section', () => {
  it('changes neither what is trained nor the sweep that a trial belongs to', () => {
    write({});
    const [plain, without] = [loadExperiment(file), loadSweep(file)];
    write({ cluster: { slurm: { partition: 'gpu', cpus: 4 } } });
    const { cluster, ...sweep } = loadSweep(file);
    expect(sweep).toEqual(without);
    expect(loadExperiment(file)).toEqual(plain);
    expect(cluster).toEqual({ slurm: { partition: 'gpu', cpus: 4 } });
  });

  it('can be set on the command line', () => {
    write({ cluster: { slurm: { partition: 'gpu' } } });
    expect(loadSweep(file, ['cluster.slurm.partition=debug', 'cluster.slurm.time="60"']).cluster).toEqual({
      slurm: { partition: 'debug', time: '60' },
    });
  });

  it('is not varied by a sweep', () => {
    write({ sweep: { type: 'grid', parameters: { 'cluster.slurm.cpus': [1, 2] } } });
    expect(() => loadSweep(file)).toThrow(/cluster\.slurm\.cpus is not a setting of a trial/);
  });

  it('names a misspelt key and its place', () => {
    const text =
      '{ "model": { "path": "m" }, "data": { "train": "t" }, "cluster": { "slurm": { "partitoin": "gpu" } } }';
    const { problems } = checkWithTrials(new ExperimentText(file, text));
    expect(problems).toMatchObject([
      { message: 'cluster.slurm.partitoin is not a known key; did you mean "partition"?' },
    ]);
    expect(text.slice(problems[0]!.offset)).toMatch(/^"partitoin"/);
  });

  it('takes what Slurm takes', () => {
    expect(
      slurm({
        host: 'me@login.example.org',
        folder: '/scratch/me',
        partition: 'gpu,long',
        constraint: 'a100|(h100&nvlink)',
        time: '2-12:30',
        memory: '16G',
        gres: 'gpu:a100:2',
        modules: ['nodejs/22.12'],
        prologue: ['export OMP_PROC_BIND=close; ulimit -c 0'],
        options: ['--exclude=node[07-09]', '--mail-user=me@example.org', '-C fast'],
      }),
    ).toEqual([]);
    for (const time of ['60', '10:30', '4:00:00', '1-0', '1-0:30:00']) expect(slurm({ time })).toEqual([]);
  });

  it.each([
    ['host', '-oProxyCommand=touch x'],
    ['host', 'login node'],
    ['host', 'login`touch x`'],
    ['folder', 'scratch/me'],
    ['partition', 'gpu\n#SBATCH --wrap=x'],
    ['account', 'a b'],
    ['time', 'an hour'],
    ['memory', '16 GB'],
    ['gres', 'gpu 1'],
    ['node', 'node\nrm'],
  ])('refuses a %s of %j', (key, value) => {
    expect(slurm({ [key]: value })).toEqual([
      expect.stringMatching(`^cluster\\.slurm\\.${key} is ".*", expected`),
    ]);
  });

  it.each(['1', '1:30', '0:01:00'])(
    'refuses a time limit of %s, which ends before a trial can train',
    (time) => {
      expect(slurm({ time })).toEqual([
        expect.stringContaining('expected more than the 90 s before its end'),
      ]);
      expect(slurm({ time, signalBefore: 30 })).toEqual([]);
    },
  );

  it('refuses options of sbatch that the array needs', () => {
    expect(slurm({ options: ['--array=0-3', '-J name', '--requeue', 'x', '--comment=a\nb'] })).toEqual([
      'cluster.slurm.options[0] is "--array=0-3", which the sweep sets itself',
      'cluster.slurm.options[1] is "-J name", which the sweep sets itself',
      'cluster.slurm.options[2] is "--requeue", which the sweep sets itself',
      expect.stringContaining('expected an option of sbatch'),
      expect.stringContaining('expected an option of sbatch'),
    ]);
  });
});

describe('the settings of a machine', () => {
  it('complete the section, key by key', () => {
    expect(
      mergeClusterSettings(
        { slurm: { partition: 'gpu' } },
        { slurm: { partition: 'debug', account: 'lab' }, kubernetes: { claim: 'aurora' } },
      ),
    ).toEqual({ slurm: { partition: 'gpu', account: 'lab' }, kubernetes: { claim: 'aurora' } });
    expect(mergeClusterSettings()).toEqual({});
  });

  it('are read from a file, and a mistake is named with its place', () => {
    const path = join(folder, 'cluster.json');
    writeFileSync(path, '{ "slurm": { "cpus": 4 } }');
    expect(readClusterSettings(path)).toEqual({ slurm: { cpus: 4 } });
    writeFileSync(path, '{\n "slurm": {\n  "cpus": 0 } }');
    expect(() => readClusterSettings(path)).toThrow(
      `${path}:3:3: cluster.slurm.cpus is 0, expected a whole number of at least 1.`,
    );
    writeFileSync(path, '{');
    expect(() => readClusterSettings(path)).toThrow(/not valid JSON/);
    expect(() => readClusterSettings(join(folder, 'none.json'))).toThrow(/could not be read/);
  });

  it('must name the image and the claim for Kubernetes', () => {
    expect(() => kubernetesSettings({ kubernetes: { image: 'lab' } })).toThrow(
      /cluster\.kubernetes\.claim is missing/,
    );
    expect(kubernetesSettings({ kubernetes: { image: 'lab', claim: 'aurora' } })).toEqual({
      image: 'lab',
      claim: 'aurora',
    });
  });
});
