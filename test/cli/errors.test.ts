import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/graph/file/load';
import type { Model } from '../../src/graph/model';
import { encodeModel } from '../../src/graph/onnx/encode';
import { saveModel } from '../../src/graph/file/save';
import { readRun } from '../read-run';
import type { PreflightLine } from '../../src/protocol/preflight';
import { Lab, type Outcome } from './lab';

const lab = new Lab({ training: { evaluateEvery: 1000, checkpointEvery: 1000 } });
afterAll(() => lab.remove());
const at = (name: string) => lab.path(name);
const model = loadModel(at('model.onnx'));
const bytes = readFileSync(at('model.onnx'));
const rows = readFileSync(at('train.jsonl'), 'utf8');
const row = (text: string, label: string) => JSON.stringify({ text, label });
const set = (...settings: string[]) => settings.flatMap((s) => ['--set', s]);
const train = (...args: string[]) => lab.run('train', lab.experiment, '--out', at('runs'), ...args);

/** Expects a message that names what and where, a hint on a separate line, and no stack trace. */
function refused({ code, err }: Outcome, exit: number, message: string | RegExp, hint: string): void {
  const lines = err.slice(err.indexOf('error: ')).trimEnd().split('\n');
  expect(err).toMatch(message);
  expect(lines.at(-1)).toMatch(/^ {7}\S/);
  expect(lines.at(-1)).toContain(hint);
  expect(err).not.toMatch(/^ +at |\[E:onnxruntime|undefined|unexpected/m);
  expect(code).toBe(exit);
}

/** A copy of the model under a new name, with one more node after the last hidden state. */
function withLast(name: string, opType: string, domain = ''): string {
  const { graph } = model;
  const glow = { opType, domain, name: 'glow', attributes: new Map(), metadata: new Map() };
  const changed: Model = {
    ...model,
    opsets: new Map([...model.opsets, ...(domain ? ([[domain, 1]] as const) : [])]),
    graph: {
      ...graph,
      nodes: [...graph.nodes, { ...glow, inputs: [graph.outputs[0].name], outputs: ['glowing'] }],
      outputs: [{ ...graph.outputs[0], name: 'glowing' }],
    },
  };
  saveModel(changed, at(name));
  return name;
}

describe('an unusable model', () => {
  const trains = (path: string) => train(...set(`model.path=${path}`, `model.tokenizer=tokenizer.json`));
  const both = (path: string) => [trains(path), lab.run('inspect', at(path))];

  it('is reported by its path if it is missing', () => {
    for (const r of both('none.onnx')) refused(r, 4, `${at('none.onnx')}: the file does not exist`, 'path');
  });

  it('can be a file that is not ONNX', () => {
    lab.write('text.onnx', 'hello, world\n');
    for (const r of both('text.onnx'))
      refused(r, 5, `${at('text.onnx')} is not an ONNX model`, 'torch.onnx.export');
  });

  it('can be truncated', () => {
    lab.write('cut.onnx', bytes.subarray(0, 60_000));
    for (const r of both('cut.onnx'))
      refused(r, 6, /cut\.onnx is a truncated or damaged ONNX model.*near byte \d+ of 60000/, 'again');
  });

  it('can lack its external data, or part of it', () => {
    saveModel(model, at('big/big.onnx'), 0);
    truncateSync(at('big/big.onnx.data'), 5000);
    for (const r of both('big/big.onnx'))
      refused(r, 6, /data file .*big\.onnx\.data is truncated: the weight \S+ ends at byte \d+/, 'again');
    rmSync(at('big/big.onnx.data'));
    for (const r of both('big/big.onnx'))
      refused(
        r,
        7,
        /big\.onnx needs the data file "big\.onnx\.data" \(for the weight \S+\)/,
        'beside the model',
      );
  });

  it('can refer to data outside its folder', () => {
    lab.write('secret.bin', Buffer.alloc(1 << 17));
    const place = { location: '../secret.bin', offset: 0, length: undefined };
    lab.write(
      'sub/spy.onnx',
      encodeModel(model, (t) => (t.dims.length === 2 ? place : undefined)),
    );
    for (const r of both('sub/spy.onnx'))
      refused(r, 8, /spy\.onnx stores the weight \S+ in "\.\.\/secret\.bin", outside/, 'into that folder');
  });

  it('can have an operator without a gradient rule above an adapter', () => {
    const known = trains(withLast('det.onnx', 'Acosh'));
    refused(
      known,
      9,
      /No gradient rule for Acosh \(node "glow"\), between an adapter and the loss/,
      'inspect',
    );
    // The runtime does not support this one either and would report it in its own terms.
    const foreign = trains(withLast('foreign.onnx', 'Glow', 'com.acme'));
    refused(foreign, 9, /No gradient rule for com\.acme\.Glow \(node "glow"\)/, 'aurora inspect');
    const { code, out } = lab.run('inspect', at('foreign.onnx'));
    expect(code).toBe(0);
    expect(out).toMatch(/Gradients cannot pass these operators.*\n +- com\.acme\.Glow: glow/);
  });

  it('can be unsupported by the runtime', () => {
    withLast('foreign.onnx', 'Glow', 'com.acme');
    const headOnly = set('model.path=foreign.onnx', 'adapter={"method":"none"}');
    refused(train(...headOnly), 4, /ONNX Runtime cannot load the model: .*Glow/, 'inspect');
  });

  it('can lack the requested output', () => {
    refused(
      train(...set('model.output=logits')),
      4,
      'no output "logits"; it has last_hidden_state',
      'model.output',
    );
  });

  it('can have fewer positions than a text has tokens, which is reported before the first step', () => {
    lab.write('long.jsonl', `${rows}${row('cat '.repeat(100), 'pets')}\n`);
    const r = train(...set('data.train=long.jsonl', 'model.maxLength=128'));
    refused(r, 4, /failed to run on input_ids \[1, 102\]/, 'lower model.maxLength');
    expect(r.err).not.toContain('step 1');
  });
});

describe('adapters that do not fit', () => {
  it('can match no module, and the nearest ones are named', () => {
    const r = train(...set('adapter.targetModules=["qeury"]'));
    refused(
      r,
      10,
      /"qeury" matched none of the 12 linear layers\. Nearest: layer\.0\.query/,
      'aurora inspect',
    );
  });

  it('can match in part, which is a warning', () => {
    const r = train(...set('adapter.targetModules=["query","vlaue"]', 'training.epochs=1'));
    expect(r.code).toBe(0);
    expect(r.err).toMatch(/warning: targetModules: "vlaue" matched no module \(nearest: layer\.0\.value/);
  });

  it('can come from a regular expression that takes too long', () => {
    const evil = '(.*.*.*.*.*.*.*.*.*.*.*.*.*.*)+!';
    const r = train(...set(`adapter.targetModules="${evil}"`));
    refused(
      r,
      10,
      `adapter.targetModules: the regular expression "${evil}" takes more than 100 ms`,
      'repetitions',
    );
  });

  it("can have a rank above the layer's limit", () => {
    const r = train(...set('adapter.rank=33'));
    refused(r, 11, 'adapter.rank 33 is too large for the layer layer.0.query (32 × 32)', 'rankPattern');
  });
});

describe('unusable data', () => {
  const trains = (name: string, content: string, ...settings: string[]) => {
    lab.write(name, content);
    return train(...set(`data.train=${name}`, 'training.epochs=1', ...settings));
  };
  const csv = `text,label\n${Array.from({ length: 8 }, (_, i) => `the cat ${i},${i % 2}`).join('\n')}\n`;
  const bad = `${csv}only one field\n${csv.slice(11)}`;

  it('are reported by their path if they are missing', () => {
    refused(train(...set('data.train=none.csv')), 12, `${at('none.csv')} does not exist`, 'data.train');
  });

  it('can have a bad row, which is reported with file and line', () => {
    refused(trains('bad.csv', bad), 12, `${at('bad.csv')}:10: 1 columns where the header has 2`, 'onBadRow');
  });

  it('can have a bad row that is skipped with a warning', () => {
    const own = ['data.onBadRow=skip', 'data.validation=bad.csv'];
    const r = trains('bad.csv', bad, ...own);
    expect(r.code).toBe(0);
    expect(r.err).toMatch(/warning: 2 rows were skipped .*line 10: 1 columns where the header has 2/);
  });

  it('can have no labels, or only one', () => {
    refused(
      trains('unlabeled.csv', 'text,lable\na,b\n'),
      13,
      'has no column "label"',
      'Did you mean "lable"?',
    );
    refused(trains('one.csv', 'text,label\na,x\nb,x\n'), 13, 'has only the label "x"', 'data.labelColumn');
  });

  it('are reported if the file is empty', () => {
    refused(trains('zero.jsonl', ''), 14, `${at('zero.jsonl')} is empty`, 'another file');
    refused(trains('header.csv', 'text,label\n'), 14, `${at('header.csv')} has no rows`, 'another file');
  });

  it('can have a validation label that does not occur in training', () => {
    lab.write('strange.jsonl', `${row('the cat', 'pet')}\n`);
    const r = train(...set('data.validation=strange.jsonl'));
    refused(r, 12, `${at('strange.jsonl')}:1: the label "pet" is not among the 2`, 'onBadRow');
    expect(r.err).toContain('nearest: "pets"');
  });
});

describe('an unusable tokenizer', () => {
  it('is reported by its path if it is missing', () => {
    const r = train(...set('model.tokenizer=none/tokenizer.json'));
    refused(r, 15, `${at('none/tokenizer.json')} does not exist`, 'beside the model');
  });

  it('can belong to another model', () => {
    const whole = JSON.parse(readFileSync(at('tokenizer.json'), 'utf8')) as {
      model: { vocab: Record<string, number> };
    };
    whole.model.vocab['dog'] = 30_521;
    lab.write('other/tokenizer.json', JSON.stringify(whole));
    const r = train(...set('model.tokenizer=other/tokenizer.json'));
    refused(
      r,
      16,
      /token ids up to 30521, but the embedding of .*model\.onnx has \d+ rows/,
      'model.tokenizer',
    );
  });
});

describe('a mistake in an experiment file or on the command line', () => {
  const mistaken = (find: string, replace: string): Outcome => {
    const text = readFileSync(lab.experiment, 'utf8');
    expect(text).toContain(find);
    writeFileSync(at('mistaken.aurora.json'), text.replace(find, replace));
    return lab.run('train', at('mistaken.aurora.json'));
  };
  const place = (line: number, column: number) => `${at('mistaken.aurora.json')}:${line}:${column}: `;

  it('is reported with file, line and column', () => {
    refused(mistaken('"model.onnx",', '"model.onnx"'), 3, `${place(4, 5)}this is not valid JSON`, 'JSON');
    refused(
      mistaken('"epochs"', '"epoch"'),
      3,
      /mistaken\.aurora\.json:\d+:5: training\.epoch is not a known key.*did you mean "epochs"/,
      'schema.json',
    );
    refused(
      mistaken('"seed": 7', '"seed": "seven"'),
      3,
      /:\d+:5: training\.seed is "seven", expected a whole number/,
      'schema.json',
    );
  });

  it('is reported with the override at fault', () => {
    refused(
      train(...set('adapter.rnak=4')),
      3,
      '--set adapter.rnak=4: adapter.rnak is not a known key',
      'schema',
    );
    refused(
      train(...set('adapter.rank=four')),
      3,
      '--set adapter.rank=four: adapter.rank is "four"',
      'schema',
    );
    refused(train(...set('adapter.rank')), 2, '--set adapter.rank has no value', '--set key=value');
  });

  it.each<[string[], number, string | RegExp, string]>([
    [['trian', 'x'], 2, 'aurora has no command "trian"', 'Did you mean "train"?'],
    [
      ['toString'],
      2,
      'aurora has no command "toString"',
      'The commands are train, sweep, claim, compare, preflight, tokens, inspect, quantize, budget, get, start, recipe, export, publish, import, combine, runs, study, reproduce, errors, nonlinearity, play, doctor, gpu, completion, mcp, verify, reference;',
    ],
    [['--resume', 'x'], 2, '"--resume" is an option', 'aurora --help'],
    [['train', '--epcohs', '3'], 2, 'aurora train has no option --epcohs', 'aurora train --help'],
    [['train', '--devise=cpu'], 2, 'aurora train has no option --devise', 'Did you mean --device?'],
    [['train'], 2, 'needs one experiment file', 'aurora train --help'],
    [['train', 'none.aurora.json'], 3, 'There is no experiment file none.aurora.json', '*.aurora.json'],
    [['train', 'x', '--device', 'gpu'], 2, 'has no device "gpu"; it has cpu, webgpu, cuda.', '--device'],
    [['preflight', 'x', '--engine', 'torch'], 2, 'Unknown engine "torch"', '--engine'],
    [
      ['export', 'none', '--as', 'tflite'],
      2,
      '--as takes adapter, peft-lora, kohya, onnx-dynamic, onnx-merged, onnx-adapter-inputs, safetensors, gguf-lora, gguf, tensorboard, not "tflite"',
      'export --help',
    ],
    [
      ['export', 'none'],
      2,
      'What to export is missing: --as takes adapter, ',
      'export none --as onnx-dynamic',
    ],
    [['export', 'none', '--as', 'onnx-merged'], 20, /There is no run folder .*none/, '.aurora/runs'],
  ])('is explained: aurora %j', (args, exit, message, hint) =>
    refused(lab.run(...args), exit, message, hint),
  );

  it('is shown with a stack trace only on request', () => {
    const { err, code } = lab.run('inspect', at('none.onnx'), '--verbose');
    expect(code).toBe(4);
    expect(err).toMatch(/^ +at .+\(.+:\d+:\d+\)$/m);
  });
});

describe('misleading data', () => {
  it('is reported before the first step, in the terminal and in the journal, as in a preflight', () => {
    const lopsided = Array.from({ length: 40 }, (_, i) =>
      row(`the cat ${'played '.repeat(1 + (i % 5))}! ${i}`, i < 38 ? 'pets' : 'other'),
    );
    lab.write(
      'lopsided.jsonl',
      [row('the cats !', 'pets'), row('the  cats !', 'other'), ...lopsided].join('\n'),
    );
    lab.write('seen.jsonl', [row('the cats !', 'pets'), row('played !', 'pets')].join('\n'));
    const settings = set('data.train=lopsided.jsonl', 'data.validation=seen.jsonl');
    const told = lab
      .run('preflight', lab.experiment, '--json', '--steps', '1', ...settings)
      .out.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as PreflightLine)
      .flatMap((line) => (line.kind === 'problem' ? [`${line.message} ${line.hint}`] : []));
    expect(told).toHaveLength(4);
    expect(told.join('\n')).toMatch(
      /92\.9%.*No validation row.*1 of 2 validation examples.*more than one label/s,
    );
    const out = at('flattered');
    const r = lab.run('train', lab.experiment, '--out', out, ...settings, ...set('training.epochs=1'));
    expect(r.code).toBe(0);
    for (const warning of told) expect(r.err).toContain(`warning: ${warning}`);
    const { events } = readRun(lab.runs(out)[0]);
    const began = events.findIndex((e) => e.kind === 'started');
    const warned = events.slice(0, began).flatMap((e) => (e.kind === 'warning' ? [e.message] : []));
    expect(warned).toEqual(told);
  });
});
