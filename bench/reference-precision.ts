import { readReference } from '../src/cli/commands/reference/case';
import type { OrtDevice } from '../src/engine/place';
import { referenceStep, stepDifference } from './reference-step';

/**
 * Usage: reference-precision DEVICE FILE…. Prints one line of JSON per file: how a mixed step differs from a float32
 * one.
 */
async function main(device: OrtDevice, files: string[]): Promise<void> {
  for (const path of files) {
    const file = readReference(path);
    if (file.kind === 'anl') continue;
    const full = await referenceStep(file.modelPath, file.case, {});
    const place = { engine: 'onnxruntime', device } as const;
    const mixed = await referenceStep(file.modelPath, file.case, { place, precision: 'mixed' });
    process.stdout.write(`${JSON.stringify(stepDifference(full, mixed))}\n`);
  }
}

process.env.ORT_DISABLE_TELEMETRY = '1';
void main(process.argv[2] as OrtDevice, process.argv.slice(3));
