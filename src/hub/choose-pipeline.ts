import { own } from '../base/names';
import { AuroraError } from '../base/errors';
import { PIPELINE_INDEX } from '../files/model-path';
import type { ListedFile, ModelFiles } from './choose-files';

/** Components with weights, and the names of their files in diffusers or transformers without the ending. */
const WITH_WEIGHTS: Readonly<Record<string, string>> = {
  unet: 'diffusion_pytorch_model',
  vae: 'diffusion_pytorch_model',
  text_encoder: 'model',
  text_encoder_2: 'model',
};
/** The components that every pipeline of this kind has. */
const NEEDED = ['unet', 'vae', 'text_encoder', 'tokenizer', 'scheduler'];
/** In Optimum's layout, the autoencoder is two models. */
const ONNX_COMPONENTS = ['unet', 'vae_encoder', 'vae_decoder', 'text_encoder', 'text_encoder_2'];
const SMALL_FILES: Readonly<Record<string, readonly string[]>> = {
  tokenizer: [
    'tokenizer_config.json',
    'special_tokens_map.json',
    'tokenizer.json',
    'vocab.json',
    'merges.txt',
  ],
  scheduler: ['scheduler_config.json'],
};
const smallFilesOf = (folder: string): readonly string[] => own(SMALL_FILES, folder.replace(/_2$/, '')) ?? [];

/**
 * Chooses the files of a pipeline's repository that training needs: of the U-Net, the autoencoder and each text encoder
 * the config and the weights in one precision, which are those that diffusers' from_pretrained reads without a
 * `variant`, or half precision where there is nothing else; the tokenizers and the scheduler. Weights in one file for
 * other programs, the safety checker and models for other frameworks are left out.
 *
 * @param beside the files above the folders that are wanted: card and license
 * @throws AuroraError 'model' if a component is missing or cannot be read
 */
export function choosePipelineFiles(
  repo: string,
  all: readonly ListedFile[],
  beside: readonly ListedFile[],
): ModelFiles {
  const paths = new Set(all.map(({ path }) => path));
  const folders = new Set(all.flatMap(({ path }) => (path.includes('/') ? [path.split('/')[0]] : [])));
  const lacking = NEEDED.find(
    (name) => !folders.has(name) && !(name === 'vae' && folders.has('vae_decoder')),
  );
  if (lacking !== undefined) throw withoutComponent(repo, lacking, [...folders]);
  const found = isOnnx(paths) ? onnxWeights(repo, paths) : storedWeights(repo, paths, folders);
  const components = [...folders].filter(
    (name) => smallFilesOf(name).length > 0 || found.folders.includes(name),
  );
  const small = components.flatMap((name) =>
    ['config.json', ...smallFilesOf(name)].map((file) => `${name}/${file}`),
  );
  const chosen = new Set([PIPELINE_INDEX, ...small, ...found.read]);
  const tokenizer = ['tokenizer/tokenizer.json', 'tokenizer/vocab.json'].find((path) => paths.has(path));
  if (tokenizer === undefined)
    throw new AuroraError(
      'model',
      `${repo} has no tokenizer/vocab.json.`,
      'Get another copy of the pipeline.',
    );
  return {
    model: '',
    tokenizer,
    files: [...beside, ...all.filter(({ path }) => chosen.has(path))],
    weights: found.weights,
  };
}

interface Found {
  folders: string[];
  /** The files that are read for the weights: an index too. */
  read: string[];
  weights: string[];
}

const isOnnx = (paths: ReadonlySet<string>): boolean =>
  paths.has('unet/model.onnx') && ![...paths].some((path) => /^unet\/.*\.safetensors$/.test(path));

function onnxWeights(repo: string, paths: ReadonlySet<string>): Found {
  const folders = ONNX_COMPONENTS.filter((name) => paths.has(`${name}/model.onnx`));
  const lacking = ONNX_COMPONENTS.find((name) => name !== 'text_encoder_2' && !folders.includes(name));
  if (lacking !== undefined) throw withoutComponent(repo, lacking, folders);
  const weights = [...paths].filter((path) => /^[^/]+\/model\.onnx([._]data(_\d+)?)?$/.test(path));
  const read = weights.filter((path) => folders.includes(path.split('/')[0]));
  return { folders, read, weights: read };
}

function storedWeights(repo: string, paths: ReadonlySet<string>, folders: ReadonlySet<string>): Found {
  const of = Object.keys(WITH_WEIGHTS).filter((name) => folders.has(name));
  const each = of.map((name) => weightsOf(repo, `${name}/${WITH_WEIGHTS[name]}`, paths));
  return {
    folders: of,
    read: each.flatMap(({ read }) => read),
    weights: each.flatMap(({ weights }) => weights),
  };
}

/**
 * The weights: one file, an index with its files, or the file in half precision. @param stem
 * "unet/diffusion_pytorch_model"
 */
function weightsOf(repo: string, stem: string, paths: ReadonlySet<string>): Omit<Found, 'folders'> {
  const [folder] = stem.split('/');
  if (!paths.has(`${folder}/config.json`))
    throw new AuroraError(
      'model',
      `${repo} has no ${folder}/config.json.`,
      'Get another copy of the pipeline.',
    );
  const index = `${stem}.safetensors.index.json`;
  const shards = [...paths]
    .filter((p) => p.startsWith(`${stem}-`) && /-\d+-of-\d+\.safetensors$/.test(p))
    .sort();
  for (const path of [
    `${stem}.safetensors`,
    ...(shards.length > 0 ? [index] : []),
    `${stem}.fp16.safetensors`,
  ])
    if (paths.has(path)) {
      const weights = path === index ? shards : [path];
      return { weights, read: path === index ? [index, ...shards] : weights };
    }
  const pickled = [...paths].find((path) => path.startsWith(`${folder}/`) && path.endsWith('.bin'));
  throw new AuroraError(
    'model',
    pickled === undefined
      ? `${repo} has no ${stem}.safetensors.`
      : `${repo} has the weights of ${folder} only in ${pickled}, a format that can run code when it is loaded.`,
    'Get a copy of the pipeline with safetensors; --revision refs/pr/NUMBER gets one from a pull request.',
  );
}

/** Newer pipelines have a transformer in place of the U-Net. */
const withoutComponent = (repo: string, name: string, folders: readonly string[]): AuroraError =>
  new AuroraError(
    'model',
    `${repo} is a pipeline without ${name}/; it has ${folders.join(', ')}.`,
    'Get a pipeline with a U-Net: Stable Diffusion 1 or 2, or SDXL.',
  );
