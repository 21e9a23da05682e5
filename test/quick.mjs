import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The quick selection, which `npm test` runs. Names are paths below test/TIER, without ".test.ts". How files are chosen:
 * docs/development.md, "The quick selection".
 */
export const QUICK = {
  unit: {
    allBut: [
      'architecture/lint-rule',
      'autodiff/fused',
      'autodiff/rules',
      'cli/get-verdict',
      'data/jinja/limits',
      'data/table/parquet',
      'data/text/bounded-patterns',
      'data/text/family-tokenizers',
      'data/text/other-tokenizers',
      'data/tokenizer-damage',
      'executors/kubernetes/scheduler',
      'executors/package/folder',
      'extension/launcher/runtime-users',
      'extension/launcher/trainer',
      'extension/parquet-worker',
      'files/owner',
      'graph/order',
      'graph/quantized/nbits',
      'hub/hostile',
      'inference/drawing',
      'names/experiment',
      'runs/damaged',
      'tfjs/failures',
      'tfjs/ops-backends',
      'tfjs/ops-gradients',
      'training/fit/fit-run',
      'training/fit/pictures',
      'training/frozen',
      'training/generation/cached',
      'training/methods',
      'training/micro-batch/reference',
      'training/optimizer/dropout',
      'training/packing',
      'training/process/child',
      'training/process/pulse',
    ],
  },
  cli: {
    only: ['damaged-run', 'errors', 'inspect', 'resume', 'runs', 'study', 'terminal', 'train', 'usage'],
  },
  reference: { only: ['command', 'fused', 'pytorch', 'quantized'] },
  interop: { only: ['hub-export'] },
  cluster: { only: ['hostile-login-node', 'kubectl', 'scheduler', 'shell'] },
  webview: {
    only: ['activations', 'budget', 'charts', 'errors', 'playground-choices', 'run', 'runs', 'study'],
  },
  vscode: { only: ['publish', 'resume', 'sweep'] },
};

/** The only version of VS Code that the quick selection starts. */
export const QUICK_WORKBENCH = '1.100';

const TEST = fileURLToPath(new URL('.', import.meta.url));

/** The names of a tier's test files, as in QUICK. */
export function testFiles(tier) {
  return readdirSync(join(TEST, tier), { recursive: true })
    .map((path) => /^(.+)\.test\.ts$/.exec(path.replaceAll(sep, '/'))?.[1])
    .filter((name) => name !== undefined);
}

/** A tier's test files in the quick selection: paths below the repository, with "/". */
export function quickFiles(tier) {
  const { only, allBut } = QUICK[tier];
  const names = only ?? testFiles(tier).filter((name) => !allBut.includes(name));
  return names.map((name) => `test/${tier}/${name}.test.ts`);
}
