import { existsSync } from 'node:fs';
import { AuroraError, EXIT } from '../../../base/errors';
import { isCommit } from '../../../experiment/hub-reference';
import type { Hub } from '../../../hub/hub-client';
import { openHub, type Plan } from './download-plan';
import { HUB_SETS } from '../../../recipes/data/hub-sets';
import { wholeNumber, type Command, type ParsedArgs } from '../../command';
import { write } from '../../output';
import { planData } from './data-download';
import { FETCH_HELP, FETCH_OPTIONS, fetchPlans, writeLine, foundText, gotText } from './fetch';
import { planModel } from './model-download';
import { planReferences, referencesOf } from './named';

const HELP = `Usage: aurora get [model] NAME [options]
       aurora get data NAME [options]
       aurora get FILE.aurora.json | RUN
       aurora get model|data --search TEXT

Downloads a model or a data set from the Hugging Face hub into the hub's own cache (HF_HUB_CACHE, or ~/.cache/huggingface/hub),
which Python's libraries share, and prints the reference by which an experiment names it at this commit. Shows before what it
would download: the beginning of the card, the files, and what training the model would take, from config.json and the
headers of its weights. With an experiment or a run, downloads whatever it names and this machine lacks.

A model is config.json, the tokenizer or the preprocessor, and the weights in one precision, as safetensors or ONNX; of a
pipeline with a U-Net, that of each component. Of a data set, the Parquet files to which the hub converts it. The data sets of the paper have names: ${HUB_SETS.slice(
  0,
  5,
)
  .map(({ id }) => id)
  .join(', ')} …

An interrupted download is resumed by the same command. A model that is in the cache at a commit, and a file that an experiment
names, are used without a request.

  --revision R       a branch, a tag, a pull request (refs/pr/N) or a commit (default: main)
  --commit COMMIT    the commit that the revision named when it was shown, which is downloaded whatever it names now
  --file FILE        of a model: an ONNX file; of data: a file of the repository itself, or a pattern, may be repeated
  --config NAME      the configuration of a data set, which the hub also calls its subset
  --split NAME       a split, may be repeated (default: all of the configuration)
  --search TEXT      search instead
  --limit N          search results (default: 20)
${FETCH_HELP}
HF_ENDPOINT names a mirror, HF_TOKEN or \`hf auth login\` give access to gated and private repositories, and with HF_HUB_OFFLINE=1
only the cache is used. HTTPS_PROXY and NODE_EXTRA_CA_CERTS are honoured.
`;

export const getCommand: Command = {
  help: HELP,
  options: {
    revision: { type: 'string' },
    commit: { type: 'string' },
    file: { type: 'string', multiple: true },
    config: { type: 'string' },
    split: { type: 'string', multiple: true },
    search: { type: 'string' },
    limit: { type: 'string' },
    ...FETCH_OPTIONS,
  },
  values: { '': ['model', 'data'] },
  async run(args) {
    const hub = openHub();
    const [what, name, ...more] = args.positionals;
    if (args.text('search') !== undefined) return search(hub, kindOf(what), args);
    if (what === undefined || more.length > 0)
      throw new AuroraError('usage', 'aurora get takes model or data with a name, or an experiment.', SEE);
    const plans = await plansOf(hub, what, name, args);
    const got = await fetchPlans(hub, plans, args);
    if (!got) return EXIT.ok;
    if (args.flag('json')) await writeLine({ kind: 'got', got });
    else if (got.length > 0) await write(gotText(got));
    else process.stderr.write('Everything that it names on the hub is in the cache.\n');
    return EXIT.ok;
  },
};

const SEE = 'See `aurora get --help`.';

async function plansOf(hub: Hub, what: string, name: string | undefined, args: ParsedArgs): Promise<Plan[]> {
  if (what !== 'model' && what !== 'data') {
    if (name !== undefined) throw new AuroraError('usage', `aurora get has no "${what}".`, SEE);
    if (existsSync(what) || what.endsWith('.json')) return planReferences(hub, referencesOf(what));
    return plansOf(hub, 'model', what, args);
  }
  if (name === undefined)
    throw new AuroraError('usage', `aurora get ${what} needs a name, such as ${EXAMPLE[what]}.`, SEE);
  const files = args.list('file');
  const revision = args.text('revision');
  const commit = commitOf(args.text('commit'));
  if (what === 'model') return [await planModel(hub, name, { revision, commit, file: files[0] })];
  const ask = !args.flag('yes') && !args.flag('json') && !args.flag('show');
  const open = args.flag('json') && args.flag('show');
  const choice = {
    revision,
    commit,
    config: args.text('config'),
    splits: args.list('split'),
    files,
    ask,
    open,
  };
  return [await planData(hub, name, choice)];
}

function commitOf(given: string | undefined): string | undefined {
  if (given === undefined || isCommit(given)) return given;
  throw new AuroraError('usage', `--commit takes the 40 digits of a commit, not "${given}".`, SEE);
}

const EXAMPLE = { model: 'FacebookAI/roberta-base', data: 'glue/rte' };

function kindOf(what: string | undefined): 'model' | 'dataset' {
  if (what === 'model') return 'model';
  if (what === 'data') return 'dataset';
  throw new AuroraError('usage', '--search needs model or data.', SEE);
}

async function search(hub: Hub, kind: 'model' | 'dataset', args: ParsedArgs): Promise<number> {
  const limit = wholeNumber('limit', args.text('limit') ?? '20');
  const repos = await hub.search(kind, args.text('search')!, { limit });
  if (args.flag('json')) await writeLine({ kind: 'found', repos });
  else await write(foundText(repos));
  return EXIT.ok;
}
