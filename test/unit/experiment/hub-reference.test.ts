import { describe, expect, it } from 'vitest';
import {
  hubName,
  hubReferenceProblem,
  hubReferenceText,
  parseHubReference,
  referenceOf,
} from '../../../src/experiment/hub-reference';

const C = '0123456789abcdef0123456789abcdef01234567';

describe('a reference to the hub', () => {
  it.each([
    [`hf://FacebookAI/roberta-base@${C}`, 'model', 'FacebookAI/roberta-base', ''],
    [`hf://gpt2@${C}/onnx/model.onnx`, 'model', 'gpt2', 'onnx/model.onnx'],
    [
      `hf://datasets/nyu-mll/glue@${C}/rte/train/0000.parquet`,
      'dataset',
      'nyu-mll/glue',
      'rte/train/0000.parquet',
    ],
    [`hf://datasets/squad@${C}/plain_text/train/*.parquet`, 'dataset', 'squad', 'plain_text/train/*.parquet'],
  ] as const)('%s has its parts, and is written the same', (text, kind, repo, path) => {
    const ref = parseHubReference(text)!;
    expect(ref).toEqual({ kind, repo, revision: C, path });
    expect(hubReferenceText(ref)).toBe(text);
    expect(hubReferenceProblem(text, kind)).toBeUndefined();
  });

  it.each([
    ['hf://roberta-base', 'without a commit', '`aurora get model roberta-base`'],
    [
      'hf://FacebookAI/roberta-base@main',
      'in which "main" is not a commit',
      'aurora get model FacebookAI/roberta-base',
    ],
    [`hf://FacebookAI/roberta-base@${C.slice(1)}`, 'is not a commit', 'aurora get'],
    [`hf://FacebookAI/roberta-base@${C.toUpperCase()}`, 'is not a commit', 'aurora get'],
    [`hf://a/b/c@${C}`, '"a/b/c" is not the name of a repository', ''],
    [`hf://a--b/c@${C}`, 'is not the name of a repository', ''],
    [`hf://../b@${C}`, 'is not the name of a repository', ''],
    [`hf://@${C}`, 'is not the name of a repository', ''],
    [`hf://a/b@${C}/../../x`, 'is not a path in a repository', ''],
    [`hf://a/b@${C}/x\\y`, 'is not a path in a repository', ''],
    [`hf://a/b@${C}/x//y`, 'is not a path in a repository', ''],
    [`hf://a/b@${C}/C:x`, 'is not a path in a repository', ''],
    [`hf://datasets/a/b@${C}/x.parquet`, 'which is a data set', ''],
  ])('%s is refused: %s', (text, problem, hint) => {
    const said = hubReferenceProblem(text, 'model');
    expect(said).toContain(problem);
    expect(said).toContain(hint);
    if (!text.includes('datasets')) expect(parseHubReference(text)).toBeUndefined();
  });

  it('to data names a file, and not a model', () => {
    expect(hubReferenceProblem(`hf://datasets/a/b@${C}`, 'dataset')).toContain('names no file');
    expect(hubReferenceProblem(`hf://a/b@${C}/x`, 'dataset')).toContain('which is a model');
    expect(hubReferenceProblem('datasets/train.csv', 'dataset')).toBeUndefined();
  });

  it.each([
    [
      `/c/hub/models--FacebookAI--roberta-base/snapshots/${C}/config.json`,
      `hf://FacebookAI/roberta-base@${C}/config.json`,
      'roberta-base',
    ],
    [`/c/hub/models--gpt2/snapshots/${C}`, `hf://gpt2@${C}`, 'gpt2'],
    [
      `C:\\hub\\datasets--nyu-mll--glue\\snapshots\\${C}\\rte\\train\\0000.parquet`,
      `hf://datasets/nyu-mll/glue@${C}/rte/train/0000.parquet`,
      'glue/rte/train',
    ],
  ])('is what %s stands for', (path, text, name) => {
    expect(hubReferenceText(referenceOf(path)!)).toBe(text);
    expect(hubName(path)).toBe(name);
  });

  it.each([
    '/c/models--a--b/snapshots/main/config.json',
    `/c/spaces--a--b/snapshots/${C}/x`,
    `/c/snapshots/${C}/x`,
    `/c/models--a--b/blobs/${C}`,
    'models/roberta-base/config.json',
  ])('is not what %s stands for', (path) => {
    expect(referenceOf(path)).toBeUndefined();
    expect(hubName(path)).toBeUndefined();
  });
});
