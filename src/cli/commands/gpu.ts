import { join } from 'node:path';
import { AuroraError, EXIT } from '../../base/errors';
import { nearest } from '../../base/nearest';
import { bytes, progressPercent } from '../../base/number-text';
import { check, tryPart } from '../../gpu-support/gpu-check';
import { tidy } from '../../gpu-support/claim';
import { changedNative } from '../../gpu-support/hashes';
import { install, record, remove } from '../../gpu-support/install-packages';
import { gpuFolder, gpuStates, readInstalled } from '../../gpu-support/gpu-folders';
import {
  GPU_PART_NAMES,
  GPU_PARTS,
  GPU_SUPPORT_VARIABLE,
  type GpuCheck,
  type GpuEvent,
  type GpuPart,
  type GpuState,
  type GpuStep,
} from '../../protocol/gpu-support';
import { clearLine, redraw } from '../bar';
import { type Command, type ParsedArgs, wholeNumber } from '../command';
import { isScreen, sayError } from '../output';
import { answerParent, endOnSignals, endWithParent } from '../signals';
import { table } from '../table';

/** Seconds to wait for the next byte. */
const PATIENCE = 60;

const part = (name: GpuPart) => {
  const { title, package: from, platforms, needs, place, license } = GPU_PARTS[name];
  return `  ${name.padEnd(12)}${title}: --engine ${place.engine} --device ${place.device}
              from ${from} (${license}); ${platforms.join(', ')}; needs ${needs}`;
};

export const gpuCommand: Command = {
  help: `Usage: aurora gpu list | install PART | check PART | remove PART  [options]

Downloads the libraries for NVIDIA GPUs, which are too large to ship with the extension, using the packages' own
install scripts. The device "webgpu" does not need them.

${GPU_PART_NAMES.map(part).join('\n')}

  --storage DIR      keep GPU support in DIR/gpu (default: in the user's data folder)
  --force            reinstall even if intact
  --timeout N        give up if nothing arrives for N seconds (default: ${PATIENCE})
  --json             print the result as JSON; for install, progress and result as JSON lines

install exits with 0 once all files are in place and intact, and reports what is missing to use them; check exits
with 19 if they cannot be used. A canceled install exits with 130, a failed one with 18 (disk) or 19; neither leaves
anything behind.

Downloads must match the hash stated by their publisher (NuGet) or, if there is none, the hash of the first install,
which is kept in gpu-hashes.json beside the folder "gpu". check also compares the installed libraries.

Proxies: HTTPS_PROXY, NO_PROXY. Certificates: NODE_EXTRA_CA_CERTS. Mirrors, as the packages read them:
TFJS_NODE_CDN_STORAGE or TFJS_NODE_BASE_URI for libtensorflow, npm_config_tfjs_binding_binary_host_mirror for
its binding.
`,
  options: {
    storage: { type: 'string' },
    json: { type: 'boolean' },
    force: { type: 'boolean' },
    timeout: { type: 'string' },
    // For the child process that check and install start.
    at: { type: 'string' },
  },
  values: { '': ['list', 'install', 'check', 'remove', ...GPU_PART_NAMES] },
  async run(args) {
    const [action, ...rest] = args.positionals;
    if (action === 'list' && rest.length === 0) return list(args);
    if (!['install', 'check', 'remove'].includes(action) || rest.length !== 1)
      throw new AuroraError(
        'usage',
        'aurora gpu takes "list", or "install", "check" or "remove" with a part.',
        'See `aurora gpu --help`.',
      );
    const name = partNamed(rest[0]);
    if (action === 'install') return installPart(args, name);
    return action === 'check' ? checkPart(args, name) : removePart(args, name);
  },
};

/** The given storage, or the folder where the process searches for GPU support. */
function folder(args: ParsedArgs): string {
  const storage = args.text('storage');
  return storage === undefined ? process.env[GPU_SUPPORT_VARIABLE]! : gpuFolder(storage);
}

function partNamed(name: string): GpuPart {
  if (Object.hasOwn(GPU_PARTS, name)) return name as GpuPart;
  const near = nearest(name, GPU_PART_NAMES);
  throw new AuroraError(
    'usage',
    `Unknown part "${name}".`,
    near ? `Did you mean "${near}"?` : `The parts are ${GPU_PART_NAMES.join(' and ')}.`,
  );
}

const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

function list(args: ParsedArgs): number {
  const gpu = folder(args);
  tidy(gpu);
  const states = gpuStates(__dirname, gpu);
  if (args.flag('json')) print({ folder: gpu, parts: states });
  else process.stdout.write(`${gpu}\n${table(states.map((s) => [`  ${s.part}`, words(s)])).join('\n')}\n`);
  return EXIT.ok;
}

function words({ part: name, fits, version, installed }: GpuState): string {
  if (!installed)
    return fits ? `not installed (${version})` : 'not available for this platform or in this build';
  if (installed.version !== version)
    return `${installed.version}, but this version of AuroRA Lab needs ${version}: reinstall it`;
  return installed.usable
    ? `${version}, usable`
    : (installed.problem ?? `${GPU_PARTS[name].title} has not been checked`);
}

async function installPart(args: ParsedArgs, name: GpuPart): Promise<number> {
  endOnSignals();
  const gpu = folder(args);
  const progress = new GpuProgress();
  const tell = (event: GpuEvent) => (args.flag('json') ? print(event) : progress.tell(event));
  const given = args.text('timeout');
  try {
    await install({
      part: name,
      gpu,
      dist: __dirname,
      program: PROGRAM,
      force: args.flag('force'),
      timeoutSeconds: given === undefined ? PATIENCE : wholeNumber('timeout', given),
      tell,
    });
  } finally {
    progress.end();
  }
  return EXIT.ok;
}

const PROGRAM = join(__dirname, 'cli.cjs');

async function checkPart(args: ParsedArgs, name: GpuPart): Promise<number> {
  const at = args.text('at');
  if (at !== undefined) {
    endWithParent();
    return answerParent(await tryPart(name, at));
  }
  const gpu = folder(args);
  const { title } = GPU_PARTS[name];
  const installed = readInstalled(gpu, name);
  if (!installed)
    throw new AuroraError(
      'device',
      `${title} is not installed in ${gpu}.`,
      `Install it with \`aurora gpu install ${name}\`.`,
    );
  const changed = await changedNative(join(gpu, name), installed.files);
  // Changed files are not loaded.
  const result: GpuCheck =
    changed === undefined
      ? await check(PROGRAM, name, join(gpu, name))
      : {
          usable: false,
          damaged: true,
          problem: `${join(gpu, name, changed)} is not the file that was installed: its SHA-256 differs.`,
          hint: `Reinstall it with \`aurora gpu install ${name}\`.`,
        };
  record(join(gpu, name), installed.version, result, installed);
  if (args.flag('json')) print(result);
  else if (!result.usable) throw new AuroraError('device', result.problem!, result.hint);
  else process.stdout.write(`${title} is usable.\n`);
  return result.usable ? EXIT.ok : EXIT.device;
}

function removePart(args: ParsedArgs, name: GpuPart): number {
  const gpu = folder(args);
  const removed = remove(gpu, name);
  if (args.flag('json')) print({ part: name, removed });
  else process.stdout.write(`${GPU_PARTS[name].title} ${removed ? 'was removed.' : 'was not installed.'}\n`);
  return EXIT.ok;
}

const WORDS: Record<GpuStep, string> = {
  checking: 'Checking the platform and existing files…',
  copying: 'Copying bundled files…',
  downloading: 'Downloading…',
  unpacking: 'Unpacking…',
  verifying: 'Loading it and multiplying two matrices…',
};

/** Shows an install in a terminal; in a log, only its steps and its end. */
class GpuProgress {
  private onScreen = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  tell(event: GpuEvent): void {
    if (event.kind === 'step') this.line(WORDS[event.step]);
    else if (event.kind === 'progress') this.draw(event);
    else {
      const { part, usable, problem, hint, already, unpinned } = event;
      const { title } = GPU_PARTS[part];
      if (unpinned)
        this.line(
          `No publisher states a hash of ${unpinned.join(' and ')}: it was recorded, to be compared at later installs.`,
        );
      if (!usable) {
        this.end();
        sayError(`${problem}\n${hint}\n`);
      } else this.line(`${title} is ${already ? 'already ' : ''}installed and usable.`);
    }
  }

  end(): void {
    if (this.onScreen) clearLine(this.out);
    this.onScreen = false;
  }

  private draw({ file, received, total }: Extract<GpuEvent, { kind: 'progress' }>): void {
    if (!isScreen(this.out)) return;
    const of = total === undefined ? '' : ` of ${bytes(total)} (${progressPercent(received, total)})`;
    redraw(this.out, `  ${file}: ${bytes(received)}${of}`);
    this.onScreen = true;
  }

  private line(text: string): void {
    this.end();
    this.out.write(`${text}\n`);
  }
}
