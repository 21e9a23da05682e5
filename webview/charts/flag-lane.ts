import { type MarkKind, kindOf, MARK_KINDS, type Mark } from './chart-marks';

/** Shapes that differ without color, as SVG paths in a square of 12 by 12. */
export const FLAG_ICONS: Readonly<Record<MarkKind, string>> = {
  // A bell.
  alarm:
    'M6 0.5 C8.6 0.5 9.5 2.5 9.5 5 L9.5 7.5 L11 9.5 L1 9.5 L2.5 7.5 L2.5 5 C2.5 2.5 3.4 0.5 6 0.5 Z M4.5 10.3 L7.5 10.3 L6.8 11.7 L5.2 11.7 Z',
  // A triangle with a gap for its exclamation mark.
  warning:
    'M6 0.5 L11.8 11.5 L0.2 11.5 Z M5.4 4.5 L5.6 8 L6.4 8 L6.6 4.5 Z M5.4 8.8 L5.4 10 L6.6 10 L6.6 8.8 Z',
  stopped: 'M1.5 1.5 L10.5 1.5 L10.5 10.5 L1.5 10.5 Z',
  // A stem with two branches.
  fork: 'M5.2 11.5 L5.2 7.5 L1.2 3.5 L1.2 0.5 L2.8 0.5 L2.8 2.9 L6 6 L9.2 2.9 L9.2 0.5 L10.8 0.5 L10.8 3.5 L6.8 7.5 L6.8 11.5 Z',
  resumed: 'M2 1 L11 6 L2 11 Z',
  best: 'M6 0.4 L7.7 4.1 L11.7 4.5 L8.7 7.2 L9.6 11.2 L6 9.1 L2.4 11.2 L3.3 7.2 L0.3 4.5 L4.3 4.1 Z',
  // A small flag on its pole.
  checkpoint: 'M3 0.5 L3 11.5 L4.2 11.5 L4.2 7 L10 4 L4.2 1 L4.2 0.5 Z',
};

/** Marks that are shown as one flag, because they are too close to each other. */
interface Flag {
  /** Its middle, in pixels from the left end of the axis. */
  left: number;
  /** The most important one's. */
  kind: MarkKind;
  /** In their order on the axis. */
  marks: Mark[];
}

/**
 * Flags that do not overlap: marks closer than the width of a flag are one.
 *
 * @param project x to pixels from the left end of the axis
 * @param width of the axis; marks outside of it are left out
 * @param size distance between the middles of two flags, in pixels
 */
export function layoutFlags(
  marks: readonly Mark[],
  project: (x: number) => number,
  width: number,
  size: number,
): Flag[] {
  const placed = marks
    .filter(({ label }) => label !== undefined)
    .map((mark) => ({ mark, at: project(mark.x) }))
    .filter(({ at }) => at >= -0.5 && at <= width + 0.5)
    .sort((a, b) => a.at - b.at);
  const flags: (Flag & { from: number })[] = [];
  for (const { mark, at } of placed) {
    const last = flags.at(-1);
    if (last && at < last.left + size) {
      last.marks.push(mark);
      // In the middle of its marks. It only moves to the right, away from the flag before it.
      last.left = (last.from + at) / 2;
    } else flags.push({ left: at, from: at, kind: 'checkpoint', marks: [mark] });
  }
  return flags.map(({ left, marks: own }) => ({ left, kind: mostImportant(own), marks: own }));
}

const mostImportant = (marks: readonly Mark[]): MarkKind => {
  const kinds = marks.map(kindOf);
  return MARK_KINDS.find((kind) => kinds.includes(kind))!;
};

/** Distance between two flags in CSS pixels: the width of one with a count, and a gap. */
const SIZE = 32;
/** Events that are told in full; the rest is a number. */
const MOST_TOLD = 12;

/** Words that the page translates. */
export interface FlagWords {
  /** "and 7 more" */
  more(count: number): string;
  /** "3 events" */
  several(count: number): string;
}

/**
 * The flags above a chart. Hovering or focusing one tells its events; arrow keys move between flags, of which one is in
 * the tab order. Elements are kept and moved, so that a chart that grows takes no focus away.
 */
export class FlagLane {
  private readonly buttons: HTMLButtonElement[] = [];
  private flags: Flag[] = [];
  private readonly tip = document.createElement('ul');
  private told: number | undefined;

  constructor(
    private readonly lane: HTMLElement,
    private readonly words: FlagWords,
    private readonly onPick: (x: number) => void,
  ) {
    this.tip.className = 'flag-tip';
    this.tip.hidden = true;
    // The buttons' names have the same words.
    this.tip.setAttribute('aria-hidden', 'true');
    lane.append(this.tip);
    lane.addEventListener('keydown', (e) => this.onKey(e));
  }

  /** @param left where the axis begins in the lane, and `width` how long it is, in CSS pixels */
  place(marks: readonly Mark[], project: (x: number) => number, left: number, width: number): void {
    this.flags = layoutFlags(marks, project, width, SIZE);
    while (this.buttons.length < this.flags.length) this.buttons.push(this.makeButton(this.buttons.length));
    this.buttons.forEach((button, i) => {
      const flag = this.flags[i];
      button.hidden = flag === undefined;
      if (flag) dress(button, flag, left, this.nameOf(flag));
    });
    if (!this.buttons.some((b) => b.tabIndex === 0 && !b.hidden) && this.flags.length > 0) this.enter(0);
    if (this.told !== undefined) this.tell(this.told);
  }

  /** With the number that it shows, so that it can be called by what is seen. */
  private nameOf(flag: Flag): string {
    const { length } = flag.marks;
    return [...(length > 1 ? [this.words.several(length)] : []), ...this.textsOf(flag)].join('. ');
  }

  private textsOf({ marks }: Flag): string[] {
    const texts = marks.map(({ text, label }) => text ?? label ?? '');
    if (texts.length <= MOST_TOLD) return texts;
    return [...texts.slice(0, MOST_TOLD - 1), this.words.more(texts.length - MOST_TOLD + 1)];
  }

  private makeButton(i: number): HTMLButtonElement {
    const button = document.createElement('button');
    button.tabIndex = -1;
    button.addEventListener('mouseenter', () => this.tell(i));
    button.addEventListener('mouseleave', () => this.tell(undefined));
    button.addEventListener('focus', () => {
      this.enter(i);
      this.tell(i);
    });
    button.addEventListener('blur', () => this.tell(undefined));
    button.addEventListener('click', () => this.onPick(this.flags[i].marks[0].x));
    this.lane.insertBefore(button, this.tip);
    return button;
  }

  private enter(i: number): void {
    this.buttons.forEach((button, at) => (button.tabIndex = at === i ? 0 : -1));
  }

  private tell(i: number | undefined): void {
    const flag = i === undefined ? undefined : this.flags[i];
    this.told = flag && i;
    this.tip.hidden = !flag;
    if (!flag) return;
    this.tip.replaceChildren(
      ...this.textsOf(flag).map((text) => {
        const line = document.createElement('li');
        line.textContent = text;
        return line;
      }),
    );
    const { offsetLeft } = this.buttons[i!];
    const room = this.lane.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(offsetLeft, room))}px`;
  }

  private onKey(e: KeyboardEvent): void {
    const at = this.buttons.indexOf(e.target as HTMLButtonElement);
    const last = this.flags.length - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[e.key];
    if (e.key === 'Escape') return this.tell(undefined);
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    this.buttons[Math.min(Math.max(to, 0), last)].focus();
  }
}

function dress(button: HTMLButtonElement, { kind, marks, left }: Flag, from: number, name: string): void {
  const looks = `flag flag-${kind}${marks.length > 1 ? ' several' : ''}`;
  const key = `${looks} ${marks.length}`;
  if (button.dataset.key !== key) {
    button.dataset.key = key;
    button.className = looks;
    button.replaceChildren(icon(FLAG_ICONS[kind]), ...(marks.length > 1 ? [count(marks.length)] : []));
  }
  button.setAttribute('aria-label', name);
  button.style.left = `${from + left}px`;
}

function icon(path: string): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 12 12');
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  shape.setAttribute('d', path);
  shape.setAttribute('fill-rule', 'evenodd');
  svg.append(shape);
  return svg;
}

function count(n: number): HTMLElement {
  const element = document.createElement('span');
  element.className = 'count';
  element.textContent = String(n);
  return element;
}
