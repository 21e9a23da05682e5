import { parameterCount } from '../../../adapters/stored-tensors';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { loadModelFrom } from '../../../architectures/load';
import { modelSource, requireTextToImage } from '../../../architectures/model-source';
import { AuroraError } from '../../../base/errors';
import { count } from '../../../base/number-text';
import type { Experiment } from '../../../experiment/experiment';
import { readPictureRows } from '../../../data/table/image-rows';
import { writeAtomic } from '../../../files/atomic';
import { findLinearLayers } from '../../../graph/layers/linear';
import { prepareModel } from '../../../graph/prepare';
import { defaultAdapter } from '../../../recipes/draft';
import { epochsFor, SCRIPT, SCRIPT_DEFAULTS, subjectAdapter, subjectText } from '../../../recipes/dreambooth';
import { PAPER } from '../../../recipes/paper-data';
import { SDXL } from '../../../recipes/model-shapes';
import { parseExperiment } from '../../../runs/experiment/load';
import { taskKind } from '../../../tasks/task-registry';
import { adaptTo } from '../../../training/task/adapted-model';
import { textAtTerminal } from '../../owning';
import type { ParsedArgs } from '../../command';
import { commandLine } from '../../suggested-commands';
import { hints } from '../../output';
import { table } from '../../table';
import { written, withSettings } from './choices';

/** Its data are anybody's pictures of a subject rather than a data set. */
export const DREAMBOOTH = 'dreambooth';
export const PROMPT = 'task.instancePrompt';

export const dreamboothText = (): string =>
  `${[
    `${DREAMBOOTH}: DreamBooth on ${SDXL.name}`,
    '',
    `From the AuroRA paper (${PAPER.source}): AuroRA of rank ${PAPER.rank}, alpha ${PAPER.alpha}. It states nothing else.`,
    '',
    `Defaults of ${SCRIPT}`,
    ...table(SCRIPT_DEFAULTS.map(({ key, value, option }) => [`  ${key}`, written(value), option])),
    '',
    `LoRA has its rank, ${SDXL.loraRank}, and no scale. Epochs follow from the number of images: about the 500 steps of README_sdxl.md.`,
    'The data are a folder of a few images of the subject. Its prompt is asked for, or stated with',
    `--set ${PROMPT}="a photo of sks dog".`,
  ].join('\n')}\n`;

/** Writes the experiment for a folder of images, and reports it. */
export async function writeDreambooth(
  model: string,
  folder: string,
  args: ParsedArgs,
  method: Parameters<typeof defaultAdapter>[0],
  set: ReadonlyMap<string, unknown>,
): Promise<void> {
  const out = resolve(args.text('out') ?? join('.', `${DREAMBOOTH}-${method}.aurora.json`));
  const { spec, images, rows, parameters } = await makeDreambooth(model, folder, out, method, set);
  if (args.flag('json')) return void process.stdout.write(`${JSON.stringify({ file: out })}\n`);
  process.stdout.write(
    `${[
      `Wrote ${out}`,
      '',
      `${count(rows)} ${rows === 1 ? 'image' : 'images'} with the prompt ${JSON.stringify(spec.task.instancePrompt)}, ${count(epochsFor(images))} epochs.`,
      `${count(parameters)} adapter parameters are trained.`,
      `The paper states rank and alpha alone; the file says what is a default of diffusers’ script.`,
      ...hints('', `Next: ${commandLine('preflight', relative(process.cwd(), out))}`),
    ].join('\n')}\n`,
  );
}

/**
 * Writes the experiment for a folder of images, after reading them and the pipeline's structure.
 *
 * @throws AuroraError 'usage' if `out` exists or nobody states the prompt, and for anything that training would stop at
 */
export async function makeDreambooth(
  model: string,
  folder: string,
  out: string,
  method: Parameters<typeof defaultAdapter>[0],
  set: ReadonlyMap<string, unknown>,
): Promise<{ spec: Experiment; images: number; rows: number; parameters: number }> {
  if (existsSync(out))
    throw new AuroraError('usage', `${out} already exists and was not overwritten.`, 'Name another file with --out.'); // prettier-ignore
  const source = requireTextToImage(modelSource(model));
  const prompt = await promptOf(set);
  const { rows: images } = await readPictureRows(folder, { onBadRow: 'fail' }, prompt);
  const original = loadModelFrom(source, 'structure');
  const prepared = prepareModel(original);
  const text = withSettings(
    subjectText(out, {
      model,
      images: folder,
      count: images.length,
      prompt,
      adapter: subjectAdapter(defaultAdapter(method)),
      ...(!source.isXl && { resolution: 512 }),
    }),
    new Map([...set].filter(([key]) => key !== PROMPT)),
  );
  const spec = parseExperiment(out, text, []);
  const base = { source, original, model: prepared, layers: findLinearLayers(prepared.graph) };
  const { adapters } = adaptTo(base, spec);
  const data = await taskKind(spec.task).load(spec, prepared);
  writeAtomic(out, text);
  const rows = data.train.dataset.examples.length;
  return { spec, images: images.length, rows, parameters: parameterCount(adapters) };
}

async function promptOf(set: ReadonlyMap<string, unknown>): Promise<string> {
  const given = set.get(PROMPT);
  if (typeof given === 'string') return given;
  const answer = await textAtTerminal('The prompt of the subject, such as "a photo of sks dog":');
  if (answer !== undefined && answer !== '') return answer;
  throw new AuroraError(
    'usage',
    'Only you can say what the images show.',
    `State it with --set ${PROMPT}="a photo of sks dog": a rare word and the subject's class.`,
  );
}
