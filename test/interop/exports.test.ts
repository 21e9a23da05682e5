import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/graph/file/safetensors';
import type { ExportForm, ExportRecord } from '../../src/protocol/export';
import { Lab } from '../cli/lab';
import { closeBrowser } from '../vscode/driver/browser';
import { apart, INPUTS, type OnnxJob } from './jobs';
import { onPython, python } from './python';
import { inBrowser } from './web';

/** The trained runs, each on a model exported by PyTorch. */
const RUNS = {
  'AuroRA on linear layers': {
    model: 'bert',
    adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value', 'dense'] },
  },
  'AuroRA with order 2, sigmoid and several ranks': {
    model: 'bert',
    adapter: {
      method: 'aurora',
      rank: 3,
      splineOrder: 2,
      gridSize: 4,
      activation: 'sigmoid',
      targetModules: ['query', 'value'],
      rankPattern: { 'layer.1.attention.value': 2 },
      alphaPattern: { 'layer.0.attention.query': 7 },
    },
  },
  'AuroRA with a spline per pair and several ranks': {
    model: 'bert',
    adapter: {
      method: 'aurora',
      rank: 3,
      spline: 'per-pair',
      targetModules: ['query', 'value'],
      rankPattern: { 'layer.1.attention.value': 2 },
    },
  },
  'AuroRA with a spline per dimension of order 1': {
    model: 'bert',
    adapter: {
      method: 'aurora',
      rank: 3,
      spline: 'per-dimension',
      splineOrder: 1,
      targetModules: ['query', 'dense'],
    },
  },
  'AuroRA on Conv1D, and on a layer without a bias': {
    model: 'gpt2',
    // The last one has no bias.
    adapter: { method: 'aurora', rank: 2, targetModules: ['c_attn', 'c_fc', 'score'] },
  },
  'AuroRA with the static form trained last, on Conv1D': {
    model: 'gpt2',
    adapter: { method: 'aurora', rank: 2, targetModules: ['c_attn', 'c_fc'] },
    training: { staticEpochs: 1 },
  },
  'rsLoRA with several ranks': {
    model: 'bert',
    adapter: {
      method: 'lora',
      rank: 3,
      alpha: 5,
      useRslora: true,
      targetModules: ['query', 'dense'],
      rankPattern: { 'layer.1.attention.query': 2 },
      alphaPattern: { 'layer.0.attention.query': 7 },
    },
  },
  'LoRA with a bias': {
    model: 'bert',
    adapter: { method: 'lora', rank: 2, loraBias: true, targetModules: ['query', 'value', 'dense'] },
  },
  'LoRA with a bias on Conv1D, and on a layer without one': {
    model: 'gpt2',
    // The last one has no bias.
    adapter: {
      method: 'lora',
      rank: 2,
      alpha: 5,
      loraBias: true,
      targetModules: ['c_attn', 'c_fc', 'score'],
    },
  },
  'LoRA on Conv1D': { model: 'gpt2', adapter: { method: 'lora', rank: 2, targetModules: ['c_attn'] } },
} satisfies Record<string, Trained>;
interface Trained {
  model: 'bert' | 'gpt2';
  adapter: object;
  training?: object;
}
type Name = keyof typeof RUNS;
const NAMES = Object.keys(RUNS) as Name[];
const TOLERANCE = 1e-5;
const WITHOUT_BIAS: Name = 'AuroRA on Conv1D, and on a layer without a bias';
type Form = ExportForm | 'peft-lora by paper' | 'onnx-merged by paper';

describe.runIf(onPython)('exported files give the same logits to within 1e-5', () => {
  const lab = new Lab();
  const exports = new Map<string, string>();
  const folder = (name: Name, form: Form) => exports.get(`${name} ${form}`)!;
  /** The logits that everything else is compared with. */
  const wanted = new Map<Name, { trained: number[]; fitted: number[]; paper: number[] }>();

  const job = (name: Name, form: Form): OnnxJob => ({
    path: join(folder(name, form), 'model.onnx'),
    output: 'logits',
    inputs: INPUTS,
    adapter: form === 'onnx-adapter-inputs' ? join(folder(name, form), 'adapter.safetensors') : null,
  });
  const FORMS = ['onnx-dynamic', 'onnx-merged', 'onnx-merged by paper', 'onnx-adapter-inputs'] as const;
  const jobs = () => NAMES.flatMap((name) => FORMS.map((form) => ({ name, form, ...job(name, form) })));
  const want = (name: Name, form: (typeof FORMS)[number]) => {
    const { trained, fitted, paper } = wanted.get(name)!;
    return form === 'onnx-merged' ? fitted : form === 'onnx-merged by paper' ? paper : trained;
  };

  beforeAll(async () => {
    python('models.py', [lab.folder]);
    for (const name of NAMES) {
      const { model, adapter, training }: Trained = RUNS[name];
      const settings = {
        'model.path': `${model}.onnx`,
        'model.maxLength': 16,
        'task.head': model === 'bert' ? 'linear' : 'none',
        adapter,
        training: { epochs: 2, batchSize: 8, learningRate: 0.03, seed: 7, ...training },
      };
      const out = lab.path(`runs-${NAMES.indexOf(name)}`);
      const set = Object.entries(settings).flatMap(([key, value]) => [
        '--set',
        `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
      ]);
      const trained = lab.run('train', lab.experiment, '--out', out, '--device', 'cpu', ...set);
      expect([trained.code, trained.err]).toEqual([0, expect.not.stringContaining('error')]);
      const [run] = lab.runs(out);
      for (const form of ['adapter', 'peft-lora', 'peft-lora by paper', ...FORMS] as const) {
        const [as, merge] = form.split(' by ');
        const more = merge === undefined ? [] : ['--merge', merge, '--out', lab.fresh('by-paper')];
        const r = lab.run('export', run, '--as', as, ...more, '--at', 'last', '--accept-drop', '--json');
        expect([r.code, r.err]).toEqual([0, '']);
        const last = r.out.trim().split('\n').at(-1)!;
        const { folder, record } = JSON.parse(last) as { folder: string; record: ExportRecord };
        expect(record.form).toBe(as);
        // These values were measured in the run's own graph.
        expect(record.largestDifference).toBeLessThan(TOLERANCE);
        exports.set(`${name} ${form}`, folder);
      }
      wanted.set(name, {
        trained: await inNode(job(name, 'onnx-dynamic')),
        fitted: await inNode(job(name, 'onnx-merged')),
        paper: await inNode(job(name, 'onnx-merged by paper')),
      });
    }
  });
  afterAll(async () => {
    await closeBrowser();
    lab.remove();
  });

  it('agree between the forms only for LoRA and for runs that trained the static form last; the fit is closer', () => {
    for (const name of NAMES) {
      const { trained, fitted, paper } = wanted.get(name)!;
      expect(trained).toHaveLength(4);
      const same = name.includes('LoRA') || name.includes('static');
      if (same) {
        expect(apart(trained, fitted), name).toBeLessThan(TOLERANCE);
        expect(apart(trained, paper), name).toBeLessThan(TOLERANCE);
      } else {
        expect(apart(trained, paper), name).toBeGreaterThan(1e-3);
        expect(apart(trained, fitted), name).toBeGreaterThan(TOLERANCE);
        expect(apart(trained, fitted), name).toBeLessThan(apart(trained, paper));
      }
    }
  });

  it.each(NAMES)("in PyTorch, with the exported loader and with PEFT's loading steps: %s", (name) => {
    const { model } = RUNS[name];
    const common = {
      model,
      weights: lab.path(`${model}.pt`),
      inputs: INPUTS,
      loader: folder(name, 'adapter'),
    };
    const { trained, fitted, paper } = wanted.get(name)!;
    const of = (form: Form, by: string, logits: number[]) => ({
      ...common,
      folder: folder(name, form),
      with: by,
      logits,
    });
    const loaders = [
      of('adapter', 'loader', trained),
      of('adapter', 'merged', paper),
      of('peft-lora', 'loader', fitted),
      of('peft-lora', 'merged', fitted),
      of('peft-lora', 'peft', fitted),
      of('peft-lora by paper', 'peft', paper),
    ];
    const results = JSON.parse(python('torch_side.py', [], loaders)) as number[][];
    // If a layer has no bias, PEFT's files have none at all: another fit than in ONNX, and the same in each loader.
    const plain = results[loaders.findIndex((l) => l.folder === folder(name, 'peft-lora'))];
    if (name === WITHOUT_BIAS) {
      expect(apart(plain, fitted)).toBeGreaterThan(TOLERANCE);
      expect(apart(plain, trained)).toBeLessThan(apart(paper, trained));
    }
    loaders.forEach(({ folder, with: by, logits }, i) => {
      const wanted = name === WITHOUT_BIAS && logits === fitted ? plain : logits;
      expect(apart(results[i], wanted), `${folder} by ${by}`).toBeLessThan(TOLERANCE);
    });
  });

  it('as a LoRA have biases in PEFT’s layout only if each adapted layer has one', () => {
    for (const name of NAMES.filter((each) => each.startsWith('AuroRA on'))) {
      const { tensors } = readSafetensors(join(folder(name, 'peft-lora'), 'adapter_model.safetensors'));
      const isBiased = [...tensors.keys()].some((key) => key.endsWith('lora_B.bias'));
      const text = readFileSync(join(folder(name, 'peft-lora'), 'adapter_config.json'), 'utf8');
      const config = JSON.parse(text) as { lora_bias?: boolean };
      expect([isBiased, config.lora_bias ?? false], name).toEqual(Array(2).fill(name !== WITHOUT_BIAS));
    }
  });

  it("in Debian's ONNX Runtime", () => {
    const all = jobs();
    const results = JSON.parse(python('onnxruntime_side.py', [], all)) as number[][];
    all.forEach(({ name, form }, i) => {
      expect(apart(results[i], want(name, form)), `${name} ${form}`).toBeLessThan(TOLERANCE);
    });
  });

  it('in ONNX Runtime for browsers, in Chromium', async () => {
    const all = jobs();
    const results = await inBrowser(
      all,
      all.map(({ adapter }) => tensorsOf(adapter)),
    );
    all.forEach(({ name, form }, i) => {
      expect(apart(results[i], want(name, form)), `${name} ${form}`).toBeLessThan(TOLERANCE);
    });
  });

  it('with swapped adapters, because runs of the same modules export the same model file', async () => {
    const form = 'onnx-adapter-inputs';
    const name = 'AuroRA on linear layers';
    const { adapter } = RUNS[name];
    // A different rank, alpha and values.
    const set = ['model.path=bert.onnx', `adapter=${JSON.stringify({ ...adapter, rank: 3, alpha: 5 })}`];
    const out = lab.path('runs-other');
    const settings = set.flatMap((s) => ['--set', s]);
    expect(lab.run('train', lab.experiment, '--out', out, '--device', 'cpu', ...settings).code).toBe(0);
    const [run] = lab.runs(out);
    const made = (as: ExportForm) => {
      const r = lab.run('export', run, '--as', as, '--out', lab.path(`other-${as}`));
      expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
      return lab.path(`other-${as}`);
    };
    const other = made(form);
    const mine = job(name, form);
    expect(readFileSync(join(other, 'model.onnx')).equals(readFileSync(mine.path))).toBe(true);
    // The adapter file also records this, for anyone who uses it with a model with different settings.
    const { metadata } = readSafetensors(join(other, 'adapter.safetensors'));
    const sum = createHash('sha256').update(readFileSync(mine.path)).digest('hex');
    expect(metadata['aurora.model']).toBe(sum);
    const swapped = await inNode({ ...mine, adapter: join(other, 'adapter.safetensors') });
    const own = await inNode({
      ...job(name, 'onnx-dynamic'),
      path: join(made('onnx-dynamic'), 'model.onnx'),
    });
    expect(apart(swapped, own)).toBeLessThan(TOLERANCE);
    expect(apart(swapped, wanted.get(name)!.trained)).toBeGreaterThan(1e-3);
  });
});

const tensorsOf = (file: string | null) =>
  Object.fromEntries(
    file
      ? [...readSafetensors(file).tensors].map(([name, { dims, data }]) => [name, { dims, data: [...data] }])
      : [],
  );

/** Runs the job in onnxruntime-node alone. */
async function inNode({ path, output, inputs, adapter }: OnnxJob): Promise<number[]> {
  const session = await InferenceSession.create(readFileSync(path));
  const tokens = Object.entries(inputs).map(([name, rows]) => {
    const data = BigInt64Array.from(rows.flat(), BigInt);
    return [name, new Tensor('int64', data, [rows.length, rows[0].length])] as const;
  });
  const more = Object.entries(tensorsOf(adapter)).map(
    ([name, { dims, data }]) => [name, new Tensor('float32', Float32Array.from(data), dims)] as const,
  );
  const feeds: Record<string, Tensor> = Object.fromEntries([...tokens, ...more]);
  const own = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]));
  const out = await session.run(own);
  await session.release();
  return [...(out[output].data as Float32Array)];
}
