import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audited, findDuplicates, labelCounts } from '../../../src/data/audit';
import { makeDataset, textExample } from '../../../src/data/dataset';
import { distinctLabels, inferLabels, labelIndex, withKnownLabels } from '../../../src/data/labels';
import { readRows } from '../../../src/data/table/rows';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { columnFacts } from '../../../src/extension/language/data-columns';
import { guessColumns } from '../../../src/extension/language/guess-columns';
import { readDataHead } from '../../../src/extension/language/data-head';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { loadModel } from '../../../src/graph/file/load';
import { decodeSafetensors, encodeSafetensors } from '../../../src/graph/file/safetensors';
import { baseModel } from '../../../src/peft/base-model';
import { fitAdapter, adapterModules } from '../../../src/peft/fit';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { importedSpec } from '../../../src/peft/adapter-spec';
import { imageSettings } from '../../../src/inference/image-answers';
import { classifierLabels } from '../../../src/inference/classification';
import { endTokens, longestText, readModelFiles } from '../../../src/inference/model-files';
import { temporaryFolders } from '../runs/folder';
import { eachHandled, handled, HOSTILE, json, name, object } from './names';

const makeFolder = temporaryFolders();
const FIXTURES = join(import.meta.dirname, '../../fixtures');

describe('names of inherited members in tables', () => {
  const columns = fc.uniqueArray(name, { minLength: 2, maxLength: 5 });
  const cells = fc.array(fc.array(name, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 6 });

  it.each(['csv', 'jsonl'])('are handled as columns, texts and labels of a .%s file', async (format) => {
    const file = join(makeFolder(), `t.${format}`);
    const tokenizer = loadTokenizer(join(FIXTURES, 'data/wordpiece/tokenizer.json'));
    await eachHandled('table', fc.tuple(columns, cells, name, name), async ([header, rows, text, label]) => {
      const lines =
        format === 'csv'
          ? [header.join(','), ...rows.map((row) => row.slice(0, header.length).join(','))]
          : rows.map((row) => object(header.map((column, i) => [column, JSON.stringify(row[i])])));
      writeFileSync(file, `${lines.join('\n')}\n`);
      const head = (await readDataHead(file))!;
      expect(head.columns.map((c) => c.name)).toEqual(header);
      head.columns.forEach(columnFacts);
      guessColumns(head);
      const options = { textColumn: text, labelColumn: label, onBadRow: 'fail' } as const;
      await handled('no such column', () => readRows(file, options));
      const read = await readRows(file, { ...options, textColumn: header[0], labelColumn: header[1] });
      expect(read.rows.map((r) => [r.text, r.label])).toEqual(rows.map((row) => row.slice(0, 2)));
      const names = read.rows.map((r) => r.label);
      await handled('one label', () => inferLabels(file, names));
      const labels = distinctLabels(names);
      expect(labels.map((l) => labelIndex(labels).get(l))).toEqual(labels.map((_, i) => i));
      await handled('unknown', () => withKnownLabels(file, read, [label], 'skip'));
      await makeDataset(
        read.rows,
        { path: file, padId: tokenizer.padId, onBadRow: 'fail' },
        ({ text }, index) => textExample(tokenizer.encode(text, 8), index),
      );
      const classes = labelIndex(labels);
      const counts = labelCounts(
        names.map((l) => classes.get(l)!),
        labels,
      );
      expect(Object.entries(counts)).toEqual(
        labels.map((l) => [l, rows.filter((row) => row[1] === l).length]),
      );
      findDuplicates(audited(read.rows), audited(read.rows));
    });
  });
});

describe('names of inherited members in a tokenizer', () => {
  it('are handled as tokens of its vocabulary', () => {
    const file = join(makeFolder(), 'tokenizer.json');
    const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...HOSTILE];
    const fixture = JSON.parse(
      readFileSync(join(FIXTURES, 'data/wordpiece/tokenizer.json'), 'utf8'),
    ) as Record<string, object>;
    const model = object([
      ...Object.entries({ ...fixture.model, vocab: undefined }).flatMap(([k, v]): [string, string][] =>
        v === undefined ? [] : [[k, JSON.stringify(v)]],
      ),
      ['vocab', object(tokens.map((token, id) => [token, String(id)]))],
    ]);
    const json = JSON.stringify({
      ...fixture,
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      added_tokens: [],
      post_processor: null,
      model: 0,
    });
    writeFileSync(file, json.replace('"model":0', `"model":${model}`));
    const tokenizer = loadTokenizer(file);
    expect(tokenizer.encode(HOSTILE.join(' '), 64).ids).toEqual(HOSTILE.map((_, i) => i + 4));
    expect(HOSTILE.map((token) => tokenizer.idOf(token))).toEqual(HOSTILE.map((_, i) => i + 4));
    expect(tokenizer.decode([4])).toBe('__proto__');
    expect(tokenizer.piece(5)).toBe('constructor');
  });

  it('are handled as keys of its files and in place of its parts', async () => {
    const folder = makeFolder();
    const file = join(folder, 'tokenizer.json');
    const fixture = JSON.parse(
      readFileSync(join(FIXTURES, 'data/wordpiece/tokenizer.json'), 'utf8'),
    ) as Record<string, unknown>;
    const part = fc.constantFrom(...HOSTILE, 'added_tokens', 'padding', 'truncation', 'version');
    await eachHandled('tokenizer', fc.tuple(part, json, name, json), ([key, value, other, config]) => {
      const own = Object.entries(fixture).filter(([k]) => k !== key && k !== 'added_tokens');
      // Only the names that our code reads are changed, not the library's own parts.
      const sections = own.map(([k, v]): [string, string] => [k, JSON.stringify(v)]);
      writeFileSync(file, object([...sections, [key, key === 'added_tokens' ? '[]' : value]]));
      for (const beside of ['tokenizer_config.json', 'config.json'])
        writeFileSync(join(folder, beside), object([[other, config]]));
      loadTokenizer(file).encode(HOSTILE.join(' '), 16);
    });
  });
});

describe('names of inherited members in adapter and hub files', () => {
  it('are preserved as tensors and metadata of a safetensors file', () => {
    const tensors = new Map(
      HOSTILE.map((key, i) => [key as string, { dims: [1], data: Float32Array.of(i) }]),
    );
    const metadata = JSON.parse(object(HOSTILE.map((key) => [key, '"x"']))) as Record<string, string>;
    const read = decodeSafetensors(encodeSafetensors(tensors, metadata), 'x');
    expect([...read.tensors].map(([key, { data }]) => [key, data[0]]).sort()).toEqual(
      HOSTILE.map((key, i) => [key, i]).sort(),
    );
    expect(Object.keys(read.metadata).sort()).toEqual([...HOSTILE].sort());
  });

  it('are handled as entries, types and values of a safetensors header', () =>
    eachHandled('safetensors', fc.array(fc.tuple(name, json), { maxLength: 3 }), async (entries) => {
      const types = entries.map(([key], i) => [
        `t${i}`,
        object([
          ['dtype', JSON.stringify(key)],
          ['shape', '[1]'],
          ['data_offsets', '[0,4]'],
        ]),
      ]);
      for (const header of [object(entries), object(types as [string, string][])]) {
        const text = Buffer.from(header);
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(text.length));
        await handled('header', () => decodeSafetensors(Buffer.concat([length, text, Buffer.alloc(4)]), 'x'));
      }
    }));

  it('are handled as modules, patterns and settings of an imported adapter', async () => {
    const folder = makeFolder();
    const { graph } = loadModel(join(FIXTURES, 'reference/bert.onnx'));
    const layers = findLinearLayers(graph);
    const setting = fc.constantFrom(
      ...HOSTILE,
      'peft_type',
      'r',
      'lora_alpha',
      'rank_pattern',
      'alpha_pattern',
      'target_modules',
      'init_lora_weights',
      'bias',
    );
    await eachHandled(
      'adapter',
      fc.tuple(fc.array(fc.tuple(setting, json), { maxLength: 4 }), fc.array(name, { maxLength: 2 })),
      async ([settings, modules]) => {
        const tensors = new Map(
          modules.flatMap((module) =>
            ['A', 'B'].map((part) => [
              `base_model.model.${module}.lora_${part}.weight`,
              { dims: part === 'A' ? [1, 2] : [2, 1], data: new Float32Array(2) },
            ]),
          ),
        );
        const usual = [
          ['peft_type', '"LORA"'],
          ['r', '1'],
          ['lora_alpha', '1'],
        ] as const;
        const given = settings.map(([key]) => key as string);
        writeFileSync(join(folder, 'adapter_model.safetensors'), encodeSafetensors(tensors));
        writeFileSync(
          join(folder, 'adapter_config.json'),
          object([...usual.filter(([key]) => !given.includes(key)), ...settings]),
        );
        const from = readAdapterFolder(folder);
        await handled('modules', () => adapterModules(from));
        await handled('spec', () => importedSpec(from).alphaOf?.('a.constructor'));
        await handled('fit', () => fitAdapter(from, graph, layers));
      },
    );
  });

  it('are handled as keys and values of the files beside a model', async () => {
    const folder = makeFolder();
    const path = join(folder, 'model.onnx');
    mkdirSync(folder, { recursive: true });
    copyFileSync(join(FIXTURES, 'data/wordpiece/tokenizer.json'), join(folder, 'tokenizer.json'));
    const tokenizer = loadTokenizer(join(folder, 'tokenizer.json'));
    const known = fc.constantFrom(...HOSTILE, 'id2label', 'eos_token', 'eos_token_id', 'size', 'license');
    await eachHandled('hub', fc.array(fc.tuple(known, json), { maxLength: 4 }), async (entries) => {
      for (const file of ['config', 'generation_config', 'tokenizer_config', 'preprocessor_config'])
        writeFileSync(join(folder, `${file}.json`), object(entries));
      baseModel(path);
      const files = readModelFiles(path, join(folder, 'tokenizer.json'));
      longestText(files);
      endTokens(files, tokenizer);
      classifierLabels({ path, files, adapter: undefined }, 2);
      await handled('image', () =>
        imageSettings({ name: 'constructor', dtype: 1, shape: [1, 3, 8, 8] }, path, files.preprocessor),
      );
    });
  });
});
