import { readFileSync, readdirSync } from 'node:fs';

/** Our programs run for at least a tenth of a second. */
const LOOK_MS = 40;
/** Libraries that read a model in native code. */
const NATIVE = /\S*(?:libonnxruntime|onnxruntime_binding)\S*/g;

/** Watches through /proc the processes of a workbench's server and the libraries that they load. */
export class ProcessWatch {
  private readonly seen = new Map<string, string>();
  private readonly libraries = new Set<string>();
  private readonly timer: NodeJS.Timeout;
  private root: number | undefined;
  looks = 0;

  /** @param profile the server's profile folder, which is on its command line */
  constructor(private readonly profile: string) {
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  /**
   * The commands of our programs, such as "inspect" or "train", one per process; "--version" for a bare Node.
   */
  get commands(): string[] {
    return [...this.seen.values()];
  }

  /** Our native libraries that any of the processes has loaded. */
  get native(): string[] {
    return [...this.libraries];
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    this.looks++;
    for (const pid of this.below()) {
      const args = read(pid, 'cmdline').split('\0');
      const at = args.findIndex((a) => /[\\/]cli\.cjs$/.test(a));
      // A process counts as a new one when it starts another program.
      if (at >= 0) this.seen.set(`${pid} ${args[at]}`, args[at + 1]);
      for (const [library] of read(pid, 'maps').matchAll(NATIVE)) this.libraries.add(library);
    }
  }

  /** The server and its descendants. A detached trainer is among them while the extension host is running. */
  private below(): number[] {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const parent = Number(read(Number(name), 'stat').split(') ').at(-1)?.split(' ')[1]);
      if (parent > 0) parents.set(Number(name), parent);
    }
    if (!this.root || !parents.has(this.root))
      this.root = [...parents.keys()].sort((a, b) => a - b).find((pid) => this.isServer(pid));
    const found = new Set(this.root ? [this.root] : []);
    for (let size = -1; size !== found.size;) {
      size = found.size;
      for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
    }
    return [...found];
  }

  private readonly isServer = (pid: number) => read(pid, 'cmdline').includes(`${this.profile}/data\0`);
}

/**
 * Processes of a workbench that run a command of our program, whatever their parent. Workbenches share installed packages,
 * but each has folders of the user's in its own profile.
 */
export const programs = (profile: string, command: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const args = read(pid, 'cmdline').split('\0');
      const at = args.findIndex((a) => /[\\/]cli\.cjs$/.test(a));
      return at >= 0 && args[at + 1] === command && read(pid, 'environ').includes(`=${profile}/`);
    });

/** Returns an empty string for a process that has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
