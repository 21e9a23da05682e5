import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { RsyncFiles } from '../../src/executors/remote/rsync-files';
import { sshShell } from '../../src/executors/remote/shell';
import type { Sending } from '../../src/executors/cluster/cluster';
import type { Experiment } from '../../src/experiment/experiment';
import { withPaths } from '../../src/experiment/paths';
import { loadModel } from '../../src/graph/file/load';
import { saveModel } from '../../src/graph/file/save';
import { loadExperiment } from '../../src/runs/experiment/load';
import { hashInput } from '../../src/runs/inputs';
import { TASK_VERSION, type TaskFile } from '../../src/runs/sweep/task-file';
import { filesRead, plannedInputs } from '../../src/training/inputs/planned';
import { CLI, Lab } from '../cli/lab';
import { png } from '../png';
import { readRun } from '../read-run';
import { loginNode, withLogin } from './login-node';
import { hasSshd } from './sshd';

const node = loginNode();
const folder = join(realpathSync(node.folder), 'there');
const FIXTURES = resolve('test/fixtures');
const TRAINING = { epochs: 1, maxSteps: 3, batchSize: 4, evaluateEvery: 2, checkpointEvery: 1 };

/** Writes the files of each kind of experiment into a separate folder, and returns its settings. */
const KINDS: Record<string, (lab: Lab) => Record<string, unknown>> = {
  "a model in the hub's cache, where files are links": (lab) => {
    const blobs = lab.path('hub/models--org--bert/blobs');
    const snapshot = lab.path(`hub/models--org--bert/snapshots/${'a'.repeat(40)}`);
    for (const made of [blobs, snapshot]) mkdirSync(made, { recursive: true });
    const files = ['config.json', 'model.safetensors'].map((name) => join(FIXTURES, 'hf/bert', name));
    const tokenizer = ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
      join(FIXTURES, 'data/wordpiece', name),
    );
    for (const [i, file] of [...files, ...tokenizer].entries()) {
      cpSync(file, join(blobs, String(i)));
      const name = file.split('/').at(-1)!;
      // As huggingface_hub writes them; one is absolute, as in a store that repositories share.
      symlinkSync(name === 'config.json' ? join(blobs, String(i)) : `../../blobs/${i}`, join(snapshot, name));
    }
    return { model: { path: snapshot, maxLength: 16 } };
  },
  'an ONNX model with weights beside it, and data in several files behind a link': (lab) => {
    saveModel(loadModel(join(FIXTURES, 'reference/bert.onnx')), lab.path('model.onnx'), 0);
    const rows = lab.read('train.jsonl').split('\n').filter(Boolean);
    mkdirSync(lab.path('disk'));
    for (const part of [0, 1])
      writeFileSync(lab.path(`disk/part ${part}.jsonl`), rows.filter((_, i) => i % 2 === part).join('\n'));
    symlinkSync(lab.path('disk'), lab.path('data'));
    cpSync(lab.path('validation.jsonl'), lab.path('other.jsonl'));
    return {
      data: {
        train: 'data/part *.jsonl',
        test: 'other.jsonl',
        evaluations: { one: { path: 'other.jsonl' } },
      },
    };
  },
  'images that a table names': (lab) => {
    cpSync(join(FIXTURES, 'reference/vit.onnx'), lab.path('model.onnx'));
    lab.write(
      'preprocessor_config.json',
      JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: { height: 24, width: 24 } }),
    );
    const rows = Array.from({ length: 24 }, (_, i) => {
      lab.write(`pictures/${i}.png`, picture(i));
      return JSON.stringify({ image: `pictures/${i}.png`, label: i % 2 ? 'cat' : 'none' });
    });
    lab.write('train.jsonl', rows.join('\n'));
    lab.write('validation.jsonl', rows.slice(0, 8).join('\n'));
    return {
      task: { type: 'image-classification', head: 'linear' },
      adapter: { method: 'aurora', targetModules: ['query', 'value'] },
    };
  },
  'pictures of a subject, with a pipeline of diffusers': (lab) => {
    cpSync(join(FIXTURES, 'diffusers/sd'), lab.path('sd'), { recursive: true });
    for (let i = 0; i < 6; i++) lab.write(`${i < 3 ? 'images' : 'class'}/${i}.png`, picture(i));
    return {
      model: { path: 'sd', maxLength: undefined },
      task: {
        type: 'subject-generation',
        instancePrompt: 'a photo of sks dog',
        classPrompt: 'a photo of a dog',
        resolution: 32,
        head: undefined,
        pooling: undefined,
      },
      data: { train: 'images', classImages: 'class', validation: undefined },
      adapter: { method: 'aurora', targetModules: undefined },
    };
  },
};

const picture = (i: number): Buffer =>
  png(30 + i, 28, (x, y) => [(40 * i) % 255, (x * y) % 255, 200 - 5 * i]);

let program: string;
beforeAll(async () => {
  const files = filesOf(new Lab());
  ({ program } = await files.sendTrainer());
});

const options = (lab: Pick<Lab, 'path'>) => ({
  host: 'cluster',
  shell: sshShell('cluster'),
  folder,
  dist: dirname(CLI),
  home: lab.path('.aurora'),
  sweep: lab.path('.aurora/sweeps/tiny/s'),
  filesRead,
});

const filesOf = (lab: Lab): RsyncFiles => new RsyncFiles(options(lab));

/** A submission of one trial, as it is sent. */
async function submission(lab: Lab, spec: Experiment, files: RsyncFiles) {
  const made = lab.path('.aurora/sweeps/tiny/s/submissions/1');
  const run = lab.path('.aurora/runs/tiny/20260101T000000Z-0badcafe');
  const inputs = [];
  for (const file of await plannedInputs(spec)) {
    const input = { ...(await hashInput(file)), identity: undefined };
    const pattern = input.pattern === undefined ? {} : { pattern: files.there(input.pattern) };
    inputs.push({ ...input, path: files.there(input.path), ...pattern });
  }
  const task: TaskFile = {
    version: TASK_VERSION,
    run: files.there(run),
    ...{ sweep: 's', trial: 't', number: 1, settings: { 'training.seed': 7 } },
    spec: withPaths(spec, (path) => files.there(path)),
    inputs,
    ...{ threads: 1, engine: 'onnxruntime', device: 'cpu' },
  };
  mkdirSync(join(made, 'tasks'), { recursive: true });
  writeFileSync(join(made, 'tasks/0.json'), JSON.stringify(task));
  return { made, run, task: files.there(join(made, 'tasks/0.json')) };
}

const bits = (run: string) =>
  ['best', 'last'].map((at) => readFileSync(join(run, 'adapter', at, 'adapter_model.safetensors'), 'base64'));

withLogin.each(Object.entries(KINDS))('%s', (_, make) => {
  it('trains there with nothing of this machine, and comes back as if trained here', async () => {
    const lab = new Lab();
    const base = JSON.parse(lab.read('tiny.aurora.json')) as Record<string, Record<string, unknown>>;
    for (const [key, value] of Object.entries(make(lab)))
      base[key] = { ...base[key], ...(value as Record<string, unknown>) };
    base.training = { ...base.training, ...TRAINING };
    lab.write('tiny.aurora.json', JSON.stringify(base));
    const spec = loadExperiment(lab.experiment);
    const here = lab.run(
      ...['train', lab.experiment, '--out', lab.path('local'), '--threads', '1', '--device', 'cpu'],
      ...['--engine', 'onnxruntime'],
    );
    expect([0, 27], here.err).toContain(here.code);

    const files = filesOf(lab);
    const { made, run, task } = await submission(lab, spec, files);
    await files.sendSubmission(made, [spec, spec]);
    // Files that are only here cannot be read there.
    const away = `${lab.folder}-away`;
    renameSync(lab.folder, away);
    const trained = spawnSync(process.execPath, [program, 'trial', task], { encoding: 'utf8' });
    renameSync(away, lab.folder);
    expect(trained.status, trained.stderr).toBe(0);

    await files.follow([run, join(dirname(run), 'not-begun')]);
    expect(readRun(run).result).toBeDefined();
    expect(existsSync(join(run, 'checkpoints'))).toBe(false);
    expect(existsSync(join(dirname(run), 'not-begun'))).toBe(false);
    await files.collect([run]);
    const [local] = lab.runs(lab.path('local'));
    expect(bits(run)).toEqual(bits(local!));
    expect(readRun(run).spec).toEqual(spec);
    expect(readFileSync(join(run, 'inputs.json'), 'utf8')).not.toContain(folder);
    // The files here are those that it was trained on.
    const verified = lab.run('errors', run);
    expect([verified.code, verified.err]).toEqual([0, expect.not.stringContaining('changed')]);
    lab.remove();
  });
});

withLogin('files that are there', () => {
  const lab = new Lab();
  const spec = loadExperiment(lab.experiment);

  it('are not sent again, also by another process, and a changed byte is put right', async () => {
    const files = filesOf(lab);
    const { made } = await submission(lab, spec, files);
    const told: Sending[] = [];
    const tell = (now: Sending) => void told.push(now);
    await files.sendSubmission(made, [spec], tell);
    const sizes = [
      'model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
      'train.jsonl',
      'validation.jsonl',
    ].map((name) => statSync(lab.path(name)).size);
    const bytes = sizes.reduce((a, b) => a + b);
    expect(told[0]).toEqual({ files: sizes.length, bytes, sent: 0 });
    expect(told.at(-1)).toEqual({ files: sizes.length, bytes, sent: bytes });
    told.length = 0;
    const model = files.there(lab.path('model.onnx'));
    const before = statSync(model);
    await filesOf(lab).sendSubmission(made, [spec], tell);
    expect(statSync(model).ino).toBe(before.ino);
    expect(told).toEqual([]);
    const damaged = readFileSync(model);
    damaged[1000]! ^= 1;
    writeFileSync(model, damaged);
    utimesSync(model, before.atime, before.mtime);
    await filesOf(lab).sendSubmission(made, [spec]);
    expect(readFileSync(model)).toEqual(readFileSync(lab.path('model.onnx')));
  });

  it('get requests in the runs that have begun', async () => {
    const files = filesOf(lab);
    const runs = ['begun', 'queued'].map((name) => lab.path(`.aurora/runs/tiny/${name}`));
    mkdirSync(files.there(runs[0]!), { recursive: true });
    await files.request(runs, 'stop');
    expect(readdirSync(join(files.there(runs[0]!), 'control'))).toEqual(['stop']);
    expect(existsSync(files.there(runs[1]!))).toBe(false);
  });

  it('come back without what has been removed there, and without touching what is only here', async () => {
    const files = filesOf(lab);
    const run = lab.path('.aurora/runs/tiny/20260101T000001Z-00000001');
    const there = files.there(run);
    const write = (of: string, name: string, text: string) => {
      mkdirSync(dirname(join(of, name)), { recursive: true });
      writeFileSync(join(of, name), text);
    };
    write(there, 'spec.json', JSON.stringify(withPaths(spec, (path) => files.there(path))));
    write(there, 'status.json', '{}');
    write(there, 'owner.json', '{}');
    write(there, 'pictures/new.png', '{}');
    write(there, 'pictures/.half.png.12345678-1-12345678.aurora-tmp', '{}');
    for (const name of ['pictures/old.png', 'user.json', 'export/merged/model.onnx'])
      write(run, name, 'here');
    await files.collect([run]);
    const names = readdirSync(run, { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => lstatSync(join(run, name)).isFile()).sort()).toEqual([
      'export/merged/model.onnx',
      'pictures/new.png',
      'spec.json',
      'status.json',
      'user.json',
    ]);
    expect(readdirSync(lab.path('.aurora')).filter((name) => name.startsWith('.a'))).toEqual([]);
  });

  it('include the logs of tasks', async () => {
    const files = filesOf(lab);
    const logs = lab.path('.aurora/sweeps/tiny/s/submissions/1/logs');
    writeFileSync(join(files.there(logs), '7_0.log'), 'srun: error');
    await files.follow([]);
    expect(readFileSync(join(logs, '7_0.log'), 'utf8')).toBe('srun: error');
  });

  it('leave nothing there of what trials shared, once it is removed', async () => {
    const files = filesOf(lab);
    const frozen = lab.path(".aurora/sweeps/tiny/it's/frozen");
    for (const path of [frozen, files.there(frozen)]) {
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'a.frozen'), 'values');
    }
    await files.removeThere(frozen);
    expect(
      [frozen, files.there(frozen), dirname(files.there(frozen))].map((path) => existsSync(path)),
    ).toEqual([true, false, true]);
  });

  it('cannot be reached if the node is down, and nothing here changes', async () => {
    const run = lab.path('.aurora/runs/tiny/20260101T000001Z-00000001');
    const before = readFileSync(join(run, 'spec.json'));
    await node.sshd.stop();
    await expect(filesOf(lab).follow([run])).rejects.toMatchObject({ kind: 'network' });
    await node.sshd.start();
    expect(readFileSync(join(run, 'spec.json'))).toEqual(before);
  });
});

const NOWHERE = { path: (name: string) => name };

it.skipIf(!hasSshd)(
  'a table of images that only this machine has is refused before anything is sent',
  async () => {
    const lab = new Lab({ task: { type: 'image-classification' } });
    KINDS['images that a table names']!(lab);
    lab.write('train.jsonl', JSON.stringify({ image: lab.path('pictures/1.png'), label: 'cat' }));
    const spec = { ...loadExperiment(lab.experiment) };
    await expect(filesRead(spec)).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining('names images by absolute paths'),
    });
    lab.remove();
  },
);

withLogin('a setting that cannot work', () => {
  it.each(['relative/folder', '/with space', '/$HOME/x', '/a/../b', '/'])('is refused: folder %s', (bad) => {
    const make = () => new RsyncFiles({ ...options(NOWHERE), folder: bad });
    expect(make).toThrow('cluster.slurm.folder is');
  });
  it.each(['ssh://host:22', 'a/b'])('is refused: host %s', (host) => {
    expect(() => new RsyncFiles({ ...options(NOWHERE), host })).toThrow('which rsync cannot use');
  });
});
