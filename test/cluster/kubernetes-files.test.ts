import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytes as bytesText } from '../../src/base/number-text';
import type { KubernetesSettings } from '../../src/experiment/cluster';
import { kubectl } from '../../src/executors/kubernetes/kubectl';
import { VolumePod } from '../../src/executors/kubernetes/volume-pod';
import { readInputs } from '../../src/runs/inputs';
import { readSweep } from '../../src/runs/sweep/record';
import { experimentSweeps, runPaths } from '../../src/runs/layout';
import { CLI, Lab, type Outcome } from '../cli/lab';
import { bits } from '../cli/task';
import { schemaErrors } from '../kubernetes/schema';
import { SimulatedCluster } from '../kubernetes/simulated-cluster';
import { standInKubectl, type StandIn } from '../kubernetes/stand-in';
import { readRun } from '../read-run';
import { scratchFolder } from '../scratch';

const HAS_RSYNC = spawnSync('rsync', ['--version']).status === 0;

describe.skipIf(!HAS_RSYNC)('files on a volume that this machine does not mount', () => {
  const root = scratchFolder('volume');
  const volume = join(root, 'volume');
  const settings: KubernetesSettings = { image: 'lab/aurora:1', claim: 'lab', mount: volume };
  let cluster: SimulatedCluster;
  let standIn: StandIn;

  beforeAll(() => mkdirSync(volume));
  beforeEach(async () => {
    cluster = new SimulatedCluster(join(root, 'written/image/trainer'));
    cluster.claims.set('lab', { spec: { accessModes: ['ReadWriteMany'] } });
    standIn = await standInKubectl(join(root, 'bin'), cluster);
    vi.stubEnv('PATH', standIn.path);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    cluster.close();
    await standIn.close();
  });

  describe('the pod that files go through', () => {
    it('is valid in Kubernetes 1.32', () => {
      expect(schemaErrors(new VolumePod(kubectl(settings), settings).manifest())).toEqual([]);
    });

    it('is started once, and again if it is gone', async () => {
      const pod = new VolumePod(kubectl(settings), settings);
      const shell = pod.shell();
      expect(await shell.run('cat; exit 3', { input: 'sent' })).toMatchObject({ code: 3, stdout: 'sent' });
      const created = () => standIn.commands.calls.filter(([verb]) => verb === 'create').length;
      await new VolumePod(kubectl(settings), settings).shell().run('true');
      expect(created()).toBe(1);
      standIn.commands.files.delete(pod.name);
      await expect(shell.run('true')).rejects.toMatchObject({ kind: 'network' });
      expect(await shell.run('echo back')).toMatchObject({ stdout: 'back\n' });
      expect(created()).toBe(2);
    });

    it('says why it does not begin', async () => {
      standIn.commands.files.waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image' };
      const pod = new VolumePod(kubectl(settings), settings);
      await expect(pod.shell().run('true')).rejects.toMatchObject({
        kind: 'network',
        message: `The pod ${pod.name}, through which files go to the volume, cannot be reached: its image cannot be pulled (Back-off pulling image).`,
      });
      standIn.commands.files.waiting = { reason: 'ContainerCreating', message: '' };
      const about = { kind: 'Pod', name: pod.name };
      const event = {
        involvedObject: about,
        type: 'Warning',
        reason: 'FailedMount',
        message: 'no such share',
      };
      cluster.events.push({ ...event, lastTimestamp: new Date().toISOString() });
      const impatient = new VolumePod(kubectl(settings), settings, 0);
      await expect(impatient.shell().run('true')).rejects.toMatchObject({
        message: expect.stringMatching(/its volume cannot be mounted \(no such share\)\.$/),
      });
      standIn.commands.files.waiting = undefined;
      expect(await pod.shell().run('true')).toMatchObject({ code: 0 });
    });

    it('is not read halfway: a connection that is lost while a script runs is an error', async () => {
      const shell = new VolumePod(kubectl(settings), settings).shell();
      await expect(shell.run('echo half; kill -9 $$')).rejects.toMatchObject({ kind: 'network' });
    });
  });

  describe('a sweep', () => {
    const parameters = { 'training.learningRate': [0.01, 0.002] };
    const labs: Lab[] = [];
    const lab = (): Lab => {
      const made = new Lab({
        training: { epochs: 4, evaluateEvery: 10, checkpointEvery: 2 },
        sweep: { type: 'grid', parameters },
        cluster: { kubernetes: settings },
      });
      labs.push(made);
      return made;
    };
    afterAll(() => labs.forEach((one) => one.remove()));

    function sweep(one: Lab, ...args: string[]): { outcome: Promise<Outcome>; kill: () => void } {
      const child = spawn(process.execPath, [CLI, 'sweep', one.experiment, '--on', 'kubernetes', ...args], {
        env: { ...process.env, AURORA_CLUSTER_LOOK_MS: '300' },
      });
      let [out, err] = ['', ''];
      child.stdout.on('data', (text) => (out += text));
      child.stderr.on('data', (text) => (err += text));
      const outcome = new Promise<Outcome>((done) => child.on('close', (code) => done({ code, out, err })));
      return { outcome, kill: () => child.kill('SIGKILL') };
    }
    const runsOf = (one: Lab): string[] => {
      const sweeps = experimentSweeps(one.experiment);
      const { trials } = readSweep(join(sweeps, readdirSync(sweeps)[0]!))!;
      return trials.map(({ run }) => one.path(join('.aurora/runs/tiny', run!)));
    };

    it('sends the model and the data, follows the curves, and brings whole runs back, as if it had run here', async () => {
      const one = lab();
      const written = ['--dry-run', '--write', join(root, 'written')];
      expect(await sweep(one, ...written).outcome).toMatchObject({ code: 0 });
      expect(readdirSync(join(root, 'written')).sort()).toEqual(['files-pod.yaml', 'image', 'job.yaml']);
      const first = sweep(one);
      const isShown = () =>
        existsSync(one.path('.aurora/runs')) && runsOf(one).some((run) => existsSync(runPaths(run).spec));
      for (let i = 0; i < 1500 && !isShown(); i++) await wait(40);
      expect(isShown()).toBe(true);
      first.kill();
      const bytes = [
        'model.onnx',
        'tokenizer.json',
        'tokenizer_config.json',
        'train.jsonl',
        'validation.jsonl',
      ]
        .map((name) => readFileSync(one.path(name)).length)
        .reduce((a, b) => a + b);
      const sending = `Sending 5 files (${bytesText(bytes)}) to the cluster: `;
      expect((await first.outcome).err).toContain(`${sending}0%\n`);
      const pods = cluster.pods.size;
      expect(await sweep(one).outcome).toMatchObject({ code: 0, err: expect.not.stringContaining(sending) });
      expect(cluster.pods.size).toBe(Math.max(pods, 2));
      const local = lab();
      expect(
        local.run('sweep', local.experiment, '--on', 'local', '--threads', '1', '--device', 'cpu'),
      ).toMatchObject({
        code: 0,
      });
      expect(runsOf(one).map(bits)).toEqual(runsOf(local).map(bits));
      for (const run of runsOf(one)) {
        expect(readRun(run).result).toMatchObject({ outcome: 'finished' });
        const texts = [runPaths(run).spec, runPaths(run).inputs]
          .map((file) => readFileSync(file, 'utf8'))
          .join('');
        expect(readRun(run).spec.model.path).toBe(one.path('model.onnx'));
        expect(readInputs(run)!.files[0]!.path).toBe(one.path('model.onnx'));
        expect(texts).not.toContain(volume);
      }
      expect(existsSync(join(volume, one.path('model.onnx')))).toBe(true);
      // The run can be used here, whatever becomes of the volume.
      rmSync(volume, { recursive: true });
      mkdirSync(volume);
      expect(one.run('errors', runsOf(one)[0]!)).toMatchObject({ code: 0 });
    });
  });
});
