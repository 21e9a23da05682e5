import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../src/study/claim/certificate';
import { Lab } from './lab';

const TRAINING = { epochs: 1, maxSteps: 2, evaluateEvery: 2, checkpointEvery: 2 };
const LORA = { method: 'lora', rank: 2, targetModules: ['query', 'value'] };
/** The rates are far from each other, so that the best one is not at an end by chance. */
const CLAIM = {
  relation: 'not-worse',
  first: {},
  than: [{ adapter: LORA }, { form: 'fitted' }],
  by: 0.05,
  metric: 'loss',
  search: { parameters: { 'training.learningRate': [0.001, 0.01] }, extend: 1 },
};

const labWith = (claim: object = CLAIM) => new Lab({ training: TRAINING, claim });
const claim = (lab: Lab, ...more: string[]) =>
  lab.run('claim', lab.experiment, '--device', 'cpu', '--parallel', '1', '--threads', '1', ...more);

/** The only claim of a lab. */
function folderOf(lab: Lab): string {
  const home = lab.path('.aurora/claims/tiny');
  return join(home, readdirSync(home)[0]);
}

const certificateOf = (lab: Lab): string => join(folderOf(lab), 'certificate.json');
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Certificate;

describe('a claim', () => {
  let lab: Lab;
  let out: string;
  let certificate: Certificate;
  beforeAll(() => {
    lab = labWith();
    const { code, out: printed, err } = claim(lab);
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    out = printed;
    certificate = read(certificateOf(lab));
  });
  afterAll(() => lab.remove());

  it('gets a verdict, in words and as a file', () => {
    expect(certificate.sentence).toBe(
      'AuroRA r=2 is not worse than each of LoRA r=2 and the linear fit of AuroRA r=2 by 0.05 of loss or more on the validation data.',
    );
    expect(certificate.verdict).toMatch(/^(supported|small)$/);
    expect(out).toContain('The claim holds');
    expect(readFileSync(join(folderOf(lab), 'certificate.md'), 'utf8')).toContain(
      certificate.sentence.slice(0, 20),
    );
  });

  it('searched both methods alike, with other seeds and other examples than the test', () => {
    const { methods, runs, seeds } = certificate;
    const [first, second] = methods.map(({ tried }) => tried.map(({ values }) => values));
    expect(first).toEqual(second);
    expect(first.length).toBeGreaterThanOrEqual(2);
    expect(seeds.test.filter((seed) => seeds.search.includes(seed))).toEqual([]);
    const examples = (phase: string) =>
      new Set(runs.filter((run) => run.phase === phase).map(({ results }) => results.trained?.examples));
    // A tenth of the 96 training texts, and the 24 for validation.
    expect(examples('search')).toEqual(new Set([10]));
    expect(examples('test')).toEqual(new Set([24]));
  });

  it('trained each method once for both of its forms', () => {
    const tested = certificate.runs.filter((run) => run.phase === 'test');
    expect(tested).toHaveLength(10);
    const forms = tested.map(({ method, results }) => [method, Object.keys(results).sort()]);
    expect(forms.slice(0, 2)).toEqual([
      [0, ['fitted', 'trained']],
      [1, ['trained']],
    ]);
  });

  it('is closed: it is not tested again', () => {
    const { code, err } = claim(lab);
    expect(code).toBe(2);
    expect(err).toContain('This claim is closed');
  });

  it('is another claim once anything that was frozen changes', () => {
    const { out, err } = claim(lab, '--dry-run', '--set', 'training.weightDecay=0.02');
    expect({ out, err }).toMatchObject({ out: '' });
    expect(err).toMatch(/Its folder is \S+\/claims\/tiny\/[0-9a-f]{12}$/m);
    expect(err).not.toContain(certificate.hash.slice(0, 12));
    expect(err).toMatch(/A run takes: AuroRA r=2 .*, LoRA r=2 .*\. The claim takes 14 to 28 runs/);
  });

  it('is checked against its runs, which can be trained again to the same bits', () => {
    const check = lab.run('claim', '--check', certificateOf(lab), '--quiet');
    expect({ code: check.code, out: check.out }).toMatchObject({ code: 0 });
    expect(check.out).toMatch(/^The certificate follows from its \d+ runs\./);
    const lines = lab.run('claim', '--check', certificateOf(lab), '--json').out.trim().split('\n');
    const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect(kinds).toEqual([...certificate.runs.map(() => 'checking'), 'checked']);
    const replay = lab.run('claim', '--replay', '1', certificateOf(lab), '--quiet');
    expect(replay.out).toMatch(/^Run 1 of 1, \S+: the same bits/);
    expect(replay.code).toBe(0);
  });

  it('is rejected if a run, a result or the verdict was altered, with the name of the run', () => {
    const path = certificateOf(lab);
    const [first] = certificate.runs.filter((run) => run.phase === 'test');
    const run = lab.path(`.aurora/runs/tiny/${first.run}`);
    const rejected = (file: string, change: (bytes: Buffer) => Buffer) => {
      const bytes = readFileSync(file);
      writeFileSync(file, change(Buffer.from(bytes)));
      const { code, out } = lab.run('claim', '--check', path, '--quiet');
      writeFileSync(file, bytes);
      expect(code).toBe(1);
      return out;
    };
    const text = (change: (value: Certificate) => unknown) => (bytes: Buffer) => {
      const value = JSON.parse(bytes.toString()) as Certificate;
      change(value);
      return Buffer.from(JSON.stringify(value));
    };
    const adapter = join(run, 'checkpoints/step-000002/adapter.safetensors');
    const flipped = rejected(
      adapter,
      (bytes) => (bytes.writeUInt8(bytes.at(-1)! ^ 1, bytes.length - 1), bytes),
    );
    expect(flipped).toContain(`${first.run}: its adapter is not that of the certificate`);
    const spec = rejected(join(run, 'spec.json'), (bytes) =>
      Buffer.from(bytes.toString().replace(/"weightDecay": [^,]+/, '"weightDecay": 0.5')),
    );
    expect(spec).toContain(`${first.run}: its training.weightDecay is not that of the certificate`);
    expect(
      rejected(
        path,
        text((c) => (c.runs[0].run = '../tiny')),
      ),
    ).toContain('not the name of a folder');
    expect(
      rejected(
        path,
        text((c) => (c.verdict = 'refuted')),
      ),
    ).toContain('The verdict is another one');
    expect(
      rejected(
        path,
        text((c) => (c.methods[0].chosen = { 'training.learningRate': 7 })),
      ),
    ).toContain('it was not trained with the settings that the search chose');
    expect(
      rejected(
        path,
        text((c) => c.runs.pop()),
      ),
    ).not.toContain('follows from its');
  });
});

it('ends with the same certificate after it was killed again and again', async () => {
  const whole = labWith();
  const killed = whole.copy();
  try {
    expect(claim(whole).code).toBe(0);
    let random = 7;
    for (let kill = 0; kill < 20; kill++) {
      random = (random * 16807) % 2147483647;
      const child = killed.start(
        ...['claim', killed.experiment, '--device', 'cpu', '--parallel', '1', '--threads', '1', '--quiet'],
      );
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await Promise.race([ended, wait(300 + (random % 4000))]);
      child.kill('SIGKILL');
      await ended;
      if (child.exitCode === 0) break;
    }
    // 2: the last of them had closed it.
    expect([0, 2]).toContain(claim(killed).code);
    const [a, b] = [whole, killed].map((lab) => withoutNames(read(certificateOf(lab))));
    expect(b).toEqual(a);
  } finally {
    whole.remove();
    killed.remove();
  }
});

/** Folders of runs have random names. */
const withoutNames = (certificate: Certificate) => ({
  ...certificate,
  runs: certificate.runs.map((run) => ({ ...run, run: '' })),
});

it('says where a claim is wrong, and trains nothing', () => {
  const lab = labWith({ ...CLAIM, on: 'test' });
  const { code, err } = claim(lab);
  expect(code).toBe(3);
  expect(err).toMatch(/tiny\.aurora\.json:\d+:\d+: claim\.on is "test", but there is no data\.test/);
  expect(existsSync(dirname(lab.path('.aurora/claims/tiny')))).toBe(false);
  lab.remove();
});
