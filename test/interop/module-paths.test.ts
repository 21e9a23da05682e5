import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findLinearLayers } from '../../src/graph/layers/linear';
import { loadModel } from '../../src/graph/file/load';
import { prepareModel } from '../../src/graph/prepare';
import { onPython, python } from './python';
import { scratchFolder } from '../scratch';

/** The models of the fixtures, exported again with the installed PyTorch. */
describe.runIf(onPython)('module paths of models exported by the current PyTorch', () => {
  const folder = scratchFolder('torchvision');
  beforeAll(() => void python('../fixtures/torchvision/make.py', [folder]));

  it.each(['vit', 'swin', 'convnext', 'scopes', 'sequential', 'text'])(
    'match named_modules(): %s',
    (name) => {
      const modules = JSON.parse(readFileSync(join(folder, 'modules.json'), 'utf8')) as Record<
        string,
        string[]
      >;
      const { graph } = prepareModel(loadModel(join(folder, `${name}.onnx`)));
      const paths = findLinearLayers(graph).map((l) => l.path);
      expect(paths.sort()).toEqual(modules[name].sort());
    },
  );
});
