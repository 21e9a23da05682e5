import { basename } from 'node:path';
import { readReference } from '../src/cli/commands/reference/case';
import { leastCosine } from '../src/engine/onnxruntime/int8-step';
import { referenceStep } from './reference-step';

/**
 * Usage: reference-int8 FILE…. Prints one line of JSON per file with a model: the least cosine of its gradients in int8,
 * with all layers in int8 and as a run chooses, and what it says about its choice.
 */
async function main(files: string[]): Promise<void> {
  for (const path of files) {
    const file = readReference(path);
    if (file.kind === 'anl') continue;
    const exact = await referenceStep(file.modelPath, file.case, {});
    const cosine = async (options: { judgedBatch?: undefined }) => {
      const step = await referenceStep(file.modelPath, file.case, { precision: 'int8', ...options });
      return { cosine: leastCosine(exact.gradients, step.gradients), warnings: step.warnings };
    };
    const all = await cosine({ judgedBatch: undefined });
    const chosen = await cosine({});
    const line = { name: basename(path, '.json'), all: all.cosine, ...chosen };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

process.env.ORT_DISABLE_TELEMETRY = '1';
void main(process.argv.slice(2));
