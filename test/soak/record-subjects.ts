import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readLog } from '../../src/executors/cluster/submission-log';
import { Submissions } from '../../src/executors/cluster/submissions';
import { type Kubectl, serverIn } from '../../src/executors/kubernetes/kubectl';
import { itemsOf, requireShape } from '../../src/executors/kubernetes/object-shapes';
import { jobStates, newestPods } from '../../src/executors/kubernetes/pod-states';
import { listPods, type Pod } from '../../src/executors/kubernetes/pods';
import { readConfiguration } from '../../src/executors/slurm/configuration';
import { TaskStates } from '../../src/executors/slurm/job-states';
import { Accounting, parseQueue } from '../../src/executors/slurm/slurm-queue';
import { foundRepo, repoFiles, repoInfo } from '../../src/hub/hub-api';
import { parseActivationsMessage, parseActivationsOpen } from '../../src/protocol/panels/activations';
import { CHOICES, FIELDS, parseBudgetMessage, parseBudgetOpen } from '../../src/protocol/panels/budget';
import { parseErrorsMessage, parseErrorsOpen } from '../../src/protocol/panels/errors';
import { parsePlaygroundMessage, parsePlaygroundOpen } from '../../src/protocol/panels/playground';
import { parseRunMessage, parseRunOpen } from '../../src/protocol/panels/run';
import { parseSweepMessage, parseSweepOpen } from '../../src/protocol/panels/sweep';
import { parseTokensMessage, parseTokensOpen } from '../../src/protocol/panels/tokens';
import { parsePlayLine, parsePlayRequest } from '../../src/protocol/playground';
import { readCluster } from '../../src/runs/sweep/cluster-file';
import { readTask } from '../../src/runs/sweep/task-file';
import { claimReport } from '../../src/study/claim/claim-report';
import { parseProgress } from '../../src/study/claim/claim-files';
import { readCertificate } from '../../src/sweeps/claims/certificate-file';
import { checkCertificate } from '../../src/sweeps/claims/check-certificate';
import { frozenIn, hashOf } from '../../src/sweeps/claims/freeze';
import { changedSettings, optionalCount, optionalText, optionalTexts } from '../../src/tools/input';
import { certificateOf, frozen, LABELS, SENTENCE } from '../unit/extension/claim-folder';
import type { Subject } from './subjects';

/** Answers of other programs and messages of pages, each damaged as a file of text or JSON is. */

const text = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');

/** The values of a JSON Lines file. Other lines are left out, as by whoever receives a message. */
const values = (folder: string, name: string): unknown[] =>
  text(folder, name)
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as unknown];
      } catch {
        return [];
      }
    });

const subject = (
  name: string,
  files: Readonly<Record<string, string>>,
  ...readers: Subject['readers']
): Subject => ({
  name,
  readers,
  make: (folder) =>
    Object.entries(files).map(([file, content]) => {
      const path = join(folder, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    }),
});

const lines = (...all: unknown[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join('');

const { hash, seeds } = frozenIn('', frozen);
const certificate = { ...certificateOf('supported', ['r1', 'r2', 'r3']), hash, seeds };
const progress = {
  version: 1,
  sentence: SENTENCE,
  labels: LABELS,
  searched: certificate.methods,
  looks: certificate.looks,
};

const claims = subject(
  'claim',
  { 'certificate.json': lines(certificate), 'progress.json': lines(progress) },
  async (f) => {
    const found = readCertificate(join(f, 'certificate.json'));
    if (found) {
      claimReport(found);
      await checkCertificate(found, f, async () => {});
    }
  },
  async (f) => {
    // A liar computes the hash, too.
    const [told] = values(f, 'certificate.json') as { frozen?: never; seeds?: unknown }[];
    if (typeof told !== 'object' || told === null) return;
    const path = join(f, 'forged.json');
    writeFileSync(path, JSON.stringify({ ...told, hash: told.frozen && hashOf(told.frozen) }));
    const found = readCertificate(path);
    if (!found) return;
    claimReport(found);
    await checkCertificate(found, f, async () => {});
  },
  (f) => values(f, 'progress.json').forEach((value) => parseProgress(value, frozen)),
);

const COMMIT = 'a'.repeat(40);
const AT = new URL('https://hub.test/api/models/a/b/revision/main');
const hub = subject(
  'hub',
  {
    'info.json': lines({
      id: 'a/b',
      sha: COMMIT,
      gated: 'auto',
      tags: ['license:mit'],
      cardData: { license: 'mit' },
    }),
    'search.jsonl': lines({ id: 'a/b', downloads: 3, likes: 1, tags: ['x'], lastModified: '2026-01-01' }),
    'tree.json': lines([
      { type: 'file', path: 'm/model.onnx', size: 5, oid: COMMIT, lfs: { oid: 'b'.repeat(64), size: 5 } },
      { type: 'directory', path: 'm' },
    ]),
  },
  (f) => values(f, 'info.json').forEach((value) => repoInfo('model', 'a/b', 'main', value, AT)),
  (f) => values(f, 'search.jsonl').forEach((value) => foundRepo('model', value)),
  (f) => values(f, 'tree.json').forEach((value) => repoFiles(value)),
);

const ended = { name: 'trainer', state: { terminated: { exitCode: 1, reason: 'Error', message: 'x' } } };
const pods = {
  items: [
    {
      metadata: {
        name: 'j-0-x',
        labels: { 'batch.kubernetes.io/job-name': 'j' },
        annotations: { 'batch.kubernetes.io/job-completion-index': '0' },
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      spec: { nodeName: 'n' },
      status: {
        phase: 'Failed',
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'r', message: 'm' }],
        containerStatuses: [ended],
      },
    },
  ],
  metadata: { continue: '' },
};
const jobs = {
  items: [
    { metadata: { name: 'j' }, spec: { completions: 3, parallelism: 1 }, status: { failedIndexes: '0-1' } },
  ],
};
const view = {
  'current-context': 'c',
  contexts: [{ context: { namespace: 'n' } }],
  clusters: [{ cluster: { server: 'https://k.test/p' } }],
};
const kubernetes = subject(
  'kubernetes',
  {
    'pods.json': lines(pods),
    'jobs.json': lines(jobs),
    'view.json': lines(view),
    'claim.json': lines({ spec: { accessModes: ['ReadWriteMany'] } }),
    'version.json': lines({ serverVersion: { major: '1', minor: '30' } }),
  },
  async (f) => {
    const [answer] = values(f, 'pods.json');
    const kubectl = { name: 'K', place: async () => ({ namespace: 'n' }), get: async () => answer };
    const found: Pod[] = [];
    const all = listPods(kubectl as unknown as Kubectl, { labelSelector: '', fieldSelector: '' });
    // Nothing but its own next page ends a list.
    for await (const pod of all) if (found.push(pod) > 100) break;
    const newest = newestPods(found);
    for (const job of itemsOf('K', 'jobs', values(f, 'jobs.json')[0]).items)
      jobStates(job, newest.get(job.metadata.name), 3);
  },
  (f) => serverIn('K', { code: 0, stdout: text(f, 'view.json'), stderr: '' }, {}),
  (f) => requireShape('K', 'a volume claim', values(f, 'claim.json')[0]),
  (f) => requireShape('K', 'its version', values(f, 'version.json')[0]),
);

const task = { trial: 't1', number: 1, run: 'r1', step: 0 };
const submitted = {
  ...{ name: 'aurora-x', folder: '.', tasks: [task, { ...task, trial: 't2', number: 2, run: 'r2' }] },
  jobs: [{ id: '12', first: 0, count: 2 }],
};
const slurm = subject(
  'slurm',
  {
    'squeue.txt': '12|0|aurora-x|RUNNING|None|n1|0|0|\n12|1%1|aurora-x|PENDING|Priority||0|0|\n',
    'sacct.txt': '12_0|COMPLETED|0:0|n1|aurora-x\n12_[1]|CANCELLED by 1000|0:0|None|aurora-x\n',
    'scontrol.txt':
      'ClusterName = c\nMaxArraySize = 1001\nMinJobAge = 300 sec\nAccountingStorageType = x/slurmdbd\n',
  },
  (f) => new TaskStates().read([submitted], parseQueue(text(f, 'squeue.txt')), { now: 0, minJobAge: 1 }),
  (f) => new Accounting(async () => text(f, 'sacct.txt')).complete([submitted], [new Map()]),
  (f) =>
    readConfiguration(
      { name: 'S', run: async () => ({ code: 0, stdout: text(f, 'scontrol.txt'), stderr: '' }) },
      'S',
    ),
);

const cluster = subject(
  'cluster files',
  {
    'cluster.json': lines({
      ...{ version: 1, executor: 'slurm', place: 'S', at: 1 },
      trials: { t1: { state: 'running', job: '12_0', node: 'n', at: 1 } },
    }),
    'submissions/1/submission.json': lines({
      ...{ version: 1, name: 'aurora-x', tasks: submitted.tasks },
      sweep: { folder: '/none', inode: String(statSync('.').ino) },
    }),
    'submissions/1/jobs.jsonl': lines(
      { submitting: 1, cluster: { name: 'S' } },
      { job: submitted.jobs[0], at: 2 },
      { answered: true },
    ),
    'task.json': lines({ version: 1, run: '/none/r', sweep: 's', trial: 't', number: 1, settings: {}, spec: {}, inputs: [], threads: 1, engine: 'onnxruntime', device: 'cpu' }), // prettier-ignore
  },
  (f) => readCluster(f),
  (f) => new Submissions(f).read(),
  // That one is a copy, whose log is not read.
  (f) => readLog({ ...submitted, folder: join(f, 'submissions/1'), jobs: [] }),
  (f) => readTask(join(f, 'task.json'), 0),
);

const chart = { type: 'saveChart', run: '/r', chart: 'loss', format: 'svg', data: '<svg/>' };
const fields = Object.fromEntries(FIELDS.map((name) => [name, CHOICES[name]?.[0] ?? '2']));
const pages = subject(
  'pages',
  {
    'messages.jsonl': lines(
      chart,
      { type: 'action', action: 'stop', run: '/r' },
      { type: 'fork', run: '/r', step: 3 },
      { type: 'compareSettings', runs: ['/r', '/s'] },
      { type: 'openPicture', run: '/r', file: 'a.png' },
      { type: 'show', step: 'latest', row: '3', split: 'train', batch: true },
      { type: 'layer', path: 'a', output: 1, input: 2 },
      { type: 'estimate', seq: 1, fields, batch: 8, length: 16 },
      { type: 'openSet', on: 'test' },
      { type: 'ask', text: 'a', pair: 'b', choices: ['c'] },
      { type: 'askImage', image: { width: 1, height: 1, pixels: 'AAAA' } },
      { type: 'generate', text: 'a', settings: { maxTokens: 5, temperature: 1, seed: 1 } },
      { type: 'restore', runs: ['/r'], weight: 1, adapters: [{ run: '/r', at: 'best', weight: 1 }] },
      { kind: 'run', run: '/r', at: 'best', runs: ['/r'], sweep: '/s', file: '/f', step: 1 },
      { kind: 'predict', request: 1, text: 'a' },
      { kind: 'answered', request: 1 },
      { kind: 'problem', message: 'm' },
    ),
  },
  (f) => {
    for (const value of values(f, 'messages.jsonl'))
      for (const parse of [
        ...[parseRunMessage, parseRunOpen, parseSweepMessage, parseSweepOpen, parseTokensMessage],
        ...[parseTokensOpen, parseErrorsMessage, parseErrorsOpen, parseBudgetMessage, parseBudgetOpen],
        ...[parseActivationsMessage, parseActivationsOpen, parsePlaygroundMessage, parsePlaygroundOpen],
      ])
        parse(value);
  },
  (f) => text(f, 'messages.jsonl').split('\n').forEach(parsePlayLine),
  (f) => text(f, 'messages.jsonl').trim().split('\n').forEach(parsePlayRequest),
);

const tools = subject(
  'tool calls',
  {
    'calls.jsonl': lines({
      run: 'x',
      at: 3,
      runs: ['a', 'b'],
      settings: { 'training.epochs': 2, 'adapter.rank': 4 },
    }),
  },
  ...[
    (input: Record<string, unknown>) => optionalText(input, 'run'),
    (input: Record<string, unknown>) => optionalCount(input, 'at'),
    (input: Record<string, unknown>) => optionalTexts(input, 'runs'),
    changedSettings,
  ].map((read) => (f: string) => {
    // The protocol takes nothing but objects.
    for (const value of values(f, 'calls.jsonl'))
      if (typeof value === 'object' && value !== null) read(value as Record<string, unknown>);
  }),
);

export const RECORDS: readonly Subject[] = [claims, hub, kubernetes, slurm, cluster, pages, tools];
