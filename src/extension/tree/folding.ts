/** workspaceState. */
const FOLDING = 'experiments.folding';

/** More rows than anybody folds; the oldest are forgotten. */
const MOST = 1000;

interface Memory {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** The rows that the user has expanded or collapsed, by id: VS Code forgets them with the window. */
export class Folding {
  private readonly rows: Map<string, boolean>;

  constructor(private readonly memory: Memory) {
    const stored = memory.get<unknown>(FOLDING);
    const pairs = Array.isArray(stored) ? (stored as unknown[]).filter(isPair) : [];
    this.rows = new Map(pairs);
  }

  /** Undefined for a row that was left as it was. */
  isExpanded(id: string): boolean | undefined {
    return this.rows.get(id);
  }

  set(id: string, expanded: boolean): void {
    this.rows.delete(id);
    this.rows.set(id, expanded);
    const [oldest] = this.rows.keys();
    if (this.rows.size > MOST) this.rows.delete(oldest);
    void this.memory.update(FOLDING, [...this.rows]);
  }
}

const isPair = (value: unknown): value is [string, boolean] =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'boolean';
