import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readReference } from '../../src/cli/commands/reference/case';

/** The path of a file in test/fixtures/reference. */
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/reference/${name}`, import.meta.url));

/** The names of all reference files. */
export const allFiles = (): string[] =>
  ['./', './more/'].flatMap((folder) =>
    readdirSync(fixture(folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => `${folder}${name}`),
  );

const filesIn = (folder: string): string[] =>
  readdirSync(fixture(folder))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${folder}/${name}`);

/** The names of cases over folders with config.json and safetensors, in test/fixtures/hf. */
export const hubFiles = (): string[] => filesIn('../hf');

/** The names of cases of PEFT's methods, in test/fixtures/peft. */
export const peftFiles = (): string[] => filesIn('../peft');

/** The names of cases of its newer methods and settings, in test/fixtures/peft-more. */
export const peftMoreFiles = (): string[] => filesIn('../peft-more');

/** Reference files of components of pipelines, in test/fixtures/diffusers, which also has pictures that samplers draw. */
export const pipelineFiles = (): string[] =>
  filesIn('../diffusers').filter((name) => !name.endsWith('-picture.json'));

/** A reference file with a model: any but `anl.json`. */
export function modelFile(name: string) {
  const file = readReference(fixture(name));
  if (file.kind !== 'model') throw new Error(`${name} has no model.`);
  return file;
}

/** The names of these files. */
export const modelFiles = (): string[] => allFiles().filter((name) => name !== './anl.json');
